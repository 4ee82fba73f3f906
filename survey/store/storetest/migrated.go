package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	ctx := context.Background()
	s, err := store.Open(ctx, fresh, store.Options{Secret: []byte("a secret of thirty-two bytes, ok"), Stock: Stock(), Timezone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Migrate(ctx)
	if closed := s.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
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
