package store

import (
	"time"

	"koe/survey"
)

// calendar is how a workspace counts: the zone that days belong to, and the
// generation of its tallies. While a new generation is being counted (see
// rebuild) readers count rows, and writers move the new generation alone, as
// far as it has come.
type calendar struct {
	loc        *time.Location
	generation int64
	rebuild    rebuild
	tagRules   id // which rules tag answers; another after every change of them, zero for none
}

// rebuild is how far a new generation has come; generation 0 is none.
type rebuild struct {
	generation  int64
	responses   id // those up to this one are counted
	invitations id // likewise
	// segments have changed: the strata of those not counted yet are of older
	// ones. It stays until what is kept of those is cleared away.
	segments bool
}

// newest is the generation that counts by what surveys declare now: every
// change of what they declare begins another.
func (c calendar) newest() int64 { return max(c.generation, c.rebuild.generation) }

func (r rebuild) running() bool { return r.generation != 0 }

// responses is the generation in which a response is to be moved, or none: one
// that the rebuild has yet to come by will be counted then.
func (c calendar) forResponse(of id) (generation int64, move bool) {
	return c.rebuild.of(c.generation, of, c.rebuild.responses)
}

func (c calendar) forInvitation(of id) (generation int64, move bool) {
	return c.rebuild.of(c.generation, of, c.rebuild.invitations)
}

func (r rebuild) of(current int64, one, done id) (int64, bool) {
	if !r.running() {
		return current, true
	}
	return r.generation, string(one[:]) <= string(done[:])
}

// whether anybody listens is asked along: whoever counts mostly tells of it
// (see emit), and a question of its own would be one for each answer
const calendarColumns = `timezone, tally_generation, rebuild_generation, rebuild_responses, rebuild_invitations, rebuild_segments, tag_rules,
	EXISTS (SELECT 1 FROM webhooks h WHERE h.workspace_id = workspaces.id AND h.state = 'active')`

// counting is the calendar that a transaction counts by. Until it ends nobody
// changes it, nor what surveys declare, which on SQLite goes without saying. It
// is asked for before a row is locked that a rebuild may change: a rebuild
// locks the calendar first, and so two never wait for each other.
func (q *session) counting() (calendar, error) {
	if q.shared != nil {
		if known, ok := q.shared.calendars[q.by.Workspace]; ok {
			return known, nil
		}
	}
	lock := ""
	if q.postgres && q.tx {
		lock = " FOR KEY SHARE"
	}
	c, err := q.calendar(lock)
	if err == nil && q.shared != nil {
		q.shared.learn(q.by.Workspace, c)
	}
	return c, err
}

func (q *session) calendar(lock string) (calendar, error) {
	var c calendar
	var zone string
	var heard bool
	found, err := q.row(`SELECT `+calendarColumns+` FROM workspaces WHERE id = ?`+lock, []any{q.by.Workspace},
		&zone, &c.generation, &c.rebuild.generation, &c.rebuild.responses, &c.rebuild.invitations, &c.rebuild.segments, &c.tagRules, &heard)
	if err == nil && !found { // a token can name any
		err = errNoInvitation
	}
	if err != nil {
		return c, err
	}
	if !heard && q.shared != nil {
		q.shared.learnListeners(q.by.Workspace, []listener{})
	}
	c.loc, err = survey.LoadZone(zone)
	return c, err
}
