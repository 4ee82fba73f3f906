package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"gorm.io/gorm"
)

// hotStatements are a SQLite connection's prepared statements on the driver
// itself. For a short statement database/sql costs as much as SQLite does.
type hotStatements map[string]driver.Stmt

// on lends the prepared statement and its arguments to use.
func (h hotStatements) on(conn *sql.Conn, query string, args []any, use func(driver.Stmt, []driver.Value) error) error {
	values, err := driverValues(args)
	if err != nil {
		return err
	}
	return conn.Raw(func(raw any) error {
		stmt, ok := h[query]
		if !ok {
			if stmt, err = h.prepare(raw, query); err != nil {
				return err
			}
		}
		return use(stmt, values)
	})
}

func (h hotStatements) prepare(raw any, query string) (driver.Stmt, error) {
	conn, ok := raw.(driver.Conn)
	if !ok {
		return nil, fmt.Errorf("SQLite's connection is a %T", raw)
	}
	if len(h) >= maxPrepared {
		if err := h.close(); err != nil {
			return nil, err
		}
	}
	stmt, err := conn.Prepare(query)
	if err == nil {
		h[query] = stmt
	}
	return stmt, err
}

func (h hotStatements) close() error {
	var errs []error
	for query, stmt := range h {
		delete(h, query)
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}

// row runs a query for one row; false where there is none.
func (h hotStatements) row(conn *sql.Conn, query string, args, into []any) (found bool, err error) {
	err = h.on(conn, query, args, func(stmt driver.Stmt, values []driver.Value) error {
		rows, err := stmt.Query(values) //nolint:staticcheck // as Exec
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		row := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(row); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if len(row) != len(into) {
			return fmt.Errorf("%d columns for %d values: %s", len(row), len(into), query)
		}
		for i := range row {
			if err := assign(reflect.ValueOf(into[i]), row[i]); err != nil {
				return fmt.Errorf("column %d of %s: %w", i+1, query, err)
			}
		}
		found = true
		return nil
	})
	return found, err
}

// assign puts a value of the driver's where a pointer points to; NULL is the
// zero value.
func assign(pointer reflect.Value, v driver.Value) error {
	if scanner, ok := pointer.Interface().(sql.Scanner); ok {
		return scanner.Scan(v)
	}
	to := pointer.Elem()
	if v == nil {
		to.SetZero()
		return nil
	}
	switch x := v.(type) {
	case int64:
		if to.CanInt() {
			to.SetInt(x)
			return nil
		}
		if to.Kind() == reflect.Bool {
			to.SetBool(x != 0)
			return nil
		}
	case string:
		if to.Kind() == reflect.String {
			to.SetString(x)
			return nil
		}
	case []byte:
		if to.Kind() == reflect.Slice {
			to.SetBytes(slices.Clone(x))
			return nil
		}
	}
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		return assign(to, v)
	}
	return fmt.Errorf("%T cannot become %s", v, to.Type())
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

// readers is SQLite's pool that cannot write, with some connections of it set
// aside for hot single-row queries.
type readers struct {
	*sql.DB
	hot chan *reader
}

type reader struct {
	conn       *sql.Conn
	statements hotStatements
}

const (
	hotReaders  = 4
	coldReaders = 4
)

func openReaders(ctx context.Context, address string) (*readers, error) {
	db, err := sql.Open("sqlite3", address)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(hotReaders + coldReaders)
	db.SetMaxIdleConns(hotReaders + coldReaders)
	p := &readers{DB: db, hot: make(chan *reader, hotReaders)}
	for range hotReaders {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.hot <- &reader{conn, hotStatements{}}
	}
	return p, nil
}

// row runs a query for one row; false where there is none.
func (p *readers) row(_ context.Context, query string, args, into []any) (bool, error) {
	r := <-p.hot
	defer func() { p.hot <- r }()
	return r.statements.row(r.conn, query, args, into)
}

func (p *readers) close() error {
	var errs []error
	for len(p.hot) > 0 {
		r := <-p.hot
		errs = append(errs, r.statements.close(), r.conn.Close())
	}
	return errors.Join(append(errs, p.Close())...)
}

// rower is a pool that runs single-row queries faster than database/sql.
type rower interface {
	row(ctx context.Context, query string, args, into []any) (bool, error)
}

var _, _ interface {
	gorm.ConnPool
	rower
} = (*readers)(nil), (*statements)(nil)
