package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"koe/survey"
)

// Report runs fn as the count of a report does: on one snapshot. responses is
// how many responses it sees.
func (s *Store) Report(ctx context.Context, by Caller, fn func(responses func() (int, error)) error) error {
	return s.snapshot(ctx, by, func(q *session) error {
		return fn(func() (n int, err error) {
			_, err = q.row(`SELECT COUNT(*) FROM responses WHERE workspace_id = ?`, []any{by.Workspace}, &n)
			return n, err
		})
	})
}

// ReportsAtOnce is how many reports have a place.
func (s *Store) ReportsAtOnce() int { return cap(s.reporting) }

// NextDue is when the next mail is due; nil where none waits.
func (s *Store) NextDue(ctx context.Context) (*survey.Instant, error) {
	var due *int64
	_, err := s.reading(ctx, Caller{}).row(`SELECT MIN(due_at) FROM invitations WHERE mail_state = 'waiting' AND NOT held`, nil, &due)
	return (*survey.Instant)(due), err
}

// Notify puts a notice into the outbox.
func (s *Store) Notify(ctx context.Context, by Caller, event survey.Event, subject survey.ID, to string) error {
	return s.write(ctx, by, func(q *session) error { return q.notify(event, subject, to, nil) })
}

// ear hears what SQLite's readers are asked.
type ear struct {
	*readers
	logger.Interface
	heard map[string]bool
}

func (e *ear) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	e.heard[query] = true
	return e.readers.QueryContext(ctx, query, args...)
}

func (e *ear) row(ctx context.Context, query string, args, into []any) (bool, error) {
	e.heard[query] = true
	return e.readers.row(ctx, query, args, into)
}

var _ rower = (*ear)(nil)

// Trace hears gorm, which writes values into its statements.
func (e *ear) Trace(_ context.Context, _ time.Time, said func() (string, int64), _ error) {
	query, _ := said()
	e.heard[query] = true
}

func (e *ear) LogMode(logger.LogLevel) logger.Interface { return e }

// Heard returns the statements that SQLite is given while do runs, by one
// goroutine.
func (s *Store) Heard(do func()) (statements []string, err error) {
	lite, is := s.readers.(*readers)
	if !is {
		return nil, errors.New("this is not SQLite")
	}
	read := s.read
	e := &ear{lite, logger.Discard, map[string]bool{}}
	s.readers, s.read = e, s.read.Session(&gorm.Session{Logger: e})
	defer func() { s.readers, s.read = lite, read }()
	forget := func(*session) error { return s.writer.pool.close() }
	if err := s.writer.do(context.Background(), forget); err != nil {
		return nil, err
	}
	do()
	err = s.writer.do(context.Background(), func(*session) error {
		for query := range s.writer.pool.prepared {
			e.heard[query] = true
		}
		for query := range s.writer.pool.hot {
			e.heard[query] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(e.heard)), err
}

// Prepared is how many statements a connection has prepared by name.
func (s *Store) Prepared(ctx context.Context) (n int, err error) {
	err = s.pool.QueryRowContext(ctx, "SELECT count(*) FROM pg_prepared_statements").Scan(&n)
	return n, err
}
