package source_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// now is when payloads come in these tests.
var now = survey.Instant(1_795_340_000_000)

func preset(t *testing.T, name string) source.Source {
	t.Helper()
	s := source.Source{Key: "tool", Preset: name, Touchpoint: "support"}
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	return s
}

// What the tools' documents show becomes what it should; each file holds a
// payload as it is posted, and beside it what it comes to.
func TestReadyMappings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 10 {
		t.Fatal(len(files), err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		name, which, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), ".")
		seen[name] = true
		t.Run(name+" "+which, func(t *testing.T) {
			payload, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			events, _, err := preset(t, name).Read(payload, now)
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, strings.TrimSuffix(file, ".json")+".want", events)
		})
	}
	for _, name := range source.PresetNames() {
		if !seen[name] {
			t.Errorf("no payload for the ready mapping %s", name)
		}
	}
}

func checkGolden(t *testing.T, file string, events []source.Event) {
	t.Helper()
	type shown struct {
		Interaction *survey.Interaction `json:"interaction,omitempty"`
		Ignored     string              `json:"ignored,omitempty"`
		Errors      string              `json:"errors,omitempty"`
	}
	out := make([]shown, len(events))
	for i, e := range events {
		out[i].Ignored = e.Ignored
		if e.Err != nil {
			out[i].Errors = e.Err.Error()
		} else if e.Ignored == "" {
			out[i].Interaction = &events[i].Interaction
		}
	}
	got, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: comes to\n%s\ninstead of\n%s", err, got, want)
	}
}

func TestPresetsAreClean(t *testing.T) {
	for _, name := range source.PresetNames() {
		s := preset(t, name)
		again := s
		if err := again.Clean(); err != nil {
			t.Errorf("%s: what it says is refused: %v", name, err)
		}
		if s.Mapping == nil || s.Mapping.ExternalID == "" || s.Condition == nil || s.Signature == "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
