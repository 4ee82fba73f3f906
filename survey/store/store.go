package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"koe/survey"
)

// Options are what a Store needs beside its database.
type Options struct {
	Secret   []byte            // derives tokens and address hashes; at least 32 bytes
	Stock    []survey.Template // put into every new workspace
	Timezone string            // of the workspace "default" when it is first made
	Now      func() time.Time  // the clock; time.Now where nil
	MaxConns int               // PostgreSQL connections; 0 means 10

	MailsADay   int // first mails to one address within 24 hours; 0 is no limit
	MailsPerKey int // planned in a day (UTC) by what one key tells; 0 is no limit
}

// Store is an open database.
type Store struct {
	postgres    bool
	read        *gorm.DB      // SQLite: a pool that cannot write; PostgreSQL: the pool
	readers     gorm.ConnPool // the same pool, for hot single-row queries
	reports     *sql.DB       // what snapshots are read from; on SQLite a pool of its own
	pool        *sql.DB       // the pool that writes; on SQLite one connection
	writer      *writer       // SQLite only
	secret      []byte
	stock       []survey.Template
	timezone    string
	clock       func() time.Time
	mailsADay   int
	mailsPerKey int
	parsed      parsed
	seen        seen
	shown       seen // the tokens that pages were shown for lately
	taggers     taggers
	reporting   chan struct{} // a place for each snapshot
	spelled     sync.Map      // PostgreSQL's spelling of koe's statements
	lite        string        // SQLite's address of the file, for a connection beside the writer
}

// Caller is on whose behalf a method runs: a workspace, the key or the member who
// asks, and what makes a repeat of the same request harmless.
type Caller struct {
	Workspace int64
	KeyID     survey.ID // of a key or a member
	KeyName   string
	Role      Role
	Session   survey.ID // of a member who is signed in; zero of a key
	Scope     Scope     // what a member is limited to
	Once      *Once
}

// Open opens a database that is migrated already or not; see Migrate. The
// address is "sqlite:PATH" or "postgres://…". Errors name KOE_DATABASE_URL.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	s := &Store{secret: o.Secret, stock: o.Stock, timezone: o.Timezone, clock: o.Now, mailsADay: o.MailsADay, mailsPerKey: o.MailsPerKey}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.parsed.init()
	var err error
	switch {
	case strings.HasPrefix(address, "sqlite:"):
		err = s.openSQLite(ctx, strings.TrimPrefix(address, "sqlite:"))
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		err = s.openPostgres(ctx, address, o.MaxConns)
	default:
		err = errors.New("must be sqlite:PATH or postgres://…")
	}
	if err != nil {
		_ = s.Close() // the error that stands already says what is wrong
		return nil, fmt.Errorf("KOE_DATABASE_URL: %w", err)
	}
	return s, nil
}

func (s *Store) openSQLite(ctx context.Context, path string) error {
	if path == "" || strings.Contains(path, ":memory:") || strings.Contains(path, "mode=memory") {
		return errors.New("an in-memory database would lose every answer; name a file, such as sqlite:koe.db")
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_busy_timeout=5000&_foreign_keys=on"
	// secure_delete: what is erased is overwritten within its page, which is written anyway
	s.lite = file + "&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_cache_size=-16000&_secure_delete=fast"
	var err error
	if err = private(path); err != nil {
		return err
	}
	if s.pool, err = sql.Open("sqlite3", s.lite); err != nil {
		return err
	}
	s.pool.SetMaxOpenConns(1)
	if err = s.pool.PingContext(ctx); err != nil {
		return fmt.Errorf("cannot open %s for writing: %w", path, err)
	}
	if s.writer, err = startWriter(ctx, s.pool); err != nil {
		return fmt.Errorf("cannot write to %s: %w", path, err)
	}
	readers, err := openReaders(ctx, file+"&_query_only=on&_cache_size=-2000")
	if err != nil {
		return err
	}
	s.readers = readers
	s.reporting = make(chan struct{}, reportsAtOnce)
	if s.reports, err = sql.Open("sqlite3", file+"&_query_only=on&_cache_size=-2000"); err != nil {
		return err
	}
	s.reports.SetMaxOpenConns(reportsAtOnce)
	s.reports.SetMaxIdleConns(reportsAtOnce)
	s.read, err = gorm.Open(sqlite.New(sqlite.Config{Conn: readers.DB}), gormConfig(true))
	return err
}

// private makes a new database file readable by its owner alone: it will hold
// addresses. SQLite gives its journals the same mode.
func private(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's own
	if err != nil {
		return fmt.Errorf("cannot open %s for writing: %w", path, err)
	}
	return file.Close()
}

// maxConnect is how long the first connections to PostgreSQL may take. A server
// that is not there refuses at once; one that is short of time answers late.
const maxConnect = 30 * time.Second

func (s *Store) openPostgres(ctx context.Context, address string, conns int) error {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return errors.New("is not a PostgreSQL address that can be read, such as postgres://user@host/koe")
	}
	ctx, cancel := context.WithTimeout(ctx, maxConnect)
	defer cancel()
	if !strings.Contains(address, "default_query_exec_mode") {
		named := config.StatementCacheCapacity > 0
		if named {
			if named, err = direct(ctx, config); err != nil {
				return fmt.Errorf("cannot reach PostgreSQL at %s: %s", config.Host, plainCause(err))
			}
		}
		if named {
			// plans for the values at hand: one for any value may walk a table
			config.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
		} else {
			config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		}
	}
	s.postgres = true
	s.pool = stdlib.OpenDB(*config)
	if conns == 0 {
		conns = 10
	}
	s.pool.SetMaxOpenConns(conns)
	s.pool.SetMaxIdleConns(conns)
	s.pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := s.pool.PingContext(ctx); err != nil {
		return fmt.Errorf("cannot reach PostgreSQL at %s: %s", config.Host, plainCause(err))
	}
	s.readers, s.reports = s.pool, s.pool
	s.reporting = make(chan struct{}, max(1, conns/2))
	s.read, err = gorm.Open(postgres.New(postgres.Config{Conn: s.pool}), gormConfig(false))
	return err
}

// direct is true where no pooler stands between koe and PostgreSQL: statements
// may then be prepared by name, which a pooler that hands a connection from one
// transaction to the next does not keep. A pooler gives its clients numbers of
// its own for the processes that serve them.
func direct(ctx context.Context, config *pgx.ConnConfig) (bool, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing hangs on it
	var process uint32
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&process)
	return err == nil && process == conn.PgConn().PID(), err
}

// plainCause is the innermost error's text: pgx puts user and database names
// before it, which do not belong into a log.
func plainCause(err error) string {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

func gormConfig(prepare bool) *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true, // every method is in one of its own
		PrepareStmt:            prepare,
		TranslateError:         true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard, // errors are returned; values are personal
	}
}

// Remote is true where the database is a server of its own, PostgreSQL: what
// koe asks it then takes its turn among others.
func (s *Store) Remote() bool { return s.postgres }

// Close ends the store; what was acknowledged is on disk.
func (s *Store) Close() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.stop())
	}
	if lite, ok := s.readers.(*readers); ok {
		errs = append(errs, lite.close())
	}
	errs = append(errs, s.closeReports())
	if s.pool != nil {
		errs = append(errs, s.pool.Close())
	}
	return errors.Join(errs...)
}

// Ready is nil where the database answers and is migrated to this version.
func (s *Store) Ready(ctx context.Context) error {
	have, want, err := s.version(ctx)
	if err != nil {
		return away(err)
	}
	if have != want {
		return survey.Errorf(survey.Unavailable, "", "the database is at version %d, this koe needs %d", have, want)
	}
	return nil
}

func (s *Store) now() survey.Instant { return survey.InstantOf(s.clock()) }

// newID is a fresh id, later than those before it.
func newID() survey.ID { return survey.ID(uuid.Must(uuid.NewV7())) }

// addressHash is what suppressions and people are found by: it tells nothing
// without the secret, so it may outlive the address.
func (s *Store) addressHash(workspace int64, address string) []byte {
	if address == "" {
		return nil
	}
	return s.derive("address", workspace, []byte(address))[:16]
}

// derive is HMAC-SHA256 of the secret over a purpose, a workspace and data.
func (s *Store) derive(purpose string, workspace int64, data []byte) []byte {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(purpose))
	var w [9]byte // a zero byte ends the purpose
	binary.BigEndian.PutUint64(w[1:], uint64(workspace))
	mac.Write(w[:])
	mac.Write(data)
	return mac.Sum(nil)
}
