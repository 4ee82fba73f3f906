package main

import (
	"bytes"
	"encoding/csv"
	"io"
	"strconv"
	"testing"
	"time"
)

func TestTheAnswersAreAFileThatAnyoneReads(t *testing.T) {
	end := time.Date(2026, 11, 30, 14, 0, 0, 0, time.UTC)
	w := newWriter(end)
	seen, comments := map[string]bool{}, 0
	for _, at := range touchpoints {
		file, err := io.ReadAll(w.csv(at, 500))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 501 || rows[0][1] != "score" {
			t.Fatalf("%d rows below %q", len(rows)-1, rows[0])
		}
		for _, row := range rows[1:] {
			if seen[row[0]] {
				t.Fatalf("the id %s twice", row[0])
			}
			seen[row[0]] = true
			if score, err := strconv.Atoi(row[1]); err != nil || score < at.least || score >= at.least+len(at.scores) {
				t.Fatalf("score %q at %s", row[1], at.key)
			}
			if told, err := time.Parse(time.RFC3339, row[2]); err != nil || told.After(end) || told.Before(end.AddDate(0, 0, -days-1)) {
				t.Fatalf("told at %q", row[2])
			}
			if row[5] != "" {
				comments++
			}
		}
		quoted, counted := false, 0
		for part := range bytes.SplitSeq(file, []byte("r")) { // cut anywhere: a stream is
			counted += records(part, &quoted)
		}
		if counted != 501 {
			t.Errorf("%d records were counted of 501", counted)
		}
	}
	if all := 500 * len(touchpoints); comments < all*3/10 || comments > all/2 {
		t.Errorf("%d comments of %d answers", comments, all)
	}
}

func TestQuantiles(t *testing.T) {
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(100-i))
	}
	for share, want := range map[float64]time.Duration{0.5: 51, 0.99: 100, 0: 1} {
		if got := quantile(took, share); got != want {
			t.Errorf("quantile %g: %d, want %d", share, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("of nothing")
	}
}

// TestTheSharesAreWhole keeps every answer that was asked for.
func TestTheSharesAreWhole(t *testing.T) {
	sum := 0.0
	for _, at := range touchpoints {
		sum += at.share
	}
	if sum < 0.9999 || sum > 1.0001 {
		t.Errorf("the touchpoints share %g", sum)
	}
}
