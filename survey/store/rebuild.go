package store

import (
	"context"
	"fmt"

	"koe/survey"
)

// startRebuild begins a new generation of tallies, because days or segments
// have changed. It is counted by Rebuild; until then readers count rows. Where
// nothing was ever counted there is nothing to do.
func (q *session) startRebuild(segments bool) error {
	c, err := q.calendar(q.forUpdate())
	if err != nil {
		return err
	}
	var one int
	for _, table := range []string{"responses", "invitations", "strata"} {
		if one != 0 {
			break
		}
		if _, err := q.row(`SELECT 1 FROM `+table+` WHERE workspace_id = ? LIMIT 1`, []any{q.by.Workspace}, &one); err != nil {
			return err
		}
	}
	q.shared.forget() // the zone may be a new one
	if one == 0 {
		return nil
	}
	return q.must(`UPDATE workspaces SET rebuild_generation = ?, rebuild_responses = NULL, rebuild_invitations = NULL, rebuild_segments = ?
		WHERE id = ?`, c.newest()+1, segments || c.rebuild.segments, q.by.Workspace)
}

// rebuildBatch is how many rows are counted in one transaction: few, so that
// answers never wait long.
const rebuildBatch = 1000

// Rebuild counts the next rows of a generation that was begun, and makes it
// the one that is read once it holds everything; then it clears away older
// ones, and what is kept of segments that are no longer declared. It says whether there is more to do. Several processes may call it.
func (s *Store) Rebuild(ctx context.Context) (more bool, err error) {
	q := s.reading(ctx, Caller{})
	var workspace int64
	found, err := q.row(`SELECT id FROM workspaces WHERE rebuild_generation <> 0 ORDER BY id LIMIT 1`, nil, &workspace)
	if err != nil {
		return false, away(err)
	}
	if !found {
		if more, err = s.clearTallies(ctx); more || err != nil {
			return more, err
		}
		return s.clearSegments(ctx)
	}
	err = s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
		c, err := q.calendar(q.forUpdate())
		if err != nil || !c.rebuild.running() {
			return err
		}
		defer q.shared.forget()                         // the calendar moves on with every step
		invitations, err := s.rebuildInvitations(q, &c) // first, as everybody locks them
		if err != nil {
			return fmt.Errorf("count invitations anew: %w", err)
		}
		responses := 0
		if invitations < rebuildBatch {
			if responses, err = s.rebuildResponses(q, &c); err != nil {
				return fmt.Errorf("count answers anew: %w", err)
			}
		}
		if responses == rebuildBatch || invitations == rebuildBatch {
			return q.must(`UPDATE workspaces SET rebuild_responses = ?, rebuild_invitations = ? WHERE id = ?`,
				c.rebuild.responses.orNil(), c.rebuild.invitations.orNil(), workspace)
		}
		return q.must(`UPDATE workspaces SET tally_generation = ?, rebuild_generation = 0, rebuild_responses = NULL,
			rebuild_invitations = NULL WHERE id = ?`, c.rebuild.generation, workspace)
	})
	return err == nil, err
}

// rebuildResponses counts the next responses and says how many there were.
func (s *Store) rebuildResponses(q *session, c *calendar) (int, error) {
	var rows []responseRow
	if err := q.list(&rows, `SELECT `+responseColumns+` FROM responses WHERE workspace_id = ? AND id > ? ORDER BY id LIMIT ?`,
		q.by.Workspace, c.rebuild.responses, rebuildBatch); err != nil {
		return 0, err
	}
	var emptied map[id]bool
	if c.rebuild.segments {
		var err error
		if emptied, err = erasedAmong(q, rows, func(r responseRow) (id, bool) { return r.ID, r.PersonID == id{} && r.Attributes != "{}" }); err != nil {
			return 0, err
		}
	}
	for _, r := range rows {
		c.rebuild.responses = r.ID
		if c.rebuild.segments {
			if err := s.restratify(q, *c, &r, emptied[r.ID]); err != nil {
				return 0, err
			}
		}
		t, err := s.templateVersion(q, survey.ID(r.TemplateID), r.TemplateVersion)
		if err != nil {
			return 0, err
		}
		answers, err := answersOf(r.Answers)
		if err != nil {
			return 0, err
		}
		segments, err := s.segmentsOfRow(q, *c, r)
		if err != nil {
			return 0, err
		}
		q.countAs(*c, r, segments, t, answers, 1)
	}
	return len(rows), nil
}

// restratify gives a response the segments that its survey declares now. Of an
// erased person's it keeps no other attributes.
func (s *Store) restratify(q *session, c calendar, r *responseRow, erased bool) (err error) {
	was := *r
	if erased {
		if r.Attributes, err = s.onlySegments(q, r.SurveyID, r.Attributes); err != nil {
			return err
		}
	}
	if r.Segments, err = s.segmentsNow(q, r.SurveyID, r.Attributes); err != nil {
		return err
	}
	segments, err := s.segmentsOfRow(q, c, *r)
	if err != nil {
		return err
	}
	if r.StratumID, err = s.stratumOf(q, c, *r, segments); err != nil {
		return err
	}
	if r.StratumID == was.StratumID && r.Segments == was.Segments && r.Attributes == was.Attributes {
		return nil
	}
	return q.must(`UPDATE responses SET attributes = ?, segments = ?, stratum_id = ? WHERE workspace_id = ? AND id = ?`,
		r.Attributes, r.Segments, r.StratumID, r.WorkspaceID, r.ID)
}

// segmentsNow are the segments, as JSON, that a survey declares now, taken from
// the attributes of one of its answers or invitations.
func (s *Store) segmentsNow(q *session, of id, attributes string) (string, error) {
	if attributes == "{}" {
		return attributes, nil
	}
	place, err := s.surveyPlace(q, survey.ID(of))
	if err != nil || len(place.Survey.Segments) == 0 {
		return "{}", err
	}
	var known survey.Attributes
	if err := fromJSON(attributes, &known); err != nil {
		return "", err
	}
	return asJSON(segmentsOf(place.Survey, known))
}

// rebuildInvitations counts the next invitations and says how many there were.
func (s *Store) rebuildInvitations(q *session, c *calendar) (int, error) {
	var rows []invitationRow
	if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations WHERE workspace_id = ? AND id > ? ORDER BY id LIMIT ?`,
		q.by.Workspace, c.rebuild.invitations, rebuildBatch); err != nil {
		return 0, err
	}
	var emptied map[id]bool
	if c.rebuild.segments {
		var err error
		if emptied, err = erasedAmong(q, rows, func(v invitationRow) (id, bool) { return v.ID, v.PersonID == id{} && v.Attributes != "{}" }); err != nil {
			return 0, err
		}
	}
	for _, v := range rows {
		c.rebuild.invitations = v.ID
		if c.rebuild.segments {
			if err := s.resegment(q, &v, emptied[v.ID]); err != nil {
				return 0, err
			}
		}
		if v.CohortAt == nil {
			continue // it is counted when it goes out
		}
		segments, err := v.segments()
		if err == nil {
			segments, err = s.capped(q, *c, survey.ID(v.SurveyID), segments)
		}
		if err != nil {
			return 0, err
		}
		q.countInvitationAs(*c, v, segments, v.cohort())
	}
	return len(rows), nil
}

// resegment is restratify of an invitation.
func (s *Store) resegment(q *session, v *invitationRow, erased bool) (err error) {
	was := *v
	if erased {
		if v.Attributes, err = s.onlySegments(q, v.SurveyID, v.Attributes); err != nil {
			return err
		}
	}
	if v.Segments, err = s.segmentsNow(q, v.SurveyID, v.Attributes); err != nil {
		return err
	}
	if v.Segments == was.Segments && v.Attributes == was.Attributes {
		return nil
	}
	return q.must(`UPDATE invitations SET attributes = ?, segments = ? WHERE workspace_id = ? AND id = ?`,
		v.Attributes, v.Segments, v.WorkspaceID, v.ID)
}

// cohort is what the invitation is in the tallies of its cohort.
func (r invitationRow) cohort() cohort {
	one := func(is bool) int64 {
		if is {
			return 1
		}
		return 0
	}
	return cohort{sent: 1, bounced: one(r.BouncedAt != nil), opened: one(r.OpenedAt != nil),
		answered: one(r.State == string(survey.InvitationAnswered)), commented: one(r.Commented)}
}

// clearTallies deletes some rows of a generation that nobody reads any more,
// and says whether there may be more.
func (s *Store) clearTallies(ctx context.Context) (more bool, err error) {
	q := s.reading(ctx, Caller{})
	for _, table := range []string{"tallies", "invitation_tallies", "tally_deltas", "invitation_tally_deltas"} {
		var workspace, generation int64
		var dimension, value string
		// CROSS keeps SQLite from walking all tallies, every second, for the few workspaces
		found, err := q.row(`SELECT t.workspace_id, t.generation, t.dimension, t.value FROM workspaces w CROSS JOIN `+table+` t
			WHERE t.workspace_id = w.id AND t.generation < w.tally_generation LIMIT 1`, nil, &workspace, &generation, &dimension, &value)
		if err != nil {
			return false, away(err)
		}
		if !found {
			continue
		}
		return true, s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
			_, err := q.exec(`DELETE FROM `+table+` WHERE workspace_id = ? AND generation = ? AND dimension = ? AND value = ?`,
				workspace, generation, dimension, value)
			return err
		})
	}
	return false, nil
}
