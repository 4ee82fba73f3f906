package store

import (
	"context"
	"encoding/base64"
	"strings"

	"koe/survey"
	"koe/survey/source"
)

// Source is another tool that posts events, as it is shown: never with its
// secret. Address is the last part of the path that it posts to; whoever knows
// it is believed where the source is not signed.
type Source struct {
	source.Source
	ID        survey.ID
	Address   string
	SecretSet bool
}

type sourceRow struct {
	WorkspaceID int64
	ID          id
	Key         string
	Definition  string
	Secret      []byte
	Nonce       []byte
	CreatedAt   int64
	UpdatedAt   int64
}

const sourceColumns = `workspace_id, id, key, definition, secret, nonce, created_at, updated_at`

func (s *Store) sourceOf(r sourceRow) (Source, error) {
	out := Source{ID: survey.ID(r.ID), Address: s.sourceAddress(r.WorkspaceID, r.Nonce), SecretSet: r.Secret != nil}
	err := fromJSON(r.Definition, &out.Source)
	out.Key, out.CreatedAt, out.UpdatedAt = r.Key, survey.Instant(r.CreatedAt), survey.Instant(r.UpdatedAt)
	return out, err
}

// addressMark begins an address and no key.
const addressMark = "in."

// sourceAddress is derived as respondents' tokens are: it can be shown again,
// and a stolen database holds none.
func (s *Store) sourceAddress(workspace int64, nonce []byte) string {
	return addressMark + s.token(workspace, append([]byte("source"), nonce...))
}

// maxSources keeps a workspace within bounds.
const maxSources = 100

// PutSource makes a source or changes it. secret is the tool's, nil to keep
// what is there; a source that is signed needs one. The touchpoint is made
// where it does not exist yet.
func (s *Store) PutSource(ctx context.Context, by Caller, in source.Source, secret *string) (out Source, fresh bool, err error) {
	if err := in.Clean(); err != nil {
		return out, false, err
	}
	if err := checkSourceSecret(in.Signature, secret); err != nil {
		return out, false, err
	}
	err = s.write(ctx, by, func(q *session) error {
		row, err := q.sourceRow(in.Key, q.forUpdate())
		if fresh = isNotFound(err); err != nil && !fresh {
			return err
		}
		if fresh {
			row = sourceRow{WorkspaceID: by.Workspace, ID: id(newID()), Key: in.Key, Nonce: newNonce(), CreatedAt: int64(q.now)}
		}
		if err := s.takeSecret(&row, in.Signature, secret); err != nil {
			return err
		}
		in.CreatedAt, in.UpdatedAt, row.UpdatedAt = survey.Instant(row.CreatedAt), q.now, int64(q.now)
		if row.Definition, err = asJSON(in); err != nil {
			return err
		}
		if in.Touchpoint != "" {
			if _, err := q.touchpoint(in.Touchpoint); err != nil {
				return err
			}
		}
		if err := s.saveSource(q, row, fresh); err != nil {
			return err
		}
		if out, err = s.sourceOf(row); err != nil {
			return err
		}
		return q.audit("source.changed", in.Key, string(in.Signature))
	})
	return out, fresh, err
}

func (s *Store) saveSource(q *session, row sourceRow, fresh bool) error {
	if !fresh {
		return q.must(`UPDATE sources SET definition = ?, secret = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
			row.Definition, row.Secret, row.UpdatedAt, row.WorkspaceID, row.ID)
	}
	var all int
	if _, err := q.row(`SELECT COUNT(*) FROM sources WHERE workspace_id = ?`, []any{row.WorkspaceID}, &all); err != nil {
		return err
	}
	if all >= maxSources {
		return survey.Errorf(survey.Conflict, "", "a workspace has at most %d sources; delete one first", maxSources)
	}
	made, err := q.inserted(`INSERT INTO sources (`+sourceColumns+`, address_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, row.WorkspaceID, row.ID, row.Key,
		row.Definition, row.Secret, row.Nonce, row.CreatedAt, row.UpdatedAt, tokenHash(s.sourceAddress(row.WorkspaceID, row.Nonce)))
	if err == nil && !made {
		err = survey.Errorf(survey.Conflict, "", "somebody else is making this source just now; try again")
	}
	return err
}

// maxSourceSecret bounds what a tool's secret may be.
const maxSourceSecret = 500

func checkSourceSecret(scheme source.Scheme, secret *string) error {
	if secret == nil {
		return nil
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	switch {
	case !scheme.Signed():
		return survey.Errorf(survey.Invalid, "secret", `secret must be left out where signature is "none"`)
	case *secret == "" || len(*secret) > maxSourceSecret || strings.ContainsFunc(*secret, odd):
		return survey.Errorf(survey.Invalid, "secret", "secret must be the tool's signing secret: 1 to %d visible ASCII characters", maxSourceSecret)
	}
	if scheme == source.Standard {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(*secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return survey.Errorf(survey.Invalid, "secret", "secret must be whsec_ and base64, as Standard Webhooks has it")
		}
	}
	return nil
}

// takeSecret puts a secret into a row, sealed; the row's own stays where none
// is given.
func (s *Store) takeSecret(row *sourceRow, scheme source.Scheme, secret *string) error {
	switch {
	case !scheme.Signed():
		row.Secret = nil
	case secret != nil:
		sealed, err := s.lockAway(row.WorkspaceID, row.ID, *secret)
		if err != nil {
			return err
		}
		row.Secret = sealed
	case row.Secret == nil:
		return survey.Errorf(survey.Invalid, "secret", "secret is required: what %s signs its webhooks with", scheme)
	}
	return nil
}

var errNoSource = survey.Errorf(survey.NotFound, "", "there is no such source")

func (q *session) sourceRow(key, lock string) (sourceRow, error) {
	var row sourceRow
	found, err := q.find(&row, `SELECT `+sourceColumns+` FROM sources WHERE workspace_id = ? AND key = ?`+lock, q.by.Workspace, key)
	if err == nil && !found {
		err = errNoSource
	}
	return row, err
}

// Source shows a source.
func (s *Store) Source(ctx context.Context, by Caller, key string) (Source, error) {
	row, err := s.reading(ctx, by).sourceRow(key, "")
	if err != nil {
		return Source{}, away(err)
	}
	return s.sourceOf(row)
}

// Sources lists in the order of the keys.
func (s *Store) Sources(ctx context.Context, by Caller, page Page) ([]Source, string, error) {
	q := s.reading(ctx, by)
	var rows []sourceRow
	next, err := s.byKey(q, "sources", page, "key", []string{"workspace_id = ?"}, []any{by.Workspace},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+sourceColumns+` FROM sources`+tail, args...)
			return len(rows), err
		}, func(i int) string { return rows[i].Key })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]Source, min(len(rows), page.Limit))
	for i := range list {
		if list[i], err = s.sourceOf(rows[i]); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// DeleteSource removes a source with what is known of its deliveries. The
// interactions that it brought stay.
func (s *Store) DeleteSource(ctx context.Context, by Caller, key string) error {
	return s.write(ctx, by, func(q *session) error {
		row, err := q.sourceRow(key, q.forUpdate())
		if err != nil {
			return err
		}
		if _, err := q.exec(`DELETE FROM source_deliveries WHERE workspace_id = ? AND source_id = ?`, by.Workspace, row.ID); err != nil {
			return err
		}
		if err := q.must(`DELETE FROM sources WHERE workspace_id = ? AND id = ?`, by.Workspace, row.ID); err != nil {
			return err
		}
		return q.audit("source.deleted", key, "")
	})
}
