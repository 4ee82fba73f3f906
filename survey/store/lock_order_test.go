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

// What else happens beside mails and decisions on PostgreSQL.

func TestASurveyIsPausedAndArchivedWhileItsMailGoesOut(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		surveys := make([]survey.Survey, 6)
		for i := range surveys {
			place := fmt.Sprint("place-", i)
			surveys[i] = mustSurvey(t, s, by, place, limited(100_000))
			for j := range 40 {
				in := chat(fmt.Sprintf("p%d@example.com", j))
				in.Touchpoint = place
				record(t, s, by, in)
			}
		}
		besideTakes(t, s, 1, 8, 8, func(int) error {
			for _, v := range surveys {
				for _, to := range []survey.State{survey.Paused, survey.Active, survey.Paused, survey.Active, survey.Archived} {
					if _, err := s.SetSurveyState(ctx, by, v.ID.String(), to, 0); err != nil {
						return fmt.Errorf("%s: %w", to, err)
					}
					time.Sleep(5 * time.Millisecond)
				}
			}
			return nil
		})
	})
}

// Each change of an answer makes one survey follow it, and another no more.
func TestAnswersThatChangeWhileMailGoesOut(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		first := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { byLink(v); v.Rules.QuietPeriod = "0s" })
		for _, when := range []survey.When{{"score": {Min: pointer(9)}}, {"score": {Max: pointer(6)}}} {
			mustSurvey(t, s, by, "after", func(v *survey.Survey) {
				limited(100_000)(v)
				v.Trigger = survey.Trigger{Type: survey.OnResponse, Survey: first.ID.String(), When: when, Delay: "0s"}
			})
		}
		responses := make([]survey.ID, 40)
		for i := range responses {
			token := only(t, record(t, s, by, chat(fmt.Sprintf("p%d@example.com", i)))).Token
			o, err := s.Answer(ctx, token, storetest.Says(store.Reply{Score: pointer(10)}))
			ok(t, err)
			responses[i] = o.Response.ID
		}
		besideTakes(t, s, 4, 8, 64, func(worker int) error {
			for round := range 6 {
				for i := worker; i < len(responses); i += 4 {
					if _, _, err := s.ChangeResponse(ctx, by, responses[i], func(c *store.ResponseChange) error {
						c.Score = pointer([]int{1, 10}[round%2])
						return nil
					}); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}

// Some tools name people by the address, others by an id whose order is another.
func TestBatchesThatNameTheSamePeopleInTwoWays(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod = "0s" })
		const n = 60
		for i := range n {
			_, _, err := s.PutPerson(ctx, by, fmt.Sprintf("c%03d", n-i), survey.Person{Email: fmt.Sprintf("p%03d@example.com", i)})
			ok(t, err)
		}
		for i, err := range atOnce(4, func(worker int) error {
			for range 6 {
				if worker == 3 { // links are made for them, too
					links := make([]store.Link, n)
					for i := range links {
						links[i].Customer = chat(fmt.Sprintf("p%03d@example.com", n-1-i)).Customer
					}
					if _, err := s.CreateLinks(ctx, by, v.ID.String(), links); err != nil {
						return err
					}
					continue
				}
				items := make([]store.Item, n)
				for i := range items {
					items[i].Interaction = chat(fmt.Sprintf("p%03d@example.com", i))
					if worker%2 == 1 {
						items[i].Interaction.Customer = survey.Customer{ExternalID: fmt.Sprintf("c%03d", i+1)}
					}
				}
				if _, err := s.RecordInteractions(ctx, by, items); err != nil {
					return err
				}
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// People who had several addresses are erased while others who share them are
// asked. An address that comes back while it is erased may be waited for
// crosswise, once: the transaction is run again, and nobody hears of it.
func TestPeopleAreErasedBesideBatches(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		s := storetest.Open(t, storetest.Postgres(t))
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", limited(100_000))
		person := func(i, at int) survey.Interaction {
			in := chat(fmt.Sprintf("h%d@example.com", at%30))
			in.Customer.ExternalID = fmt.Sprint("x", i)
			return in
		}
		for i := range 60 {
			for _, other := range []int{0, 11, 5} {
				record(t, s, by, person(i, i+other))
			}
		}
		besideTakes(t, s, 3, 8, 64, func(worker int) error {
			for round := range 10 {
				if worker == 0 {
					for i := range 6 {
						if err := s.ErasePerson(ctx, by, fmt.Sprint("x", round*6+i)); err != nil {
							return err
						}
					}
					continue
				}
				items := make([]store.Item, 30)
				for i := range items {
					items[i].Interaction = person(1000+worker*100+i, i)
				}
				if _, err := s.RecordInteractions(ctx, by, items); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// Links for people whom nobody names count, too.
func TestADailyLimitOfLinksForNobody(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { limited(7)(v); byLink(v) })
		for _, err := range atOnce(8, func(int) error {
			for range 5 {
				items := make([]store.Item, 3)
				for i := range items {
					items[i].Interaction = survey.Interaction{Touchpoint: "chat"}
				}
				if _, err := s.RecordInteractions(ctx, by, items); err != nil {
					return err
				}
			}
			return nil
		}) {
			ok(t, err)
		}
		db := raw(t, url)
		if n := texts(t, db, `SELECT planned FROM survey_days`); len(n) != 1 || n[0] != "7" {
			t.Errorf("planned %v, want 7", n)
		}
		if n := texts(t, db, `SELECT COUNT(*) FROM invitations`); n[0] != "7" {
			t.Errorf("%s links, want 7", n[0])
		}
	})
}

// A limit that is new counts what is under way. Mail that is given back while it
// counts is not lost to the day.
func TestMailThatIsGivenBackWhileTheDayIsCounted(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	s := storetest.Open(t, storetest.Postgres(t), clock.Use)
	by := storetest.Default(t, s)
	v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod = "0s" })
	record(t, s, by, chat("a@example.com"))
	first, err := s.TakeDue(ctx, 1, 1, lease, atOnceTo, plainID)
	ok(t, err)
	_, err = s.PatchSurvey(ctx, by, v.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
		v.Rules.DailyLimit = pointer(2)
		return v, nil
	})
	ok(t, err)
	record(t, s, by, chat("b@example.com"))
	released := make(chan error, 1)
	second, err := s.TakeDue(ctx, 1, 1, lease, func(string) survey.Instant {
		go func() { released <- s.Release(ctx, first.Mails[0].Claim) }()
		time.Sleep(100 * time.Millisecond) // it has counted the first, which waits until this is kept
		return 0
	}, plainID)
	ok(t, err)
	ok(t, <-released)
	ok(t, s.Sent(ctx, second.Mails[0].Claim))
	third, err := s.TakeDue(ctx, 1, 1, lease, atOnceTo, plainID)
	ok(t, err)
	if len(third.Mails) != 1 {
		t.Error("the mail that was given back does not go out, although one of two did")
	}
}

// A batch says what its items would say one by one, however they name people.
func TestABatchIsDecidedAsItCame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		mustSurvey(t, s, by, "shop", limited(1))
		at := func(place, external, email string) store.Item {
			in := survey.Interaction{Touchpoint: place, Customer: survey.Customer{ExternalID: external}}
			if email != "" {
				in.Customer.Email = &email
			}
			return store.Item{Interaction: in}
		}
		items := []store.Item{
			at("chat", "", "zoe@example.com"), at("chat", "a-zoe", "zoe@example.com"), // the address adopts the id
			at("chat", "z-shared", "team@example.com"), at("chat", "a-shared", "team@example.com"), // two who share one
			at("shop", "z", "z@example.com"), at("shop", "a", "a@example.com"), // the day's last place
			at("chat", "", "broken"), at("nowhere", "", "x@example.com"), {Err: survey.Errorf(survey.Invalid, "", "unreadable")},
			at("shop", "", ""),
		}
		twice := at("chat", "z-twice", "z-twice@example.com")
		twice.Interaction.ExternalID = "T1"
		again := at("chat", "a-twice", "a-twice@example.com")
		again.Interaction.ExternalID = " T1 "
		outcomes, err := s.RecordInteractions(ctx, by, append(items, twice, again))
		ok(t, err)
		var said []string
		for _, o := range outcomes {
			switch {
			case o.Err != nil:
				said = append(said, "refused")
			case o.Repeat:
				said = append(said, "repeat of "+o.Interaction.Customer.ExternalID)
			case o.Decisions[0].SendAt != nil && o.Decisions[0].SendAt.Sub(o.Interaction.ReceivedAt) > 0:
				said = append(said, "scheduled later")
			default:
				said = append(said, string(o.Decisions[0].Verdict)+" "+string(o.Decisions[0].Reason))
			}
		}
		want := []string{"scheduled ", "skipped quiet_period", "scheduled ", "skipped quiet_period", "scheduled ", "scheduled later",
			"refused", "refused", "refused", "skipped no_address", "scheduled ", "repeat of z-twice"}
		if !slices.Equal(said, want) {
			t.Errorf("%q, want %q", said, want)
		}
	})
}
