package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"

	"koe/survey"
)

// Key is an API key as it is shown: never with its secret, of which only a
// hash is kept.
type Key struct {
	ID        survey.ID       `json:"id"`
	Name      string          `json:"name"`
	Role      Role            `json:"role"`
	Workspace string          `json:"workspace"`
	CreatedAt survey.Instant  `json:"created_at"`
	RevokedAt *survey.Instant `json:"revoked_at"`

	DelightedSurvey *survey.ID `json:"delighted_survey"` // nil where it was made for none
}

type keyRow struct {
	ID        id
	Name      string
	Role      string
	Workspace string
	Settings  string
	CreatedAt int64
	RevokedAt *int64
}

const keyQuery = `SELECT k.id, k.name, k.role, w.key AS workspace, k.settings, k.created_at, k.revoked_at
	FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id`

func (r keyRow) key() (Key, error) {
	var settings keySettings
	err := fromJSON(r.Settings, &settings)
	return Key{ID: survey.ID(r.ID), Name: r.Name, Role: Role(r.Role), Workspace: r.Workspace,
		CreatedAt: survey.Instant(r.CreatedAt), RevokedAt: (*survey.Instant)(r.RevokedAt), DelightedSurvey: settings.DelightedSurvey}, err
}

const (
	keyPrefix = "koe_"
	keyBytes  = 32
	minAdopt  = 16 // characters of a secret that koe did not make
)

// CreateKey makes an API key for the caller's workspace and returns its
// secret, which nobody can read again.
func (s *Store) CreateKey(ctx context.Context, by Caller, name string, role Role, choices ...KeySetting) (Key, string, error) {
	secret := newSecret()
	var key Key
	err := s.write(ctx, by, func(q *session) error {
		w, err := q.workspace(by.Workspace)
		if err != nil {
			return err
		}
		var settings keySettings
		for _, choose := range choices {
			if err := choose(q, &settings); err != nil {
				return err
			}
		}
		var made bool
		if key, made, err = q.insertKey(w, name, secret, role, settings); err != nil || !made {
			return err
		}
		q.resource = key.ID.String()
		return nil
	})
	if err != nil {
		return Key{}, "", err
	}
	return key, secret, nil
}

func newSecret() string {
	random := make([]byte, keyBytes)
	_, _ = rand.Read(random) // it never fails; the program ends instead
	return keyPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// FirstKey makes an admin key for the caller's workspace where no key of it
// works, and returns its secret; "" where one does. Of several callers at once
// one makes it.
func (s *Store) FirstKey(ctx context.Context, by Caller, name string) (secret string, err error) {
	err = s.write(ctx, by, func(q *session) error {
		secret = ""
		var one int
		if _, err := q.row(`SELECT 1 FROM workspaces WHERE id = ?`+q.forChange(), []any{by.Workspace}, &one); err != nil { // the others wait here
			return err
		}
		w, err := q.workspace(by.Workspace)
		if err != nil {
			return err
		}
		working, err := q.row(`SELECT 1 FROM api_keys WHERE workspace_id = ? AND revoked_at IS NULL LIMIT 1`, []any{by.Workspace}, &one)
		if err != nil || working {
			return err
		}
		secret = newSecret()
		_, _, err = q.insertKey(w, name, secret, Admin, keySettings{})
		return err
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// AdoptKey makes an API key whose secret was made elsewhere; false where the
// database knows it already, revoked ones too. A secret must have at least 16
// characters, else it is Invalid; one of another workspace is a Conflict.
func (s *Store) AdoptKey(ctx context.Context, workspace int64, name, secret string, role Role) (added bool, err error) {
	if len(secret) < minAdopt {
		return false, survey.Errorf(survey.Invalid, "key", "must have at least %d characters", minAdopt)
	}
	err = s.write(ctx, Caller{Workspace: workspace, KeyName: "koe"}, func(q *session) error {
		w, err := q.workspace(workspace)
		if err != nil {
			return err
		}
		if _, added, err = q.insertKey(w, name, secret, role, keySettings{}); err != nil || added {
			return err
		}
		var owner int64
		if _, err := q.row(`SELECT workspace_id FROM api_keys WHERE hash = ?`, []any{keyHash(secret)}, &owner); err != nil {
			return err
		}
		if owner != workspace {
			return survey.Errorf(survey.Conflict, "key", "belongs to another workspace")
		}
		return nil
	})
	return added && err == nil, err
}

func keyHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// insertKey is false where the secret is known already.
func (q *session) insertKey(w survey.Workspace, name, secret string, role Role, settings keySettings) (Key, bool, error) {
	var p survey.Problems
	name = cleanName(&p, name)
	if !slices.Contains([]Role{Viewer, Sender, Editor, Admin}, role) {
		p.Add("role", "unknown", "must be viewer, sender, editor or admin")
	}
	if err := p.Err(); err != nil {
		return Key{}, false, err
	}
	key := Key{ID: newID(), Name: name, Role: role, Workspace: w.Key, CreatedAt: q.now, DelightedSurvey: settings.DelightedSurvey}
	text, err := asJSON(settings)
	if err != nil {
		return Key{}, false, err
	}
	n, err := q.exec(`INSERT INTO api_keys (hash, workspace_id, id, name, role, settings, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		keyHash(secret), w.ID, key.ID, key.Name, string(key.Role), text, key.CreatedAt)
	if err != nil || n == 0 {
		return Key{}, false, err
	}
	return key, true, q.audit("key.created", key.ID.String(), string(role))
}

// Key shows one key of the caller's workspace.
func (s *Store) Key(ctx context.Context, by Caller, id survey.ID) (Key, error) {
	var row keyRow
	found, err := s.reading(ctx, by).find(&row, keyQuery+` WHERE k.workspace_id = ? AND k.id = ?`, by.Workspace, id)
	if err != nil {
		return Key{}, away(err)
	}
	if !found {
		return Key{}, errNoKey
	}
	return row.key()
}

var errNoKey = survey.Errorf(survey.NotFound, "", "there is no such key")

// Keys lists the keys of the caller's workspace that work, the newest first.
func (s *Store) Keys(ctx context.Context, by Caller, page Page) ([]Key, string, error) {
	q := s.reading(ctx, by)
	var rows []keyRow
	next, err := s.newestFirst(q, "keys", nil, page, "k.created_at", []string{"k.workspace_id = ?", "k.revoked_at IS NULL"}, []any{by.Workspace},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, keyQuery+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]Key, min(len(rows), page.Limit))
	for i := range list {
		if list[i], err = rows[i].key(); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// RevokeKey ends a key at once; one that is revoked stays so. The last admin
// key of a workspace is a Conflict: nobody could make another.
func (s *Store) RevokeKey(ctx context.Context, by Caller, key survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		var admins []struct{ ID id } // locked, so that two cannot revoke each other
		if err := q.list(&admins, `SELECT id FROM api_keys WHERE workspace_id = ? AND role = 'admin' AND revoked_at IS NULL
			ORDER BY hash`+q.forUpdate(), by.Workspace); err != nil {
			return err
		}
		if len(admins) == 1 && survey.ID(admins[0].ID) == key {
			return survey.Errorf(survey.Conflict, "", "this is the last admin key; make another one first")
		}
		n, err := q.exec(`UPDATE api_keys SET revoked_at = ? WHERE workspace_id = ? AND id = ? AND revoked_at IS NULL`,
			q.now, by.Workspace, key)
		if err != nil {
			return err
		}
		if n == 1 {
			return q.audit("key.revoked", key.String(), "")
		}
		var one int
		found, err := q.row(`SELECT 1 FROM api_keys WHERE workspace_id = ? AND id = ?`, []any{by.Workspace, key}, &one)
		if err == nil && !found {
			err = errNoKey
		}
		return err
	})
}

// errNoCaller says the same of a key that is unknown, malformed or revoked.
var errNoCaller = survey.Errorf(survey.Unauthorized, "", "koe does not know this key")

// Authenticate finds whose secret this is; an unknown or revoked one is
// Unauthorized.
func (s *Store) Authenticate(ctx context.Context, secret string) (Caller, error) {
	var by Caller
	var key id
	var kept []byte
	var revoked *int64
	hash := keyHash(secret)
	found, err := s.reading(ctx, by).row(`SELECT hash, workspace_id, id, name, role, revoked_at FROM api_keys WHERE hash = ?`,
		[]any{hash}, &kept, &by.Workspace, &key, &by.KeyName, &by.Role, &revoked)
	if err != nil {
		return Caller{}, away(err)
	}
	if !found || revoked != nil || subtle.ConstantTimeCompare(kept, hash) != 1 {
		return Caller{}, errNoCaller
	}
	by.KeyID = survey.ID(key)
	return by, nil
}
