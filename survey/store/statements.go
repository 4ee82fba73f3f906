package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// statements is a connection whose statements are prepared once. It offers no
// BeginTx on purpose: a nested transaction would commit the writer's batch.
type statements struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// maxPrepared bounds the memory of a connection that meets lists of many
// lengths.
const maxPrepared = 400

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, prepared: make(map[string]*sql.Stmt)}
}

// PrepareContext prepares a statement, or returns it prepared.
func (p *statements) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := p.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := p.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(p.prepared) >= maxPrepared {
		if err := p.close(); err != nil {
			return nil, err
		}
	}
	p.prepared[query] = stmt
	return stmt, nil
}

// ExecContext runs a prepared statement. The caller's context does not reach
// the driver: an interrupted statement would undo the whole batch.
func (p *statements) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	ctx := context.Background()
	stmt, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryContext runs a prepared query.
func (p *statements) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx := context.Background()
	stmt, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext runs a prepared query for one row.
func (p *statements) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	ctx := context.Background()
	stmt, err := p.PrepareContext(ctx, query)
	if err != nil {
		return p.conn.QueryRowContext(ctx, query, args...) // carries the error
	}
	return stmt.QueryRowContext(ctx, args...)
}

func (p *statements) exec(ctx context.Context, query string) error {
	_, err := p.ExecContext(ctx, query)
	return err
}

// close closes what was prepared.
func (p *statements) close() error {
	var errs []error
	for key, old := range p.prepared {
		delete(p.prepared, key)
		errs = append(errs, old.Close())
	}
	return errors.Join(errs...)
}

// readers is a pool whose single-row queries are prepared once for all its
// connections.
type readers struct {
	*sql.DB
	prepared sync.Map // query -> *sql.Stmt
}

// QueryRowContext runs a prepared query for one row. The queries are those
// written in this package, so their number is bounded.
func (p *readers) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if known, ok := p.prepared.Load(query); ok {
		if stmt, ok := known.(*sql.Stmt); ok {
			return stmt.QueryRowContext(ctx, args...)
		}
	}
	stmt, err := p.PrepareContext(ctx, query)
	if err != nil {
		return p.DB.QueryRowContext(ctx, query, args...) // carries the error
	}
	if twin, loaded := p.prepared.LoadOrStore(query, stmt); loaded {
		if first, ok := twin.(*sql.Stmt); ok {
			_ = stmt.Close()
			return first.QueryRowContext(ctx, args...)
		}
	}
	return stmt.QueryRowContext(ctx, args...)
}

// close closes the pool and what was prepared.
func (p *readers) close() error {
	p.prepared.Range(func(_, stmt any) bool {
		if s, ok := stmt.(*sql.Stmt); ok {
			_ = s.Close()
		}
		return true
	})
	return p.Close()
}
