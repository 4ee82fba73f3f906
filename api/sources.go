package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/source"
	"koe/survey/store"
)

// sourceRoutes are the operations of tools that post events. The door that they
// post to asks for their proof itself.
func sourceRoutes() []Route {
	return []Route{
		{"listSources", get, "/v1/sources", Admins, noBody, paging, (*api).listSources},
		{"showSource", get, "/v1/sources/{key}", Admins, noBody, "", (*api).showSource},
		{"probeSource", head, "/v1/sources/{key}", Public, noBody, "", (*api).probeSource}, // in place of showSource's HEAD
		{"putSource", put, "/v1/sources/{key}", Admins, jsonBody, "", (*api).putSource},
		{"deleteSource", remove, "/v1/sources/{key}", Admins, noBody, "", (*api).deleteSource},
		{"takeSource", post, "/v1/sources/{key}", Public, reportBody, "", (*api).takeSource},
		{"previewSource", post, "/v1/sources/{key}/preview", Admins, reportBody, "", (*api).previewSource},
		{"listSourceDeliveries", get, "/v1/sources/{key}/deliveries", Admins, noBody, paging, (*api).listSourceDeliveries},
	}
}

// sourceRequest is what an admin may set of a source. What is left out, the
// preset says; of the secret, what is kept already.
type sourceRequest struct {
	Key        string           `json:"key"`
	Name       string           `json:"name"`
	Preset     string           `json:"preset"`
	Touchpoint string           `json:"touchpoint"`
	Mapping    *source.Mapping  `json:"mapping"`
	Condition  source.Condition `json:"condition"`
	Signature  source.Scheme    `json:"signature"`
	Secret     *string          `json:"secret"`
}

// sourceResponse is a source. The address is shown to admins alone: where the
// tool does not sign, whoever knows it is believed.
type sourceResponse struct {
	source.Source
	SecretSet bool   `json:"secret_set"`
	URL       string `json:"url"` // what the tool posts to
}

func (a *api) sourceOf(s store.Source) sourceResponse {
	return sourceResponse{s.Source, s.SecretSet, a.BaseURL + "/v1/sources/" + s.Address}
}

func (a *api) putSource(c echo.Context) error {
	var in sourceRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	key, err := keyInPath(c, "key", in.Key)
	if err != nil {
		return err
	}
	s, fresh, err := a.Store.PutSource(c.Request().Context(), caller(c), source.Source{Key: key, Name: in.Name, Preset: in.Preset,
		Touchpoint: in.Touchpoint, Mapping: in.Mapping, Condition: in.Condition, Signature: in.Signature}, in.Secret)
	return reply(c, createdOr(fresh, a.sourceOf(s), ""), err)
}

func (a *api) listSources(c echo.Context) error {
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Sources(c.Request().Context(), caller(c), page)
	if err != nil {
		return err
	}
	out := make([]sourceResponse, len(items))
	for i, s := range items {
		out[i] = a.sourceOf(s)
	}
	return send(c, listed(out, next))
}

func (a *api) showSource(c echo.Context) error {
	key, err := keyParam(c, "source")
	if err != nil {
		return err
	}
	s, err := a.Store.Source(c.Request().Context(), caller(c), key)
	return reply(c, okay(a.sourceOf(s), ""), err)
}

func (a *api) deleteSource(c echo.Context) error {
	key, err := keyParam(c, "source")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.DeleteSource(c.Request().Context(), caller(c), key))
}

func (a *api) listSourceDeliveries(c echo.Context) error {
	key, err := keyParam(c, "source")
	if err != nil {
		return err
	}
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.SourceDeliveries(c.Request().Context(), caller(c), key, page)
	return reply(c, listed(items, next), err)
}

// previewResult is what one event of a payload would become.
type previewResult struct {
	Outcome     string              `json:"outcome"`
	Interaction *interactionPreview `json:"interaction,omitempty"`
	Condition   string              `json:"condition,omitempty"`
	Problem     *problem            `json:"problem,omitempty"`
}

// interactionPreview is an interaction that is not kept.
type interactionPreview struct {
	Touchpoint string            `json:"touchpoint"`
	ExternalID string            `json:"external_id"`
	Customer   survey.Customer   `json:"customer"`
	Attributes survey.Attributes `json:"attributes"`
	OccurredAt survey.Instant    `json:"occurred_at"`
	Warnings   []string          `json:"warnings,omitempty"`
}

// previewSource says what a payload would become, and keeps nothing. It asks
// for no signature.
func (a *api) previewSource(c echo.Context) error {
	key, err := keyParam(c, "source")
	if err != nil {
		return err
	}
	preview := func(by store.Caller) (answer, error) {
		s, err := a.Store.Source(c.Request().Context(), by, key)
		if err != nil {
			return answer{}, err
		}
		events, _, err := s.Read(rawBody(c), survey.InstantOf(a.Now()))
		if err != nil {
			return answer{}, err
		}
		out := struct {
			Results []previewResult `json:"results"`
		}{make([]previewResult, len(events))}
		for i, e := range events {
			out.Results[i] = a.previewed(c, e)
		}
		return okay(out, ""), nil
	}
	return a.once(c, preview, func(by store.Caller, _ string) (answer, error) { return preview(by) })
}

func (a *api) previewed(c echo.Context, e source.Event) previewResult {
	switch {
	case e.Err != nil:
		p := a.problemOf(c, seen(e.Err))
		return previewResult{Outcome: store.SourceRefused, Problem: &p}
	case e.Ignored != "":
		return previewResult{Outcome: store.SourceIgnored, Condition: e.Ignored}
	}
	in := e.Interaction
	return previewResult{Outcome: store.SourceRecorded, Interaction: &interactionPreview{in.Touchpoint, in.ExternalID, in.Customer,
		in.Attributes, in.OccurredAt, in.Warnings}}
}
