package store

import (
	"context"
	"fmt"

	"koe/survey"
)

const workspaceColumns = `id, key, name, timezone, quiet_period, quiet_scope, sender_name, sender_address,
	reply_to, postal_footer, privacy_url, default_locale, created_at, updated_at, accent_color, logo, logo_width, logo_height`

// DefaultWorkspace is the key of the workspace that a first start makes.
const DefaultWorkspace = "default"

// EnsureDefault makes the workspace "default" with the stock templates, where
// it does not exist yet; fresh is true for the one caller who made it.
func (s *Store) EnsureDefault(ctx context.Context) (w survey.Workspace, fresh bool, err error) {
	w, err = s.FindWorkspace(ctx, DefaultWorkspace)
	if !isNotFound(err) {
		return w, false, err
	}
	zone := s.timezone
	if zone == "" {
		zone = "UTC"
	}
	w = survey.NewWorkspace(DefaultWorkspace, "Default", zone)
	if err := w.Clean(); err != nil {
		return w, false, err
	}
	err = s.write(ctx, Caller{KeyName: "koe"}, func(q *session) error {
		var err error
		fresh, err = s.insertWorkspace(q, &w)
		return err
	})
	if err == nil && !fresh { // a replica was faster
		w, err = s.FindWorkspace(ctx, DefaultWorkspace)
	}
	return w, fresh && err == nil, err
}

// CreateWorkspace makes a workspace with the stock templates. A key that is
// taken is a Conflict.
func (s *Store) CreateWorkspace(ctx context.Context, w survey.Workspace) (survey.Workspace, error) {
	if err := w.Clean(); err != nil {
		return survey.Workspace{}, err
	}
	err := s.write(ctx, Caller{KeyName: "koe"}, func(q *session) error {
		made, err := s.insertWorkspace(q, &w)
		if err == nil && !made {
			err = survey.Errorf(survey.Conflict, "key", "there is a workspace %q already", w.Key)
		}
		return err
	})
	return w, err
}

// insertWorkspace is false where the key is taken. From then on the session is
// on behalf of the new workspace.
func (s *Store) insertWorkspace(q *session, w *survey.Workspace) (bool, error) {
	w.CreatedAt, w.UpdatedAt = q.now, q.now
	for {
		var next int64
		if _, err := q.row(`SELECT COALESCE(MAX(id), 0) + 1 FROM workspaces`, nil, &next); err != nil {
			return false, err
		}
		n, err := q.exec(`INSERT INTO workspaces (`+workspaceColumns+`, tally_generation)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`,
			next, w.Key, w.Name, w.Timezone, string(w.QuietPeriod), string(w.QuietScope), w.SenderName, w.SenderAddress,
			w.ReplyTo, w.PostalFooter, w.PrivacyURL, w.DefaultLocale, w.CreatedAt, w.UpdatedAt, w.AccentColor, w.Logo, w.LogoWidth, w.LogoHeight)
		if err != nil {
			return false, err
		}
		found, err := q.row(`SELECT id FROM workspaces WHERE key = ?`, []any{w.Key}, &w.ID)
		if err != nil {
			return false, err
		}
		if n == 1 {
			break
		}
		if found {
			return false, nil
		} // else a twin took the number
	}
	q.by.Workspace = w.ID
	for _, stock := range s.stock {
		t, err := ownCopy(stock)
		if err != nil {
			return false, err
		}
		if err := t.Clean(); err != nil {
			return false, fmt.Errorf("stock template %s: %w", t.Key, err)
		}
		if _, err := q.insertTemplate(t); err != nil {
			return false, err
		}
	}
	return true, q.audit("workspace.created", w.Key, "")
}

// ownCopy is a template that may be changed: Clean does, and the stock belongs
// to everybody.
func ownCopy(t survey.Template) (survey.Template, error) {
	text, err := asJSON(t)
	if err != nil {
		return t, err
	}
	var own survey.Template
	return own, fromJSON(text, &own)
}

// Workspace shows the caller's workspace.
func (s *Store) Workspace(ctx context.Context, by Caller) (survey.Workspace, error) {
	w, err := s.reading(ctx, by).workspace(by.Workspace)
	return w, away(err)
}

// FindWorkspace finds a workspace by its key.
func (s *Store) FindWorkspace(ctx context.Context, key string) (survey.Workspace, error) {
	w, err := s.reading(ctx, Caller{}).workspaceWhere("key = ?", key)
	return w, away(err)
}

func (q *session) workspace(id int64) (survey.Workspace, error) {
	return q.workspaceWhere("id = ?", id)
}

func (q *session) workspaceWhere(condition string, arg any) (survey.Workspace, error) {
	var w survey.Workspace
	found, err := q.row(`SELECT `+workspaceColumns+` FROM workspaces WHERE `+condition, []any{arg},
		&w.ID, &w.Key, &w.Name, &w.Timezone, &w.QuietPeriod, &w.QuietScope, &w.SenderName, &w.SenderAddress,
		&w.ReplyTo, &w.PostalFooter, &w.PrivacyURL, &w.DefaultLocale, &w.CreatedAt, &w.UpdatedAt,
		&w.AccentColor, &w.Logo, &w.LogoWidth, &w.LogoHeight)
	if err == nil && !found {
		err = survey.Errorf(survey.NotFound, "", "there is no such workspace")
	}
	return w, err
}

// PatchWorkspace changes the settings; key and instants stay whatever change
// does to them. change may run more than once. A new time zone has every answer
// counted anew on its day there, in the background: see Rebuild.
func (s *Store) PatchWorkspace(ctx context.Context, by Caller, change func(*survey.Workspace) error) (survey.Workspace, error) {
	var w survey.Workspace
	err := s.write(ctx, by, func(q *session) error {
		old, err := q.workspaceWhere("id = ?"+q.forUpdate(), by.Workspace)
		if err != nil {
			return err
		}
		w = old
		if err := change(&w); err != nil {
			return err
		}
		w.ID, w.Key, w.CreatedAt, w.UpdatedAt = old.ID, old.Key, old.CreatedAt, old.UpdatedAt
		w.Logo, w.LogoWidth, w.LogoHeight = old.Logo, old.LogoWidth, old.LogoHeight
		if err := w.Clean(); err != nil || w == old {
			return err
		}
		w.UpdatedAt = q.now
		if err := q.must(`UPDATE workspaces SET name = ?, timezone = ?, quiet_period = ?, quiet_scope = ?, sender_name = ?,
			sender_address = ?, reply_to = ?, postal_footer = ?, privacy_url = ?, default_locale = ?, accent_color = ?, updated_at = ? WHERE id = ?`,
			w.Name, w.Timezone, string(w.QuietPeriod), string(w.QuietScope), w.SenderName, w.SenderAddress, w.ReplyTo,
			w.PostalFooter, w.PrivacyURL, w.DefaultLocale, w.AccentColor, w.UpdatedAt, w.ID); err != nil {
			return err
		}
		if w.Timezone != old.Timezone {
			if err := q.startRebuild(false); err != nil {
				return err
			}
			if err := s.rescheduleAll(q); err != nil {
				return err
			}
		}
		return q.audit("workspace.changed", w.Key, "")
	})
	return w, err
}
