package storetest

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	var gone string
	t.Run("first", func(t *testing.T) {
		first, second := Postgres(t), Postgres(t)
		run(t, first, "CREATE TABLE touchpoints (name text)")
		run(t, first, "INSERT INTO touchpoints VALUES ('サポート 🎧 دعم')")
		run(t, second, "CREATE TABLE touchpoints (name text)") // fails if it were the same database
		gone = first
	})
	u, err := url.Parse(gone)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var left int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname = $1",
		strings.TrimPrefix(u.Path, "/")).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("the database is still there after its test ended")
	}
}

// This test is also the process that it kills: started again with this
// variable set, the test binary starts a server, says where, and waits.
const victim = "KOE_TEST_VICTIM"

func TestServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv(victim) != "" {
		s, err := startServer()
		if err != nil {
			fmt.Println("error:", err)
			return
		}
		fmt.Println(s.url)
		time.Sleep(time.Minute)
		_ = s.alive.Close()
		return
	}
	if _, err := serverPrograms(); err != nil {
		missing(t, "PostgreSQL: %v", err)
	}
	self := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	self.Env = append(os.Environ(), victim+"=1")
	out, err := self.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the other process ended early: %v", err)
	}
	server := strings.TrimSpace(line)
	run(t, server, "SELECT 1")
	if err := self.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = self.Wait() // it was killed: there is always an error

	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	dir := u.Query().Get("host")
	for range 300 {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s is still there 30 s after the process was killed", dir)
}
