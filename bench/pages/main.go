// Command pages measures how many people koe can let answer in a second through
// the page: each opens their personal link with a score chosen, as a button of
// the mail does, and presses Send. It is measured beside the floor: a program
// that only decodes an answer's JSON and inserts one row (see bench/floor). Both
// keep every answer on SQLite with synchronous=FULL. What counts is the ratio.
//
// It builds both, starts each on an empty database, loads them in turn and
// prints the medians. Run it from the root of the module.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"koe/bench/program"
)

// aim is the ratio of koe to the floor that koe aims at.
const aim = 0.25

func main() {
	visits := flag.Int("visits", 20000, "visits per round")
	rounds := flag.Int("rounds", 3, "rounds of each program, in turn")
	connections := flag.Int("connections", 64, "connections")
	flag.Parse()
	if err := run(*visits, *rounds, *connections); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is koe and the floor under load.
type bench struct {
	load       program.Loader
	floor, koe *program.Program
	survey     string
	targets    string // the file with koe's links
}

// run fails where something cannot be measured; it never fails for being slow,
// because how fast a machine is at the moment is no property of the code.
func run(visits, rounds, connections int) error {
	if visits < connections || rounds < 1 {
		return fmt.Errorf("needs at least one round with a visit for each connection")
	}
	dir, err := os.MkdirTemp("", "koe-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temp folder; the system clears what is left
	if err := program.Build(dir, map[string]string{"koe": ".", "floor": "./bench/floor", "load": "./bench/load"}); err != nil {
		return err
	}
	b := bench{load: program.Loader{Dir: dir, Connections: connections}, targets: filepath.Join(dir, "targets")}
	if b.floor, err = program.StartFloor(dir); err != nil {
		return err
	}
	defer b.floor.Stop()
	if b.koe, err = program.StartKoe(dir); err != nil {
		return err
	}
	defer b.koe.Stop()
	warm := max(visits/10, connections)
	if err := b.makeLinks(warm + rounds*visits); err != nil {
		return err
	}
	return b.measure(warm, visits, rounds)
}

// makeLinks makes a personal link for every visit.
func (b *bench) makeLinks(n int) (err error) {
	if b.survey, err = b.koe.OpenSurvey(); err != nil {
		return err
	}
	var tokens strings.Builder
	const most = 10000
	for left := n; left > 0; left -= most {
		var made struct {
			Data []struct {
				URL string `json:"url"`
			} `json:"data"`
		}
		links := strings.Repeat(",{}", min(left, most))[1:]
		if err := b.koe.Call("POST", "/v1/surveys/"+b.survey+"/links", `{"links":[`+links+`]}`, &made); err != nil {
			return err
		}
		for _, link := range made.Data {
			_, token, _ := strings.Cut(link.URL, "/s/")
			tokens.WriteString(token + "\n")
		}
	}
	return os.WriteFile(b.targets, []byte(tokens.String()), 0o600)
}

// visit opens and answers pages of koe, as a browser would.
func (b *bench) visit(visits int) (program.Round, error) {
	page := b.koe.URL + "/s/{target}"
	return b.load.Round(b.koe, visits, "-targets", b.targets, "-first", page+"?score=9", "-url", page,
		"-header", "Content-Type: application/x-www-form-urlencoded", "-header", "Accept-Language: en-GB,en;q=0.9",
		"-body-template", "step=score&score=9")
}

func (b *bench) measure(warm, visits, rounds int) error {
	fmt.Printf("GET /s/TOKEN?score=9 and POST /s/TOKEN, SQLite FULL, no request log, %d connections, %d visits a round\n\n", b.load.Connections, visits)
	if _, err := b.load.Answers(b.floor, program.FloorSurvey, warm); err != nil {
		return err
	}
	if _, err := b.visit(warm); err != nil {
		return err
	}
	var rates, ratios []float64
	for range rounds {
		floor, err := b.load.Answers(b.floor, program.FloorSurvey, visits)
		if err != nil {
			return err
		}
		koe, err := b.visit(visits)
		if err != nil {
			return err
		}
		for _, r := range []struct {
			name string
			program.Round
		}{{"floor", floor}, {"koe", koe}} {
			fmt.Printf("%-6s %8.0f/s   p50 %6.2f ms   p99 %6.2f ms\n", r.name, r.PerSecond, r.P50, r.P99)
		}
		rates, ratios = append(rates, koe.PerSecond), append(ratios, koe.PerSecond/floor.PerSecond)
	}
	if err := b.koe.Counted(b.survey, b.load.Sent[b.koe.Name]); err != nil {
		return err
	}
	peak, err := b.koe.PeakMemory()
	if err != nil {
		return err
	}
	fmt.Printf("\nkoe    median %8.0f answered pages a second, peak memory %.0f MB (limit 100 MB)\n", program.Median(rates), float64(peak)/1e6)
	fmt.Printf("RATIO  %.2f (aim %.2f)\n", program.Median(ratios), aim)
	return nil
}
