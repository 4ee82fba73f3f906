package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"koe/survey"
)

// The address of a logo cannot be guessed and does not change while the logo
// does not: it is derived from the workspace and the picture. An older one, in
// a mail of last year, shows the logo of today.

const (
	logoHash = 6
	logoMAC  = 12
)

func (s *Store) logoName(workspace int64, picture []byte) string {
	sum := sha256.Sum256(picture)
	b := append(binary.AppendUvarint(nil, uint64(workspace)), sum[:logoHash]...)
	return base64.RawURLEncoding.EncodeToString(append(b, s.derive("logo", workspace, b)[:logoMAC]...))
}

// logoWorkspace reads the workspace that a logo's name is of.
func (s *Store) logoWorkspace(name string) (int64, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(name)
	if err != nil || len(b) > 40 {
		return 0, false
	}
	workspace, n := binary.Uvarint(b)
	if n <= 0 || len(b) != n+logoHash+logoMAC || workspace == 0 || workspace > 1<<62 {
		return 0, false
	}
	signed := b[:n+logoHash]
	return int64(workspace), hmac.Equal(b[len(signed):], s.derive("logo", int64(workspace), signed)[:logoMAC])
}

// PutLogo gives the workspace a logo: a PNG that koe has made itself, of so
// many pixels.
func (s *Store) PutLogo(ctx context.Context, by Caller, picture []byte, width, height int) (survey.Workspace, error) {
	return s.changeLogo(ctx, by, func(q *session, w *survey.Workspace) error {
		w.Logo, w.LogoWidth, w.LogoHeight = s.logoName(by.Workspace, picture), width, height
		_, err := q.exec(`INSERT INTO logos (workspace_id, body, updated_at) VALUES (?, ?, ?)
			ON CONFLICT (workspace_id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at`, by.Workspace, picture, q.now)
		return err
	})
}

// DeleteLogo takes the workspace's logo away, if it has one.
func (s *Store) DeleteLogo(ctx context.Context, by Caller) error {
	_, err := s.changeLogo(ctx, by, func(q *session, w *survey.Workspace) error {
		w.Logo, w.LogoWidth, w.LogoHeight = "", 0, 0
		_, err := q.exec(`DELETE FROM logos WHERE workspace_id = ?`, by.Workspace)
		return err
	})
	return err
}

func (s *Store) changeLogo(ctx context.Context, by Caller, change func(*session, *survey.Workspace) error) (w survey.Workspace, err error) {
	err = s.write(ctx, by, func(q *session) error {
		if w, err = q.workspaceWhere("id = ?"+q.forChange(), by.Workspace); err != nil {
			return err
		}
		old := w.Logo
		if err := change(q, &w); err != nil || w.Logo == old {
			return err
		}
		w.UpdatedAt = q.now
		if err := q.must(`UPDATE workspaces SET logo = ?, logo_width = ?, logo_height = ?, updated_at = ? WHERE id = ?`,
			w.Logo, w.LogoWidth, w.LogoHeight, w.UpdatedAt, w.ID); err != nil {
			return err
		}
		return q.audit("workspace.logo", w.Key, "")
	})
	return w, err
}

// Logo is the PNG that a logo's name stands for, and whether it is the
// workspace's of today by that very name. NotFound for what koe has not named,
// and where the logo was taken away.
func (s *Store) Logo(ctx context.Context, name string) (picture []byte, current bool, err error) {
	gone := survey.Errorf(survey.NotFound, "", "there is no such logo")
	workspace, ok := s.logoWorkspace(name)
	if !ok {
		return nil, false, gone
	}
	var kept string
	found, err := s.reading(ctx, Caller{Workspace: workspace}).row(`SELECT w.logo, l.body FROM logos l JOIN workspaces w ON w.id = l.workspace_id
		WHERE l.workspace_id = ?`, []any{workspace}, &kept, &picture)
	if err == nil && !found {
		err = gone
	}
	return picture, kept == name, away(err)
}
