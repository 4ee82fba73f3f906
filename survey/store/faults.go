package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
	"gorm.io/gorm"

	"koe/survey"
)

// duplicate is true where a unique key refused a row, on either database.
func duplicate(err error) bool {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return true
	}
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		return lite.ExtendedCode == sqlite3.ErrConstraintUnique || lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
	}
	return postgresCode(err) == "23505"
}

// errTwin says that a row was there and then was not, or the other way round:
// somebody else wrote between two statements.
var errTwin = errors.New("somebody else wrote meanwhile")

// collided is true where running the transaction again will tell: PostgreSQL
// asks for it, or a key was taken, or what it points to deleted, by somebody
// who was not to be seen yet. Keys that callers choose are answered earlier.
func collided(err error) bool {
	switch postgresCode(err) {
	case "40001", deadlock, "23505", "23503":
		return true
	}
	return errors.Is(err, errTwin)
}

// stale is true where a prepared statement does not fit any more, because a
// newer koe has changed a column, or is gone. So may be the others of its
// connection.
func stale(err error) bool {
	code := postgresCode(err)
	return code == "0A000" || code == "26000"
}

// deadlock is PostgreSQL's code for transactions that wait for each other.
const deadlock = "40P01"

func postgresCode(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

const retryStorage = 5 * time.Second

// away turns "the storage cannot be reached or cannot write now" into
// survey.Unavailable and leaves every other error as it is.
func away(err error) error {
	if err == nil {
		return nil
	}
	var known *survey.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	if !unreachable(err) {
		return err
	}
	return errors.Join(&survey.Error{Kind: survey.Unavailable, RetryAfter: retryStorage,
		Message: "storage is not available at the moment; nothing was stored"}, err)
}

func unreachable(err error) bool {
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		switch lite.Code {
		case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrReadonly, sqlite3.ErrCantOpen:
			return true
		}
		return false
	}
	if code := postgresCode(err); code != "" {
		// connection exceptions, resources, operator intervention, read-only after a failover
		return code == "40001" || code == deadlock || code[:2] == "08" || code[:2] == "53" || code[:2] == "57" || code == "25006"
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || // cut amid an answer
		pgconn.SafeToRetry(err)
}
