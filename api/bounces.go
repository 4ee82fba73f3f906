package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/bounce"
	"koe/survey/store"
)

// BounceDoors say whose reports are believed beside those of keys. What is
// empty is believed of nobody.
type BounceDoors struct {
	SESTopics []string // ARNs of the SNS topics that SES reports to
	Postmark  string   // the secret in the webhook's Basic authentication
	SendGrid  string   // the verification key of the signed event webhook, as bounce.SendGridKey reads it
	Fetch     Fetch    // gets SNS's certificates and confirms subscriptions; FetchSNS where nil
}

type bouncesRequest struct {
	Bounces []bounceRequest `json:"bounces" validate:"required"`
}

type bounceRequest struct {
	Invitation string            `json:"invitation_id"`
	MessageID  string            `json:"message_id"`
	Email      string            `json:"email"`
	Kind       survey.BounceKind `json:"type"`
	Code       string            `json:"code"`
	Reason     string            `json:"reason"`
	At         *string           `json:"at"`
}

// report is the request's; what is wrong with it is added to p, under prefix.
func (r bounceRequest) report(p *survey.Problems, prefix string) survey.Bounce {
	b := survey.Bounce{Kind: r.Kind, MessageID: strings.Trim(r.MessageID, "<> "), Email: r.Email, Code: r.Code, Reason: r.Reason}
	if r.Invitation != "" {
		id, err := survey.ParseID(r.Invitation)
		if err != nil {
			id = survey.ID{} // it names none of koe's, like an id that nothing has
		}
		b.Invitation = &id
	}
	if r.At != nil {
		at, err := survey.ParseInstant(*r.At)
		if err != nil {
			p.Add(prefix+"at", "format", "%s", err)
		}
		b.At = at
	}
	b.Clean(p, prefix)
	return b
}

// maxBounces bounds one request.
const maxBounces = 1000

// reports are the request's, checked.
func (in bouncesRequest) reports() ([]survey.Bounce, error) {
	var p survey.Problems
	if n := len(in.Bounces); n == 0 || n > maxBounces {
		p.Add("bounces", "range", "must be 1 to %d reports", maxBounces)
		return nil, p.Err()
	}
	reports := make([]survey.Bounce, len(in.Bounces))
	for i, b := range in.Bounces {
		reports[i] = b.report(&p, fmt.Sprintf("bounces[%d].", i))
	}
	return reports, p.Err()
}

// bounceResult is what became of one report.
type bounceResult struct {
	Outcome    store.BounceOutcome `json:"outcome"`
	Invitation *survey.ID          `json:"invitation_id"`
}

func bounceResults(taken []store.BounceTaken) answer {
	out := struct {
		Results []bounceResult `json:"results"`
	}{make([]bounceResult, len(taken))}
	for i, t := range taken {
		out.Results[i] = bounceResult{t.Outcome, t.Invitation}
	}
	return okay(out, "")
}

// createBounces takes reports that somebody with a key makes.
func (a *api) createBounces(c echo.Context) error {
	var in bouncesRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	reports, err := in.reports()
	if err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		taken, err := a.Store.TakeBounces(c.Request().Context(), by, reports)
		return bounceResults(taken), err
	}, func(_ store.Caller, resource string) (answer, error) {
		taken, err := store.RememberedBounces(resource)
		return bounceResults(taken), err
	})
}

// errNotProvider says nothing of what was wrong with the proof.
func errNotProvider() error {
	return survey.Errorf(survey.Unauthorized, "", "this is for the mail provider that koe is set up for, and what proves it is missing or wrong")
}

// takeReports applies what a provider reported, and answers with how many of
// its reports were koe's.
func (a *api) takeReports(c echo.Context, reports []survey.Bounce, err error) error {
	switch {
	case errors.Is(err, bounce.ErrForged):
		return errNotProvider()
	case err != nil:
		return survey.Errorf(survey.Malformed, "", "%s", err)
	}
	taken, err := a.Store.TakeBouncesAnywhere(c.Request().Context(), reports)
	if err != nil {
		return err
	}
	out := struct {
		Reports int `json:"reports"`
		Applied int `json:"applied"`
	}{Reports: len(taken)}
	for _, t := range taken {
		if t.Outcome == store.BounceApplied {
			out.Applied++
		}
	}
	return send(c, okay(out, ""))
}

func (a *api) postmarkBounces(c echo.Context) error {
	if a.Bounces.Postmark == "" || !presents(c.Request(), a.Bounces.Postmark) {
		return errNotProvider()
	}
	reports, err := bounce.Postmark(rawBody(c))
	return a.takeReports(c, reports, err)
}

// presents is true where a secret is the user name or the password.
func presents(r *http.Request, secret string) bool {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil || !strings.EqualFold(scheme, "basic") {
		return false
	}
	name, password, _ := strings.Cut(string(decoded), ":")
	return same(name, secret) || same(password, secret)
}

// same compares in a time that does not tell where texts differ.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (a *api) sendgridBounces(c echo.Context) error {
	key, err := bounce.SendGridKey(a.Bounces.SendGrid)
	if err != nil { // mostly that there is none
		return errNotProvider()
	}
	header := c.Request().Header
	if err := bounce.VerifySendGrid(key, header.Get("X-Twilio-Email-Event-Webhook-Signature"),
		header.Get("X-Twilio-Email-Event-Webhook-Timestamp"), rawBody(c), a.Now()); err != nil {
		return errNotProvider()
	}
	reports, err := bounce.SendGrid(rawBody(c))
	return a.takeReports(c, reports, err)
}

// sesBounces takes what SES reports through SNS, and confirms the subscription
// of a topic that koe is set up for.
func (a *api) sesBounces(c echo.Context) error {
	envelope, err := bounce.ReadSNS(rawBody(c), a.Bounces.SESTopics)
	if err != nil {
		return errNotProvider()
	}
	ctx := c.Request().Context()
	certificate, err := a.certificates.get(ctx, a.Bounces.Fetch, envelope.SigningCertURL)
	if err != nil {
		return &survey.Error{Kind: survey.Unavailable, RetryAfter: certificateLater,
			Message: "SNS's certificate could not be fetched; try again"}
	}
	if err := envelope.Verify(certificate, a.Now()); err != nil {
		return errNotProvider()
	}
	switch envelope.Type {
	case bounce.SNSNotification:
		reports, err := bounce.SES(envelope.Message)
		return a.takeReports(c, reports, err)
	case bounce.SNSConfirmation:
		if _, err := a.Bounces.Fetch(ctx, envelope.SubscribeURL); err != nil {
			return &survey.Error{Kind: survey.Unavailable, RetryAfter: certificateLater,
				Message: "the subscription could not be confirmed; try again"}
		}
		a.Log.Info("the subscription of SES's reports is confirmed", "topic", envelope.TopicArn)
	}
	return a.takeReports(c, nil, nil)
}
