package store_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
	"koe/survey/report"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// vectors are the edge cases of the reference data of one group. Packages
// scoring and survey check the groups that are about figures and dates.
func vectors(t *testing.T, group string) (list []vector) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(storetest.Data(t), "truth", "edges.public.json"))
	ok(t, err)
	var all []vector
	ok(t, json.Unmarshal(data, &all))
	for _, v := range all {
		if v.Group == group {
			list = append(list, v)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no vector of the group %s", group)
	}
	return list
}

type vector struct {
	ID, Group       string
	Input, Expected json.RawMessage
}

func (v vector) into(t *testing.T, input, expected any) {
	t.Helper()
	ok(t, json.Unmarshal(v.Input, input))
	ok(t, json.Unmarshal(v.Expected, expected))
}

// A response rate is of the cohort that was sent in the span, whenever it
// answered.
func TestResponseRateVectors(t *testing.T) {
	for _, v := range vectors(t, "response-rate") {
		var in struct {
			Sent, Answered [][2]string
			Window         string
		}
		var want struct {
			Cohort struct {
				Num, Den int64
				Percent  float64 `json:"pct"`
			} `json:"cohort_rule_sent_in_window_answered_ever"`
		}
		v.into(t, &in, &want)
		if want.Cohort.Den == 0 {
			t.Fatalf("%s: no cohort in %s", v.ID, v.Expected)
		}
		clock := storetest.NewClock(t, "2026-01-01T00:00:00Z")
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			by := storetest.Default(t, s)
			mustSurvey(t, s, by, "chat", byLink)
			links := map[string]string{}
			for _, sent := range in.Sent {
				clock.Set(t, sent[1]+"T12:00:00Z")
				links[sent[0]] = only(t, record(t, s, by, chat(sent[0]+"@example.com"))).Token
			}
			for _, answered := range in.Answered {
				clock.Set(t, answered[1]+"T12:00:00Z")
				_, err := s.Answer(ctx, links[answered[0]], storetest.Says(store.Reply{Score: pointer(9)}))
				ok(t, err)
			}
			month, err := time.Parse("2006-01", in.Window)
			ok(t, err)
			span := store.Span{From: pointer(survey.InstantOf(month)), To: pointer(survey.InstantOf(month.AddDate(0, 1, 0)))}
			for source, span := range map[string]store.Span{"tallies": span, "rows": {From: pointer(*span.From + 1), To: span.To}} {
				counted, err := s.Tally(ctx, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, Spans: []store.Span{span}, Rates: true})
				ok(t, err)
				r := counted.Rates
				if r == nil || r.Answered != want.Cohort.Num || r.Delivered != want.Cohort.Den {
					t.Fatalf("%s, from %s: %+v, want %d of %d", v.ID, source, r, want.Cohort.Num, want.Cohort.Den)
				}
				if rate := report.NewRates(r.Invited, r.Delivered, r.Opened, r.Answered, r.Commented).ResponseRate; rate == nil || math.Abs(*rate-want.Cohort.Percent) > 1e-8 {
					t.Errorf("%s: %v, want %v", v.ID, rate, want.Cohort.Percent)
				}
			}
		}, clock.Use)
	}
}

// Ids that differ beyond a float's digits are different people and answers.
func TestIdentityVectors(t *testing.T) {
	for _, v := range vectors(t, "identity") {
		var in []string
		var want struct{ Distinct int }
		v.into(t, &in, &want)
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			by := storetest.Default(t, s)
			of := imported(t, s, by, "shop", "nps")
			file := "score,external_id,customer.external_id\n"
			for _, id := range in {
				file += "9," + id + "," + id + "\n"
			}
			got, err := s.Import(ctx, by, reading("shop", strings.NewReader(file), history.Options{}, nil))
			if err != nil || got.Accepted != int64(want.Distinct) {
				t.Errorf("%s: %+v, %v", v.ID, got, err)
			}
			for _, id := range in { // by the API they are the same again
				r, repeat, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: of.ID.String(), Score: pointer(9), ExternalID: id,
					Customer: survey.Customer{ExternalID: id}})
				if err != nil || !repeat || r.ExternalID != id || r.Person == nil || r.Person.ExternalID != id {
					t.Errorf("%s: %+v, repeat %t, %v", id, r, repeat, err)
				}
			}
			people, _, err := s.People(ctx, by, store.PersonFilter{}, store.Page{Limit: 10})
			if err != nil || len(people) != want.Distinct {
				t.Errorf("%s: %d people, %v", v.ID, len(people), err)
			}
		})
	}
}

// The answers of a file that are no scores are told apart from those that are
// missing, and neither is counted.
func TestOutOfScaleVectorsAreImported(t *testing.T) {
	ran := 0
	for _, v := range vectors(t, "out-of-scale") {
		var in struct{ Raw []string }
		if json.Unmarshal(v.Input, &in) != nil || in.Raw == nil {
			continue // one score, which package scoring parses
		}
		ran++
		var want struct {
			N, Rejected, Missing int64
			NPS                  float64
		}
		v.into(t, &in, &want)
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			by := storetest.Default(t, s)
			imported(t, s, by, "shop", "nps")
			file := "score,comment\n" + strings.Join(in.Raw, ",x\n") + ",x\n"
			got, err := s.Import(ctx, by, reading("shop", strings.NewReader(file), history.Options{}, nil))
			if err != nil || got != (store.Imported{Accepted: want.N, Rejected: want.Rejected, Blank: want.Missing}) {
				t.Errorf("%s: %+v, %v", v.ID, got, err)
			}
			if r := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS}); r.Responses != want.N || r.Score == nil || *r.Score != want.NPS {
				t.Errorf("%s: %+v", v.ID, r)
			}
		})
	}
	if ran == 0 {
		t.Error("no vector has a list of scores")
	}
}
