package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"koe/survey"
)

// lateBounce is when to report again what came before the mail was noted.
const lateBounce = time.Minute

// Sending is whether a workspace's mail goes out, and what became of the mails
// that went out last.
type Sending struct {
	Paused     string // why; "" where it goes out
	Since      survey.Instant
	Reputation survey.Reputation
}

// Sending shows it.
func (s *Store) Sending(ctx context.Context, by Caller) (Sending, error) {
	q := s.reading(ctx, by)
	out, forgiven, err := q.sending("")
	if err == nil {
		out.Reputation, err = q.reputation(forgiven)
	}
	return out, away(err)
}

// PausedWorkspaces are those in which sending has paused itself, with why.
func (s *Store) PausedWorkspaces(ctx context.Context) (map[int64]string, error) {
	paused := map[int64]string{}
	var workspace int64
	var reason string
	err := s.reading(ctx, Caller{}).each(`SELECT id, sending_pause_reason FROM workspaces WHERE sending_paused_at IS NOT NULL`, nil,
		[]any{&workspace, &reason}, func() error { paused[workspace] = reason; return nil })
	return paused, away(err)
}

func (q *session) sending(lock string) (out Sending, forgiven survey.Instant, err error) {
	var since *int64
	var until int64
	_, err = q.row(`SELECT sending_paused_at, sending_pause_reason, sending_forgiven_at FROM workspaces WHERE id = ?`+lock,
		[]any{q.by.Workspace}, &since, &out.Paused, &until)
	if since == nil {
		out.Paused = ""
	} else {
		out.Since = survey.Instant(*since)
	}
	return out, survey.Instant(until), err
}

// lookBack is how many invitations a reputation reads at most: links among them
// are passed over.
const lookBack = 10 * survey.ReputationOver

// reputation looks at the newest mails that went out since an instant, or that a
// server refused because there is no such mailbox.
func (q *session) reputation(since survey.Instant) (survey.Reputation, error) {
	const went = `SELECT channel, sent_at, cohort_at, bounced_at, complained_at FROM invitations WHERE workspace_id = ? AND cohort_at IS NOT NULL
		AND cohort_at >= ? ORDER BY cohort_at DESC LIMIT ?`
	const refused = `SELECT refused_at AS tried_at, CAST(NULL AS bigint) AS bounced_at, refused_at, CAST(NULL AS bigint) AS complained_at FROM invitations
		WHERE workspace_id = ? AND refused_at IS NOT NULL AND refused_at >= ? ORDER BY refused_at DESC LIMIT ?`
	var r survey.Reputation
	_, err := q.row(`SELECT COUNT(*), COUNT(bounced_at), COUNT(refused_at), COUNT(complained_at) FROM (
		SELECT * FROM (SELECT cohort_at AS tried_at, bounced_at, CAST(NULL AS bigint) AS refused_at, complained_at FROM (`+went+`) AS newest
			WHERE channel = 'email' AND sent_at IS NOT NULL ORDER BY cohort_at DESC LIMIT ?) AS sent
		UNION ALL SELECT * FROM (`+refused+`) AS refused ORDER BY tried_at DESC LIMIT ?) AS mails`,
		[]any{q.by.Workspace, since, lookBack, survey.ReputationOver, q.by.Workspace, since, survey.ReputationOver, survey.ReputationOver},
		&r.Sent, &r.Bounced, &r.Refused, &r.Complained)
	return r, err
}

// pauseSending pauses the workspace's sending where its reputation asks for it,
// and says why; "" where it does not, or has paused before.
func (q *session) pauseSending() (string, error) {
	now, forgiven, err := q.sending("")
	if err != nil || now.Paused != "" {
		return "", err
	}
	r, err := q.reputation(forgiven)
	if err != nil {
		return "", err
	}
	reason, pause := r.Pause()
	if !pause {
		return "", nil
	}
	n, err := q.exec(`UPDATE workspaces SET sending_paused_at = ?, sending_pause_reason = ? WHERE id = ? AND sending_paused_at IS NULL`,
		q.now, reason, q.by.Workspace)
	if err != nil || n == 0 {
		return "", err
	}
	return reason, q.audit("sending.paused", "", reason)
}

// ResumeSending lets a workspace's mail go out again. What happened to mails
// that were sent before is forgiven. A Conflict where it has not paused.
func (s *Store) ResumeSending(ctx context.Context, by Caller) error {
	return s.write(ctx, by, func(q *session) error {
		n, err := q.exec(`UPDATE workspaces SET sending_paused_at = NULL, sending_pause_reason = '', sending_forgiven_at = ?
			WHERE id = ? AND sending_paused_at IS NOT NULL`, q.now, by.Workspace)
		if err != nil {
			return err
		}
		if n == 0 {
			return survey.Errorf(survey.Conflict, "", "sending has not paused itself")
		}
		if err := q.changeMail("", `held = ?`, []any{false}, `workspace_id = ? AND mail_state = 'waiting' AND held = ?
			AND survey_id IN (SELECT id FROM surveys WHERE workspace_id = ? AND state <> 'paused')`, []any{by.Workspace, true, by.Workspace}); err != nil {
			return err
		}
		return q.audit("sending.resumed", "", "")
	})
}

// holdBatch bounds how many mails one claim puts aside.
const holdBatch = 5000

// holdPaused puts aside mails that are due in workspaces whose sending has
// paused itself, so that a claim need not step over them at every tick. It says
// which workspaces those are.
func (q *session) holdPaused() ([]int64, error) {
	var paused []int64
	lock := ""
	if q.postgres { // or sending is resumed before what is put aside here can be seen
		lock = " ORDER BY id FOR SHARE"
	}
	if err := q.list(&paused, `SELECT id FROM workspaces WHERE sending_paused_at IS NOT NULL`+lock); err != nil || len(paused) == 0 {
		return nil, err
	}
	_, err := q.exec(`UPDATE invitations SET held = `+q.truth(true)+` WHERE (workspace_id, id) IN (SELECT workspace_id, id FROM invitations`+q.indexedBy("invitations_waiting")+`
		WHERE mail_state = 'waiting' AND held = `+q.truth(false)+` AND due_at <= ? AND workspace_id IN (SELECT id FROM workspaces
		WHERE sending_paused_at IS NOT NULL) ORDER BY due_at LIMIT ?`+q.skipLocked()+`)`, q.now, holdBatch)
	return paused, err
}

// notOf is the condition that leaves workspaces out; "" where there are none.
func notOf(workspaces []int64) string {
	if len(workspaces) == 0 {
		return ""
	}
	ids := make([]string, len(workspaces))
	for i, id := range workspaces {
		ids[i] = strconv.FormatInt(id, 10)
	}
	return ` AND workspace_id NOT IN (` + strings.Join(ids, ", ") + `)`
}
