package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// transaction is one on PostgreSQL. What nobody waits for (its BEGIN, writes
// that cannot miss) goes out with the next statement, or with its COMMIT: where
// many work at once, each trip to the database costs a turn among them.
type transaction struct {
	conn    *sql.Conn
	waiting []statement
	failed  error // of a flush that had nobody to tell; it is the next one's
	outworn bool  // statements that it has prepared are stale: it is to be closed
}

type statement struct {
	query string
	args  []any
}

var _ interface {
	gorm.ConnPool
	rower
} = (*transaction)(nil)

// begin takes a connection of the pool. What comes of it must be ended.
func begin(ctx context.Context, pool *sql.DB) (*transaction, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &transaction{conn: conn, waiting: []statement{{query: "BEGIN"}}}, nil
}

// later has a statement go out with the next.
func (t *transaction) later(query string, args []any) {
	t.waiting = append(t.waiting, statement{query, args})
}

// commit makes durable what was written.
func (t *transaction) commit(ctx context.Context) error {
	tag := ""
	err := t.run(ctx, "COMMIT", nil, func(rows pgx.Rows) error {
		rows.Close()
		tag = rows.CommandTag().String()
		return rows.Err()
	})
	if err == nil && tag == "ROLLBACK" {
		return errors.New("the transaction had failed before")
	}
	return err
}

// tidyUp is how long a transaction that is given up may take to be undone.
const tidyUp = 5 * time.Second

// end undoes what was not committed and gives the connection back.
func (t *transaction) end() {
	_ = t.raw(func(c *pgx.Conn) error { // a connection that cannot be tidied up is closed
		if t.outworn || c.IsClosed() {
			return driver.ErrBadConn
		}
		if c.PgConn().TxStatus() == 'I' {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), tidyUp)
		defer cancel()
		if _, err := c.Exec(ctx, "ROLLBACK"); err != nil {
			return driver.ErrBadConn
		}
		return nil
	})
	_ = t.conn.Close() // it goes back to the pool, or is gone
}

func (t *transaction) raw(use func(*pgx.Conn) error) error {
	return t.conn.Raw(func(raw any) error {
		conn, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("PostgreSQL's connection is a %T", raw)
		}
		return use(conn.Conn())
	})
}

// run sends what waits and a statement in one message, and gives use the
// statement's rows.
func (t *transaction) run(ctx context.Context, query string, args []any, use func(pgx.Rows) error) error {
	if t.failed != nil {
		return t.failed
	}
	waiting := t.waiting
	t.waiting = nil
	return t.raw(func(c *pgx.Conn) error {
		if len(waiting) == 0 {
			rows, err := c.Query(ctx, query, args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			return use(rows)
		}
		batch := &pgx.Batch{}
		for _, w := range waiting {
			batch.Queue(w.query, w.args...)
		}
		batch.Queue(query, args...)
		results := c.SendBatch(ctx, batch)
		err := answered(results, len(waiting), use)
		if closing := results.Close(); err == nil {
			err = closing
		}
		return err
	})
}

// answered reads past n answers and gives use the one after them.
func answered(results pgx.BatchResults, n int, use func(pgx.Rows) error) error {
	for range n {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	return use(rows)
}

// flush sends what waits.
func (t *transaction) flush(ctx context.Context) error {
	if len(t.waiting) == 0 {
		return nil
	}
	last := t.waiting[len(t.waiting)-1]
	t.waiting = t.waiting[:len(t.waiting)-1]
	_, err := t.ExecContext(ctx, last.query, last.args...)
	return err
}

// row runs a query for one row; false where there is none.
func (t *transaction) row(ctx context.Context, query string, args, into []any) (found bool, err error) {
	err = t.run(ctx, query, args, func(rows pgx.Rows) error {
		if found = rows.Next(); found {
			if err := rows.Scan(into...); err != nil {
				return err
			}
		}
		rows.Close()
		return rows.Err()
	})
	return found && err == nil, err
}

// each runs a query and calls do after each row was put where into points to.
func (t *transaction) each(ctx context.Context, query string, args, into []any, do func() error) error {
	return t.run(ctx, query, args, func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				return err
			}
			if err := do(); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// ExecContext runs a statement.
func (t *transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	var touched driver.RowsAffected
	err := t.run(ctx, query, args, func(rows pgx.Rows) error {
		rows.Close()
		touched = driver.RowsAffected(rows.CommandTag().RowsAffected())
		return rows.Err()
	})
	return touched, err
}

// QueryContext runs a query for gorm, which puts rows into structs.
func (t *transaction) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	return t.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext runs a query for one row.
func (t *transaction) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	t.failed = errors.Join(t.failed, t.flush(ctx))
	return t.conn.QueryRowContext(ctx, query, args...)
}

// PrepareContext prepares a statement.
func (t *transaction) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	return t.conn.PrepareContext(ctx, query)
}
