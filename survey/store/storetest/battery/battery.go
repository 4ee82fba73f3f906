// Package battery is what long tests have in common: how long they run, and
// where their counts go. It is not part of the program.
package battery

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// Full is true where the batteries run at full length; else they are about a
// tenth.
func Full() bool { return os.Getenv("KOE_BATTERY") == "full" }

// Report logs what a battery has found. Where KOE_BATTERY_REPORT names a file it
// is added to that, too: go test shows the log of a test that passes only with
// -v, and whoever runs everything wants to see these counts all the same.
func Report(t testing.TB, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Log(text)
	path := os.Getenv("KOE_BATTERY_REPORT")
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil { // in one write: packages are tested at the same time
		_, err = fmt.Fprintf(file, "%s: %s\n\n", t.Name(), text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Fatalf("KOE_BATTERY_REPORT: %v", err)
	}
}
