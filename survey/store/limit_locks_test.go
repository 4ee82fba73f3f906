package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// Decisions and mails beside each other on PostgreSQL, where daily limits and
// addresses are shared.

func limited(most int) func(*survey.Survey) {
	return func(v *survey.Survey) { v.Rules.QuietPeriod, v.Rules.DailyLimit = "0s", &most }
}

// taking takes what is due until nobody runs any more, and gives each third
// lot back instead of noting it as sent.
func taking(s *store.Store, running *atomic.Int64, n, look int) error {
	for round := 0; running.Load() > 0; round++ {
		taken, err := s.TakeDue(ctx, n, look, lease, atOnceTo, plainID)
		if err != nil {
			return fmt.Errorf("take: %w", err)
		}
		var claims []store.Claim
		for _, m := range taken.Mails {
			claims = append(claims, m.Claim)
		}
		if round%3 == 0 {
			err = s.Release(ctx, claims...)
		} else {
			err = s.Sent(ctx, claims...)
		}
		if err != nil {
			return fmt.Errorf("note: %w", err)
		}
	}
	return nil
}

// besideTakes runs workers, and one more that takes mails meanwhile.
func besideTakes(t *testing.T, s *store.Store, workers, n, look int, fn func(worker int) error) {
	t.Helper()
	var running atomic.Int64
	running.Store(int64(workers))
	for i, err := range atOnce(workers+1, func(i int) error {
		if i == workers {
			return taking(s, &running, n, look)
		}
		defer running.Add(-1)
		return fn(i)
	}) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// The second of two surveys has a limit: each interaction counts for both. Its
// mail goes first, and moves the other's, for there is one a day to an address.
func TestMailsGoOutBesideInteractionsUnderADailyLimit(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod, v.Trigger.Delay = "0s", "1s" })
		mustSurvey(t, s, by, "chat", limited(100_000))
		besideTakes(t, s, 6, 16, 64, func(worker int) error {
			for i := range 60 {
				if _, err := s.RecordInteraction(ctx, by, chat(fmt.Sprintf("p%d-%d@example.com", worker, i))); err != nil {
					return err
				}
				time.Sleep(20 * time.Millisecond)
			}
			return nil
		})
	}, func(o *store.Options) { o.MailsADay = 1 })
}

// A batch of interactions at three touchpoints, with people whom other batches
// name in another order.
func shuffled(worker, round int) []store.Item {
	items := make([]store.Item, 60)
	for i := range items {
		in := chat(fmt.Sprintf("p%d@example.com", (i*7+worker*13+round*29)%80))
		in.Touchpoint = fmt.Sprint("place-", (i+worker)%3)
		items[i].Interaction = in
	}
	return items
}

func recordsBatches(s *store.Store, by store.Caller, rounds int) func(worker int) error {
	return func(worker int) error {
		for round := range rounds {
			outcomes, err := s.RecordInteractions(ctx, by, shuffled(worker, round))
			if err != nil {
				return fmt.Errorf("batch %d: %w", round, err)
			}
			for _, o := range outcomes {
				if o.Err != nil {
					return o.Err
				}
			}
		}
		return nil
	}
}

func TestBatchesUnderDailyLimits(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		for i := range 3 {
			mustSurvey(t, s, by, fmt.Sprint("place-", i), limited(100_000))
		}
		for i, err := range atOnce(4, recordsBatches(s, by, 8)) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// A look for mails passes many by; batches hold some of the same addresses.
func TestMailsGoOutBesideBatches(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		for i := range 3 {
			mustSurvey(t, s, by, fmt.Sprint("place-", i), func(v *survey.Survey) {
				v.Rules.QuietPeriod = "1s" // each address is looked at, and few are held back
				if i == 1 {
					limited(100_000)(v)
				}
			})
		}
		besideTakes(t, s, 3, 8, 256, recordsBatches(s, by, 8))
	})
}

// Mail to an address about which somebody decides just now waits for the next
// look.
func TestAnAddressThatIsHeldIsLeftForTheNextLook(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	url := storetest.Postgres(t)
	s := storetest.Open(t, url, clock.Use)
	by := storetest.Default(t, s)
	mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod = "1s" })
	for range 2 {
		record(t, s, by, chat("ana@example.com"))
		clock.Advance(2 * time.Second)
	}
	record(t, s, by, chat("bob@example.com"))
	take := func(look int) (to []string, busy int) {
		taken, err := s.TakeDue(ctx, look, look, lease, atOnceTo, plainID)
		ok(t, err)
		for _, m := range taken.Mails {
			ok(t, s.Sent(ctx, m.Claim))
			to = append(to, m.Invitation.Email)
		}
		return to, taken.Busy
	}
	decides, err := raw(t, url).Begin()
	ok(t, err)
	_, err = decides.Exec(`SELECT 1 FROM addresses FOR UPDATE`)
	ok(t, err)
	if to, busy := take(2); len(to) != 0 || busy != 2 { // both are Ana's
		t.Errorf("%v, %d busy", to, busy)
	}
	if to, _ := take(3); !slices.Equal(to, []string{"bob@example.com"}) { // nobody else asks Bob
		t.Errorf("while Ana's address is held: %v", to)
	}
	ok(t, decides.Rollback())
	if to, _ := take(3); !slices.Equal(to, []string{"ana@example.com"}) { // the other waits for its quiet second
		t.Errorf("afterwards: %v", to)
	}
}

// A fire goes through its audience in an order of its own. Whom a batch holds
// has their turn at the next look.
func TestAFireBesideBatches(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-21T23:59:00Z")
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		for i := range 3 {
			mustSurvey(t, s, by, fmt.Sprint("place-", i), limited(100_000))
		}
		v := daily(t, s, by, func(v *survey.Survey) { limited(100_000)(v); v.Trigger.Every = "1d" })
		customers(t, s, by, 0, 90)
		clock.Advance(2 * time.Minute)
		_, _, err := s.FireDue(ctx, 6*time.Hour)
		ok(t, err)
		for i, err := range atOnce(4, func(i int) error {
			if i == 3 {
				for {
					_, err := s.AskShares(ctx)
					fires, _, listing := s.Fires(ctx, by, v.ID.String(), store.Page{Limit: 1})
					if err := errors.Join(err, listing); err != nil || fires[0].State == "done" {
						return err
					}
				}
			}
			for round := range 6 {
				items := shuffled(i, round)
				for n := range items {
					items[n].Interaction.Customer.ExternalID = fmt.Sprint("c", (n*7+i*13+round*29)%90)
					items[n].Interaction.Customer.Email = nil
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
		if asked := scheduled(t, s, by, v); len(asked) != 60 { // two plans of three
			t.Errorf("%d people asked, want 60", len(asked))
		}
	}, clock.Use)
}
