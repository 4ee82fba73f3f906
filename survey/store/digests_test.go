package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// readers are members who get a digest each day, in Tokyo.
func readers(t *testing.T, s *store.Store, by store.Caller, addresses ...string) []survey.Member {
	t.Helper()
	var list []survey.Member
	for _, address := range addresses {
		m := aMember(address)
		m.Timezone, m.Digest = "Asia/Tokyo", survey.DigestDaily
		list = append(list, must(s.CreateMember(ctx, by, m)))
	}
	return list
}

// queued queues what is due, as a process does, and takes the digests out.
func queued(t *testing.T, s *store.Store) []store.Dispatch {
	t.Helper()
	for _, one := range must(s.DueDigests(ctx, 10)) {
		ok(t, s.QueueDigest(ctx, one))
	}
	return must(s.ClaimNotices(ctx, 10, lease))
}

// However many processes see that digests are due, each goes out once.
func TestDigestsAreQueuedOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		readers(t, s, by, "a@example.com", "b@example.com", "c@example.com")
		clock.Set(t, "2026-11-22T23:00:00Z")
		due := must(s.DueDigests(ctx, 10))
		if len(due) != 3 || len(must(s.DueDigests(ctx, 2))) != 2 {
			t.Fatalf("%+v", due)
		}
		replicas := []*store.Store{s, s}
		if strings.HasPrefix(url, "postgres:") {
			replicas[1] = storetest.Open(t, url, clock.Use)
		}
		var all errgroup.Group
		for i := range 6 {
			all.Go(func() error {
				for _, one := range due {
					if err := replicas[i%2].QueueDigest(ctx, one); err != nil {
						return err
					}
				}
				return nil
			})
		}
		ok(t, all.Wait())
		if got := must(s.ClaimNotices(ctx, 10, lease)); len(got) != 3 || got[0].Event != survey.EventDigest {
			t.Errorf("%+v", got)
		}
		ok(t, verifiedOnly(s))
	})
}

// A member who moves, or changes how often, is not told of a day again; nor of
// one before they wanted to be.
func TestDigestsOfMembersWhoChange(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock := storetest.NewClock(t, "2026-11-22T09:00:00Z") // a Sunday, 18:00 in Tokyo
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		m := readers(t, s, by, "a@example.com")[0]
		change := func(digest survey.Digest, zone string) {
			t.Helper()
			must(s.ChangeMember(ctx, by, m.ID, func(m *survey.Member) error { m.Digest, m.Timezone = digest, zone; return nil }))
		}
		if got := queued(t, s); len(got) != 0 {
			t.Errorf("told at once: %+v", got)
		}
		clock.Set(t, "2026-11-22T23:00:00Z")
		if got := queued(t, s); len(got) != 1 || !strings.Contains(got[0].Body, `"start":"2026-11-22"`) {
			t.Errorf("%+v", got)
		}
		change(survey.DigestDaily, "America/New_York") // where the same day ends once more
		clock.Set(t, "2026-11-23T14:00:00Z")
		if got := queued(t, s); len(got) != 0 {
			t.Errorf("told of a day again: %+v", got)
		}
		clock.Set(t, "2026-11-24T14:00:00Z")
		if got := queued(t, s); len(got) != 1 || !strings.Contains(got[0].Body, `"start":"2026-11-23"`) {
			t.Errorf("%+v", got)
		}
		change(survey.DigestNone, "America/New_York")
		clock.Set(t, "2026-11-25T14:00:00Z")
		if got := queued(t, s); len(got) != 0 {
			t.Errorf("who wants none gets %+v", got)
		}
		change(survey.DigestMonthly, "America/New_York")
		ok(t, verifiedOnly(s))
		clock.Set(t, "2026-12-01T13:00:00Z")
		if got := queued(t, s); len(got) != 1 || !strings.Contains(got[0].Body, `"start":"2026-11-01","end":"2026-12-01"`) {
			t.Errorf("%+v", got)
		}
		ok(t, verifiedOnly(s))
	})
}

// A digest that waited is not sent to whoever has left, does not want it any more,
// or a day later.
func TestDigestsThatWaited(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		list := readers(t, s, by, "gone@example.com", "other@example.com", "late@example.com")
		clock.Set(t, "2026-11-22T23:00:00Z")
		waiting := map[string]store.Dispatch{}
		for _, d := range queued(t, s) {
			waiting[d.To] = d
		}
		ok(t, s.RemoveMember(ctx, by, list[0].ID))
		must(s.ChangeMember(ctx, by, list[1].ID, func(m *survey.Member) error { m.Digest = survey.DigestWeekly; return nil }))
		for address, want := range map[string]string{"gone@example.com": "gone", "other@example.com": "no more", "late@example.com": "nothing came in"} {
			if m := must(s.DigestMail(ctx, waiting[address])); !strings.Contains(m.Unwanted, want) {
				t.Errorf("%s: %q", address, m.Unwanted)
			}
		}
		clock.Advance(24*time.Hour + time.Millisecond)
		if m := must(s.DigestMail(ctx, waiting["late@example.com"])); !strings.Contains(m.Unwanted, "too late") {
			t.Errorf("late: %q", m.Unwanted)
		}
	})
}

func TestVerifyChecksDigests(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		readers(t, s, by, "a@example.com", "b@example.com")
		clock.Set(t, "2026-11-22T23:00:00Z")
		queued(t, s)
		db := raw(t, url)
		for _, c := range []struct{ harm, mend, found string }{
			{`UPDATE workspace_members SET digest_at = 0`, `UPDATE workspace_members SET digest_at = 1 WHERE digest <> 'none'`, "a member's digest is never due"},
			{`UPDATE workspace_members SET digest = 'none'`, `UPDATE workspace_members SET digest = 'daily' WHERE digest_at > 0`, "due though none is wanted"},
			{`UPDATE outbox SET subject_id = (SELECT id FROM workspace_members WHERE email = 'a@example.com')`,
				`UPDATE outbox SET subject_id = (SELECT m.id FROM workspace_members m WHERE m.email = destination)`, "a digest is told twice"},
			{`UPDATE outbox SET subject_id = id`, `UPDATE outbox SET subject_id = (SELECT m.id FROM workspace_members m WHERE m.email = destination)`,
				"waits for somebody who is no member"},
		} {
			for _, statement := range []string{c.harm, c.mend} {
				_, err := db.Exec(statement)
				ok(t, err)
				faults := fmt.Sprint(must(s.Verify(ctx)).Faults)
				if statement == c.harm && !strings.Contains(faults, c.found) || statement == c.mend && faults != "[]" {
					t.Errorf("%s: %s", statement, faults)
				}
			}
		}
	})
}
