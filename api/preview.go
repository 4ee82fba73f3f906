package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

type previewRequest struct {
	What       string            `json:"what" validate:"required,oneof=mail page"`
	Locale     string            `json:"locale"`
	Score      *int              `json:"score"`
	Name       string            `json:"name" validate:"max=200"`
	Attributes survey.Attributes `json:"attributes"`
}

type preview struct {
	Locale  string `json:"locale"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text,omitempty"`
	HTML    string `json:"html"`
	URL     string `json:"url"` // shows it in a browser, for an hour

	Unreviewed bool     `json:"unreviewed,omitempty"`
	Fallbacks  []string `json:"fallbacks,omitempty"`
}

func (a *api) previewTemplate(c echo.Context) error {
	key, err := keyParam(c, "template")
	if err != nil {
		return err
	}
	var in previewRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := a.check(in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	render := func(by store.Caller) (answer, error) {
		shown, err := a.renderPreview(ctx, by, key, in)
		return okay(shown, ""), err
	}
	return a.once(c, render, func(by store.Caller, _ string) (answer, error) { return render(by) })
}

// renderPreview shows the mail or the page as the customer of a preview would
// see it.
func (a *api) renderPreview(ctx context.Context, by store.Caller, key string, in previewRequest) (preview, error) {
	t, w, err := a.templateToShow(ctx, by, key)
	if err != nil {
		return preview{}, err
	}
	var p, personal survey.Problems
	customer := survey.Customer{Name: in.Name, Locale: in.Locale}
	customer.Clean(&personal, "customer")
	var wrong *survey.Error
	if errors.As(personal.Err(), &wrong) {
		for _, f := range wrong.Fields { // here they stand at the top
			p.Add(strings.TrimPrefix(f.Field, "customer."), f.Code, "%s", f.Message)
		}
	}
	in.Attributes = in.Attributes.Clean(&p, "attributes")
	if scale := t.Score().Scale; in.Score != nil && (*in.Score < scale.Min || *in.Score > scale.Max) {
		p.Add("score", "range", "must be from %d to %d", scale.Min, scale.Max)
	}
	if err := p.Err(); err != nil {
		return preview{}, err
	}
	shown := preview{Locale: a.Words.SurveyLocale(t, customer.Locale, w.DefaultLocale)}
	if shown.URL, err = a.previewURL(by, previewed{Template: key, What: in.What, Locale: shown.Locale, Score: in.Score,
		Name: customer.Name, Attributes: in.Attributes}); err != nil {
		return shown, err
	}
	shown.Unreviewed, shown.Fallbacks = t.IsUnreviewed(shown.Locale), t.Fallbacks(shown.Locale)
	if in.What == "page" {
		var page bytes.Buffer
		err := a.Words.SurveyPage(&page, templates.SurveyPage{Step: templates.StepScore, Template: t, Workspace: w,
			Name: customer.Name, Locale: shown.Locale, Named: true, Attributes: in.Attributes, Preselected: in.Score})
		shown.HTML = page.String()
		return shown, err
	}
	mail, err := a.Words.Invitation(a.sampleMail(t, w, customer.Name, shown.Locale, in.Attributes, false))
	shown.Subject, shown.Text, shown.HTML = mail.Subject, mail.Text, mail.HTML
	return shown, err
}

func (a *api) templateToShow(ctx context.Context, by store.Caller, key string) (survey.Template, survey.Workspace, error) {
	t, err := a.Store.Template(ctx, by, key)
	if err != nil {
		return survey.Template{}, survey.Workspace{}, err
	}
	w, err := a.Store.Workspace(ctx, by)
	return t.Template, w, err
}

// sampleMail is an invitation whose links lead to nobody's survey: to the page
// that says so.
func (a *api) sampleMail(t survey.Template, w survey.Workspace, name, locale string, attributes survey.Attributes, test bool) templates.InvitationMail {
	return templates.InvitationMail{Template: t, Workspace: w, Name: name, Locale: locale, Attributes: attributes,
		BaseURL: a.BaseURL, SurveyURL: a.BaseURL + "/s/preview", UnsubscribeURL: a.BaseURL + "/u/preview", Test: test}
}

type testMailRequest struct {
	To     string `json:"to" validate:"required"`
	Locale string `json:"locale"`
}

type testMailAnswer struct {
	MessageID string `json:"message_id"`
}

func (a *api) testTemplate(c echo.Context) error {
	key, err := keyParam(c, "template")
	if err != nil {
		return err
	}
	var in testMailRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := a.check(in); err != nil {
		return err
	}
	ctx, id := c.Request().Context(), a.testMailID(c)
	accepted := answer{status: http.StatusAccepted, body: testMailAnswer{id}}
	return a.once(c, func(by store.Caller) (answer, error) {
		return accepted, a.sendTest(ctx, by, key, id, in)
	}, func(store.Caller, string) (answer, error) { return accepted, nil })
}

func (a *api) sendTest(ctx context.Context, by store.Caller, key, id string, in testMailRequest) error {
	t, w, err := a.templateToShow(ctx, by, key)
	if err != nil {
		return err
	}
	var p survey.Problems
	to, err := survey.NormalizeAddress(in.To)
	if err != nil {
		p.Add("to", "format", "%s", err)
	}
	if _, err := survey.ParseLocale(in.Locale); in.Locale != "" && err != nil {
		p.Add("locale", "format", "%s", err)
	}
	if err := p.Err(); err != nil {
		return err
	}
	if a.SendTest == nil {
		return survey.Errorf(survey.Conflict, "", "this koe sends no mail")
	}
	mail, err := a.Words.Invitation(a.sampleMail(t, w, "", a.Words.SurveyLocale(t, in.Locale, w.DefaultLocale), nil, true))
	if err != nil {
		return err
	}
	return a.SendTest(ctx, TestMail{ID: id, From: w, To: to, Mail: mail})
}

// testMailID is a fresh Message-ID; the same again for a repeat of a request.
func (a *api) testMailID(c echo.Context) string {
	unique := rand.Text()
	if key, err := onceKey(c); err == nil && key != "" {
		by := caller(c)
		sum := sha256.Sum256([]byte(by.KeyID.String() + " " + key))
		unique = hex.EncodeToString(sum[:16])
	}
	host := "localhost"
	if base, err := url.Parse(a.BaseURL); err == nil && base.Hostname() != "" {
		host = base.Hostname()
	}
	return "test." + unique + "@" + host
}
