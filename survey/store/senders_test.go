package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// TestSendersBesideEachOther: several replicas claim, begin, end and give back
// mails to the same people under the same daily limits, and nobody waits for
// another crosswise. No day has more mails than its limit.
func TestSendersBesideEachOther(t *testing.T) {
	const replicas, people, limit = 4, 40, 30
	url, clock := storetest.Postgres(t), storetest.NewClock(t, "2026-11-22T09:00:00Z")
	t.Run("meanwhile", func(t *testing.T) {
		var stores [replicas]*store.Store
		for i := range stores {
			stores[i] = storetest.Open(t, url, clock.Use)
		}
		s := stores[0]
		callers := []store.Caller{storetest.Default(t, s), storetest.Other(t, s, "other")}
		for _, by := range callers {
			for place := range 3 {
				mustSurvey(t, s, by, fmt.Sprint("place-", place), func(v *survey.Survey) {
					v.Rules.QuietScope, v.Rules.DailyLimit = survey.QuietSurvey, pointer(people)
				})
				items := make([]store.Item, people)
				for i, who := range rand.New(rand.NewPCG(7, uint64(place))).Perm(people) { // each survey asks them in another order
					in := chat(fmt.Sprintf("p%d@example.com", who))
					in.Touchpoint = fmt.Sprint("place-", place)
					items[i].Interaction = in
				}
				_, err := s.RecordInteractions(ctx, by, items)
				ok(t, err)
			}
			surveys, _, err := s.Surveys(ctx, by, store.SurveyFilter{}, store.Page{Limit: 10})
			ok(t, err)
			for _, v := range surveys { // less than is planned
				_, err := s.PatchSurvey(ctx, by, v.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
					v.Rules.DailyLimit = pointer(limit)
					return v, nil
				})
				ok(t, err)
			}
		}
		for i, err := range atOnce(replicas, func(i int) error { return sendAll(stores[i], clock.Instant(), rand.New(rand.NewPCG(11, uint64(i)))) }) {
			if err != nil {
				t.Errorf("replica %d: %v", i, err)
			}
		}
		for _, row := range texts(t, raw(t, url), `SELECT COUNT(*) FROM invitations WHERE state = 'sent' GROUP BY survey_id`) {
			if row != fmt.Sprint(limit) {
				t.Errorf("%s mails of a survey went out, its limit is %d", row, limit)
			}
		}
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

// sendAll sends what is due until nothing is, in batches of any size and order.
// Some of each it gives back, before or after they have begun.
func sendAll(s *store.Store, now survey.Instant, random *rand.Rand) error {
	for tries := 0; ; tries++ {
		claims, err := s.ClaimDue(ctx, 1+random.IntN(40), lease)
		if err != nil || len(claims) == 0 {
			return err
		}
		random.Shuffle(len(claims), func(i, j int) { claims[i], claims[j] = claims[j], claims[i] })
		extended := make(chan error, 1)
		go func(all []store.Claim) { // as the heartbeat does
			_, err := s.Extend(ctx, lease, all...)
			extended <- err
		}(claims)
		if tries < 20 {
			back := random.IntN(1 + len(claims)/3)
			var later []store.Later
			for _, c := range claims[:back] {
				later = append(later, store.Later{Claim: c, Until: now, Why: survey.WaitRetry})
			}
			if err := s.Postpone(ctx, later); err != nil {
				return err
			}
			claims = claims[back:]
		}
		mails, err := s.StartSending(ctx, claims, plainID)
		if err != nil {
			return err
		}
		begun := make([]store.Claim, len(mails))
		for i, m := range mails {
			begun[i] = m.Claim
		}
		random.Shuffle(len(begun), func(i, j int) { begun[i], begun[j] = begun[j], begun[i] })
		back := 0
		if tries < 20 {
			back = random.IntN(1 + len(begun)/3)
		}
		if err := s.Release(ctx, begun[:back]...); err != nil {
			return err
		}
		if err := s.Sent(ctx, begun[back:]...); err != nil {
			return err
		}
		if err := <-extended; err != nil {
			return err
		}
	}
}
