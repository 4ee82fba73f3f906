package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// outgoing hands over every mail that is due, and returns to whom.
func outgoing(t *testing.T, s *store.Store) (to []string) {
	t.Helper()
	for {
		claims, err := s.ClaimDue(ctx, 100, lease)
		ok(t, err)
		if len(claims) == 0 {
			slices.Sort(to)
			return to
		}
		mails, err := s.StartSending(ctx, claims, func(m store.Mail) string { return "<" + m.Invitation.ID.String() + "@test>" })
		ok(t, err)
		for _, m := range mails {
			to = append(to, m.Invitation.Email)
			ok(t, s.Sent(ctx, m.Claim))
		}
	}
}

// TestNobodyTakenOverIsMailed: after opt-outs and people came from another tool,
// whoever opted out and whoever was asked lately gets no mail, by whatever way.
func TestNobodyTakenOverIsMailed(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Trigger.Delay = "2h" })
		mustSurvey(t, s, by, "desk", func(v *survey.Survey) { v.Key, v.Rules.QuietScope = "desk", survey.QuietSurvey })
		mustSurvey(t, s, by, "after", func(v *survey.Survey) { v.Trigger = survey.Trigger{Type: survey.OnResponse, Survey: "desk"} })
		daily(t, s, by, func(v *survey.Survey) { v.Rules.QuietPeriod, v.Trigger.Every = "30d", "1d" })
		listed := daily(t, s, by, func(v *survey.Survey) {
			v.Name, v.Rules.QuietPeriod, v.Trigger.Every, v.Trigger.Members = "Autopilot", "30d", "1d", true
		})

		// planned before, and one that failed
		early := func(touchpoint, address string) survey.ID {
			in := chat(address)
			in.Touchpoint = touchpoint
			return *only(t, record(t, s, by, in)).Invitation
		}
		early("chat", "out@example.com")
		early("chat", "asked@example.com")
		failed := early("desk", "gone@example.com")
		ok(t, s.Fail(ctx, startOne(t, s), "552 too large"))

		now := survey.InstantOf(clock.Now())
		list := []survey.Suppression{{Email: "out@example.com", Reason: survey.Unsubscribed, CreatedAt: now.Add(-time.Hour)},
			{Email: "gone@example.com", Reason: survey.Bounced}, {Email: "late@example.com", Reason: survey.Bounced, CreatedAt: now.Add(time.Hour)}}
		for i, want := range []int{3, 0} {
			if fresh, err := s.ImportSuppressions(ctx, by, list); err != nil || fresh != want {
				t.Errorf("run %d: %d new, %v", i, fresh, err)
			}
		}
		found, err := s.SuppressionsOf(ctx, by, []string{"out@example.com", "gone@example.com", "late@example.com", "nobody@example.com"})
		if ok(t, err); len(found) != 3 || found["out@example.com"].CreatedAt != list[0].CreatedAt || found["gone@example.com"].Reason != survey.Bounced ||
			found["late@example.com"].CreatedAt != now {
			t.Errorf("suppressed: %+v", found)
		}
		asked := now.Add(-10 * 24 * time.Hour)
		told, err := s.ImportPeople(ctx, by, []survey.Person{{Email: "asked@example.com", LastAskedAt: &asked, UpdatedAt: 1},
			{Email: "fresh@example.com", LastAskedAt: new(now.Add(-40 * 24 * time.Hour)), UpdatedAt: 1}})
		if ok(t, err); told.Accepted != 2 {
			t.Errorf("%+v", told)
		}

		pro := survey.Attributes{"plan": survey.TextValue("pro")}
		for i, address := range []string{"out@example.com", "gone@example.com", "asked@example.com", "fresh@example.com"} {
			_, _, err := s.PutPerson(ctx, by, fmt.Sprint("c", i), survey.Person{Email: address, Attributes: pro}) // as a company's own list has them
			ok(t, err)
		}
		for _, address := range []string{"out@example.com", "GONE@example.com", "Asked@Example.com"} {
			for _, touchpoint := range []string{"chat", "desk"} {
				for _, id := range []string{"", "c2", "second-" + address} {
					in := survey.Interaction{Touchpoint: touchpoint, Customer: survey.Customer{ExternalID: id, Email: &address}}
					if d := only(t, record(t, s, by, in)); d.Verdict != survey.Skipped {
						t.Errorf("%s at %s as %q: %+v", address, touchpoint, id, d)
					}
				}
			}
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: "desk", Score: pointer(3), Customer: survey.Customer{Email: &address}})
			ok(t, err) // which another survey follows
			_, err = s.CreateLinks(ctx, by, "desk", []store.Link{{Customer: survey.Customer{Email: &address}}})
			ok(t, err) // handed out by somebody, mailed by nobody
			for _, moved := range []string{"", "moved." + strings.ToLower(address)} {
				asked, err := s.AskPerson(ctx, by, store.Ask{Survey: listed.ID, Customer: survey.Customer{Email: &address}, Email: moved, Attributes: pro, Send: true})
				if ok(t, err); asked.Decided.Verdict != survey.Skipped {
					t.Errorf("%s asked by name: %+v", address, asked.Decided)
				}
				for _, one := range []string{address, moved} {
					if one != "" {
						_, _, err = s.PutListMember(ctx, by, listed.ID, nil, survey.Customer{Email: &one}, pro)
						ok(t, err)
					}
				}
			}
		}
		if err := s.Resend(ctx, by, failed); !isConflict(err) {
			t.Errorf("resent: %v", err)
		}
		clock.Set(t, "2026-11-23T00:00:30Z") // the schedule fires at nine in Tokyo
		for range 30 {
			turned(t, s)
			clock.Advance(24 * time.Hour / 15)
		}
		if to := outgoing(t, s); !slices.Equal(to, []string{"fresh@example.com"}) {
			t.Errorf("mailed: %v", to)
		}
		checked, err := s.Verify(ctx)
		if ok(t, err); len(checked.Faults) > 0 {
			t.Errorf("%v", checked.Faults)
		}
	}, clock.Use)
}

// TestPeopleTakenOverKeepWhatIsNewer: what is known here already is more recent,
// and answers that follow bring the attributes up to their own date.
func TestPeopleTakenOverKeepWhatIsNewer(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps")
		plan := func(name string) survey.Attributes { return survey.Attributes{"plan": survey.TextValue(name)} }
		_, _, err := s.PutPerson(ctx, by, "c-1", survey.Person{Email: "ana@example.com", Name: "Ana", Attributes: plan("pro")})
		ok(t, err)
		day := func(n int) survey.Instant {
			return survey.InstantOf(clock.Now()).Add(time.Duration(-n) * 24 * time.Hour)
		}
		for _, address := range []string{"ana@example.com", "bo@example.com"} {
			_, err := s.ImportPeople(ctx, by, []survey.Person{{Email: address, Name: "Delighted", Attributes: plan("old"), LastAskedAt: new(day(5)), UpdatedAt: day(100)}})
			ok(t, err)
			_, _, err = s.CreateResponse(ctx, by, store.NewResponse{Survey: "shop", Score: pointer(9), RespondedAt: new(day(50)), Attributes: plan("new"),
				Aside: survey.Attributes{"note 1": survey.TextValue("called")}, Customer: survey.Customer{Email: pointer(address)}})
			ok(t, err)
		}
		for address, want := range map[string]string{"ana@example.com": "Ana pro", "bo@example.com": "Delighted new"} {
			list, _, err := s.People(ctx, by, store.PersonFilter{Email: address}, store.Page{Limit: 5})
			ok(t, err)
			if len(list) != 1 || list[0].Name+" "+list[0].Attributes["plan"].Text() != want || *list[0].LastAskedAt != day(5) || len(list[0].Attributes) != 1 {
				t.Errorf("%s: %+v", address, list)
			}
		}
		for _, r := range exported(t, s, by, store.ResponseFilter{}) {
			if r.Attributes["note 1"].Text() != "called" || r.Attributes["plan"].Text() != "new" {
				t.Errorf("%+v", r.Attributes)
			}
		}
	}, clock.Use)
}
