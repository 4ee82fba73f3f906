package scoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// goldenMeasure is how an example names its measure: see testdata/README.md.
type goldenMeasure struct {
	Name          string         `json:"name"`
	Why           string         `json:"why"`
	Metric        Metric         `json:"metric"`
	Scale         [2]int         `json:"scale"`
	SatisfiedFrom int            `json:"satisfied_from"`
	CESVersion    int            `json:"ces_version"`
	Level         float64        `json:"level"`
	Expect        map[string]any `json:"expect"`
}

func (g goldenMeasure) measure(t *testing.T) Measure {
	t.Helper()
	scale := g.Scale
	switch {
	case g.Metric == NPS:
		scale = [2]int{0, 10}
	case g.Metric == CES && g.CESVersion == 1:
		scale = [2]int{1, 5}
	case g.Metric == CES:
		scale = [2]int{1, 7}
	}
	m := DefaultMeasure(g.Metric, scale[0], scale[1], g.CESVersion)
	if g.SatisfiedFrom != 0 {
		m.SatisfiedFrom = g.SatisfiedFrom
	}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	return m
}

func (g goldenMeasure) level() float64 {
	if g.Level == 0 {
		return 0.95
	}
	return g.Level
}

func TestGoldenScores(t *testing.T) {
	var examples []struct {
		goldenMeasure
		Scores map[string]int64 `json:"scores"`
	}
	readGolden(t, "scores.json", &examples)
	for _, example := range examples {
		t.Run(example.Name, func(t *testing.T) {
			cells := []Cell{{example.measure(t), histogram(t, example.Scores)}}
			result, err := Report(cells, example.level())
			if err != nil {
				t.Fatal(err)
			}
			got := asJSON(t, result)
			if len(example.Expect) == 0 {
				t.Fatal("expects nothing")
			}
			for figure, want := range example.Expect {
				value, ok := got[figure]
				if !ok {
					t.Errorf("%s is not reported", figure)
				}
				equal(t, figure, want, value)
			}
		})
	}
}

func TestGoldenComparisons(t *testing.T) {
	var examples []struct {
		goldenMeasure
		Current  map[string]int64 `json:"current"`
		Previous map[string]int64 `json:"previous"`
	}
	readGolden(t, "comparisons.json", &examples)
	for _, example := range examples {
		t.Run(example.Name, func(t *testing.T) {
			m := example.measure(t)
			now, before := histogram(t, example.Current), histogram(t, example.Previous)
			c, err := Compare([]Cell{{m, now}}, []Cell{{m, before}}, example.level())
			if err != nil {
				t.Fatal(err)
			}
			if (c == nil) != (example.Expect == nil) {
				t.Fatalf("got %+v, want %v", c, example.Expect)
			}
			if c == nil {
				return
			}
			got := asJSON(t, c)
			for figure, want := range example.Expect {
				value, ok := got[figure]
				if !ok {
					t.Errorf("%s is not reported", figure)
				}
				equal(t, figure, want, value)
			}
		})
	}
}

func TestGoldenPercents(t *testing.T) {
	var examples []struct {
		Counts   []int64 `json:"counts"`
		Percents []int   `json:"percents"`
		Why      string  `json:"why"`
	}
	readGolden(t, "percents.json", &examples)
	for _, example := range examples {
		if got := Percents(example.Counts...); !slices.Equal(got, example.Percents) {
			t.Errorf("%v: got %v, want %v", example.Counts, got, example.Percents)
		}
	}
}

// readGolden reads examples, with numbers as written, and refuses a file that
// holds few of them or a field that nobody reads.
func readGolden[T any](t *testing.T, name string, examples *[]T) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(examples); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(*examples) < 10 {
		t.Fatalf("%s: only %d examples", name, len(*examples))
	}
}

func histogram(t *testing.T, counts map[string]int64) Histogram {
	t.Helper()
	var h Histogram
	for raw, count := range counts {
		score, err := ParseScore(raw)
		if err != nil || score < 0 || score > 10 {
			t.Fatalf("score %q", raw)
		}
		h[score] = count
	}
	return h
}

// asJSON is the value as a reader of the API gets it.
func asJSON(t *testing.T, value any) map[string]any {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return object
}

// equal compares JSON values: objects and lists must agree in full, numbers to
// as many decimals as are wanted.
func equal(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		if len(got) != len(want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
		for key := range want {
			equal(t, path+"."+key, want[key], got[key])
		}
	case []any:
		got, _ := got.([]any)
		if len(got) != len(want) {
			t.Fatalf("%s: got %v, want %v", path, got, want)
		}
		for i := range want {
			equal(t, fmt.Sprintf("%s[%d]", path, i), want[i], got[i])
		}
	case json.Number:
		number, ok := got.(json.Number)
		if !ok || !agree(t, want, number) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	default:
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

func agree(t *testing.T, want, got json.Number) bool {
	t.Helper()
	w, err := want.Float64()
	g, err2 := got.Float64()
	if err != nil || err2 != nil || strings.ContainsAny(want.String(), "eE") {
		t.Fatalf("cannot compare %q with %q: write figures without an exponent", want, got)
	}
	tolerance := 1e-9
	if _, decimals, point := strings.Cut(want.String(), "."); point {
		tolerance += 0.5 * math.Pow10(-len(decimals))
	}
	return math.Abs(w-g) <= tolerance
}
