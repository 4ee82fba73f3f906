package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"koe/survey"
)

// reschedule notes when a survey fires next, from now on: what an active
// schedule missed before is not made up for. Any other survey has no next fire.
func (q *session) reschedule(v survey.Survey) error {
	if v.Trigger.Type != survey.OnSchedule || v.State != survey.Active {
		return q.unschedule(v.ID)
	}
	w, err := q.workspace(q.by.Workspace)
	if err != nil {
		return err
	}
	cron, loc, err := v.Trigger.Calendar(w)
	if err != nil {
		return err
	}
	next, ever := cron.Next(q.now, loc)
	if !ever {
		return q.unschedule(v.ID)
	}
	_, err = q.exec(`INSERT INTO schedules (workspace_id, survey_id, next_at) VALUES (?, ?, ?)
		ON CONFLICT (workspace_id, survey_id) DO UPDATE SET next_at = excluded.next_at WHERE schedules.next_at > ?`,
		q.by.Workspace, v.ID, next.At, q.now) // one that is due still fires
	return err
}

func (q *session) unschedule(of survey.ID) error {
	_, err := q.exec(`DELETE FROM schedules WHERE workspace_id = ? AND survey_id = ?`, q.by.Workspace, of)
	return err
}

// rescheduleAll follows a new zone of the workspace.
func (s *Store) rescheduleAll(q *session) error {
	var list []struct{ SurveyID id }
	if err := q.list(&list, `SELECT survey_id FROM schedules WHERE workspace_id = ? ORDER BY survey_id`, q.by.Workspace); err != nil {
		return err
	}
	for _, one := range list {
		place, err := s.surveyPlace(q, survey.ID(one.SurveyID))
		if err != nil {
			return err
		}
		if place.Survey.Trigger.Timezone != "" {
			continue
		}
		if err := q.reschedule(place.Survey); err != nil {
			return err
		}
	}
	return nil
}

// The states of a fire.
const (
	fireRunning = "running" // it is asking its share
	fireDone    = "done"
	fireMissed  = "missed" // koe was down for too long
)

// listsMissed is how far back fires are listed that were missed.
const listsMissed = 31 * 24 * time.Hour

// schedulesAtOnce is how many schedules fire in one go.
const schedulesAtOnce = 100

// leastCatchUp is by how much a fire may be late in any case: koe looks for what
// is due every second, and may be held up a little.
const leastCatchUp = time.Minute

// FireDue begins what schedules are due: each local date and time once, however
// many processes run. A fire that is late by more than catchUp, and by more than
// a minute, is missed. It says how many began, and how many were missed.
func (s *Store) FireDue(ctx context.Context, catchUp time.Duration) (began, missed int, err error) {
	q := s.reading(ctx, Caller{})
	var due []struct {
		WorkspaceID int64
		SurveyID    id
	}
	if err := q.list(&due, `SELECT workspace_id, survey_id FROM schedules WHERE next_at <= ?
		ORDER BY ROW_NUMBER() OVER (PARTITION BY workspace_id ORDER BY next_at), next_at LIMIT ?`, q.now, schedulesAtOnce); err != nil {
		return 0, 0, away(err)
	}
	var errs []error
	for _, one := range due {
		b, m, err := s.fire(ctx, one.WorkspaceID, survey.ID(one.SurveyID), catchUp)
		began, missed = began+b, missed+m
		if err != nil { // one that cannot be read holds up no other
			errs = append(errs, fmt.Errorf("the schedule of survey %s: %w", survey.ID(one.SurveyID), err))
		}
	}
	return began, missed, errors.Join(errs...)
}

// fire keeps the fires of one schedule that are due.
func (s *Store) fire(ctx context.Context, workspace int64, of survey.ID, catchUp time.Duration) (began, missed int, err error) {
	err = s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
		began, missed = 0, 0
		var next survey.Instant
		found, err := q.row(`SELECT next_at FROM schedules WHERE workspace_id = ? AND survey_id = ?`+q.forUpdate(), []any{workspace, of}, &next)
		if err != nil || !found || next > q.now { // somebody else was faster
			return err
		}
		place, err := s.surveyPlace(q, of)
		if err != nil {
			return err
		}
		w, err := q.workspace(workspace)
		if err != nil {
			return err
		}
		cron, loc, err := place.Survey.Trigger.Calendar(w)
		if err != nil {
			return err
		}
		for _, f := range cron.Fires(max(next, q.now.Add(-listsMissed))-1, q.now, loc) {
			state := fireRunning
			if q.now.Sub(f.At) > max(catchUp, leastCatchUp) {
				state = fireMissed
			}
			fresh, err := q.inserted(`INSERT INTO fires (workspace_id, survey_id, local_date, local_time, due_at, state, asked, created_at, id)
				VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)`, workspace, of, f.Day, f.Minute, f.At, state, q.now, newID())
			switch {
			case err != nil:
				return err
			case !fresh: // it has fired before: a clock was set back, or the line was changed and changed back
			case state == fireRunning:
				began++
			default:
				missed++
			}
		}
		after, ever := cron.Next(q.now, loc)
		if !ever {
			return q.unschedule(of)
		}
		return q.must(`UPDATE schedules SET next_at = ? WHERE workspace_id = ? AND survey_id = ?`, after.At, workspace, of)
	})
	return began, missed, err
}

// Fire is one time at which a schedule fired, or should have.
type Fire struct {
	Date      survey.Day     `json:"local_date"`
	Time      string         `json:"local_time"` // HH:MM
	DueAt     survey.Instant `json:"due_at"`
	Timezone  string         `json:"timezone"` // whose date and time they are, as the schedule is now
	State     string         `json:"state"`    // running, done or missed
	Share     *int           `json:"share"`    // how many it is to ask; nil where that was never looked up
	Asked     int            `json:"asked"`    // how many had their turn
	CreatedAt survey.Instant `json:"created_at"`
}

type fireRow struct {
	ID        id
	LocalDate int64
	LocalTime int64
	DueAt     int64
	State     string
	Share     *int
	Asked     int
	CreatedAt int64
}

// Fires lists those of a survey, the newest first. A survey that has no
// schedule has none.
func (s *Store) Fires(ctx context.Context, by Caller, ref string, page Page) ([]Fire, string, error) {
	q := s.reading(ctx, by)
	place, err := s.surveyByRef(q, ref)
	if err != nil {
		return nil, "", away(err)
	}
	w, err := q.workspace(by.Workspace)
	if err != nil {
		return nil, "", away(err)
	}
	timezone := cmp.Or(place.Survey.Trigger.Timezone, w.Timezone)
	var rows []fireRow
	next, err := s.newestFirst(q, "fires", place.Survey.ID, page, "due_at", []string{"workspace_id = ?", "survey_id = ?"}, []any{by.Workspace, place.Survey.ID},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT id, local_date, local_time, due_at, state, share, asked, created_at FROM fires`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].DueAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]Fire, min(len(rows), page.Limit))
	for i := range list {
		r := rows[i]
		list[i] = Fire{Date: survey.Day(r.LocalDate), Time: fmt.Sprintf("%02d:%02d", r.LocalTime/60, r.LocalTime%60), DueAt: survey.Instant(r.DueAt),
			Timezone: timezone, State: r.State, Share: r.Share, Asked: r.Asked, CreatedAt: survey.Instant(r.CreatedAt)}
	}
	return list, next, nil
}
