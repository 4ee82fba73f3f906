package main

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"koe/survey/store/storetest"
)

// TestAnImportThatIsStoppedGoesOn stops the program in the middle of an import
// by Ctrl-C and then by SIGTERM; the same command goes on, and nothing is there
// twice.
func TestAnImportThatIsStoppedGoesOn(t *testing.T) {
	const rows = 8_000
	var text strings.Builder
	text.WriteString("score,comment,responded_at\n")
	for i := range rows {
		fmt.Fprintf(&text, "%d,答え %d,2025-%02d-%02d\n", i%11, i, i%12+1, i%28+1)
	}
	file := written(t, text.String())
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		withSurvey(t, database, "shop", "nps")
		driver, address := "pgx", database
		if path, lite := strings.CutPrefix(database, "sqlite:"); lite {
			driver, address = "sqlite3", "file:"+path+"?_query_only=on&_busy_timeout=5000"
		}
		db, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		kept := func() (n int) {
			t.Helper()
			if err := db.QueryRow(`SELECT COUNT(*) FROM responses`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		begin := func() *process {
			return launch(t, t.TempDir(), []string{"KOE_DATABASE_URL=" + database, "KOE_SECRET=" + longEnough, "KOE_TIMEZONE=UTC"},
				"import", "responses", file, "--survey", "shop")
		}
		for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			before, p := kept(), begin()
			within(t, "some rows are kept", func() bool { return kept() > before })
			if err := p.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			code, took := p.endedWithin(time.Minute)
			n := kept()
			if said := p.read(p.log); code != 1 || took > 10*time.Second || !strings.Contains(said, "newly kept; the same command goes on from there") {
				t.Errorf("%v: exit %d after %s: %s", signal, code, took, said)
			}
			if n <= before || n >= rows {
				t.Errorf("%v: %d of %d rows are kept, %d before: this proves nothing", signal, n, rows, before)
			}
		}
		before, p := kept(), begin()
		if code, _ := p.endedWithin(2 * time.Minute); code != 0 || !strings.Contains(p.read(p.out), fmt.Sprintf("accepted %d\n", rows-before)) {
			t.Errorf("exit %d: %s %s, want %d accepted", code, p.read(p.out), p.read(p.log), rows-before)
		}
		p = begin()
		if code, _ := p.endedWithin(2 * time.Minute); code != 0 || !strings.HasPrefix(p.read(p.out), "accepted 0\n") || kept() != rows {
			t.Errorf("once more: exit %d: %s; %d rows", code, p.read(p.out), kept())
		}
		if said, err := command(t, database, "verify"); err != nil {
			t.Errorf("koe verify: %v %s", err, said)
		}
	})
}
