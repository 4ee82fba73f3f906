// Command scores measures koe with many answers: how fast they are imported
// while single ones keep coming, how large the database becomes, and how long
// reports take. What a report over tallies takes must hardly depend on how
// many answers there are, so it is measured with few first, in the same run.
//
// It builds koe, starts it on an empty SQLite database, speaks to it over HTTP
// alone and prints each figure beside its limit. Run it from the root of the
// module.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"koe/bench/program"
)

// few is how many answers there are at first.
const few = 10_000

func main() {
	answers := flag.Int("answers", 10_000_000, "answers to import")
	folder := flag.String("folder", os.TempDir(), "where the database is made, and removed from; it needs 1 GB for a million answers")
	shuffled := flag.Bool("shuffled", false, "import in no order of time, instead of the oldest first")
	dashboard := flag.Bool("dashboard", false, "measure the pages of the dashboard instead")
	flag.Parse()
	if err := run(*answers, *folder, *shuffled, *dashboard); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run fails where something cannot be measured or is counted wrong; it never
// fails for being slow, because how fast a machine is at the moment is no
// property of the code.
func run(answers int, folder string, shuffled, dashboard bool) error {
	if answers < 2*few {
		return fmt.Errorf("-answers: needs at least %d", 2*few)
	}
	dir, err := os.MkdirTemp(folder, "koe-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temp folder; the system clears what is left
	if err := program.Build(dir, map[string]string{"koe": "."}); err != nil {
		return err
	}
	koe, err := program.StartKoe(dir, "KOE_TIMEZONE=Asia/Tokyo")
	if err != nil {
		return err
	}
	defer koe.Stop()
	b := &bench{Program: koe, answers: newWriter(time.Now().UTC().Truncate(time.Hour)), kept: map[string]int{}}
	b.answers.shuffled = shuffled
	if err := b.open(); err != nil {
		return err
	}
	order := "the oldest first"
	if shuffled {
		order = "in no order of time"
	}
	fmt.Printf("%d answers at %d touchpoints over two years, %s, SQLite FULL\n\n", answers, len(touchpoints), order)
	if dashboard {
		return b.dashboard(answers)
	}
	if _, _, err := b.fill(few); err != nil {
		return err
	}
	small, err := b.timed(300, b.monthly())
	if err != nil {
		return err
	}
	if err := b.importRest(answers, dir); err != nil {
		return err
	}
	return b.reports(small)
}

// show prints a figure beside its limit.
func show(what, figure, limit string) { fmt.Printf("%-62s %14s   %s\n", what, figure, limit) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

// importRest imports all but the first few, while single answers keep coming.
func (b *bench) importRest(answers int, dir string) error {
	alone := b.trickle()
	time.Sleep(time.Second)
	if _, err := alone.end(); err != nil {
		return err
	}
	beside := b.trickle()
	rows, took, err := b.fill(answers)
	if err != nil {
		return err
	}
	posted, err := beside.end()
	if err != nil {
		return fmt.Errorf("an answer beside the import: %w", err)
	}
	show(fmt.Sprintf("import of %d rows over HTTP", rows), fmt.Sprintf("%.0f rows/s", float64(rows)/took.Seconds()), "at least 25000, aim 50000")
	for _, of := range []struct {
		what string
		took []time.Duration
	}{{"alone", alone.took}, {fmt.Sprintf("beside the import (%d of them)", posted), beside.took}} {
		show("single answer "+of.what+", p50", milliseconds(quantile(of.took, 0.5)), "")
		show("single answer "+of.what+", p99", milliseconds(quantile(of.took, 0.99)), "")
	}
	b.kept["checkout_ease"] += len(alone.took) + posted
	size := int64(0)
	for _, name := range []string{"koe.db", "koe.db-wal"} {
		if file, err := os.Stat(filepath.Join(dir, name)); err == nil {
			size += file.Size()
		}
	}
	show("database", fmt.Sprintf("%.0f MB", float64(size)/1e6), fmt.Sprintf("%.0f bytes an answer", float64(size)/float64(answers)))
	return b.counted()
}

// counted checks that koe counts what it accepted.
func (b *bench) counted() error {
	for _, t := range touchpoints {
		var scores struct{ Total struct{ Responses int } }
		if err := b.Call(http.MethodGet, "/v1/scores?metric="+t.metric+"&touchpoint="+t.key, "", &scores); err != nil {
			return err
		}
		if got := scores.Total.Responses; got != b.kept[t.key] {
			return fmt.Errorf("%s: koe counts %d answers, and accepted %d", t.key, got, b.kept[t.key])
		}
	}
	return nil
}

// monthly is the report that matters most: a touchpoint's last twelve months.
func (b *bench) monthly() string { return b.report(url.Values{"interval": {"month"}}) }

// report is one of the busiest touchpoint's twelve months before this one.
func (b *bench) report(query url.Values) string {
	first := time.Date(b.answers.end.Year(), b.answers.end.Month(), 1, 0, 0, 0, 0, time.UTC)
	query.Set("metric", "csat")
	query.Set("touchpoint", "delivery")
	query.Set("from", first.AddDate(-1, 0, 0).Format(time.DateOnly))
	query.Set("to", first.Format(time.DateOnly))
	return "/v1/scores?" + query.Encode()
}

// reports times them all; small is what the monthly one took with few answers.
func (b *bench) reports(small []time.Duration) error {
	large, err := b.timed(300, b.monthly())
	if err != nil {
		return err
	}
	before, after := quantile(small, 0.5), quantile(large, 0.5)
	show(fmt.Sprintf("a touchpoint's year by month, p50, at %d answers", few), milliseconds(before), "")
	show("a touchpoint's year by month, p50", milliseconds(after), "at most 5 ms")
	show("ratio", fmt.Sprintf("%.2f", float64(after)/float64(before)), "at most 1.5")
	for _, one := range []struct {
		what, path, limit string
		times             int
	}{
		{"scoreboard of all touchpoints, p50", "/v1/scores/touchpoints", "at most 20 ms", 50},
		{"a year by month in another zone (from rows), p50", b.report(url.Values{"interval": {"month"}, "timezone": {"Europe/Berlin"}}), "at most 3 s", 5},
		{"a year by two segments at once (from rows), p50", b.report(url.Values{"attributes.plan": {"pro"}, "group_by": {"attributes.region"}}), "at most 3 s", 5},
	} {
		took, err := b.timed(one.times, one.path)
		if err != nil {
			return err
		}
		show(one.what, milliseconds(quantile(took, 0.5)), one.limit)
	}
	rows, took, err := b.export("delivery", 100_000)
	if err != nil {
		return err
	}
	show(fmt.Sprintf("export of %d answers as CSV", rows), milliseconds(took), "at most 1 s for 100000")
	memory, err := b.PeakMemory()
	if err != nil {
		return err
	}
	show("peak memory of koe", fmt.Sprintf("%.0f MB", float64(memory)/1e6), "")
	return nil
}
