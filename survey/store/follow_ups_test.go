package store_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// However many unhappy answers come at once, each is followed up once, and
// nobody gets more of them than others.
func TestFollowUpsAtOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		for i := range 4 {
			_, err := s.CreateMember(ctx, by, survey.Member{Email: fmt.Sprintf("m%d@company.example", i), Role: survey.Editor})
			ok(t, err)
		}
		v := aSurvey()
		v.Rules.FollowUp = &survey.FollowUpRule{Score: survey.ScoreRange{Max: new(6)}, EscalateTo: "boss@company.example"}
		made, err := s.CreateSurvey(ctx, by, v)
		ok(t, err)
		for _, err := range atOnce(20, func(i int) error {
			score := 1
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: made.ID.String(), Score: &score, ExternalID: fmt.Sprint(i / 2)})
			return err
		}) {
			ok(t, err)
		}
		list, _, err := s.FollowUps(ctx, by, store.FollowUpFilter{}, store.Page{Limit: 100})
		ok(t, err)
		owned := map[string]int{}
		for _, f := range list {
			owned[f.Owner.Email]++
		}
		for _, n := range owned {
			if len(list) != 10 || n < 2 || n > 3 {
				t.Fatalf("%d follow-ups of ten answers, given to %v", len(list), owned)
			}
		}

		clock.Advance(25 * time.Hour)
		for _, err := range atOnce(4, func(int) error { _, err := s.TendFollowUps(ctx); return err }) {
			ok(t, err)
		}
		for _, f := range list {
			_, events, err := s.FollowUp(ctx, by, f.ID)
			ok(t, err)
			escalated := 0
			for _, e := range events {
				if e.Type == "escalated" {
					escalated++
				}
			}
			if escalated != 1 {
				t.Errorf("escalated %d times", escalated)
			}
		}
		verified(t, s)
	})
}

// TestLimitedMembersFollowUp: who is limited to a touchpoint lists what was
// answered there, and owns it although the survey asks elsewhere by now.
func TestLimitedMembersFollowUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := aSurvey()
		v.Rules.FollowUp = &survey.FollowUpRule{Score: survey.ScoreRange{Max: new(6)}}
		made, err := s.CreateSurvey(ctx, by, v)
		ok(t, err)
		_, err = s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "shop", Name: "Shop"})
		ok(t, err)
		near, err := s.CreateMember(ctx, by, survey.Member{Email: "near@company.example", Role: survey.Editor, Touchpoints: []string{v.Touchpoint}})
		ok(t, err)
		far, err := s.CreateMember(ctx, by, survey.Member{Email: "far@company.example", Role: survey.Editor, Touchpoints: []string{"shop"}})
		ok(t, err)
		score := 1
		for range 2 {
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: made.ID.String(), Score: &score})
			ok(t, err)
		}
		seen := func(m survey.Member) int {
			list, _, err := s.FollowUps(ctx, store.Caller{Workspace: by.Workspace, Role: store.Editor, Scope: store.ScopeOf(m)}, store.FollowUpFilter{}, store.Page{Limit: 10})
			ok(t, err)
			return len(list)
		}
		if near, far := seen(near), seen(far); near != 2 || far != 0 {
			t.Errorf("%d and %d follow-ups are seen", near, far)
		}
		_, err = s.PatchSurvey(ctx, by, made.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) { v.Touchpoint = "shop"; return v, nil })
		ok(t, err)
		_, err = s.ChangeMember(ctx, by, near.ID, func(m *survey.Member) error { m.Locale = "ja"; return nil })
		ok(t, err)
		list, _, err := s.FollowUps(ctx, by, store.FollowUpFilter{}, store.Page{Limit: 10})
		ok(t, err)
		for _, f := range list {
			if f.Owner == nil || f.Owner.ID != near.ID {
				t.Errorf("it is given to %+v", f.Owner)
			}
		}
		verified(t, s)
	})
}

func TestVerifyFindsFollowUpsThatContradict(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		by := storetest.Default(t, s)
		_, err := s.CreateMember(ctx, by, survey.Member{Email: "kim@company.example", Role: survey.Editor})
		ok(t, err)
		v := aSurvey()
		v.Rules.FollowUp = &survey.FollowUpRule{Score: survey.ScoreRange{Max: new(6)}}
		made, err := s.CreateSurvey(ctx, by, v)
		ok(t, err)
		for range 2 {
			score := 1
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: made.ID.String(), Score: &score})
			ok(t, err)
		}
		list, _, err := s.FollowUps(ctx, by, store.FollowUpFilter{}, store.Page{Limit: 1})
		ok(t, err)
		_, _, err = s.ChangeFollowUp(ctx, by, list[0].ID, func(c *store.FollowUpChange) error { c.State = survey.FollowUpResolved; return nil })
		ok(t, err)
		verified(t, s)
		db := raw(t, url)
		const contradict = "its state and instants contradict each other"
		for _, h := range []harm{
			{"follow_ups", `UPDATE follow_ups SET response_id = id`, "a follow-up is of an answer that is not kept"},
			{"follow_ups", `UPDATE follow_ups SET person_id = id`, "or of another survey's, place's or person's"},
			{"follow_ups", `UPDATE follow_ups SET owner_id = id`, "owned by nobody who is a member"},
			{"follow_ups", `UPDATE follow_ups SET state = 'lost'`, contradict},
			{"follow_ups", `UPDATE follow_ups SET closed_at = NULL WHERE state = 'resolved'`, contradict},
			{"follow_ups", `UPDATE follow_ups SET resolved_at = 1 WHERE state = 'open'`, contradict},
			{"follow_ups", `UPDATE follow_ups SET confirm_by = 1`, contradict},
			{"follow_ups", `UPDATE follow_ups SET assigned_at = NULL`, contradict},
			{"outbox", `UPDATE outbox SET subject_id = id WHERE kind = 'notice'`, "a mail is about a follow-up that is not kept"},
		} {
			mend := harmed(t, db, h)
			if faults := must(s.Verify(ctx)).Faults; !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, h.found) }) {
				t.Errorf("%s: verify says %q, want %q", h.sql, faults, h.found)
			}
			mend()
		}
		verified(t, s)
	})
}

// TestNoStatementOfFollowUpsWalksATable: SQLite finds what is due, whose it is
// and what a list shows by indexes.
func TestNoStatementOfFollowUpsWalksATable(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	url := storetest.SQLite(t)
	s := storetest.Open(t, url, clock.Use)
	by := storetest.Default(t, s)
	kim, err := s.CreateMember(ctx, by, survey.Member{Email: "kim@company.example", Role: survey.Editor})
	ok(t, err)
	v := aSurvey()
	v.Rules.FollowUp = &survey.FollowUpRule{Score: survey.ScoreRange{Max: new(6)}, EscalateTo: "boss@company.example", Confirm: true}
	made, err := s.CreateSurvey(ctx, by, v)
	ok(t, err)
	score, address := 1, "ana@example.com"
	open := []survey.FollowUpState{survey.FollowUpOpen, survey.FollowUpInProgress}
	late := true
	heard, err := s.Heard(func() {
		for range 3 {
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: made.ID.String(), Score: &score, Customer: survey.Customer{Email: &address}})
			ok(t, err)
		}
		for _, f := range []store.FollowUpFilter{{}, {ByDue: true}, {ByDue: true, States: open, Overdue: &late}, {Owner: kim.Email, States: open}, {Owner: store.Unowned, ByDue: true, States: open}} {
			page, _, err := s.FollowUps(ctx, by, f, store.Page{Limit: 10})
			ok(t, err)
			var whole []survey.ID
			ok(t, s.ExportFollowUps(ctx, by, f, func(one survey.FollowUp) error { whole = append(whole, one.ID); return nil }))
			if !slices.EqualFunc(page, whole, func(one survey.FollowUp, id survey.ID) bool { return one.ID == id }) {
				t.Errorf("%+v: %v are exported, %v are listed", f, whole, page)
			}
		}
		list, _, err := s.FollowUps(ctx, by, store.FollowUpFilter{}, store.Page{Limit: 10})
		ok(t, err)
		_, err = s.AddNote(ctx, by, list[0].ID, "called")
		ok(t, err)
		_, _, err = s.ChangeFollowUp(ctx, by, list[0].ID, func(c *store.FollowUpChange) error { c.State = survey.FollowUpResolved; return nil })
		ok(t, err)
		ok(t, s.NotAsked(ctx, store.Dispatch{Workspace: by.Workspace, Subject: list[0].ID}, "late"))
		m, err := s.FollowUpMail(ctx, store.Dispatch{Workspace: by.Workspace, Subject: list[0].ID, To: kim.Email})
		ok(t, err)
		_, err = s.OpenFollowUp(ctx, m.Token)
		ok(t, err)
		clock.Advance(25 * time.Hour)
		_, err = s.TendFollowUps(ctx)
		ok(t, err)
		_, err = s.FollowUpGauges(ctx)
		ok(t, err)
		long := survey.InstantOf(clock.Now()).Add(-time.Hour)
		for _, f := range []store.FollowUpFilter{{}, {From: &long, Survey: made.ID.String(), Owner: kim.Email}} {
			_, err := s.FollowUpSummary(ctx, by, f)
			ok(t, err)
		}
		ok(t, s.DeleteResponse(ctx, by, list[1].Response.ID))
		ok(t, s.RemoveMember(ctx, by, kim.ID))
	})
	ok(t, err)
	lee, err := s.CreateMember(ctx, by, survey.Member{Email: "lee@company.example", Role: survey.Editor})
	ok(t, err)
	changed, err := s.Heard(func() {
		_, err := s.ChangeMember(ctx, by, lee.ID, func(m *survey.Member) error { m.Locale, m.Timezone = "ja", "Asia/Tokyo"; return nil })
		ok(t, err)
	})
	ok(t, err)
	if slices.ContainsFunc(changed, func(statement string) bool { return strings.Contains(statement, "FROM follow_ups") }) {
		t.Errorf("another language gives follow-ups away: %q", changed)
	}
	db := raw(t, url)
	seen, sorted := 0, regexp.MustCompile(`INDEX follow_ups_(due_at|due_at_all|opened_at|unowned) \(workspace_id=\?\)`)
	for _, statement := range heard {
		if !strings.Contains(statement, "follow_up") && !strings.Contains(statement, "outbox") {
			continue
		}
		seen++
		for _, step := range walks(t, db, statement) {
			if !sorted.MatchString(step) { // those go in the order of the list and end at its limit, or hold what is open alone
				t.Errorf("%s: %s", step, statement)
			}
		}
	}
	if seen < 15 {
		t.Errorf("%d statements were heard", seen)
	}
}
