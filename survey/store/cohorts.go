package store

import (
	"maps"
	"slices"

	"koe/survey"
)

// cohort is what one change adds to a row of the invitation tallies.
type cohort struct{ sent, bounced, opened, answered, commented int64 }

// cohortRow names one row of the invitation tallies: those sent on a local day
// at a touchpoint by a survey, for one value of one dimension.
type cohortRow struct {
	workspace  int64
	generation int64
	dimension  string
	value      string
	touchpoint survey.ID
	survey     survey.ID
	day        survey.Day
}

// countInvitation adds a change to the invitation tallies, in the cohort of the
// day on which the invitation went out. One that has not gone out is not counted.
func (s *Store) countInvitation(q *session, v invitationRow, by cohort) error {
	if v.CohortAt == nil {
		return nil
	}
	c, err := q.counting()
	if err != nil {
		return err
	}
	segments, err := v.segments()
	if err != nil {
		return err
	}
	if segments, err = s.capped(q, c, survey.ID(v.SurveyID), segments); err != nil {
		return err
	}
	q.countInvitationAs(c, v, segments, by)
	return nil
}

// countInvitationAs is countInvitation where everything is known.
func (q *session) countInvitationAs(c calendar, v invitationRow, segments map[string]string, by cohort) {
	generation, move := c.forInvitation(v.ID)
	if !move {
		return
	}
	row := cohortRow{workspace: v.WorkspaceID, generation: generation, touchpoint: survey.ID(v.TouchpointID),
		survey: survey.ID(v.SurveyID), day: survey.BegunDay(survey.Instant(*v.CohortAt), c.loc)}
	if q.cohorts == nil {
		q.cohorts = cohortMoves{}
	}
	add := func(dimension, value string) {
		row.dimension, row.value = dimension, value
		q.cohorts.add(row, by)
	}
	add("", "")
	add(byLocale, v.Locale)
	add(byChannel, v.Channel)
	for name, value := range segments {
		add(bySegment+name, value)
	}
}

// negated takes back what by adds.
func (by cohort) negated() cohort {
	return cohort{-by.sent, -by.bounced, -by.opened, -by.answered, -by.commented}
}

type cohortMoves map[cohortRow]cohort

func (m cohortMoves) add(row cohortRow, by cohort) {
	sum := m[row]
	sum.sent += by.sent
	sum.bounced += by.bounced
	sum.opened += by.opened
	sum.answered += by.answered
	sum.commented += by.commented
	m[row] = sum
}

func (m cohortMoves) addAll(other cohortMoves) {
	for row, by := range other {
		m.add(row, by)
	}
}

const (
	cohortKey = `workspace_id, generation, dimension, value, touchpoint_id, survey_id, day`
	addCohort = `INSERT INTO invitation_tallies (` + cohortKey + `, sent, bounced, opened, answered, commented)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (` + cohortKey + `) DO UPDATE SET
		sent = invitation_tallies.sent + excluded.sent, bounced = invitation_tallies.bounced + excluded.bounced,
		opened = invitation_tallies.opened + excluded.opened,
		answered = invitation_tallies.answered + excluded.answered, commented = invitation_tallies.commented + excluded.commented`
)

// flushCohorts writes the moves as flushTallies does.
func (q *session) flushCohorts(moves cohortMoves) error {
	maps.DeleteFunc(moves, func(_ cohortRow, by cohort) bool { return by == cohort{} })
	rows := slices.SortedFunc(maps.Keys(moves), compareCohortRows)
	if q.postgres {
		return q.keepCohortDeltas(rows, moves)
	}
	for _, row := range rows {
		by := moves[row]
		if _, err := q.exec(addCohort, row.workspace, row.generation, row.dimension, row.value, row.touchpoint, row.survey, row.day,
			by.sent, by.bounced, by.opened, by.answered, by.commented); err != nil {
			return err
		}
	}
	return nil
}

func compareCohortRows(a, b cohortRow) int { return compareTallyRows(a.tally(), b.tally()) }

// tally is the row's key as the tallies of answers have it.
func (r cohortRow) tally() tallyRow {
	return tallyRow{workspace: r.workspace, generation: r.generation, dimension: r.dimension, value: r.value,
		touchpoint: r.touchpoint, survey: r.survey, day: r.day}
}
