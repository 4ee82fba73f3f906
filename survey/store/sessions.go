package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"

	"koe/survey"
)

// A session ends 30 days after it was last used, and 90 days after it began. What
// the browser keeps is random; koe keeps its hash.
const (
	sessionIdle = 30 * 24 * time.Hour
	sessionLong = 90 * 24 * time.Hour
	// notesUse is how seldom it is noted that a session is used.
	notesUse = time.Hour
)

// Session is somebody signed in with one browser.
type Session struct {
	ID        survey.ID      `json:"id"`
	CreatedAt survey.Instant `json:"created_at"`
	SeenAt    survey.Instant `json:"seen_at"` // to the hour
	ExpiresAt survey.Instant `json:"expires_at"`
}

var errNoSession = survey.Errorf(survey.Unauthorized, "", "sign in first")

// newSecret is what a browser keeps. It begins with the workspace, so that the
// look-up stays within a tenant.
func (by Caller) newSecret() string {
	random := make([]byte, macBytes)
	_, _ = rand.Read(random) // it never fails; the program ends instead
	return base64.RawURLEncoding.EncodeToString(append(binary.AppendUvarint(nil, uint64(by.Workspace)), random...))
}

func (q *session) beginSession(m survey.Member, secret string) error {
	_, err := q.exec(`INSERT INTO sessions (workspace_id, id, member_id, token_hash, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		q.by.Workspace, newID(), m.ID, tokenHash(secret), q.now, q.now, q.now.Add(sessionIdle))
	return err
}

// SignedIn finds who keeps a secret, with the role and the limits that they have
// now. Unauthorized where the session has ended.
func (s *Store) SignedIn(ctx context.Context, secret string) (by Caller, m survey.Member, err error) {
	workspace, err := tokenWorkspace(secret)
	if err != nil {
		return by, m, errNoSession
	}
	q := s.reading(ctx, Caller{Workspace: workspace})
	var one, member id
	var began, seen survey.Instant
	found, err := q.row(`SELECT id, member_id, created_at, seen_at FROM sessions WHERE workspace_id = ? AND token_hash = ? AND expires_at > ?`,
		[]any{workspace, tokenHash(secret), q.now}, &one, &member, &began, &seen)
	if err == nil && !found {
		err = errNoSession
	}
	if err != nil {
		return by, m, away(err)
	}
	if m, err = q.member(survey.ID(member), ""); err != nil {
		return by, m, away(err)
	}
	by = Caller{Workspace: workspace, KeyID: m.ID, KeyName: m.Name, Role: m.Role, Session: survey.ID(one), Scope: ScopeOf(m)}
	if q.now.Sub(seen) < notesUse {
		return by, m, nil
	}
	return by, m, s.write(ctx, by, func(q *session) error {
		end := min(q.now.Add(sessionIdle), began.Add(sessionLong))
		_, err := q.exec(`UPDATE sessions SET seen_at = ?, expires_at = ? WHERE workspace_id = ? AND id = ?`, q.now, end, workspace, one)
		return err
	})
}

// SignOut ends the caller's own session; one that has ended stays so.
func (s *Store) SignOut(ctx context.Context, by Caller) error {
	return s.write(ctx, by, func(q *session) error {
		n, err := q.exec(`DELETE FROM sessions WHERE workspace_id = ? AND id = ?`, by.Workspace, by.Session)
		if err != nil || n == 0 {
			return err
		}
		return q.audit("session.ended", by.KeyID.String(), "")
	})
}

// SetOwnLocale is the language in which the caller, a member, reads pages and mails.
func (s *Store) SetOwnLocale(ctx context.Context, by Caller, locale string) error {
	return s.write(ctx, by, func(q *session) error {
		m, err := q.member(by.KeyID, q.forUpdate())
		if err != nil {
			return err
		}
		m.Locale = locale
		if err := m.Clean(); err != nil {
			return err
		}
		return q.must(`UPDATE workspace_members SET locale = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`, m.Locale, q.now, by.Workspace, m.ID)
	})
}

// Sessions lists those of a member, the newest first.
func (s *Store) Sessions(ctx context.Context, by Caller, of survey.ID, page Page) ([]Session, string, error) {
	q := s.reading(ctx, by)
	if _, err := q.member(of, ""); err != nil {
		return nil, "", away(err)
	}
	var rows []struct {
		ID                           id
		CreatedAt, SeenAt, ExpiresAt int64
	}
	next, err := s.newestFirst(q, "sessions", of, page, "created_at", []string{"workspace_id = ?", "member_id = ?", "expires_at > ?"}, []any{by.Workspace, of, q.now},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT id, created_at, seen_at, expires_at FROM sessions`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]Session, min(len(rows), page.Limit))
	for i := range list {
		row := rows[i]
		list[i] = Session{survey.ID(row.ID), survey.Instant(row.CreatedAt), survey.Instant(row.SeenAt), survey.Instant(row.ExpiresAt)}
	}
	return list, next, nil
}

// EndSessions signs a member out everywhere in the caller's workspace: no link that
// was asked for by now leads into it. Into others it does still, since their
// members are none of the caller's.
func (s *Store) EndSessions(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		if _, err := q.member(of, q.forUpdate()); err != nil {
			return err
		}
		if _, err := q.exec(`DELETE FROM sessions WHERE workspace_id = ? AND member_id = ?`, by.Workspace, of); err != nil {
			return err
		}
		if err := q.must(`UPDATE workspace_members SET links_ended_at = ? WHERE workspace_id = ? AND id = ?`, q.now, by.Workspace, of); err != nil {
			return err
		}
		return q.audit("sessions.ended", of.String(), "")
	})
}
