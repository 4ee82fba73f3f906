package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"gorm.io/gorm"

	"koe/survey"
)

// session is a handle on the database for one method: a transaction, or a
// pool that only reads.
type session struct {
	ctx          context.Context
	postgres     bool
	db           *gorm.DB      // for rows that are scanned by column name
	pool         gorm.ConnPool // for hot statements, prepared
	spelled      *sync.Map     // what spell made of a statement
	by           Caller
	now          survey.Instant
	moves        []tallyMove
	cohorts      cohortMoves
	days         map[surveyDay]dayMove // not yet counted in survey_days
	key          keyDay
	tx           bool      // within a transaction
	resource     string    // what a repeat of this request is answered with
	wrote        bool      // something was written
	mostKnown    bool      // most people who are named here are there already
	calendarHeld bool      // nobody else counts in this workspace until the end
	learned      []seenRow // rows that are there once this is committed: see seen
	shared       *shared
}

// shared is what the transactions of one SQLite batch learn from each other:
// within a batch nobody else writes. On PostgreSQL it is of one transaction,
// which locks what it learns. Nil outside of transactions.
type shared struct {
	calendars map[int64]calendar
	surveys   map[surveyOf]surveyPlace // for their segments: whoever declares one begins a rebuild
	listening map[int64][]listener     // the active webhooks of a workspace
	following map[int64][]follower     // the surveys that follow others
}

type surveyOf struct {
	workspace int64
	survey    survey.ID
}

func (s *shared) learn(workspace int64, c calendar) {
	if s.calendars == nil {
		s.calendars = map[int64]calendar{}
	}
	s.calendars[workspace] = c
}

func (s *shared) learnListeners(workspace int64, list []listener) {
	if s.listening == nil {
		s.listening = map[int64][]listener{}
	}
	s.listening[workspace] = list
}

// forget drops what was learned, because it has changed or was undone.
func (s *shared) forget() {
	if s != nil {
		clear(s.calendars)
		clear(s.surveys)
		clear(s.listening)
		clear(s.following)
	}
}

// reading is a session outside a transaction.
func (s *Store) reading(ctx context.Context, by Caller) *session {
	return &session{ctx: ctx, postgres: s.postgres, db: s.read, pool: s.readers, spelled: &s.spelled, by: by, now: s.now()}
}

// exec runs a statement with ? for its arguments and says how many rows it
// touched.
func (q *session) exec(statement string, args ...any) (int64, error) {
	q.wrote = true
	result, err := q.pool.ExecContext(q.ctx, q.spell(statement), q.bind(args)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// inserted runs an INSERT that may be refused by a key, and says whether it was
// not. It asks for a row back: SQLite's driver binds the arguments of a query
// in one step, those of a statement one by one.
func (q *session) inserted(statement string, args ...any) (bool, error) {
	q.wrote = true
	var one int
	return q.row(statement+" ON CONFLICT DO NOTHING RETURNING 1", args, &one)
}

// later runs a statement that nobody waits for: it writes rows that this
// transaction has locked, or new ones. On PostgreSQL it goes out with the next
// statement or with the commit, and its error is theirs.
func (q *session) later(statement string, args ...any) error {
	if t, ok := q.pool.(*transaction); ok {
		q.wrote = true
		t.later(q.spell(statement), q.bind(args))
		return nil
	}
	_, err := q.exec(statement, args...)
	return err
}

// must runs a statement that touches exactly one row.
func (q *session) must(statement string, args ...any) error {
	n, err := q.exec(statement, args...)
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows instead of one: %s", n, statement)
	}
	return err
}

// row runs a query for one row; false where there is none.
func (q *session) row(statement string, args []any, into ...any) (bool, error) {
	if fast, ok := q.pool.(rower); ok {
		return fast.row(q.ctx, q.spell(statement), q.bind(args), into)
	}
	err := q.pool.QueryRowContext(q.ctx, q.spell(statement), q.bind(args)...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each runs a query and calls do after each row was put where into points to.
func (q *session) each(statement string, args, into []any, do func() error) (err error) {
	if t, ok := q.pool.(*transaction); ok {
		return t.each(q.ctx, q.spell(statement), q.bind(args), into, do)
	}
	rows, err := q.pool.QueryContext(q.ctx, q.spell(statement), q.bind(args)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := do(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// find scans one row into a struct by column name; false where there is none.
func (q *session) find(into any, statement string, args ...any) (bool, error) {
	result := q.db.WithContext(q.ctx).Raw(statement, q.bind(args)...).Scan(into)
	return result.RowsAffected > 0, result.Error
}

// list scans rows into a slice of structs by column name.
func (q *session) list(into any, statement string, args ...any) error {
	return q.db.WithContext(q.ctx).Raw(statement, q.bind(args)...).Scan(into).Error
}

// bind puts ids into the form that the database keeps.
func (q *session) bind(args []any) []any {
	for i, arg := range args {
		switch v := arg.(type) {
		case survey.ID:
			args[i] = q.idValue(v)
		case *survey.ID:
			if v == nil {
				args[i] = nil
			} else {
				args[i] = q.idValue(*v)
			}
		case id:
			args[i] = q.idValue(survey.ID(v))
		case survey.Instant:
			args[i] = int64(v)
		case *survey.Instant:
			if v == nil {
				args[i] = nil
			} else {
				args[i] = int64(*v)
			}
		case survey.Day:
			args[i] = int64(v)
		}
	}
	return args
}

func (q *session) idValue(v survey.ID) any {
	if q.postgres {
		return v.String()
	}
	return v[:]
}

// spell turns ? into $1, $2 … where the database wants that. No statement of
// koe's has a ? in a literal.
func (q *session) spell(statement string) string {
	if !q.postgres {
		return statement
	}
	if known, ok := q.spelled.Load(statement); ok {
		if text, ok := known.(string); ok {
			return text
		}
	}
	var b strings.Builder
	n := 0
	for _, r := range statement {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	q.spelled.Store(statement, b.String())
	return b.String()
}

// forChange locks the rows of a SELECT until the transaction ends, and lets
// others refer to them: an answer does not wait for who changes its survey.
func (q *session) forChange() string {
	if q.postgres {
		return " FOR NO KEY UPDATE"
	}
	return ""
}

// forUpdate locks the rows of a SELECT until the transaction ends, where there
// is one. SQLite has one writer, so there is nothing to lock.
//
// Who counts locks the calendar first (see counting), then people, invitations,
// responses. The calendar is changed by Rebuild, which goes on to the last two,
// and where a survey declares segments. Who decides whom to ask locks people,
// addresses and then daily limits, see hold; the counts of a day come last.
func (q *session) forUpdate() string {
	if q.postgres && q.tx {
		return " FOR UPDATE"
	}
	return ""
}

// truth spells a truth as the indexes do.
func (q *session) truth(of bool) string {
	if q.postgres {
		return map[bool]string{true: "TRUE", false: "FALSE"}[of]
	}
	return map[bool]string{true: "1", false: "0"}[of]
}

// indexedBy names the index that SQLite shall take. It keeps no statistics, and
// takes a workspace for ten rows: rather than an index it then reads all of them.
func (q *session) indexedBy(name string) string {
	if q.postgres {
		return ""
	}
	return " INDEXED BY " + name
}

// skipLocked locks the rows of a SELECT but for those that others hold.
func (q *session) skipLocked() string {
	if q.postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}
