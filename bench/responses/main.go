// Command responses measures how many POST /v1/responses koe answers in a
// second, beside the floor: a program that only decodes the same JSON and
// inserts one row (see bench/floor). Both keep every answer on SQLite with
// synchronous=FULL. What counts is the ratio: it says what koe's own work
// costs, whatever the machine.
//
// It builds both, starts each on an empty database, loads them in turn and
// prints the medians. Run it from the root of the module.
package main

import (
	"flag"
	"fmt"
	"os"

	"koe/bench/program"
)

// The ratio of koe to the floor that must hold, and where koe wants to be.
const (
	least = 0.35
	aim   = 0.60
)

func main() {
	requests := flag.Int("requests", 60000, "requests per round")
	rounds := flag.Int("rounds", 3, "rounds of each program, in turn")
	connections := flag.Int("connections", 64, "connections")
	flag.Parse()
	if err := run(*requests, *rounds, *connections); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// contender is a program under load, with what it did.
type contender struct {
	*program.Program
	survey string
	rounds []program.Round
}

// run fails where something cannot be measured; it never fails for being slow,
// because how fast a machine is at the moment is no property of the code.
func run(requests, rounds, connections int) error {
	if requests < connections || rounds < 1 {
		return fmt.Errorf("needs at least one round with a request for each connection")
	}
	dir, err := os.MkdirTemp("", "koe-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temp folder; the system clears what is left
	if err := program.Build(dir, map[string]string{"koe": ".", "floor": "./bench/floor", "load": "./bench/load"}); err != nil {
		return err
	}
	floor := contender{survey: program.FloorSurvey}
	if floor.Program, err = program.StartFloor(dir); err != nil {
		return err
	}
	defer floor.Stop()
	var koe contender
	if koe.Program, err = program.StartKoe(dir); err != nil {
		return err
	}
	defer koe.Stop()
	if koe.survey, err = koe.OpenSurvey(); err != nil {
		return err
	}

	fmt.Printf("POST /v1/responses, SQLite FULL, no request log, %d connections, %d requests a round\n\n", connections, requests)
	load := program.Loader{Dir: dir, Connections: connections}
	for _, p := range []contender{floor, koe} { // caches, page files, connections of their own
		if _, err := load.Answers(p.Program, p.survey, max(requests/10, connections)); err != nil {
			return err
		}
	}
	var ratios []float64
	for range rounds {
		var rates [2]float64
		for i, p := range []*contender{&floor, &koe} {
			got, err := load.Answers(p.Program, p.survey, requests)
			if err != nil {
				return err
			}
			p.rounds = append(p.rounds, got)
			rates[i] = got.PerSecond
			fmt.Printf("%-6s %8.0f/s   p50 %6.2f ms   p99 %6.2f ms\n", p.Name, got.PerSecond, got.P50, got.P99)
		}
		ratios = append(ratios, rates[1]/rates[0])
	}
	if err := koe.Counted(koe.survey, load.Sent[koe.Name]); err != nil {
		return err
	}
	return conclude(floor, koe, program.Median(ratios))
}

// conclude prints the medians of all rounds.
func conclude(floor, koe contender, ratio float64) error {
	peak, err := koe.PeakMemory()
	if err != nil {
		return err
	}
	fmt.Println()
	for _, p := range []contender{floor, koe} {
		var rates, p99 []float64
		for _, r := range p.rounds {
			rates, p99 = append(rates, r.PerSecond), append(p99, r.P99)
		}
		fmt.Printf("%-6s median %8.0f/s   p99 %6.2f ms\n", p.Name, program.Median(rates), program.Median(p99))
	}
	fmt.Printf("koe    peak memory %.0f MB (limit 100 MB)\n", float64(peak)/1e6)
	fmt.Printf("RATIO  %.2f (least %.2f, aim %.2f)\n", ratio, least, aim)
	return nil
}
