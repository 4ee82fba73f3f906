package api

import (
	"net/url"

	"github.com/labstack/echo/v4"

	"koe/survey"
)

// openLinkRequest is what may be said of a survey's open link.
type openLinkRequest struct {
	Slug           string   `json:"slug"`
	Attributes     []string `json:"attributes"`
	OncePerBrowser bool     `json:"once_per_browser"`
	Kiosk          bool     `json:"kiosk"`
	EmbedOrigins   []string `json:"embed_origins"`
}

type openLinkResponse struct {
	survey.OpenLink
	URL      string `json:"url"`
	KioskURL string `json:"kiosk_url,omitempty"`
	EmbedTag string `json:"embed_tag,omitempty"`
}

func (a *api) openLinkOf(l survey.OpenLink) openLinkResponse {
	out := openLinkResponse{OpenLink: l, URL: a.openURL(l, "", nil)}
	if l.Kiosk {
		out.KioskURL = a.openURL(l, survey.ByKiosk, nil)
	}
	if len(l.EmbedOrigins) > 0 {
		out.EmbedTag = `<script src="` + a.BaseURL + `/embed.js" data-koe="` + l.Slug + `" async></script>`
	}
	return out
}

// openURL is the address of an open link, by a way in and with attributes.
func (a *api) openURL(l survey.OpenLink, via string, attributes map[string]string) string {
	query := url.Values{}
	if via != "" {
		query.Set("via", via)
	}
	for name, value := range attributes {
		query.Set(name, value)
	}
	address := a.BaseURL + "/l/" + l.Slug
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

func (a *api) showOpenLink(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	link, err := a.Store.OpenLink(c.Request().Context(), caller(c), ref)
	return reply(c, okay(a.openLinkOf(link), ""), err)
}

func (a *api) putOpenLink(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	var in openLinkRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	link, fresh, err := a.Store.PutOpenLink(c.Request().Context(), caller(c), ref, survey.OpenLink{Slug: in.Slug,
		Attributes: in.Attributes, OncePerBrowser: in.OncePerBrowser, Kiosk: in.Kiosk, EmbedOrigins: in.EmbedOrigins})
	return reply(c, createdOr(fresh, a.openLinkOf(link), ""), err)
}

func (a *api) deleteOpenLink(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.DeleteOpenLink(c.Request().Context(), caller(c), ref))
}
