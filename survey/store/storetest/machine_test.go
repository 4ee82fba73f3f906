package storetest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// ending records how a test ended instead of ending this one.
type ending struct {
	testing.TB
	skipped, failed string
}

func (e *ending) Skipf(format string, _ ...any)  { e.skipped = format; runtime.Goexit() }
func (e *ending) Fatalf(format string, _ ...any) { e.failed = format; runtime.Goexit() }
func (e *ending) Fatal(args ...any)              { e.failed, _ = args[0].(string); runtime.Goexit() }

// end runs need as a test of its own and says how that ended.
func end(t *testing.T, need func(testing.TB) string) *ending {
	e := &ending{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		need(e)
	}()
	<-done
	return e
}

func TestMissingSkipsUnlessEverythingMustRun(t *testing.T) {
	t.Setenv("KOE_TEST_DATA", "")
	t.Setenv("KOE_TEST_MUST", "")
	if e := end(t, Data); !strings.Contains(e.skipped, "KOE_TEST_DATA") || e.failed != "" {
		t.Errorf("without data: skipped %q, failed %q", e.skipped, e.failed)
	}
	t.Setenv("KOE_TEST_MUST", "1")
	if e := end(t, Data); !strings.Contains(e.failed, "KOE_TEST_DATA") || e.skipped != "" {
		t.Errorf("without data where it must be there: skipped %q, failed %q", e.skipped, e.failed)
	}
}

func TestDataMustBeWhole(t *testing.T) {
	dir := t.TempDir()
	for _, part := range []string{"data", "truth"} {
		t.Setenv("KOE_TEST_DATA", dir)
		if e := end(t, Data); e.failed == "" {
			t.Errorf("accepted a folder without %s", part)
		}
		if err := os.Mkdir(filepath.Join(dir, part), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got := Data(t); got != dir {
		t.Errorf("Data = %q, want %q", got, dir)
	}
	t.Setenv("KOE_TEST_DATA", "here")
	if e := end(t, Data); !strings.Contains(e.failed, "absolute") {
		t.Errorf("a relative path: failed %q", e.failed)
	}
}

func TestWrongSettingsFailRatherThanSkip(t *testing.T) {
	t.Setenv("KOE_TEST_CHROMIUM", filepath.Join(t.TempDir(), "chromium"))
	if e := end(t, Chromium); e.failed == "" || e.skipped != "" {
		t.Errorf("a browser that is not there: skipped %q, failed %q", e.skipped, e.failed)
	}
	t.Setenv("KOE_TEST_POSTGRES_URL", "mysql://localhost/koe")
	if e := end(t, Postgres); e.failed == "" || e.skipped != "" {
		t.Errorf("another database's URL: skipped %q, failed %q", e.skipped, e.failed)
	}
}
