// Package storetest gives tests the parts of the machine that they need: an
// empty PostgreSQL database, the reference data, a browser.
//
// What a machine does not have skips the test with one line that says what is
// missing and how to get it. With KOE_TEST_MUST=1 it fails the test instead,
// so that a machine on which everything must run cannot pass by skipping.
package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// private is the one server that all tests of this process share. It is held
// here, although it is global, because a server takes seconds to start and
// has to outlive the test that first asked for it; databases are not shared.
var private = sync.OnceValues(startServer)

// Postgres returns the postgres:// URL of a new, empty database that only
// this test uses; it is dropped when the test ends.
//
// The server is the one of KOE_TEST_POSTGRES_URL (its user must be allowed to
// create databases), else a private one that is started from the machine's
// server programs with the first call and ends with the test process.
func Postgres(t testing.TB) string {
	t.Helper()
	return copyOf(t, serverURL(t), "template0")
}

// serverURL is the URL of the server that tests use.
func serverURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("KOE_TEST_POSTGRES_URL")
	if server == "" {
		s, err := private()
		if err != nil {
			missing(t, "PostgreSQL: %v (or set KOE_TEST_POSTGRES_URL)", err)
		}
		server = s.url
	}
	return server
}

// copyOf makes a database of a template of the server's, which is dropped when
// the test ends.
func copyOf(t testing.TB, server, template string) string {
	t.Helper()
	name := "koe_test_" + rand.Text()
	fresh := named(t, server, name)
	quoted := pgx.Identifier{name}.Sanitize()
	run(t, server, "CREATE DATABASE "+quoted+" TEMPLATE "+pgx.Identifier{template}.Sanitize()+" ENCODING 'UTF8'"+byFile(t, server))
	t.Cleanup(func() { run(t, server, "DROP DATABASE "+quoted+" WITH (FORCE)") })
	return fresh
}

// byFile has the server copy a template's files instead of writing each page to
// its log as well, which takes four times as long; from version 15 on it is to
// be asked for.
func byFile(t testing.TB, server string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	defer conn.Close(ctx)
	version, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), ".")
	if major, err := strconv.Atoi(version); err != nil || major < 15 { // of a release that is none yet, "18beta1"
		return ""
	}
	return " STRATEGY file_copy"
}

// named is the URL of a database of a server.
func named(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		t.Fatal("KOE_TEST_POSTGRES_URL: must be a postgres:// URL")
	}
	u.Path = "/" + name
	return u.String()
}

// run sends one statement to the server over a connection of its own.
func run(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("PostgreSQL: %s: %v", statement, err)
	}
}
