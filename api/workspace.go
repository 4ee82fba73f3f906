package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
)

// workspaceSettings are what may be changed of a workspace.
type workspaceSettings struct {
	Name          string            `json:"name"`
	Timezone      string            `json:"timezone"`
	QuietPeriod   survey.Duration   `json:"quiet_period"`
	QuietScope    survey.QuietScope `json:"quiet_scope"`
	SenderName    string            `json:"sender_name"`
	SenderAddress string            `json:"sender_address"`
	ReplyTo       string            `json:"reply_to"`
	PostalFooter  string            `json:"postal_footer"`
	PrivacyURL    string            `json:"privacy_url"`
	DefaultLocale string            `json:"default_locale"`
	AccentColor   string            `json:"accent_color"`
}

func settingsOf(w survey.Workspace) workspaceSettings {
	return workspaceSettings{w.Name, w.Timezone, w.QuietPeriod, w.QuietScope, w.SenderName, w.SenderAddress,
		w.ReplyTo, w.PostalFooter, w.PrivacyURL, w.DefaultLocale, w.AccentColor}
}

func (s workspaceSettings) apply(w *survey.Workspace) {
	w.Name, w.Timezone, w.QuietPeriod, w.QuietScope = s.Name, s.Timezone, s.QuietPeriod, s.QuietScope
	w.SenderName, w.SenderAddress, w.ReplyTo = s.SenderName, s.SenderAddress, s.ReplyTo
	w.PostalFooter, w.PrivacyURL, w.DefaultLocale = s.PostalFooter, s.PrivacyURL, s.DefaultLocale
	w.AccentColor = s.AccentColor
}

func (a *api) showWorkspace(c echo.Context) error {
	w, err := a.Store.Workspace(c.Request().Context(), caller(c))
	if err != nil {
		return err
	}
	return send(c, okay(a.workspaceOf(w), ""))
}

func (a *api) patchWorkspace(c echo.Context) error {
	w, err := a.Store.PatchWorkspace(c.Request().Context(), caller(c), func(w *survey.Workspace) error {
		var settings workspaceSettings
		if err := mergePatch(settingsOf(*w), rawBody(c), &settings); err != nil {
			return err
		}
		settings.apply(w)
		return nil
	})
	if err != nil {
		return err
	}
	return send(c, okay(a.workspaceOf(w), ""))
}
