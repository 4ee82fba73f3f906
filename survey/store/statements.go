package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// statements is a connection whose statements are prepared once. It offers no
// BeginTx on purpose: a nested transaction would commit the writer's batch.
type statements struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	hot      hotStatements
}

// maxPrepared bounds the memory of a connection that meets lists of many
// lengths.
const maxPrepared = 400

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, prepared: make(map[string]*sql.Stmt), hot: hotStatements{}}
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
func (p *statements) ExecContext(_ context.Context, query string, args ...any) (result sql.Result, err error) {
	err = p.hot.on(p.conn, query, args, func(stmt driver.Stmt, values []driver.Value) error {
		result, err = stmt.Exec(values) //nolint:staticcheck // the form with a context starts a goroutine to watch it
		return err
	})
	return result, err
}

// row runs a query for one row; false where there is none.
func (p *statements) row(_ context.Context, query string, args, into []any) (bool, error) {
	return p.hot.row(p.conn, query, args, into)
}

// QueryContext runs a prepared query.
func (p *statements) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx := context.Background()
	stmt, err := p.PrepareContext(ctx, query) //nolint:sqlclosecheck // it is kept, and closed with the connection
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext runs a prepared query for one row.
func (p *statements) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	ctx := context.Background()
	stmt, err := p.PrepareContext(ctx, query) //nolint:sqlclosecheck // it is kept, and closed with the connection
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
	return errors.Join(append(errs, p.hot.close())...)
}
