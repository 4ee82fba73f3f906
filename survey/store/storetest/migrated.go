package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"koe/survey/store"
)

// making has the tests of a process wait for the first of them to make the
// template. It is global for what it guards is: a database of the server.
var making sync.Mutex

// migratedFile is an empty SQLite database that has koe's tables, made once in a
// process.
var migratedFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "koe-migrated-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temp folder; the system clears what is left
	path := filepath.Join(dir, "koe.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// MigratedSQLite returns the address of a new SQLite database that has koe's
// tables already.
func MigratedSQLite(t testing.TB) string {
	t.Helper()
	file, err := migratedFile()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "koe.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// migrate makes koe's tables in an empty database.
func migrate(url string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, url, store.Options{Secret: []byte("a secret of thirty-two bytes, ok"), Stock: Stock(), Timezone: "UTC"})
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(ctx), s.Close())
}

// migrated returns the address of a new PostgreSQL database that has koe's
// tables: a copy of a template that stays on the server, one for each state of
// the migrations, so that the next run finds it.
func migrated(t testing.TB) string {
	t.Helper()
	server := serverURL(t)
	template := "koe_template_" + stateOfMigrations(t)
	making.Lock()
	defer making.Unlock()
	if !exists(t, server, template) {
		makeTemplate(t, server, template)
	}
	return copyOf(t, server, template)
}

// makeTemplate makes a database with koe's tables and gives it its name at the
// end, so that nobody copies half of it. Another process may have been faster.
func makeTemplate(t testing.TB, server, template string) {
	t.Helper()
	fresh := Postgres(t)
	if err := migrate(fresh); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	config, err := pgx.ParseConfig(fresh)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{template}.Sanitize()+" TEMPLATE "+pgx.Identifier{config.Database}.Sanitize()); err != nil && !exists(t, server, template) {
		t.Fatal(err)
	}
}

func exists(t testing.TB, server, name string) bool {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	defer conn.Close(ctx)
	var found bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&found); err != nil {
		t.Fatal(err)
	}
	return found
}

// stateOfMigrations is a name for what the migrations are at this moment.
func stateOfMigrations(t testing.TB) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(here), "..", "migrations", "postgres", "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations beside %s: %v", here, err)
	}
	sum := sha256.New()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write([]byte(filepath.Base(file)))
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
