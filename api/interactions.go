package api

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// interactionRequest is an interaction as a sender tells it.
type interactionRequest struct {
	Touchpoint string            `json:"touchpoint"`
	ExternalID string            `json:"external_id"`
	Customer   survey.Customer   `json:"customer"`
	Attributes survey.Attributes `json:"attributes"`
	OccurredAt *survey.Instant   `json:"occurred_at"`
}

func (r interactionRequest) interaction(unknown []string) survey.Interaction {
	in := survey.Interaction{Touchpoint: r.Touchpoint, ExternalID: r.ExternalID, Customer: r.Customer, Attributes: r.Attributes}
	if r.OccurredAt != nil {
		in.OccurredAt = max(*r.OccurredAt, 1) // 0 is taken as not said
	}
	for _, name := range unknown {
		in.Warnings = append(in.Warnings, "koe does not know the field "+name)
	}
	return in
}

// decisionResponse is what one survey decided.
type decisionResponse struct {
	SurveyID     survey.ID       `json:"survey_id"`
	Decision     survey.Verdict  `json:"decision"`
	InvitationID *survey.ID      `json:"invitation_id,omitempty"`
	SendAt       *survey.Instant `json:"send_at,omitempty"`
	URL          string          `json:"url,omitempty"`
	Reason       survey.Reason   `json:"reason,omitempty"`
	Until        *survey.Instant `json:"until,omitempty"`
}

func (a *api) decisions(decided []store.Decided) []decisionResponse {
	out := make([]decisionResponse, len(decided))
	for i, d := range decided {
		out[i] = decisionResponse{SurveyID: d.Survey, Decision: d.Verdict, InvitationID: d.Invitation,
			SendAt: d.SendAt, Reason: d.Reason, Until: d.Until}
		if d.Token != "" {
			out[i].URL = a.surveyURL(d.Token)
		}
	}
	return out
}

func (a *api) surveyURL(token string) string { return a.BaseURL + "/s/" + token }

// receipt is the answer to an interaction; status is set in a batch alone.
type receipt struct {
	Status    int                `json:"status,omitempty"`
	ID        *survey.ID         `json:"id,omitempty"`
	Decisions []decisionResponse `json:"decisions,omitzero"`
	Warnings  []string           `json:"warnings,omitempty"`
	Problem   *problem           `json:"problem,omitempty"`
}

func (a *api) receipt(r store.Recorded) receipt {
	return receipt{ID: &r.Interaction.ID, Decisions: a.decisions(r.Decisions), Warnings: r.Interaction.Warnings}
}

func receiptStatus(r store.Recorded) int {
	if r.Repeat {
		return http.StatusOK
	}
	return http.StatusAccepted
}

// createInteraction answers 202 with what each survey decided, or 200 with the
// first decisions where the external id was told before.
func (a *api) createInteraction(c echo.Context) error {
	var in interactionRequest
	unknown, err := bindLenient(c, &in)
	if err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		recorded, err := a.Store.RecordInteraction(c.Request().Context(), by, in.interaction(unknown))
		return answer{status: receiptStatus(recorded), body: a.receipt(recorded)}, err
	}, func(by store.Caller, resource string) (answer, error) {
		outcomes, err := a.Store.RepeatInteractions(c.Request().Context(), by, resource)
		if err != nil {
			return answer{}, err
		}
		return answer{status: receiptStatus(outcomes[0].Recorded), body: a.receipt(outcomes[0].Recorded)}, nil
	})
}

const maxBatch = 1000

// createInteractions answers 200 with one result for each item, in order.
func (a *api) createInteractions(c echo.Context) error {
	batch, err := batchOf(rawBody(c))
	if err != nil {
		return err
	}
	items := make([]store.Item, len(batch))
	for i, raw := range batch {
		var one interactionRequest
		unknown, err := decodeLenient(raw, &one)
		var known *survey.Error
		if errors.As(err, &known) {
			err = known
		}
		items[i] = store.Item{Interaction: one.interaction(unknown), Err: err}
	}
	results := func(outcomes []store.Outcome, err error) (answer, error) {
		if err != nil {
			return answer{}, err
		}
		out := struct {
			Results []receipt `json:"results"`
		}{make([]receipt, len(outcomes))}
		for i, o := range outcomes {
			out.Results[i] = a.result(c, o)
		}
		return okay(out, ""), nil
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		return results(a.Store.RecordInteractions(c.Request().Context(), by, items))
	}, func(by store.Caller, resource string) (answer, error) {
		return results(a.Store.RepeatInteractions(c.Request().Context(), by, resource))
	})
}

// batchOf reads the list of a batch, and of its items no more than that they
// are JSON: a field that is given twice, NUL and deep nesting are for whoever
// reads the item, so that one bad item spoils no other.
func batchOf(raw []byte) ([]jsontext.Value, error) {
	if err := checkObject(raw); err != nil {
		return nil, err
	}
	var in struct {
		Interactions []jsontext.Value `json:"interactions"`
	}
	twice := jsontext.AllowDuplicateNames(true)
	if err := json.Unmarshal(raw, &in, json.RejectUnknownMembers(true), twice); err != nil {
		return nil, explain(raw, err, twice)
	}
	if members(raw) > 1 { // no other name has passed
		return nil, wrongField(survey.Malformed, "interactions", "duplicate", "is given twice")
	}
	if len(in.Interactions) == 0 || len(in.Interactions) > maxBatch {
		return nil, survey.Errorf(survey.Invalid, "interactions", "must have 1 to %d items", maxBatch)
	}
	return in.Interactions, nil
}

// members counts the members of a well-formed object, those of one name too.
func members(raw []byte) (n int) {
	d := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true))
	_, err := d.ReadToken()
	for ; err == nil && d.PeekKind() == '"'; n++ {
		if err = d.SkipValue(); err == nil { // the name
			err = d.SkipValue()
		}
	}
	return n
}

// result is one item of a batch: a receipt, or the problem with it.
func (a *api) result(c echo.Context, o store.Outcome) receipt {
	if o.Err == nil {
		r := a.receipt(o.Recorded)
		r.Status = receiptStatus(o.Recorded)
		return r
	}
	p := a.problemOf(c, seen(o.Err))
	return receipt{Status: p.Status, Problem: &p}
}

// showInteraction shows an interaction and what each survey decided.
func (a *api) showInteraction(c echo.Context) error {
	id, err := idParam(c, "interaction")
	if err != nil {
		return err
	}
	r, err := a.Store.Interaction(c.Request().Context(), caller(c), id)
	if err != nil {
		return err
	}
	return send(c, okay(interactionShown{r.Interaction, a.decisions(r.Decisions)}, ""))
}

// interactionShown is an interaction with what each survey decided.
type interactionShown struct {
	survey.Interaction
	Decisions []decisionResponse `json:"decisions"`
}

// simulateSurvey says what would happen to an interaction, and changes
// nothing. It reads an interaction as createInteraction does.
func (a *api) simulateSurvey(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	var in struct {
		interactionRequest
		At *survey.Instant `json:"at"`
	}
	unknown, err := bindLenient(c, &in)
	if err != nil {
		return err
	}
	simulate := func(by store.Caller) (answer, error) {
		interaction := in.interaction(unknown)
		d, err := a.Store.Simulate(c.Request().Context(), by, ref, interaction, in.At)
		if err != nil {
			return answer{}, err
		}
		out := struct {
			Decision survey.Verdict  `json:"decision"`
			Reason   survey.Reason   `json:"reason,omitempty"`
			SendAt   *survey.Instant `json:"send_at,omitempty"`
			Until    *survey.Instant `json:"until,omitempty"`
			Rules    []survey.Check  `json:"rules"`
			Warnings []string        `json:"warnings,omitempty"`
		}{Decision: d.Verdict, Reason: d.Reason, Until: d.Until, Rules: d.Checks, Warnings: interaction.Warnings}
		if d.Verdict == survey.Scheduled {
			out.SendAt = &d.SendAt
		}
		return okay(out, ""), nil
	}
	return a.once(c, simulate, func(by store.Caller, _ string) (answer, error) { return simulate(by) })
}
