package store_test

import (
	"sync"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// openLink gives a survey its open link.
func openLink(t *testing.T, s *store.Store, by store.Caller, of survey.ID, link survey.OpenLink) survey.OpenLink {
	t.Helper()
	made, _, err := s.PutOpenLink(t.Context(), by, of.String(), link)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// clean fails the test where koe verify would find a fault.
func clean(t *testing.T, s *store.Store) {
	t.Helper()
	found, err := s.Verify(t.Context())
	if err != nil || len(found.Faults) > 0 {
		t.Errorf("verify: %v, %v", found.Faults, err)
	}
}

func TestAnOpenLinkIsAnsweredOncePerForm(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "shop", func(v *survey.Survey) { v.Segments = []string{"store"} })
		link := openLink(t, s, by, v.ID, survey.OpenLink{Attributes: []string{"store"}})
		if len(link.Slug) < 26 {
			t.Fatalf("a slug that can be guessed: %q", link.Slug)
		}
		page, err := s.OpenBySlug(t.Context(), link.Slug)
		if err != nil || page.Response != nil || page.Form == "" {
			t.Fatalf("%+v, %v", page, err)
		}
		came := store.Arrival{Channel: survey.ByQR, Attributes: survey.Attributes{"store": survey.TextValue("12")}}
		var all sync.WaitGroup
		for range 20 { // a double click, twenty times over
			all.Go(func() {
				after, err := s.AnswerForm(t.Context(), link.Slug, page.Form, store.Reply{Score: pointer(9)}, came)
				if err != nil || after.Response.Score != 9 {
					t.Errorf("%+v, %v", after.Response, err)
				}
			})
		}
		all.Wait()
		after, err := s.AnswerForm(t.Context(), link.Slug, page.Form, store.Reply{Answers: survey.Answers{"reason": "速い"}, Complete: true}, store.Arrival{})
		if err != nil || after.Response.Comment != "速い" || after.Response.Channel != survey.ByQR {
			t.Fatalf("%+v, %v", after.Response, err)
		}
		again, err := s.OpenForm(t.Context(), link.Slug, page.Form)
		if err != nil || again.Response == nil || !again.Editable || again.Invitation.Attributes["store"].Text() != "12" {
			t.Fatalf("%+v, %v", again, err)
		}
		if r := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS, Attributes: map[string]string{"store": "12"}}); r.Responses != 1 || *r.Score != 100 {
			t.Fatalf("score %+v", r)
		}
		clock.Advance(25 * time.Hour)
		if _, err := s.AnswerForm(t.Context(), link.Slug, page.Form, store.Reply{Score: pointer(0)}, came); kindOf(err) != survey.Conflict {
			t.Errorf("changed after its time: %v", err)
		}
		if err := s.DeleteResponse(t.Context(), by, after.Response.ID); err != nil {
			t.Fatal(err)
		}
		clean(t, s)
	}, clock.Use)
}

func TestAFormIsGoodForItsOwnLinkAndADay(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		one, two := mustSurvey(t, s, by, "shop", nil), mustSurvey(t, s, by, "cafe", nil)
		link, other := openLink(t, s, by, one.ID, survey.OpenLink{}), openLink(t, s, by, two.ID, survey.OpenLink{})
		page, err := s.OpenBySlug(t.Context(), link.Slug)
		if err != nil {
			t.Fatal(err)
		}
		post := func(slug, form string) survey.Kind {
			_, err := s.AnswerForm(t.Context(), slug, form, store.Reply{Score: pointer(9)}, store.Arrival{Channel: survey.ByLink})
			return kindOf(err)
		}
		flipped := "A"
		if page.Form[0] == 'A' {
			flipped = "B"
		}
		for _, forged := range []string{"", "x", page.Form + "x", page.Form[:len(page.Form)-4], flipped + page.Form[1:]} {
			if kind := post(link.Slug, forged); kind != survey.Invalid {
				t.Errorf("the form %q: %q", forged, kind)
			}
		}
		if kind := post(other.Slug, page.Form); kind != survey.Invalid {
			t.Errorf("another survey's form: %q", kind)
		}
		if kind := post("nobody-has-this", page.Form); kind != survey.NotFound {
			t.Errorf("no such link: %q", kind)
		}
		clock.Advance(24 * time.Hour)
		if kind := post(link.Slug, page.Form); kind != survey.Invalid {
			t.Errorf("a form of yesterday: %q", kind)
		}
		// a paused survey takes no new visitors, and lets go who is there
		if page, err = s.OpenBySlug(t.Context(), link.Slug); err != nil {
			t.Fatal(err)
		}
		move := func(to survey.State) {
			if _, err := s.SetSurveyState(t.Context(), by, one.ID.String(), to, 0); err != nil {
				t.Fatal(err)
			}
		}
		move(survey.Paused)
		if shown, err := s.OpenBySlug(t.Context(), link.Slug); kindOf(err) != survey.Conflict || shown.Template.Key == "" {
			t.Errorf("a paused survey: %v", err)
		}
		if kind := post(link.Slug, page.Form); kind != "" {
			t.Errorf("a form of before the pause: %q", kind)
		}
		move(survey.Archived)
		if _, err := s.OpenBySlug(t.Context(), link.Slug); kindOf(err) != survey.Gone {
			t.Errorf("an archived survey: %v", err)
		}
		clean(t, s)
	}, clock.Use)
}

func TestADeletedAnswerStaysDeleted(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		link := openLink(t, s, by, mustSurvey(t, s, by, "shop", nil).ID, survey.OpenLink{})
		page, err := s.OpenBySlug(t.Context(), link.Slug)
		if err != nil {
			t.Fatal(err)
		}
		came := store.Arrival{Channel: survey.ByLink}
		after, err := s.AnswerForm(t.Context(), link.Slug, page.Form, store.Reply{Score: pointer(9)}, came)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteResponse(t.Context(), by, after.Response.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AnswerForm(t.Context(), link.Slug, page.Form, store.Reply{Score: pointer(9)}, came); kindOf(err) != survey.Gone {
			t.Errorf("a deleted answer came back: %v", err)
		}
		clean(t, s)
	}, clock.Use)
}

func TestSlugsBelongToWhoTookThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		mine, mineToo := mustSurvey(t, s, by, "shop", nil), mustSurvey(t, s, by, "cafe", nil)
		theirs := mustSurvey(t, s, other, "shop", nil)
		openLink(t, s, by, mine.ID, survey.OpenLink{Slug: "our-shop"})
		take := func(by store.Caller, of survey.ID) survey.Kind {
			_, _, err := s.PutOpenLink(t.Context(), by, of.String(), survey.OpenLink{Slug: "our-shop"})
			return kindOf(err)
		}
		if take(by, mineToo.ID) != survey.Conflict || take(other, theirs.ID) != survey.Conflict {
			t.Error("a slug was taken twice")
		}
		if kept := openLink(t, s, by, mine.ID, survey.OpenLink{Kiosk: true}); kept.Slug != "our-shop" || !kept.Kiosk {
			t.Errorf("%+v", kept)
		}
		if err := s.DeleteOpenLink(t.Context(), by, mine.ID.String()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.OpenBySlug(t.Context(), "our-shop"); kindOf(err) != survey.NotFound {
			t.Errorf("a link that was taken away: %v", err)
		}
		if take(other, theirs.ID) != survey.Conflict {
			t.Error("a poster leads to somebody else's survey")
		}
		if take(by, mineToo.ID) != "" {
			t.Error("a slug cannot be given to another survey of one's own")
		}
	})
}

func TestAnExcludedAnswerCountsWhenAnEditorSaysSo(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		link := openLink(t, s, by, mustSurvey(t, s, by, "shop", nil).ID, survey.OpenLink{})
		page, err := s.OpenBySlug(t.Context(), link.Slug)
		if err != nil {
			t.Fatal(err)
		}
		after, err := s.AnswerForm(t.Context(), link.Slug, page.Form, store.Reply{Score: pointer(9)}, store.Arrival{Channel: survey.ByLink, Excluded: survey.ExcludedTrap})
		if err != nil || after.Response.Excluded != survey.ExcludedTrap {
			t.Fatalf("%+v, %v", after.Response, err)
		}
		counts := func(responses, excluded int64) {
			t.Helper()
			counted, err := s.Tally(t.Context(), by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, Spans: []store.Span{{}}})
			if err != nil {
				t.Fatal(err)
			}
			result, err := scoring.Report(counted.Spans[0], 0.95)
			if err != nil || result.Responses != responses || counted.Excluded != excluded {
				t.Errorf("%d responses, %d excluded, %v", result.Responses, counted.Excluded, err)
			}
			clean(t, s)
		}
		exclude := func(yes bool) survey.Response {
			t.Helper()
			r, _, err := s.ChangeResponse(t.Context(), by, after.Response.ID, func(c *store.ResponseChange) error { c.Excluded = yes; return nil })
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		counts(0, 1)
		if exclude(true).Excluded != survey.ExcludedTrap {
			t.Error("the reason was lost")
		}
		exclude(false)
		counts(1, 0)
		if exclude(true).Excluded != survey.ExcludedByEditor {
			t.Error("no reason")
		}
		counts(0, 1)
		_, events, err := s.Response(t.Context(), by, after.Response.ID)
		var said []string
		for _, e := range events {
			said = append(said, e.Type+" "+e.Reason)
		}
		if err != nil || len(said) != 3 || said[0] != "excluded trap" || said[1] != "included trap" || said[2] != "excluded by_editor" {
			t.Errorf("events %q, %v", said, err)
		}
		for _, yes := range []bool{true, false} {
			list, _, err := s.Responses(t.Context(), by, store.ResponseFilter{Excluded: &yes}, store.Page{Limit: 10})
			if err != nil || (len(list) == 1) != yes {
				t.Errorf("excluded=%v: %d, %v", yes, len(list), err)
			}
		}
	}, clock.Use)
}
