package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// phases are how far a mail has come when something happens to what it is about.
var phases = []string{"waiting", "claimed", "being sent", "refused for now"}

// upset is something that happens to a survey's world while its mail is under
// way, and how the mail ends by the phase that it is in: state, reason, and the
// last of its events.
type upset struct {
	do   func(t *testing.T, s *store.Store, by store.Caller, v survey.Survey, person string)
	ends [4][3]string
}

var upsets = map[string]upset{
	"its template is archived": {func(t *testing.T, s *store.Store, by store.Caller, v survey.Survey, _ string) {
		if err := s.ArchiveTemplate(ctx, by, v.Template, 0); !isConflict(err) {
			t.Errorf("archived while it is asked: %v", err)
		}
		_, err := s.CreateTemplate(ctx, by, aTemplate(v.Template+"-other"))
		ok(t, err)
		_, err = s.PatchSurvey(ctx, by, v.ID.String(), 0, func(now survey.Survey) (survey.Survey, error) { now.Template += "-other"; return now, nil })
		ok(t, err)
		ok(t, s.ArchiveTemplate(ctx, by, v.Template, 0))
	}, [4][3]string{{"sent", "", "sent"}, {"sent", "", "sent"}, {"sent", "", "sent"}, {"sent", "", "sent"}}},
	"its template is replaced": {func(t *testing.T, s *store.Store, by store.Caller, v survey.Survey, _ string) {
		newer := aTemplate(v.Template)
		newer.Name = "newer"
		newer.Questions[0].Text = survey.Text{"en": "Something else?"}
		record, _, err := s.PutTemplate(ctx, by, newer, 0)
		ok(t, err)
		if record.Version != 2 {
			t.Fatalf("version %d", record.Version)
		}
	}, [4][3]string{{"sent", "", "sent"}, {"sent", "", "sent"}, {"sent", "", "sent"}, {"sent", "", "sent"}}},
	"its survey is archived": {func(t *testing.T, s *store.Store, by store.Caller, v survey.Survey, _ string) {
		moveTo(t, s, by, v, survey.Archived)
	}, [4][3]string{{"cancelled", "survey_archived", "cancelled"}, {"cancelled", "survey_archived", "cancelled"}, {"sent", "", "sent"},
		{"cancelled", "survey_archived", "cancelled"}}},
	"its person is erased": {func(t *testing.T, s *store.Store, by store.Caller, _ survey.Survey, person string) {
		ok(t, s.ErasePerson(ctx, by, person))
	}, [4][3]string{{"cancelled", "erased", "erased"}, {"cancelled", "erased", "erased"},
		{"expired", "expired", "sent"}, // it went out, and its link opens nothing
		{"cancelled", "erased", "erased"}}},
	"its address unsubscribes": {func(t *testing.T, s *store.Store, by store.Caller, _ survey.Survey, person string) {
		_, _, err := s.Suppress(ctx, by, person+"@example.com", survey.Unsubscribed)
		ok(t, err)
	}, [4][3]string{{"suppressed", "suppressed", "suppressed"}, {"suppressed", "suppressed", "suppressed"}, {"sent", "", "sent"},
		{"suppressed", "suppressed", "suppressed"}}},
}

// TestTheWorldChangesWhileAMailIsUnderWay archives, replaces and erases what a
// mail is about at every step of its way.
func TestTheWorldChangesWhileAMailIsUnderWay(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		n := 0
		for name, u := range upsets {
			for phase, says := range phases {
				n++
				key, person := fmt.Sprint("t", n), fmt.Sprint("p", n)
				_, err := s.CreateTemplate(ctx, by, aTemplate(key))
				ok(t, err)
				v := mustSurvey(t, s, by, key, func(v *survey.Survey) {
					v.Template, v.Rules.Reminders, v.Rules.DailyLimit = key, []survey.Duration{"3d"}, pointer(5)
				})
				in := survey.Interaction{Touchpoint: key, Customer: survey.Customer{ExternalID: person, Email: pointer(person + "@example.com")}}
				of := *only(t, record(t, s, by, in)).Invitation
				underWay(t, s, phase, func() { u.do(t, s, by, v, person) }, clock)
				got, events, err := s.Invitation(ctx, by, of)
				ok(t, err)
				want := u.ends[phase]
				last := events[len(events)-1]
				if string(got.State) != want[0] || got.Reason != want[1] || last.Type != want[2] || got.TemplateVersion != 1 {
					t.Errorf("%s while it is %s: %s %q, events %+v; want %q", name, says, got.State, got.Reason, events, want)
				}
				clock.Advance(4 * 24 * time.Hour) // a reminder would be due
				if reminded := goOut(t, s) == 1; reminded != (want[0] == "sent" && slices.Contains([]string{"its template is archived", "its template is replaced"}, name)) {
					t.Errorf("%s while it is %s: reminded %v", name, says, reminded)
				}
			}
		}
		verified(t, s)
	}, clock.Use)
}

// underWay takes the one mail that is due through its steps; something happens
// at one of them.
func underWay(t *testing.T, s *store.Store, phase int, happens func(), clock *storetest.Clock) {
	t.Helper()
	at := func(now int) {
		if now == phase {
			happens()
		}
	}
	at(0)
	for range 2 {
		claims, err := s.ClaimDue(ctx, 10, lease)
		ok(t, err)
		at(1)
		mails, err := s.StartSending(ctx, claims, plainID)
		ok(t, err)
		at(2)
		for _, m := range mails {
			if phase == 3 && m.Invitation.Attempt == 1 {
				ok(t, s.Retry(ctx, m.Claim, "451 later"))
				at(3)
				clock.Advance(time.Hour)
				continue
			}
			ok(t, s.Sent(ctx, m.Claim))
		}
		if phase != 3 {
			return
		}
	}
}
