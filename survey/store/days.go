package store

import (
	"cmp"
	"maps"
	"slices"

	"koe/survey"
)

// surveyDay is a survey's day in the workspace's calendar. How many of its
// invitations are planned for it is always counted; how many first mails really
// went out on it only under a daily limit.
type surveyDay struct {
	workspace int64
	survey    survey.ID
	day       survey.Day
}

// dayMove is what a transaction adds to a day. Counted are the first mails that
// it found to be out where the day had no number of them yet; else nil.
type dayMove struct {
	planned, sent int
	counted       *int
}

func (q *session) moveOn(on surveyDay, by dayMove) {
	if q.days == nil {
		q.days = map[surveyDay]dayMove{}
	}
	sum := q.days[on]
	sum.planned += by.planned
	sum.sent += by.sent
	if by.counted != nil {
		sum.counted = by.counted
	}
	q.days[on] = sum
}

// flushDays counts what has moved, last of all and in the order of the key, so
// that two transactions never wait for each other crosswise. No count falls
// below 0: a link that is made by hand was never counted.
func (q *session) flushDays() error {
	for _, on := range slices.SortedFunc(maps.Keys(q.days), compareDays) {
		by := q.days[on]
		if by.counted != nil {
			if err := q.later(`INSERT INTO survey_days (workspace_id, survey_id, day, planned, sent) VALUES (?, ?, ?, 0, ?)
				ON CONFLICT (workspace_id, survey_id, day) DO UPDATE SET sent = COALESCE(survey_days.sent, excluded.sent)`,
				on.workspace, on.survey, on.day, *by.counted); err != nil {
				return err
			}
			by.counted = nil
		}
		if by.planned > 0 {
			if err := q.later(`INSERT INTO survey_days (workspace_id, survey_id, day, planned) VALUES (?, ?, ?, ?)
				ON CONFLICT (workspace_id, survey_id, day) DO UPDATE SET planned = survey_days.planned + excluded.planned`,
				on.workspace, on.survey, on.day, by.planned); err != nil {
				return err
			}
			by.planned = 0
		}
		if by == (dayMove{}) {
			continue
		}
		if err := q.later(`UPDATE survey_days SET planned = CASE WHEN planned + ? < 0 THEN 0 ELSE planned + ? END,
			sent = CASE WHEN sent + ? < 0 THEN 0 ELSE sent + ? END WHERE workspace_id = ? AND survey_id = ? AND day = ?`,
			by.planned, by.planned, by.sent, by.sent, on.workspace, on.survey, on.day); err != nil {
			return err
		}
	}
	return q.flushKey()
}

func compareDays(a, b surveyDay) int {
	return cmp.Or(cmp.Compare(a.workspace, b.workspace), slices.Compare(a.survey[:], b.survey[:]), cmp.Compare(a.day, b.day))
}

// plannedFrom is how many invitations of a survey are planned for each day from
// one on, with what this transaction has moved.
func (q *session) plannedFrom(of survey.ID, from survey.Day) (map[survey.Day]int, error) {
	planned := map[survey.Day]int{}
	var day int64
	var n int
	if err := q.each(`SELECT day, planned FROM survey_days WHERE workspace_id = ? AND survey_id = ? AND day >= ?`,
		[]any{q.by.Workspace, of, from}, []any{&day, &n}, func() error {
			planned[survey.Day(day)] = n
			return nil
		}); err != nil {
		return nil, err
	}
	for on, by := range q.days {
		if on.workspace == q.by.Workspace && on.survey == of && on.day >= from {
			planned[on.day] += by.planned
		}
	}
	return planned, nil
}

// A heldDay is today under a survey's daily limit. The limit is held, so nobody
// else takes a place on it until the transaction ends.
type heldDay struct {
	day  survey.Day
	sent int // first mails, with those of this transaction
}

// holdDay reads how many of a survey's first mails went out today, while its
// limit is held.
func (q *session) holdDay(of survey.ID, zone string) (*heldDay, error) {
	loc, err := survey.LoadZone(zone)
	if err != nil {
		return nil, err
	}
	held := &heldDay{day: survey.DayOf(q.now, loc)}
	var sent *int
	if _, err := q.row(`SELECT sent FROM survey_days WHERE workspace_id = ? AND survey_id = ? AND day = ?`,
		[]any{q.by.Workspace, of, held.day}, &sent); err != nil {
		return nil, err
	}
	if sent != nil {
		held.sent = *sent
		return held, nil
	}
	// the first mail of the day, or the limit is new
	var counted int
	if _, err := q.row(`SELECT (SELECT COUNT(*) FROM invitations`+q.indexedBy("invitations_cohort_at")+` WHERE workspace_id = ? AND survey_id = ? AND channel = 'email'
		AND cohort_at >= ? AND sent_at IS NOT NULL) + (SELECT COUNT(*) FROM invitations`+q.indexedBy("invitations_lease_until")+` WHERE workspace_id = ? AND survey_id = ?
		AND mail_state IN ('claimed', 'sending') AND mail_state = 'sending' AND mail_no = 0)`,
		[]any{q.by.Workspace, of, survey.StartOf(held.day, loc), q.by.Workspace, of}, &counted); err != nil {
		return nil, err
	}
	held.sent = counted
	q.moveOn(surveyDay{q.by.Workspace, of, held.day}, dayMove{counted: &counted})
	return held, nil
}
