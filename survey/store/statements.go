package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// statements is a connection whose statements are prepared once. It offers no
// BeginTx on purpose: a nested transaction would commit the writer's batch.
type statements struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	writes   map[string]driver.Stmt // for ExecContext, past database/sql
}

// maxPrepared bounds the memory of a connection that meets lists of many
// lengths.
const maxPrepared = 400

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, prepared: make(map[string]*sql.Stmt), writes: make(map[string]driver.Stmt)}
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

// ExecContext runs a prepared statement on the driver itself: database/sql
// costs as much as SQLite does for a short one. The caller's context does not
// reach the driver: an interrupted statement would undo the whole batch.
func (p *statements) ExecContext(_ context.Context, query string, args ...any) (result sql.Result, err error) {
	values, err := driverValues(args)
	if err != nil {
		return nil, err
	}
	err = p.conn.Raw(func(raw any) error {
		stmt, ok := p.writes[query]
		if !ok {
			if stmt, err = p.prepareWrite(raw, query); err != nil {
				return err
			}
		}
		result, err = stmt.Exec(values) //nolint:staticcheck // the form with a context starts a goroutine to watch it
		return err
	})
	return result, err
}

func (p *statements) prepareWrite(raw any, query string) (driver.Stmt, error) {
	conn, ok := raw.(driver.Conn)
	if !ok {
		return nil, fmt.Errorf("SQLite's connection is a %T", raw)
	}
	if len(p.writes) >= maxPrepared {
		if err := p.close(); err != nil {
			return nil, err
		}
	}
	stmt, err := conn.Prepare(query)
	if err == nil {
		p.writes[query] = stmt
	}
	return stmt, err
}

// driverValues puts arguments into the types that a driver takes.
func driverValues(args []any) ([]driver.Value, error) {
	values := make([]driver.Value, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case nil, int64, string, []byte, bool, float64:
			values[i] = v
		case int:
			values[i] = int64(v)
		case *string:
			if v != nil {
				values[i] = *v
			}
		case *int64:
			if v != nil {
				values[i] = *v
			}
		default:
			value, err := driver.DefaultParameterConverter.ConvertValue(arg)
			if err != nil {
				return nil, err
			}
			values[i] = value
		}
		if b, ok := values[i].([]byte); ok && b == nil {
			values[i] = nil
		}
	}
	return values, nil
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
	for key, old := range p.writes {
		delete(p.writes, key)
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
