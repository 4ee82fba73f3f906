package store_test

import (
	"database/sql"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// directory are the tables that are the same for every tenant.
var directory = []string{"meta", "workspaces", "api_keys", "public_slugs", "member_addresses", "sign_in_asks"}

var createTable = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\)`)

// upward is the part of a dialect's migrations that builds the schema.
func upward(t *testing.T, dialect string) string {
	t.Helper()
	files, err := fs.Glob(os.DirFS("migrations/"+dialect), "*.sql")
	ok(t, err)
	var up strings.Builder
	for _, name := range files {
		text, err := os.ReadFile("migrations/" + dialect + "/" + name)
		ok(t, err)
		part, _, found := strings.Cut(string(text), "-- +goose Down")
		if !found {
			t.Fatalf("%s has no way down", name)
		}
		up.WriteString(part)
	}
	return up.String()
}

// The schema can be sharded by tenant: PostgreSQL refuses a partitioned table
// with any primary, unique or foreign key that lacks the partition key.
func TestSchemaCanBePartitionedByWorkspace(t *testing.T) {
	conn, err := pgx.Connect(ctx, storetest.Postgres(t))
	ok(t, err)
	defer conn.Close(ctx)
	tables := map[string]bool{}
	partitioned := createTable.ReplaceAllStringFunc(upward(t, "postgres"), func(statement string) string {
		name := createTable.FindStringSubmatch(statement)[1]
		if slices.Contains(directory, name) {
			return statement
		}
		tables[name] = true // one may be made anew by a later migration
		return statement + " PARTITION BY HASH (workspace_id)"
	})
	if _, err := conn.Exec(ctx, partitioned); err != nil {
		t.Fatal(err)
	}
	var n int
	ok(t, conn.QueryRow(ctx, `SELECT count(*) FROM pg_class WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace`).Scan(&n))
	if n != len(tables) || n < 15 {
		t.Errorf("%d partitioned tables of %d", n, len(tables))
	}
	// the proof can fail
	if _, err := conn.Exec(ctx, `CREATE UNIQUE INDEX ON people (email)`); err == nil {
		t.Error("a unique key without workspace_id was accepted")
	}
}

func TestTenantsComeFirstInEveryKey(t *testing.T) {
	for _, dialect := range []string{"sqlite", "postgres"} {
		found := createTable.FindAllStringSubmatch(upward(t, dialect), -1)
		if len(found) < 20 {
			t.Fatalf("%s: only %d tables found", dialect, len(found))
		}
		for _, table := range found {
			name, body := table[1], table[2]
			if slices.Contains(directory, name) {
				continue
			}
			if !regexp.MustCompile(`PRIMARY KEY \(workspace_id[,)]`).MatchString(body) {
				t.Errorf("%s: the primary key of %s does not begin with workspace_id", dialect, name)
			}
			for _, key := range regexp.MustCompile(`(UNIQUE|FOREIGN KEY|REFERENCES \w+) \(([^)]*)\)`).FindAllStringSubmatch(body, -1) {
				if !strings.HasPrefix(key[2], "workspace_id") {
					t.Errorf("%s: %s (%s) of %s does not begin with workspace_id", dialect, key[1], key[2], name)
				}
			}
		}
	}
}

// column is a column as both dialects mean it.
type column struct {
	Table, Name, Kind string
	Null              bool
}

var kinds = map[string]string{
	"INTEGER": "number", "bigint": "number", "integer": "number", "boolean": "number",
	"TEXT": "text", "text": "text", "BLOB": "bytes", "bytea": "bytes", "uuid": "bytes",
}

func scanColumns(t *testing.T, rows *sql.Rows) []column {
	t.Helper()
	defer rows.Close()
	var all []column
	for rows.Next() {
		var c column
		ok(t, rows.Scan(&c.Table, &c.Name, &c.Kind, &c.Null))
		kind, known := kinds[c.Kind]
		if !known {
			t.Errorf("%s.%s has the type %q", c.Table, c.Name, c.Kind)
		}
		c.Kind = kind
		all = append(all, c)
	}
	ok(t, rows.Err())
	return all
}

func texts(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	ok(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		ok(t, rows.Scan(&s))
		all = append(all, s)
	}
	ok(t, rows.Err())
	return all
}

// raw opens a second, plain connection to a test's database.
func raw(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, address := "pgx", url
	if path, lite := strings.CutPrefix(url, "sqlite:"); lite {
		driver, address = "sqlite3", path
	}
	db, err := sql.Open(driver, address)
	ok(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestBothDialectsHaveTheSameSchema(t *testing.T) {
	liteURL, pgURL := storetest.SQLite(t), storetest.Postgres(t)
	storetest.Open(t, liteURL)
	storetest.Open(t, pgURL)
	lite, pg := raw(t, liteURL), raw(t, pgURL)

	rows, err := lite.Query(`SELECT m.name, c.name, c.type, NOT (c."notnull" OR c.pk > 0) FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version' ORDER BY m.name, c.cid`)
	ok(t, err)
	inLite := scanColumns(t, rows)
	rows, err = pg.Query(`SELECT table_name, column_name, data_type, is_nullable = 'YES' FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name <> 'goose_db_version' ORDER BY table_name COLLATE "C", ordinal_position`)
	ok(t, err)
	if diff := cmp.Diff(inLite, scanColumns(t, rows)); diff != "" {
		t.Errorf("columns differ (-sqlite +postgres):\n%s", diff)
	}
	if len(inLite) < 200 {
		t.Errorf("only %d columns were compared", len(inLite))
	}
	indexes := texts(t, lite, `SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`)
	if diff := cmp.Diff(indexes, texts(t, pg, `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid)
		ORDER BY c.relname COLLATE "C"`)); diff != "" {
		t.Errorf("indexes differ (-sqlite +postgres):\n%s", diff)
	}
}

func TestMigrationsGoUpAndDown(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		db := raw(t, url)
		dialect, folder := goose.DialectPostgres, "postgres"
		tables := `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'goose_db_version'`
		if strings.HasPrefix(url, "sqlite:") {
			dialect, folder = goose.DialectSQLite3, "sqlite"
			tables = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`
		}
		p, err := goose.NewProvider(dialect, db, os.DirFS("migrations/"+folder))
		ok(t, err)
		for range 2 {
			_, err = p.Up(ctx)
			ok(t, err)
			if n := len(texts(t, db, tables)); n < 20 {
				t.Fatalf("up: %d tables", n)
			}
			_, err = p.DownTo(ctx, 0)
			ok(t, err)
			if left := texts(t, db, tables); len(left) > 0 {
				t.Fatalf("down left %v", left)
			}
		}
	})
}

func TestReadySaysWhetherTheSchemaIsCurrent(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s, err := store.Open(ctx, url, store.Options{})
		ok(t, err)
		defer closed(t, s)
		refused(t, s.Ready(ctx), survey.Unavailable, "")
		ok(t, s.Migrate(ctx))
		ok(t, s.Ready(ctx))
		ok(t, s.Migrate(ctx)) // nothing to do
	})
}

func TestReplicasMigrateTogether(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		replicas := make([]*store.Store, 4)
		for i := range replicas {
			s, err := store.Open(ctx, url, store.Options{Secret: make([]byte, 32), Stock: storetest.Stock()})
			ok(t, err)
			t.Cleanup(func() { closed(t, s) })
			replicas[i] = s
		}
		for _, err := range atOnce(len(replicas), func(i int) error {
			if err := replicas[i].Migrate(ctx); err != nil {
				return err
			}
			if err := replicas[i].CheckSecret(ctx); err != nil {
				return err
			}
			_, _, err := replicas[i].EnsureDefault(ctx)
			return err
		}) {
			ok(t, err)
		}
	})
}
