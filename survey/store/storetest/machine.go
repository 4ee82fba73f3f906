package storetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// Data returns the folder of the reference data, KOE_TEST_DATA: real and
// synthetic answers in data/, scores that other tools computed in truth/.
func Data(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("KOE_TEST_DATA")
	if dir == "" {
		missing(t, "reference data: set KOE_TEST_DATA to the folder that holds data/ and truth/")
	}
	if !filepath.IsAbs(dir) {
		t.Fatal("KOE_TEST_DATA: must be an absolute path, because tests run in their package's folder")
	}
	for _, part := range []string{"data", "truth"} {
		if info, err := os.Stat(filepath.Join(dir, part)); err != nil || !info.IsDir() {
			t.Fatalf("KOE_TEST_DATA: %s has no folder %s", dir, part)
		}
	}
	return dir
}

// Chromium returns the path of a Chromium or Chrome: KOE_TEST_CHROMIUM, else
// the machine's own.
func Chromium(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("KOE_TEST_CHROMIUM"); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			t.Fatalf("KOE_TEST_CHROMIUM: %v", err)
		}
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "browser: no Chromium on this machine; install chromium or set KOE_TEST_CHROMIUM")
	return ""
}

// FileSizeLimit returns a function that lets a process write no file beyond a
// number of bytes, or any where it is below 0: so a disk looks that is full.
func FileSizeLimit(t testing.TB) func(process int, bytes int64) error {
	t.Helper()
	program, err := exec.LookPath("prlimit")
	if err != nil {
		missing(t, "prlimit: not on this machine; install util-linux")
	}
	return func(process int, bytes int64) error {
		soft := "unlimited"
		if bytes >= 0 {
			soft = strconv.FormatInt(bytes, 10)
		}
		out, err := exec.Command(program, "--pid", strconv.Itoa(process), "--fsize="+soft+":unlimited").CombinedOutput()
		if err != nil {
			return fmt.Errorf("prlimit: %w: %s", err, out)
		}
		return nil
	}
}

// Axe returns the source of axe-core, which checks pages for people who do not
// see, hear or point: the file KOE_TEST_AXE, which `make browser-tools` fetches.
func Axe(t testing.TB) string {
	t.Helper()
	source, err := os.ReadFile(fetched(t, "KOE_TEST_AXE", "axe-core"))
	if err != nil {
		t.Fatalf("KOE_TEST_AXE: %v", err)
	}
	return string(source)
}

// HTMLChecker returns the path of the W3C's checker of HTML, a program for
// Java: the file KOE_TEST_VNU, which `make browser-tools` fetches.
func HTMLChecker(t testing.TB) string {
	t.Helper()
	path := fetched(t, "KOE_TEST_VNU", "the checker of HTML")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("KOE_TEST_VNU: %v", err)
	}
	if _, err := exec.LookPath("java"); err != nil {
		missing(t, "java: the checker of HTML needs it")
	}
	return path
}

// fetched is the path that a variable names.
func fetched(t testing.TB, variable, what string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		missing(t, "%s: run make browser-tools, then make test, or set %s", what, variable)
	}
	return path
}

// missing ends a test that this machine cannot run: skipped, or failed where
// KOE_TEST_MUST=1 says that this machine has everything.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("KOE_TEST_MUST") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
