package store

import (
	"context"
	"database/sql"

	"gorm.io/gorm"

	"koe/survey"
)

// reportsAtOnce is how many snapshots SQLite reads side by side; on PostgreSQL
// it is half of the connections. A report may count millions of rows: however
// many are asked for, the pages of respondents find a connection.
const reportsAtOnce = 3

// snapshot runs fn on a state of the database that nobody changes meanwhile,
// so that all figures of a report are of the same instant. While rows are being
// read, fn must not ask for others.
func (s *Store) snapshot(ctx context.Context, by Caller, fn func(*session) error) error {
	select {
	case s.reporting <- struct{}{}:
		defer func() { <-s.reporting }()
	case <-ctx.Done():
		return ctx.Err()
	}
	options := &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	if !s.postgres {
		options = nil // a transaction of SQLite's is a snapshot already
	}
	tx, err := s.reports.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	db := s.read.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = tx
	return fn(&session{ctx: ctx, postgres: s.postgres, pool: tx, db: db, spelled: &s.spelled, by: by, now: s.now()})
}

// allTemplates are all versions of the workspace's templates.
func (s *Store) allTemplates(q *session) (map[templateRef]survey.Template, error) {
	var versions []struct {
		TemplateID id
		Version    int
	}
	if err := q.list(&versions, `SELECT template_id, version FROM template_versions WHERE workspace_id = ?`, q.by.Workspace); err != nil {
		return nil, err
	}
	all := make(map[templateRef]survey.Template, len(versions))
	for _, one := range versions {
		t, err := s.templateVersion(q, survey.ID(one.TemplateID), one.Version)
		if err != nil {
			return nil, err
		}
		all[templateRef{q.by.Workspace, survey.ID(one.TemplateID), one.Version}] = t
	}
	return all, nil
}

// closeReports closes SQLite's pool of its own.
func (s *Store) closeReports() error {
	if s.postgres || s.reports == nil {
		return nil
	}
	return s.reports.Close()
}
