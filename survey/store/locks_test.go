package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// Who waits for whom on PostgreSQL. SQLite has one writer.

// deadlocks is how many PostgreSQL had to end in a database whose store is
// closed: what a connection counted is to be seen once it is gone.
func deadlocks(t *testing.T, url string) (n int64) {
	t.Helper()
	db := raw(t, url)
	for others := 1; others > 0; time.Sleep(20 * time.Millisecond) {
		ok(t, db.QueryRow(`SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
			AND backend_type = 'client backend'`).Scan(&others))
	}
	ok(t, db.QueryRow(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&n))
	return n
}

// neverCrosswise runs fn on a PostgreSQL database and fails where transactions
// had waited for each other crosswise.
func neverCrosswise(t *testing.T, fn func(t *testing.T, s *store.Store, by store.Caller), o ...func(*store.Options)) {
	t.Helper()
	url := storetest.Postgres(t)
	t.Run("meanwhile", func(t *testing.T) {
		s := storetest.Open(t, url, o...)
		fn(t, s, storetest.Default(t, s))
		rebuilt(t, s)
		checked, err := s.Verify(ctx)
		ok(t, err)
		for _, fault := range checked.Faults {
			t.Error(fault)
		}
	})
	if n := deadlocks(t, url); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
}

func TestAnswersDoNotWaitForWhoChangesTheirSurvey(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	by := storetest.Default(t, s)
	v := mustSurvey(t, s, by, "chat", nil)
	_, err := s.PatchSurvey(ctx, by, v.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
		soon, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		v.Name = "Another"
		_, _, err := s.CreateResponse(soon, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9)})
		return v, err
	})
	ok(t, err)
}

func TestSegmentsDeclaredWhilePeopleAreAsked(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		linked := func(v *survey.Survey) { byLink(v); v.Rules.QuietPeriod = "0s" }
		mustSurvey(t, s, by, "chat", linked)
		many := 10_000
		limited := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { linked(v); v.Rules.DailyLimit = &many })
		for i, err := range atOnce(120, func(i int) error {
			if i%10 == 0 {
				_, err := s.PatchSurvey(ctx, by, limited.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
					v.Segments = []string{fmt.Sprint("segment-", i)}
					return v, nil
				})
				return err
			}
			_, err := s.RecordInteraction(ctx, by, chat(fmt.Sprintf("p%d@example.com", i)))
			return err
		}) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

func TestAnswersDuringARebuildOfSegments(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { byLink(v); v.Rules.QuietPeriod = "0s" })
		const n = 150
		tokens := make([]string, n)
		for i := range tokens {
			in := chat(fmt.Sprintf("p%d@example.com", i))
			in.Attributes = survey.Attributes{"plan": survey.TextValue(fmt.Sprint(i % 5)), "agent": survey.TextValue(fmt.Sprint(i % 7))}
			tokens[i] = only(t, record(t, s, by, in)).Token
		}
		var left atomic.Int64
		left.Store(n)
		for i, err := range atOnce(6, func(worker int) error {
			if worker == 0 {
				for round := 0; left.Load() > 0; round++ {
					if _, err := s.PatchSurvey(ctx, by, v.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
						v.Segments = [][]string{{"plan"}, {"agent"}}[round%2]
						return v, nil
					}); err != nil {
						return err
					}
					if _, err := s.Rebuild(ctx); err != nil {
						return err
					}
				}
				return nil
			}
			for i := worker - 1; i < n; i += 5 {
				left.Add(-1)
				if err := s.NoteOpened(ctx, tokens[i]); err != nil {
					return err
				}
				o, err := s.Answer(ctx, tokens[i], storetest.Says(store.Reply{Score: pointer(i % 11)}))
				if err != nil {
					return err
				}
				if _, _, err := s.ChangeResponse(ctx, by, o.Response.ID, func(c *store.ResponseChange) error {
					c.Score = pointer((i + 1) % 11)
					return nil
				}); err != nil {
					return err
				}
			}
			return nil
		}) {
			if err != nil {
				left.Store(0)
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// Files that name the same people, and files that name nobody, in other orders:
// with the same plans and agents in both.
func TestImportsBesideEachOther(t *testing.T) {
	for _, named := range []bool{true, false} {
		t.Run(fmt.Sprint("named=", named), func(t *testing.T) {
			neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
				imported(t, s, by, "shop", "nps", "plan", "agent")
				for i, err := range atOnce(3, func(i int) error {
					got, err := s.Import(ctx, by, reading("shop", strings.NewReader(overlapping(i, named)), history.Options{}, nil))
					if err == nil && got.Accepted != 1500 {
						err = fmt.Errorf("%+v", got)
					}
					return err
				}) {
					if err != nil {
						t.Errorf("%d: %v", i, err)
					}
				}
			})
		})
	}
}

func overlapping(file int, named bool) string {
	var b strings.Builder
	b.WriteString("score,responded_at,customer.external_id,attributes.plan,attributes.agent,external_id\n")
	for row := range 1500 {
		who, other := "", (row*[]int{7, 11, 13}[file]+file*17)%1500
		if named {
			who = fmt.Sprint("c", other%500)
		}
		fmt.Fprintf(&b, "%d,2026-%02d-%02dT10:00:00Z,%s,p%d,a%d,x%d-%d\n", row%11, row/28%10+1, row%28+1, who, other%40, other%30, file, row)
	}
	return b.String()
}

// TestTheLastSegmentValues: everybody agrees on which values are told apart,
// also where several are the last.
func TestTheLastSegmentValues(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps", "order")
		for _, err := range atOnce(4, func(i int) error {
			var file strings.Builder
			file.WriteString("score,attributes.order\n")
			for row := range 600 {
				fmt.Fprintf(&file, "9,o%d\n", i*150+row%300) // half of them are the next file's too
			}
			_, err := s.Import(ctx, by, reading("shop", strings.NewReader(file.String()), history.Options{}, nil))
			return err
		}) {
			ok(t, err)
		}
		if n := texts(t, raw(t, url), `SELECT COUNT(*) FROM segment_values`); n[0] != "500" {
			t.Errorf("%s values", n[0])
		}
		checked, err := s.Verify(ctx)
		ok(t, err)
		for _, fault := range checked.Faults {
			t.Error(fault)
		}
	})
}

// TestSegmentsDeclaredBetweenADraftAndItsTurn: an answer that was read before
// its survey declared a segment, and is kept after everything was counted anew,
// is counted by that segment too.
func TestSegmentsDeclaredBetweenADraftAndItsTurn(t *testing.T) {
	declare := func(s *store.Store, by store.Caller, names ...string) error {
		_, err := s.PatchSurvey(ctx, by, "shop", 0, func(v survey.Survey) (survey.Survey, error) {
			v.Segments = names
			return v, nil
		})
		return err
	}
	answer := func(s *store.Store, by store.Caller) error {
		_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: "shop", Score: pointer(9),
			Attributes: survey.Attributes{"agent": survey.TextValue("Kim"), "plan": survey.TextValue("pro")}})
		return err
	}
	check := func(t *testing.T, s *store.Store, by store.Caller) {
		t.Helper()
		rebuilt(t, s)
		c := counted(t, s, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, GroupBy: "attributes.plan"})
		if len(c.Groups) != 1 || c.Groups[0].Key != "pro" || cellsN(c.Groups[0].Spans[0]) != 2 || c.Source != "tallies" {
			t.Errorf("%+v", c)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		s := storetest.Open(t, storetest.SQLite(t))
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps")
		ok(t, answer(s, by))
		ok(t, declare(s, by, "agent"))
		var errs [3]error
		var wait sync.WaitGroup
		started, turn := make(chan bool), make(chan bool)
		wait.Go(func() { // holds the writer, while the other two wait in this order
			_, errs[0] = s.PatchSurvey(ctx, by, "shop", 0, func(v survey.Survey) (survey.Survey, error) {
				close(started)
				<-turn
				v.Segments = []string{"agent", "plan"}
				return v, nil
			})
		})
		<-started
		for i, waits := range []func() error{func() error { _, err := s.Rebuild(ctx); return err }, func() error { return answer(s, by) }} {
			wait.Go(func() { errs[i+1] = waits() })
			time.Sleep(200 * time.Millisecond)
		}
		close(turn)
		wait.Wait()
		for _, err := range errs {
			ok(t, err)
		}
		check(t, s, by)
	})
	t.Run("postgres", func(t *testing.T) {
		var asked atomic.Int64 // from 2: the clock is asked for the draft, then by its transaction
		var meanwhile func()
		s := storetest.Open(t, storetest.Postgres(t), func(o *store.Options) {
			o.Now = func() time.Time {
				if asked.Add(-1) == 0 {
					meanwhile()
				}
				return time.Now()
			}
		})
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps")
		ok(t, answer(s, by))
		meanwhile = func() {
			if err := declare(s, by, "plan"); err != nil {
				t.Error(err)
			}
			rebuilt(t, s)
		}
		asked.Store(2)
		ok(t, answer(s, by))
		check(t, s, by)
	})
}

// Each takes what waits for an address first, in one order, and its suppression
// then.
func TestReportsAboutOneAddressAtOnce(t *testing.T) {
	neverCrosswise(t, func(t *testing.T, s *store.Store, by store.Caller) {
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod, v.Rules.Reminders = "0s", []survey.Duration{"3d"} })
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod, v.Trigger.Delay = "0s", "1h" })
		const addresses, reports = 12, 4
		address := func(i int) string { return fmt.Sprintf("p%d@example.com", i/reports) }
		for i := range addresses * 3 {
			record(t, s, by, chat(address(i/3*reports)))
		}
		taken, err := s.TakeDue(ctx, addresses*3, addresses*3, lease, atOnceTo, plainID)
		ok(t, err)
		sent := map[string][]survey.ID{}
		for _, m := range taken.Mails {
			ok(t, s.Sent(ctx, m.Claim))
			to := m.Invitation.Email
			sent[to] = append(sent[to], m.Invitation.ID)
		}
		for i, err := range atOnce(addresses*reports, func(i int) error {
			if i%reports == 0 {
				_, _, err := s.Suppress(ctx, by, address(i), survey.ByHand)
				return err
			}
			report := survey.Bounce{Kind: survey.HardBounce, Invitation: &sent[address(i)][i%reports-1]}
			if i%reports == 3 {
				report = survey.Bounce{Kind: survey.HardBounce, Email: address(i)}
			}
			_, err := s.TakeBounces(ctx, by, []survey.Bounce{report})
			return err
		}) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}
