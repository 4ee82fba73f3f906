package store

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
)

const minSecret = 32

// CheckSecret binds a database to the secret that it is first used with: with
// another one every link that is out would be dead and every suppression
// forgotten. Errors name KOE_SECRET.
func (s *Store) CheckSecret(ctx context.Context) error {
	if len(s.secret) < minSecret {
		return errors.New("KOE_SECRET: must have at least 32 bytes")
	}
	mine := hex.EncodeToString(s.derive("fingerprint", 0, nil)[:16])
	var kept string
	const query = `SELECT value FROM meta WHERE name = 'secret_fingerprint'`
	found, err := s.reading(ctx, Caller{}).row(query, nil, &kept)
	if err == nil && !found {
		err = s.write(ctx, Caller{}, func(q *session) error {
			if _, err := q.exec(`INSERT INTO meta (name, value) VALUES ('secret_fingerprint', ?) ON CONFLICT DO NOTHING`, mine); err != nil {
				return err
			}
			_, err := q.row(query, nil, &kept) // a replica's, where it was faster
			return err
		})
	}
	if err != nil {
		return away(err)
	}
	if subtle.ConstantTimeCompare([]byte(kept), []byte(mine)) != 1 {
		return errors.New("KOE_SECRET: is not the secret that this database was made with; set the old one " +
			"(for SQLite it was kept beside the database file), or the links that are out would stop working")
	}
	return nil
}
