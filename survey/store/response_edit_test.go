package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// change is an edit that sets what is not nil.
func change(score *int, answers survey.Answers, tags []string) func(*store.ResponseChange) error {
	return func(v *store.ResponseChange) error {
		if score != nil {
			v.Score = score
		}
		if answers != nil {
			v.Answers = answers
		}
		if tags != nil {
			v.Tags = tags
		}
		return nil
	}
}

// cohort are the invitation tallies of a workspace, PostgreSQL's deltas
// included: sent, answered, commented.
func cohort(t *testing.T, url string) string {
	t.Helper()
	return texts(t, raw(t, url), `SELECT COALESCE(SUM(sent), 0) || ' ' || COALESCE(SUM(answered), 0) || ' ' || COALESCE(SUM(commented), 0) FROM (
		SELECT sent, answered, commented FROM invitation_tallies WHERE dimension = '' UNION ALL
		SELECT sent, answered, commented FROM invitation_tally_deltas WHERE dimension = '') c`)[0]
}

func TestAnEditorMovesTheScore(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		by.KeyName = "Desk"
		mustSurvey(t, s, by, "chat", byLink)
		token := only(t, record(t, s, by, chat("a@example.com"))).Token
		opened, err := s.Answer(ctx, token, storetest.Says(store.Reply{Score: pointer(3), Answers: survey.Answers{"reason": "遅い"}}))
		ok(t, err)
		of := opened.Response.ID
		if got := cohort(t, url); got != "1 1 1" {
			t.Fatalf("cohort %s", got)
		}
		r, events, err := s.ChangeResponse(ctx, by, of, change(pointer(10), survey.Answers{"reason": ""}, []string{" ラベル 🏷 ", "cafe\u0301"}))
		ok(t, err)
		if r.Score != 10 || r.Comment != "" || len(r.Answers) != 0 || fmt.Sprint(r.Tags) != "[ラベル 🏷 café]" || r.UpdatedAt != clock.Instant() {
			t.Errorf("changed to %+v", r)
		}
		if last := events[len(events)-1]; last.Type != "edited" || last.Reason != "score, answers, tags" || last.Detail != "by Desk" {
			t.Errorf("event %+v", last)
		}
		if got := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS}); got.Responses != 1 || *got.Score != 100 {
			t.Errorf("score %+v", got)
		}
		if got := cohort(t, url); got != "1 1 0" {
			t.Errorf("cohort %s without its comment", got)
		}
		_, same, err := s.ChangeResponse(ctx, by, of, change(pointer(10), nil, nil))
		ok(t, err)
		if len(same) != len(events) {
			t.Error("an edit that changes nothing is an event")
		}
		ok(t, s.DeleteResponse(ctx, by, of))
		if got := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS}); got.Responses != 0 || got.Score != nil {
			t.Errorf("deleted, and the score is %+v", got)
		}
		refused(t, s.DeleteResponse(ctx, by, of), survey.NotFound, "")
		_, _, err = s.ChangeResponse(ctx, by, of, change(pointer(1), nil, nil))
		refused(t, err, survey.NotFound, "")
		_, err = s.Answer(ctx, token, storetest.Says(store.Reply{Score: pointer(3)})) // it was answered: nobody answers it again
		refused(t, err, survey.Gone, "")
		if got := cohort(t, url); got != "1 1 0" {
			t.Errorf("cohort %s after the answer was deleted", got)
		}
		verified(t, s)
		if left := texts(t, raw(t, url), `SELECT detail FROM events WHERE type = 'deleted'`); len(left) != 1 || left[0] != "by Desk" {
			t.Errorf("events %v", left)
		}
	})
}

func TestEditsThatAreRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", byLink)
		made, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9), Comment: "kept"})
		ok(t, err)
		for name, c := range map[string]struct {
			field string
			to    func(*store.ResponseChange) error
		}{
			"off the scale":    {"score", change(pointer(11), nil, nil)},
			"no score":         {"score", func(v *store.ResponseChange) error { v.Score = nil; return nil }},
			"no such question": {"answers.mood", change(nil, survey.Answers{"mood": "x"}, nil)},
			"wrong type":       {"answers.reason", change(nil, survey.Answers{"reason": 5}, nil)},
			"too many tags":    {"tags", change(nil, nil, make([]string, 51))},
			"a long tag":       {"tags[0]", change(nil, nil, []string{strings.Repeat("長", 65)})},
			"an empty tag":     {"tags[1]", change(nil, nil, []string{"a", "  "})},
			"twice":            {"tags[1]", change(nil, nil, []string{"é", "e\u0301"})},
			"two lines":        {"tags[0]", change(nil, nil, []string{"a\nb"})},
		} {
			t.Run(name, func(t *testing.T) {
				_, _, err := s.ChangeResponse(ctx, by, made.ID, c.to)
				refused(t, err, survey.Invalid, c.field)
			})
		}
		after, events, err := s.Response(ctx, by, made.ID)
		ok(t, err)
		if after.Score != 9 || after.Comment != "kept" || len(after.Tags) != 0 || len(events) != 0 {
			t.Errorf("changed all the same: %+v, %v", after, events)
		}
		other := storetest.Other(t, s, "other")
		_, _, err = s.ChangeResponse(ctx, other, made.ID, change(pointer(1), nil, nil))
		refused(t, err, survey.NotFound, "")
		refused(t, s.DeleteResponse(ctx, other, made.ID), survey.NotFound, "")
	})
}

// Respondents and editors who change the same answers at once, and a delete
// among them, leave tallies that are what the rows are.
func TestEditsAtOnceKeepTheTallies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { byLink(v); v.Rules.QuietPeriod = "0s" })
		var edits sync.WaitGroup
		for i := range 6 {
			token := only(t, record(t, s, by, chat(fmt.Sprintf("a%d@example.com", i)))).Token
			opened, err := s.Answer(ctx, token, storetest.Says(store.Reply{Score: pointer(5)}))
			ok(t, err)
			for n := range 4 {
				edits.Go(func() {
					if _, _, err := s.ChangeResponse(context.Background(), by, opened.Response.ID, change(pointer((i+n)%11), nil, nil)); err != nil && kindOf(err) != survey.NotFound {
						t.Error(err)
					}
				})
				edits.Go(func() {
					if _, err := s.Answer(context.Background(), token, storetest.Says(store.Reply{Score: pointer(10 - n)})); err != nil && kindOf(err) != survey.Gone {
						t.Error(err)
					}
				})
			}
			if i%2 == 0 {
				edits.Go(func() {
					if err := s.DeleteResponse(context.Background(), by, opened.Response.ID); err != nil {
						t.Error(err)
					}
				})
			}
		}
		edits.Wait()
		verified(t, s)
		list, _, err := s.Responses(ctx, by, store.ResponseFilter{}, store.Page{Limit: 50})
		ok(t, err)
		sum := 0
		for _, r := range list {
			sum += r.Score
		}
		got := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS})
		if len(list) != 3 || got.Responses != 3 || got.Mean == nil || *got.Mean != float64(sum)/3 {
			t.Errorf("%d rows that add up to %d, tallies say %+v", len(list), sum, got)
		}
	})
}

// change edits, deletes or erases something that was told.
func (l *teller) change() {
	l.t.Helper()
	i := l.random.IntN(len(l.told))
	one := &l.told[i]
	switch l.random.IntN(4) {
	case 0:
		ok(l.t, l.s.DeleteResponse(ctx, l.by, one.id))
		l.told = slices.Delete(l.told, i, i+1)
	case 1:
		if err := l.s.ErasePerson(ctx, l.by, one.person); one.person != "" || err == nil {
			ok(l.t, err)
		}
		one.person = ""
		if !one.declares("plan") {
			one.plan = ""
		}
	default:
		one.score, one.topics = 1+l.random.IntN(5), []string{l.pick("speed", "price")}
		_, _, err := l.s.ChangeResponse(ctx, l.by, one.id, func(v *store.ResponseChange) error {
			v.Score, v.Answers["topic"] = &one.score, one.topics
			return nil
		})
		ok(l.t, err)
	}
}
