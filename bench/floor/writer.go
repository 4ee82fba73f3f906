package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// maxBatch bounds one commit, so that nobody waits for a very long one.
const maxBatch = 1000

// job is one row on its way into the database.
type job struct {
	response   response
	attributes string
	done       chan result
}

type result struct {
	id  int64
	err error
}

// writer is the only one who writes: while one commit waits for the disk, the
// next rows gather, and they share the next commit.
type writer struct {
	db      *sql.DB
	conn    *sql.Conn
	row     *sql.Stmt
	jobs    chan job
	stopped chan struct{}
}

// openWriter opens the file with WAL and synchronous=FULL: a row that was
// acknowledged survives a power cut.
func openWriter(path string) (*writer, error) {
	ctx := context.Background()
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000")
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if _, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS responses (
		id INTEGER PRIMARY KEY, survey_id TEXT NOT NULL, score INTEGER NOT NULL,
		external_id TEXT NOT NULL, email TEXT NOT NULL, attributes TEXT NOT NULL,
		comment TEXT NOT NULL, created_at INTEGER NOT NULL)`); err != nil {
		return nil, fmt.Errorf("make the table: %w", err)
	}
	row, err := conn.PrepareContext(ctx, `INSERT INTO responses
		(survey_id, score, external_id, email, attributes, comment, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return nil, fmt.Errorf("prepare the insert: %w", err)
	}
	w := &writer{db: db, conn: conn, row: row, jobs: make(chan job, maxBatch), stopped: make(chan struct{})}
	go w.run()
	return w, nil
}

// insert returns the row's id when the row is on the disk.
func (w *writer) insert(r response) (int64, error) {
	attributes, err := json.Marshal(r.Attributes)
	if err != nil {
		return 0, err
	}
	done := make(chan result, 1)
	w.jobs <- job{r, string(attributes), done}
	got := <-done
	return got.id, got.err
}

// close writes what waits and closes the file. Nothing may be inserted after.
func (w *writer) close() {
	close(w.jobs)
	<-w.stopped
	_ = w.row.Close()
	_ = w.conn.Close()
	_ = w.db.Close()
}

func (w *writer) run() {
	defer close(w.stopped)
	batch := make([]job, 0, maxBatch)
	results := make([]result, 0, maxBatch)
	for first := range w.jobs {
		batch = append(batch[:0], first)
		for more := true; more && len(batch) < maxBatch; {
			select {
			case next, open := <-w.jobs:
				if more = open; open {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		results = w.commit(batch, results[:0])
		for i, j := range batch {
			j.done <- results[i]
		}
	}
}

// commit writes a batch in one transaction. A failing row fails the batch: all
// rows are alike, so there is nothing to save the others from.
func (w *writer) commit(batch []job, results []result) []result {
	ctx := context.Background()
	now := time.Now().UnixMilli()
	_, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	for _, j := range batch {
		var id int64
		if err == nil {
			id, err = w.add(ctx, j, now)
		}
		results = append(results, result{id: id})
	}
	if err == nil {
		_, err = w.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK") // fails where BEGIN did; err says why
		for i := range results {
			results[i] = result{err: err}
		}
	}
	return results
}

func (w *writer) add(ctx context.Context, j job, now int64) (int64, error) {
	r := j.response
	got, err := w.row.ExecContext(ctx, r.SurveyID, r.Score, r.Customer.ExternalID, r.Customer.Email,
		j.attributes, r.Comment, now)
	if err != nil {
		return 0, err
	}
	return got.LastInsertId()
}
