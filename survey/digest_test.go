package survey

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDigestsFallDue(t *testing.T) {
	for name, c := range map[string]struct {
		rhythm            Digest
		zone, now         string
		start, end, since string
		due, next         string
	}{
		"a day": {DigestDaily, "Asia/Tokyo", "2026-11-21T23:00:00Z", "2026-11-21", "2026-11-22", "2026-11-19T15:00:00Z", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z"},
		"a moment before eight": {DigestDaily, "Asia/Tokyo", "2026-11-21T22:59:59Z", "2026-11-20", "2026-11-21", "2026-11-18T15:00:00Z",
			"2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"},
		"a week on its Monday": {DigestWeekly, "Europe/London", "2026-11-23T08:00:00Z", "2026-11-16", "2026-11-23", "2026-11-09T00:00:00Z",
			"2026-11-23T08:00:00Z", "2026-11-30T08:00:00Z"},
		"a week on a Sunday": {DigestWeekly, "Europe/London", "2026-11-22T08:00:00Z", "2026-11-09", "2026-11-16", "2026-11-02T00:00:00Z",
			"2026-11-16T08:00:00Z", "2026-11-23T08:00:00Z"},
		"a month": {DigestMonthly, "UTC", "2026-12-01T08:00:00Z", "2026-11-01", "2026-12-01", "2026-10-01T00:00:00Z", "2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z"},
		"February of a leap year": {DigestMonthly, "UTC", "2028-03-01T08:00:00Z", "2028-02-01", "2028-03-01", "2028-01-01T00:00:00Z",
			"2028-03-01T08:00:00Z", "2028-04-01T08:00:00Z"},
		"a leap day": {DigestDaily, "UTC", "2028-03-01T09:00:00Z", "2028-02-29", "2028-03-01", "2028-02-28T00:00:00Z", "2028-03-01T08:00:00Z", "2028-03-02T08:00:00Z"},
		"the day that had 23 hours": {DigestDaily, "America/New_York", "2026-03-09T12:00:00Z", "2026-03-08", "2026-03-09", "2026-03-07T05:00:00Z",
			"2026-03-09T12:00:00Z", "2026-03-10T12:00:00Z"},
		"the day that had 25 hours": {DigestDaily, "America/New_York", "2026-11-02T13:00:00Z", "2026-11-01", "2026-11-02", "2026-10-31T04:00:00Z",
			"2026-11-02T13:00:00Z", "2026-11-03T13:00:00Z"},
		"over the change": {DigestWeekly, "America/New_York", "2026-11-02T12:59:00Z", "2026-10-19", "2026-10-26", "2026-10-12T04:00:00Z",
			"2026-10-26T12:00:00Z", "2026-11-02T13:00:00Z"},
		"after midnight that does not exist": {DigestDaily, "America/Santiago", "2026-09-07T11:00:00Z", "2026-09-06", "2026-09-07", "2026-09-05T04:00:00Z",
			"2026-09-07T11:00:00Z", "2026-09-08T11:00:00Z"},
		"after the day that does not exist": {DigestDaily, "Pacific/Apia", "2011-12-30T18:00:00Z", "2011-12-29", "2011-12-30", "2011-12-28T10:00:00Z",
			"2011-12-30T18:00:00Z", "2011-12-31T18:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			m := Member{Email: "kim@example.com", Timezone: c.zone, Digest: c.rhythm}
			p, is := m.LastDigest(at(c.now))
			if !is || p.Start.String() != c.start || p.End.String() != c.end || p.Since != at(c.since) || p.Due != at(c.due) || p.Timezone != c.zone {
				t.Errorf("%+v", p)
			}
			if next := m.NextDigest(at(c.now)); next != at(c.next) {
				t.Errorf("the next falls due at %s", next)
			}
		})
	}
}

func TestDigestsThatAreNotWritten(t *testing.T) {
	kim := Member{Email: "kim@example.com", Timezone: "UTC", Digest: DigestWeekly}
	due := at("2026-11-23T08:00:00Z")
	monday := DayOfDate(2026, 11, 23)
	for name, c := range map[string]struct {
		change func(*Member)
		told   Day
		now    Instant
		want   bool
	}{
		"in time":                   {nil, 0, due, true},
		"a day late":                {nil, 0, due.Add(DigestLate), true},
		"too late":                  {nil, 0, due.Add(DigestLate) + 1, false},
		"after the one before":      {nil, monday - 7, due, true},
		"told already":              {nil, monday, due, false},
		"the day told as of a week": {func(m *Member) { m.Digest = DigestDaily }, monday, due, false},
		"the day after that":        {func(m *Member) { m.Digest = DigestDaily }, monday, due.Add(24 * time.Hour), true},
		"none":                      {func(m *Member) { m.Digest = DigestNone }, 0, due, false},
		"no address":                {func(m *Member) { m.Email = "" }, 0, due, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := kim
			if c.change != nil {
				c.change(&m)
			}
			if p, is := m.DueDigest(c.told, c.now); is != c.want {
				t.Errorf("%v, %+v", is, p)
			}
			if next := m.NextDigest(c.now); (next == 0) != (m.Email == "" || m.Digest == DigestNone) {
				t.Errorf("the next falls due at %s", next)
			}
		})
	}
}

// Whatever the clocks do: periods follow each other without gap, and the digest
// that falls due next is the last one once it has.
func TestDigestsFollowEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := randomZone(t)
		m := Member{Email: "kim@example.com", Timezone: loc.String(), Digest: rapid.SampledFrom([]Digest{DigestDaily, DigestWeekly, DigestMonthly}).Draw(t, "rhythm")}
		now := randomInstant(t, loc)
		last, _ := m.LastDigest(now)
		next := m.NextDigest(now)
		following, _ := m.LastDigest(next)
		if last.Due > now || next <= now || following.Due != next || following.From != last.To || following.Since != last.From {
			t.Errorf("at %s: %+v, then at %s %+v", now, last, next, following)
		}
		if before, _ := m.LastDigest(next - 1); before != last {
			t.Errorf("just before %s: %+v, not %+v", next, before, last)
		}
	})
}
