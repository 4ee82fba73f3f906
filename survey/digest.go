package survey

import "time"

const (
	digestMinute = 8 * 60 // of the member's day
	// DigestLate is by how much a digest may come late, after koe was down; one that
	// is older is left out.
	DigestLate = 24 * time.Hour
)

// DigestPeriod is what one digest is about: a day, a week from Monday or a month
// of its member's calendar, and when the digest falls due. Since is where the
// period before begins, that it is compared with; that ends at From.
type DigestPeriod struct {
	Rhythm   Digest  `json:"rhythm"`
	Timezone string  `json:"timezone"`
	Start    Day     `json:"start"`
	End      Day     `json:"end"` // exclusive
	Since    Instant `json:"since"`
	From     Instant `json:"from"`
	To       Instant `json:"to"` // exclusive
	Due      Instant `json:"due"`
}

// interval is what a digest is about; false where there is none.
func (d Digest) interval() (Interval, bool) {
	every, is := map[Digest]Interval{DigestDaily: Daily, DigestWeekly: Weekly, DigestMonthly: Monthly}[d]
	return every, is
}

// wantsDigest is true for a member who can be mailed and wants to be.
func (m Member) wantsDigest() (Interval, bool) {
	every, is := m.Digest.interval()
	return every, is && m.Email != ""
}

// LastDigest is the digest that fell due last, at now or before; false where the
// member gets none. It falls due at 08:00 of the day after its period.
func (m Member) LastDigest(now Instant) (DigestPeriod, bool) {
	every, wants := m.wantsDigest()
	if !wants {
		return DigestPeriod{}, false
	}
	loc := zone(m.Timezone)
	running := every.Around(now, loc)
	if WallTime(running.Start, digestMinute, loc) > now {
		running = every.Around(running.From-1, loc)
	}
	p := every.Around(running.From-1, loc)
	return DigestPeriod{Rhythm: m.Digest, Timezone: loc.String(), Start: p.Start, End: p.End, Since: every.Around(p.From-1, loc).From,
		From: p.From, To: p.To, Due: WallTime(running.Start, digestMinute, loc)}, true
}

// NextDigest is when the next digest falls due, after now; 0 where the member gets
// none.
func (m Member) NextDigest(now Instant) Instant {
	every, wants := m.wantsDigest()
	if !wants {
		return 0
	}
	loc := zone(m.Timezone)
	running := every.Around(now, loc)
	if due := WallTime(running.Start, digestMinute, loc); due > now {
		return due
	}
	return WallTime(every.Around(running.To, loc).Start, digestMinute, loc)
}

// DueDigest is the digest that is to be written at now: the last one, unless it is
// too late, or the member was told of its days before: told is the End of the last
// one that they got, and 0 where there was none.
func (m Member) DueDigest(told Day, now Instant) (DigestPeriod, bool) {
	p, is := m.LastDigest(now)
	return p, is && !p.Late(now) && p.End > told
}

// Late is true once it is too late for a digest.
func (p DigestPeriod) Late(now Instant) bool { return now.Sub(p.Due) > DigestLate }
