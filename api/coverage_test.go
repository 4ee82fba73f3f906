package api_test

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// exercised are the operations that answered some test with success.
var exercised sync.Map

// TestMain runs the tests. Where all of them ran, it fails if the contract
// declares an operation that none of them exercised.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && allRan() {
		if missing := neverExercised(); len(missing) > 0 {
			fmt.Fprintln(os.Stderr, "FAIL: openapi.yaml declares operations that no test has seen succeed:", missing)
			code = 1
		}
	}
	os.Exit(code)
}

// allRan is false where flags have picked some of the tests.
func allRan() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

func neverExercised() (missing []string) {
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	if err != nil {
		return []string{err.Error()}
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if _, done := exercised.Load(op.OperationID); !done {
				missing = append(missing, op.OperationID)
			}
		}
	}
	return missing
}
