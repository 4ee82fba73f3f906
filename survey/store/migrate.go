package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// Migrate brings the database to this version. Replicas that start together
// wait for each other; one applies, the others find nothing to do.
func (s *Store) Migrate(ctx context.Context) error {
	return away(s.withGoose(func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		for try := 1; err != nil && !s.postgres && try < 5; try++ {
			_, err = p.Up(ctx) // SQLite has no lock to wait for: another process may have been faster
		}
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		return nil
	}))
}

// version is the database's version and the newest that this koe knows.
func (s *Store) version(ctx context.Context) (have, want int64, err error) {
	err = s.withGoose(func(p *goose.Provider) error {
		have, want, err = p.GetVersions(ctx)
		return err
	})
	return have, want, err
}

// withGoose lends goose a pool: PostgreSQL's own, or a second connection
// beside SQLite's writer.
func (s *Store) withGoose(fn func(*goose.Provider) error) (err error) {
	db, dialect, folder := s.pool, goose.DialectPostgres, "migrations/postgres"
	var options []goose.ProviderOption
	if s.postgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // asks every second, for five minutes
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	} else {
		if db, err = sql.Open("sqlite3", s.lite); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		dialect, folder = goose.DialectSQLite3, "migrations/sqlite"
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return err
	}
	return fn(provider)
}
