package store_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/demo"
	"koe/survey/store"
	"koe/survey/store/storetest"
	"koe/templates"
)

// openShop makes the demo's touchpoints and surveys.
func openShop(t *testing.T, s *store.Store) store.Caller {
	t.Helper()
	by := storetest.Default(t, s)
	for _, m := range demo.Team() {
		_, err := s.CreateMember(ctx, by, m)
		ok(t, err)
	}
	for _, template := range demo.Templates() {
		_, err := s.CreateTemplate(ctx, by, template)
		ok(t, err)
	}
	for _, v := range demo.Surveys() {
		_, err := s.CreateSurvey(ctx, by, v)
		ok(t, err)
		_, err = s.SetSurveyState(ctx, by, v.Key, survey.Active, 0)
		ok(t, err)
	}
	return by
}

// lately are the last weeks of the demo's year: what was sent in the first of
// them has expired.
func lately(now survey.Instant) []survey.Visit {
	return slices.DeleteFunc(slices.Collect(demo.Visits(7, now, time.UTC)), func(v survey.Visit) bool {
		return v.Interaction.OccurredAt < now.Add(-25*24*time.Hour)
	})
}

func stocked(clock *storetest.Clock) func(*store.Options) {
	return func(o *store.Options) {
		clock.Use(o)
		stock, err := templates.Stock()
		if err == nil {
			o.Stock = stock
		}
	}
}

func TestThePastIsCountedAsIfItHadBeenLived(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-30T14:25:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, visits := openShop(t, s), lately(clock.Instant())
		ok(t, s.RecordVisits(ctx, by, slices.Values(visits)))
		checked, err := s.Verify(ctx)
		ok(t, err)
		if len(checked.Faults) > 0 {
			t.Fatalf("%d faults, such as %s", len(checked.Faults), checked.Faults[0])
		}

		var chats scoring.Histogram
		var want store.Rates
		answers := int64(0)
		for _, v := range visits {
			if v.Answer != nil {
				answers++
			}
			if v.Survey != "support_chat" || v.SentAt == nil {
				continue
			}
			want.Invited++
			if v.BouncedAt == nil {
				want.Delivered++
			}
			if v.OpenedAt != nil {
				want.Opened++
			}
			if v.Answer != nil {
				want.Answered++
				chats[v.Answer.Score]++
				if v.Answer.Comment != "" {
					want.Commented++
				}
			}
		}
		if checked.Responses != answers {
			t.Errorf("%d answers were kept, %d given", checked.Responses, answers)
		}
		counted, err := s.Tally(ctx, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.CSAT, Touchpoint: "support_chat"}, Spans: []store.Span{{}}, Rates: true})
		ok(t, err)
		if *counted.Rates != want {
			t.Errorf("rates %+v, want %+v", *counted.Rates, want)
		}
		if cells := counted.Spans[0]; len(cells) != 1 || cells[0].Histogram != chats {
			t.Errorf("counted %+v, want %v", cells, chats)
		}
	}, stocked(clock))
}

func TestThePastHasItsEventsAndGoesOn(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-30T14:25:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, now := openShop(t, s), clock.Instant()
		ok(t, s.RecordVisits(ctx, by, slices.Values(lately(now))))
		seen := map[survey.InvitationState]bool{}
		reminders := 0
		for page := (store.Page{Limit: 500}); ; {
			list, next, err := s.Invitations(ctx, by, store.InvitationFilter{}, page)
			ok(t, err)
			for _, v := range list {
				if seen[v.State] && v.MailNo == 0 {
					continue
				}
				seen[v.State] = true
				if v.MailNo > 0 {
					reminders++
				}
				of, events, err := s.Invitation(ctx, by, v.ID)
				ok(t, err)
				if last := events[len(events)-1]; last.Type != string(of.State) && of.State != survey.InvitationSent {
					t.Errorf("%s ends with the event %+v", of.State, last)
				}
				for i := range events[1:] {
					if events[i+1].At < events[i].At {
						t.Errorf("events out of order: %+v", events)
					}
				}
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		for _, state := range []survey.InvitationState{survey.InvitationScheduled, survey.InvitationSent, survey.InvitationAnswered,
			survey.InvitationExpired, survey.InvitationFailed} {
			if !seen[state] {
				t.Errorf("no invitation is %s", state)
			}
		}
		if reminders == 0 {
			t.Error("nobody was reminded")
		}
		outbox, err := s.OutboxSummary(ctx, by, "")
		ok(t, err)
		if outbox.Mail.OldestDue != nil || outbox.Mail.NextDue == nil {
			t.Errorf("mail is due since %v, the next at %v, now is %s", outbox.Mail.OldestDue, outbox.Mail.NextDue, now)
		}
		if len(outbox.Deliveries) > 0 {
			t.Errorf("somebody is to be told of the past: %+v", outbox.Deliveries)
		}
		followedUp(t, s, by)
		if suppressed, _, err := s.Suppressions(ctx, by, "", store.Page{Limit: 500}); err != nil || len(suppressed) < 3 {
			t.Errorf("%d suppressions, %v", len(suppressed), err)
		}
	}, stocked(clock))
}

// followedUp checks what came of the unhappy answers of the past.
func followedUp(t *testing.T, s *store.Store, by store.Caller) {
	t.Helper()
	sum, err := s.FollowUpSummary(ctx, by, store.FollowUpFilter{})
	ok(t, err)
	if sum.States[survey.FollowUpOpen] == 0 || sum.States[survey.FollowUpInProgress] == 0 || sum.States[survey.FollowUpResolved] < 20 || sum.Overdue == 0 || sum.Unowned > 0 {
		t.Errorf("states %v, overdue %d, unowned %d", sum.States, sum.Overdue, sum.Unowned)
	}
	if c := sum.Confirmed; c.Confirmed.Count == 0 || c.Reopened.Count == 0 || c.Unconfirmed.Count == 0 {
		t.Errorf("customers said %+v", c)
	}
	list, _, err := s.FollowUps(ctx, by, store.FollowUpFilter{}, store.Page{Limit: 200})
	ok(t, err)
	escalated := 0
	for _, f := range list {
		whole, events, err := s.FollowUp(ctx, by, f.ID)
		ok(t, err)
		if !slices.IsSortedFunc(events, func(a, b store.Event) int { return cmp.Compare(a.At, b.At) }) {
			t.Errorf("events out of order: %+v", events)
		}
		if whole.State == survey.FollowUpResolved && len(whole.Notes) == 0 {
			t.Errorf("%s is resolved, and nobody wrote down how", whole.ID)
		}
		if slices.ContainsFunc(events, func(e store.Event) bool { return e.Type == "escalated" && e.At == whole.DueAt }) {
			escalated++
		}
	}
	if escalated == 0 {
		t.Error("nothing was escalated when it was due")
	}
}

func TestAPastThatCannotBeIsRefused(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-30T14:25:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, visits := openShop(t, s), lately(clock.Instant())
		answered := slices.IndexFunc(visits, func(v survey.Visit) bool { return v.Answer != nil && v.Elsewhere })
		wrong := visits[answered]
		wrong.Answer = &survey.Answer{Score: 11}
		var refusal *survey.Error
		if err := s.RecordVisits(ctx, by, slices.Values([]survey.Visit{visits[0], wrong})); !errors.As(err, &refusal) || refusal.Kind != survey.Invalid {
			t.Errorf("a score off the scale: %v", err)
		}
		if checked, err := s.Verify(ctx); err != nil || checked.Responses+checked.Invitations != 0 {
			t.Errorf("half of it was kept: %+v, %v", checked, err)
		}
		ok(t, s.RecordVisits(ctx, by, slices.Values(visits[:50])))
		first, err := s.Verify(ctx)
		ok(t, err)
		ok(t, s.RecordVisits(ctx, by, slices.Values(visits[:50])))
		if again, err := s.Verify(ctx); err != nil || again.Responses != first.Responses || again.Invitations != first.Invitations {
			t.Errorf("twice told: %+v, then %+v, %v", first, again, err)
		}
	}, stocked(clock))
}
