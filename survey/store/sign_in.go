package store

import (
	"context"
	"errors"
	"time"

	"koe/survey"
)

const (
	signInLasts   = 15 * time.Minute // from when it was asked for
	firstLasts    = 24 * time.Hour   // the link that koe prints on its first start
	signInMails   = 5                // links that one address is mailed at once
	signInEvery   = 10 * time.Minute // and then one: sooner than the last one ends
	keepsLinks    = 24 * time.Hour   // past their end, so that a page can say that they are over
	firstMember   = "First start"
	signInPurpose = "sign-in"
)

var (
	errNoSignIn   = survey.Errorf(survey.NotFound, "", "there is no such link; ask for another one")
	errSignInOver = survey.Errorf(survey.Gone, "", "this link was used or is too old; ask for another one")
)

// AskSignIn puts a link for an address into the outbox where it is a member's: at
// most five at once, and then one every ten minutes, so that whoever asks for
// others' links neither floods them nor keeps them out. next is where to go once
// signed in: a path of koe's. Whether the address is known shows neither in what
// comes back nor, since something is written in any case, in how long it takes.
func (s *Store) AskSignIn(ctx context.Context, address, next string) error {
	hash := s.memberHash(address)
	return s.write(ctx, Caller{}, func(q *session) error {
		q.wrote = true
		if mailed, err := q.countSignIn(hash); err != nil || !mailed {
			return err
		}
		var member id // the first ever made, so that whoever adds an address later cannot end its links by removing it
		found, err := q.row(`SELECT workspace_id, member_id FROM member_addresses WHERE address_hash = ? ORDER BY member_id LIMIT 1`,
			[]any{hash}, &q.by.Workspace, &member)
		if err != nil || !found {
			return err
		}
		m, err := q.member(survey.ID(member), q.forUpdate())
		if isNotFound(err) || err == nil && m.Email != address { // removed or changed a moment ago
			return nil
		}
		if err != nil {
			return err
		}
		link, _, err := s.signInLink(q, m.ID, next, signInLasts)
		if err != nil {
			return err
		}
		// ahead of all digests of the hour: somebody waits for it
		_, err = q.notifyAt(survey.EventSignIn, link, address, nil, q.now.Add(-time.Hour))
		return err
	})
}

// countSignIn counts an ask for a link, and says whether one is mailed.
func (q *session) countSignIn(hash []byte) (mailed bool, err error) {
	var n int
	last := q.now.Add((signInMails - 1) * signInEvery)
	_, err = q.row(`INSERT INTO sign_in_asks (address_hash, full_at, mailed) VALUES (?, ?, 1) ON CONFLICT (address_hash) DO UPDATE SET
		mailed = CASE WHEN sign_in_asks.full_at <= ? THEN 1 ELSE 0 END,
		full_at = CASE WHEN sign_in_asks.full_at <= ? THEN excluded.full_at
			WHEN sign_in_asks.full_at <= ? THEN sign_in_asks.full_at + ? ELSE sign_in_asks.full_at END RETURNING mailed`,
		[]any{hash, q.now.Add(signInEvery), last, q.now, last, int64(survey.Instant(0).Add(signInEvery))}, &n)
	return n == 1, err
}

// signInLink makes a link that signs a member in once.
func (s *Store) signInLink(q *session, member survey.ID, next string, lasts time.Duration) (survey.ID, string, error) {
	nonce, made := newNonce(), newID()
	token := s.workspaceToken(signInPurpose, q.by.Workspace, nonce)
	_, err := q.exec(`INSERT INTO sign_in_links (workspace_id, id, member_id, nonce, token_hash, next, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		q.by.Workspace, made, member, nonce, tokenHash(token), next, q.now, q.now.Add(lasts))
	return made, token, err
}

// FirstSignIn makes a link that signs in whoever has just set koe up, as an admin
// without an address, once and within a day. It is returned and not mailed.
func (s *Store) FirstSignIn(ctx context.Context, by Caller) (token string, err error) {
	err = s.write(ctx, by, func(q *session) error {
		w, err := q.workspace(by.Workspace)
		if err != nil {
			return err
		}
		var member id
		found, err := q.row(`SELECT id FROM workspace_members WHERE workspace_id = ? AND email = ''`, []any{by.Workspace}, &member)
		if err != nil {
			return err
		}
		if !found {
			m := survey.Member{Name: firstMember, Role: Admin, Locale: "en", Timezone: w.Timezone, Touchpoints: []string{}, Digest: survey.DigestNone}
			if err := s.insertMember(q, &m); err != nil {
				return err
			}
			if err := q.audit("member.created", m.ID.String(), string(m.Role)); err != nil {
				return err
			}
			member = id(m.ID)
		}
		_, token, err = s.signInLink(q, survey.ID(member), "", firstLasts)
		return err
	})
	return token, err
}

// SignInMail is what a mail with a link says.
type SignInMail struct {
	Token   string
	Locale  string
	Expires survey.Instant
}

// SignInMail finds what a notice is to say; false where the link is over or leads
// nowhere, its member gone, or the address another's by now.
func (s *Store) SignInMail(ctx context.Context, d Dispatch) (m SignInMail, wanted bool, err error) {
	q := s.reading(ctx, Caller{Workspace: d.Workspace})
	var nonce []byte
	var made survey.Instant
	wanted, err = q.row(`SELECT l.nonce, l.created_at, l.expires_at, m.locale FROM sign_in_links l
		JOIN workspace_members m ON m.workspace_id = l.workspace_id AND m.id = l.member_id
		WHERE l.workspace_id = ? AND l.id = ? AND l.used_at IS NULL AND l.expires_at > ? AND m.email = ?`, []any{d.Workspace, d.Subject, q.now, d.To},
		&nonce, &made, &m.Expires, &m.Locale)
	if err != nil || !wanted {
		return m, false, away(err)
	}
	m.Token = s.workspaceToken(signInPurpose, d.Workspace, nonce)
	places, err := s.places(q, survey.Member{Email: d.To}, made)
	return m, len(places) > 0, away(err)
}

// SignInLink is a link that can be used, and where it leads.
type SignInLink struct {
	Locale     string             // of the member
	Workspaces []survey.Workspace // one, or several to choose from
}

type signInRow struct {
	ID        id
	MemberID  id
	Next      string
	CreatedAt survey.Instant
	ExpiresAt int64
	UsedAt    *int64
}

// signInByToken finds the link of a token: NotFound, or Gone where it is over.
func (q *session) signInByToken(token string) (signInRow, error) {
	var row signInRow
	workspace, err := tokenWorkspace(token)
	if err != nil {
		return row, errNoSignIn
	}
	q.by.Workspace = workspace
	found, err := q.find(&row, `SELECT id, member_id, next, created_at, expires_at, used_at FROM sign_in_links WHERE workspace_id = ? AND token_hash = ?`,
		workspace, tokenHash(token))
	switch {
	case err != nil:
		return row, err
	case !found:
		return row, errNoSignIn
	case row.UsedAt != nil || survey.Instant(row.ExpiresAt) <= q.now:
		return row, errSignInOver
	}
	return row, nil
}

// SignInLink shows a link, and changes nothing: NotFound, or Gone where it was
// used, is too old, or leads nowhere any more.
func (s *Store) SignInLink(ctx context.Context, token string) (out SignInLink, err error) {
	q := s.reading(ctx, Caller{})
	row, err := q.signInByToken(token)
	if err != nil {
		return out, away(err)
	}
	m, err := q.member(survey.ID(row.MemberID), "")
	if err != nil {
		return out, away(err)
	}
	out.Locale = m.Locale
	places, err := s.places(q, m, row.CreatedAt)
	if err == nil && len(places) == 0 {
		err = errSignInOver
	}
	if err != nil {
		return out, away(err)
	}
	for _, p := range places {
		w, err := q.workspace(p.WorkspaceID)
		if err != nil {
			return out, away(err)
		}
		out.Workspaces = append(out.Workspaces, w)
	}
	return out, nil
}

type memberPlace struct {
	WorkspaceID int64
	MemberID    id
}

// places are where a link that was made then leads: wherever its address is a
// member and was not signed out since, the workspaces in the order in which they
// were made; the session's own for a member without an address.
func (s *Store) places(q *session, m survey.Member, made survey.Instant) (list []memberPlace, err error) {
	if m.Email == "" {
		err = q.list(&list, `SELECT workspace_id, id AS member_id FROM workspace_members WHERE workspace_id = ? AND id = ? AND links_ended_at < ?`,
			q.by.Workspace, m.ID, made)
		return list, err
	}
	err = q.list(&list, `SELECT a.workspace_id, a.member_id FROM member_addresses a
		JOIN workspace_members m ON m.workspace_id = a.workspace_id AND m.id = a.member_id
		WHERE a.address_hash = ? AND m.links_ended_at < ? ORDER BY a.workspace_id`, s.memberHash(m.Email), made)
	return list, err
}

// SignIn uses a link up and begins a session in one of its workspaces, by key (""
// for the first). It returns what the browser is to keep, and where to go: "" for
// anywhere. NotFound or Gone as of SignInLink.
func (s *Store) SignIn(ctx context.Context, token, workspace string) (secret, next string, err error) {
	err = s.write(ctx, Caller{}, func(q *session) error {
		row, err := q.signInByToken(token)
		if err != nil {
			return err
		}
		m, err := q.member(survey.ID(row.MemberID), "")
		if errors.Is(err, errNoMember) {
			err = errNoSignIn
		}
		if err != nil {
			return err
		}
		home := q.by.Workspace
		if m, err = s.memberAt(q, m, row.CreatedAt, workspace); err != nil {
			return err
		}
		n, err := q.exec(`UPDATE sign_in_links SET used_at = ? WHERE workspace_id = ? AND id = ? AND used_at IS NULL`, q.now, home, row.ID)
		if err == nil && n == 0 { // used or ended meanwhile
			err = errSignInOver
		}
		if err != nil {
			return err
		}
		secret, next = q.by.newSecret(), row.Next
		if err := q.beginSession(m, secret); err != nil {
			return err
		}
		q.by.KeyID, q.by.KeyName = m.ID, m.Name
		return q.audit("session.begun", m.ID.String(), "")
	})
	return secret, next, err
}

// memberAt is somebody as the member of one of the workspaces that a link of theirs
// leads to, which the session is in from then on. The member is held, so that who
// signs them out either ends the session that begins or is seen here.
func (s *Store) memberAt(q *session, m survey.Member, made survey.Instant, workspace string) (survey.Member, error) {
	places, err := s.places(q, m, made)
	if err != nil {
		return m, err
	}
	if len(places) == 0 {
		return m, errSignInOver
	}
	for _, p := range places {
		w, err := q.workspace(p.WorkspaceID)
		if err != nil {
			return m, err
		}
		if workspace != "" && w.Key != workspace {
			continue
		}
		q.by.Workspace = p.WorkspaceID
		var one int
		leads, err := q.row(`SELECT 1 FROM workspace_members WHERE workspace_id = ? AND id = ? AND email = ? AND links_ended_at < ?`+q.forUpdate(),
			[]any{p.WorkspaceID, p.MemberID, m.Email, made}, &one)
		if err == nil && !leads {
			err = errSignInOver
		}
		if err != nil {
			return m, err
		}
		return q.member(survey.ID(p.MemberID), "")
	}
	return m, survey.Errorf(survey.Invalid, "workspace", "is none of those that the link leads to")
}

// sweepSignIns takes away what is over: sessions, links, and who asked for some.
func (q *session) sweepSignIns() error {
	if _, err := q.exec(`DELETE FROM sessions WHERE expires_at <= ?`, q.now); err != nil {
		return err
	}
	if _, err := q.exec(`DELETE FROM sign_in_links WHERE expires_at < ?`, q.now.Add(-keepsLinks)); err != nil {
		return err
	}
	_, err := q.exec(`DELETE FROM sign_in_asks WHERE full_at <= ?`, q.now)
	return err
}
