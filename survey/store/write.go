package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"koe/survey"
)

// write runs fn in one transaction and returns once it is durable, or has left
// no trace. Inside fn only the session's own handles may be used: on SQLite
// there is one writing connection, and a second would wait for the first.
//
// fn may run more than once (PostgreSQL asks to repeat what collided), so it
// must not change anything outside the database before it is sure.
func (s *Store) write(ctx context.Context, by Caller, fn func(*session) error) error {
	var err error
	var learned []seenRow
	run := fn
	fn = func(q *session) error {
		err := run(q)
		learned = q.learned
		return err
	}
	if s.writer == nil {
		err = s.writePostgres(ctx, by, fn)
	} else if err = s.writer.do(ctx, func(q *session) error { return s.within(ctx, q, by, fn) }); err != nil && !isRefusal(err) {
		s.parsed.forget() // it may hold what a fellow wrote in a commit that failed
	}
	if err == nil {
		s.seen.add(learned)
		if by.Once != nil {
			by.Once.Kept = true
		}
	}
	return away(err)
}

// within prepares a session for one caller, claims the request's idempotency
// key first, and moves the tallies last.
func (s *Store) within(ctx context.Context, q *session, by Caller, fn func(*session) error) error {
	q.ctx, q.by, q.now, q.tx = ctx, by, s.now(), true
	if err := q.claimOnce(); err != nil {
		return err
	}
	if err := fn(q); err != nil {
		return err
	}
	if err := q.flushDays(); err != nil {
		return err
	}
	return q.keepOnce()
}

const postgresTries = 5

func (s *Store) writePostgres(ctx context.Context, by Caller, fn func(*session) error) error {
	outworn := s.pool.Stats().MaxOpenConnections // each may be, and is closed then
	for try := 1; ; try++ {
		err := s.transact(ctx, by, fn)
		if stale(err) && outworn > 0 {
			outworn--
			try--
			continue
		}
		if err == nil || try == postgresTries || !collided(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(try*try) * 5 * time.Millisecond):
		}
	}
}

func (s *Store) transact(ctx context.Context, by Caller, fn func(*session) error) error {
	tx, err := begin(ctx, s.pool)
	if err != nil {
		return err
	}
	defer tx.end()
	// with a context gorm makes a statement of its own; without, tx would
	// become the connection of everybody who reads
	db := s.read.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = tx
	q := &session{postgres: true, pool: tx, db: db, spelled: &s.spelled, shared: &shared{}}
	err = s.within(ctx, q, by, fn)
	if err == nil {
		err = errors.Join(q.flushTallies(tallyMoves{}.add(q.moves)), q.flushCohorts(q.cohorts))
	}
	if err == nil {
		err = tx.commit(ctx)
	}
	tx.outworn = stale(err)
	return err
}

// writer is SQLite's one writing connection. It takes all transactions that
// wait into one commit, so that one flush to disk serves many. Most succeed, so
// they are run without a savepoint each; where one fails after it has written,
// the batch is undone and run again with savepoints, so that a failing one
// spoils no other.
type writer struct {
	conn    *sql.Conn
	db      *gorm.DB
	pool    *statements
	jobs    chan *job
	stopped chan struct{}
	done    chan struct{}
}

type job struct {
	ctx  context.Context
	fn   func(*session) error
	err  error
	done chan struct{}
}

// maxBatch bounds one commit, so that none waits long for its fellows.
const maxBatch = 256

func startWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// a checkpoint copies scattered pages and flushes them: once in 32 MB of
	// journal instead of once in 4 it meets most pages changed many times over
	if _, err = conn.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 8000"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// what a statement may have to undo stays in memory: it is small, and a file
	// for it costs more than the statement
	if _, err = conn.ExecContext(ctx, "PRAGMA temp_store = MEMORY"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w := &writer{conn: conn, pool: newStatements(conn), jobs: make(chan *job, maxBatch),
		stopped: make(chan struct{}), done: make(chan struct{})}
	w.db, err = gorm.Open(sqlite.New(sqlite.Config{Conn: w.pool}), gormConfig(false))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go w.run()
	return w, nil
}

func (w *writer) stop() error {
	close(w.stopped)
	<-w.done
	// a statement that stays open keeps the file open, and what was written in
	// its journal instead of the database
	return errors.Join(w.pool.close(), w.conn.Close())
}

// do hands fn to the writer and waits until it is committed or undone. A
// caller who gives up before its turn leaves no trace.
func (w *writer) do(ctx context.Context, fn func(*session) error) error {
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stopped:
		return errStopped
	}
	select {
	case <-j.done:
		return j.err
	case <-w.done:
		select {
		case <-j.done: // it was in the last batch
			return j.err
		default:
			return errStopped
		}
	}
}

var errStopped = survey.Errorf(survey.Unavailable, "", "koe is stopping")

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case j := <-w.jobs:
			w.commit(w.gather(j))
		case <-w.stopped:
			return
		}
	}
}

// stepsBack is how often the writer lets others run before it commits: at 64
// clients it doubles what one commit serves, and costs nothing where nobody
// else runs.
const stepsBack = 2

// gather takes what waits behind the first job, and those who are just about
// to come.
func (w *writer) gather(first *job) []*job {
	batch := []*job{first}
	for idle := 0; idle < stepsBack && len(batch) < maxBatch; {
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
			idle = 0
		default:
			idle++
			runtime.Gosched()
		}
	}
	return batch
}

// commit runs a batch in one transaction. Where the transaction as a whole
// fails, everyone in it is told so.
func (w *writer) commit(batch []*job) {
	ctx := context.Background()
	err := w.try(ctx, batch, w.bare)
	if errors.Is(err, errSpoilt) {
		err = w.try(ctx, batch, w.guarded)
	}
	for _, j := range batch {
		if err != nil {
			j.err = fmt.Errorf("commit: %w", err)
		}
		close(j.done)
	}
}

// sum is what the jobs of a batch move in the tallies, written at its end, and
// what they learned.
type sum struct {
	tallies tallyMoves
	cohorts cohortMoves
	shared  shared
}

func (s *sum) add(q *session) {
	s.tallies.add(q.moves)
	s.cohorts.addAll(q.cohorts)
}

// errSpoilt says that a batch holds half of a job that failed.
var errSpoilt = errors.New("a job failed after it had written")

// try runs a batch in one transaction, each job by one.
func (w *writer) try(ctx context.Context, batch []*job, one func(context.Context, *job, *sum) error) error {
	if err := w.pool.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	sum := &sum{tallies: tallyMoves{}, cohorts: cohortMoves{}}
	var err error
	for _, j := range batch {
		if err = one(ctx, j, sum); err != nil {
			break
		}
	}
	if err == nil {
		q := &session{ctx: ctx, pool: w.pool, db: w.db}
		err = errors.Join(q.flushTallies(sum.tallies), q.flushCohorts(sum.cohorts))
	}
	if err == nil {
		err = w.pool.exec(ctx, "COMMIT")
	}
	if err != nil {
		_ = w.pool.exec(ctx, "ROLLBACK") // fails where SQLite rolled back itself
	}
	return err
}

// bare runs a job without a savepoint; errSpoilt where it failed and left
// something behind.
func (w *writer) bare(_ context.Context, j *job, sum *sum) error {
	q := w.session(sum)
	if j.err = w.job(j, q); j.err != nil && q.wrote {
		return errSpoilt
	}
	if j.err == nil {
		sum.add(q)
	}
	return nil
}

// guarded runs a job between a savepoint and its release.
func (w *writer) guarded(ctx context.Context, j *job, sum *sum) error {
	if err := w.pool.exec(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	q := w.session(sum)
	if j.err = w.job(j, q); j.err != nil {
		sum.shared.forget()
		if err := w.pool.exec(ctx, "ROLLBACK TO one"); err != nil {
			return err
		}
	} else {
		sum.add(q)
	}
	return w.pool.exec(ctx, "RELEASE one")
}

func (w *writer) session(sum *sum) *session {
	return &session{pool: w.pool, db: w.db, shared: &sum.shared}
}

// job runs a job's function; a panic is its error.
func (w *writer) job(j *job, q *session) (err error) {
	if j.ctx.Err() != nil {
		return j.ctx.Err()
	}
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a transaction panicked: %v", fault)
		}
	}()
	return j.fn(q)
}
