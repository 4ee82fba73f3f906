// Command takeover measures how fast koe takes over what was in Delighted,
// beside the same answers imported from a file of koe's own form, in one run:
// people, unsubscribes and answers as the API's JSON and as CSV against
// `koe import responses`. Each contender begins with an empty SQLite database.
//
// It builds koe, runs its commands and prints rows a second and their ratio. Run
// it from the root of the module.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"koe/bench/program"
)

func main() {
	answers := flag.Int("answers", 250_000, "answers to import; people are two fifths of that")
	rounds := flag.Int("rounds", 3, "how often each contender runs")
	flag.Parse()
	if err := run(*answers, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// contender is one of the two commands.
type contender struct {
	name   string
	rows   int
	args   []string
	walls  []time.Duration
	cpuses []time.Duration
}

func run(answers, rounds int) error {
	dir, err := os.MkdirTemp("", "koe-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temp folder; the system clears what is left
	if err := program.Build(dir, map[string]string{"koe": "."}); err != nil {
		return err
	}
	rows, err := write(dir, answers)
	if err != nil {
		return err
	}
	own := &contender{name: "koe import responses", rows: answers, args: []string{"import", "responses", filepath.Join(dir, "answers.csv"), "--survey", "shop"}}
	theirs := &contender{name: "koe import delighted", rows: rows, args: []string{"import", "delighted", filepath.Join(dir, "export"), "--survey", "shop"}}
	for round := range rounds {
		order := []*contender{own, theirs}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			if err := c.run(dir); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	fmt.Printf("%d answers of %d people, %d rounds, SQLite FULL; the medians\n\n", answers, answers*2/5, rounds)
	for _, c := range []*contender{own, theirs} {
		fmt.Printf("%-22s %8d rows  %8.0f rows/s  %8.0f rows a second of processor time\n", c.name, c.rows, c.rate(c.walls), c.rate(c.cpuses))
	}
	fmt.Printf("\nratio %.2f of rows a second, %.2f by processor time (wanted: 1 or more)\n", theirs.rate(theirs.walls)/own.rate(own.walls), theirs.rate(theirs.cpuses)/own.rate(own.cpuses))
	return nil
}

func (c *contender) rate(of []time.Duration) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return float64(c.rows) / sorted[len(sorted)/2].Seconds()
}

// run imports into a database that holds one survey.
func (c *contender) run(dir string) error {
	for _, old := range []string{"koe.db", "koe.db-wal", "koe.db-shm", "koe.db.secret", "koe.db.lock"} {
		if err := os.Remove(filepath.Join(dir, old)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	koe, err := program.StartKoe(dir)
	if err != nil {
		return err
	}
	err = koe.Call(http.MethodPut, "/v1/surveys/shop", `{"name":"Shop","template":"nps","touchpoint":"shop","channel":"link","trigger":{"type":"manual"},"segments":["plan","region"]}`, nil)
	koe.Stop()
	if err != nil {
		return err
	}
	command := exec.Command(filepath.Join(dir, "koe"), c.args...)
	command.Dir, command.Env = dir, append(os.Environ(), "KOE_DATABASE_URL=sqlite:koe.db", "KOE_SMTP_URL=")
	began := time.Now()
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.2000s", err, out)
	}
	c.walls = append(c.walls, time.Since(began))
	c.cpuses = append(c.cpuses, command.ProcessState.UserTime()+command.ProcessState.SystemTime())
	return nil
}

// write makes the same answers in both forms, and says how many rows Delighted's
// has: half of its answers are JSON, half CSV.
func write(dir string, answers int) (rows int, err error) {
	folder := filepath.Join(dir, "export")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return 0, err
	}
	var files []*os.File
	create := func(path, head string) *bufio.Writer {
		file, wrong := os.Create(path)
		err = errors.Join(err, wrong)
		files = append(files, file)
		w := bufio.NewWriterSize(file, 1<<16)
		_, _ = w.WriteString(head) // an error shows at Flush
		return w
	}
	plain := create(filepath.Join(dir, "answers.csv"), "external_id,score,responded_at,comment,customer.email,customer.name,attributes.plan,attributes.region,tags\n")
	people := create(filepath.Join(folder, "people.json"), "[")
	sheet := create(filepath.Join(folder, "responses.csv"), "id,person,survey_type,score,comment,created_at,tags,plan,region\n")
	objects := create(filepath.Join(folder, "responses.json"), "[")
	gone := create(filepath.Join(folder, "unsubscribes.csv"), "person_id,email,name,unsubscribed_at\n")
	if err != nil {
		return 0, err
	}
	const end = 1_790_000_000
	r := rand.New(rand.NewPCG(5, 0)) //nolint:gosec // invented, not secret
	many := answers * 2 / 5
	between := ""
	for i := 1; i <= many; i++ {
		_, _ = fmt.Fprintf(people, `%s{"id":"%d","email":"person%d@example.com","name":"Person %d","created_at":%d,"phone_number":null,"last_sent_at":%d,"last_responded_at":null,"next_survey_scheduled_at":null}`,
			between, i, i, i, end-40_000_000, end-r.IntN(30_000_000))
		between = ",\n"
		if i%33 == 0 {
			rows++
			_, _ = fmt.Fprintf(gone, "%d,person%d@example.com,,%d\n", i, i, end)
		}
	}
	between = ""
	for n := range answers {
		i, score, at := 1+r.IntN(many), r.IntN(11), end-30_000_000+n*(30_000_000/answers)
		plan, region, comment := []string{"free", "pro"}[r.IntN(2)], fmt.Sprint("region ", r.IntN(12)), ""
		if n%5 < 2 {
			comment = "Quick and friendly. とても早い"
		}
		_, _ = fmt.Fprintf(plain, "%d,%d,%s,%s,person%d@example.com,Person %d,%s,%s,billing\n", n, score, time.Unix(int64(at), 0).UTC().Format(time.RFC3339), comment, i, i, plan, region)
		if n%2 == 0 {
			_, _ = fmt.Fprintf(sheet, "%d,%d,nps,%d,%s,%d,billing,%s,%s\n", n, i, score, comment, at, plan, region)
			continue
		}
		_, _ = fmt.Fprintf(objects, `%s{"id":"%d","person":"%d","survey_type":"nps","score":%d,"comment":%q,"permalink":"https://delighted.com/r/%d","created_at":%d,"updated_at":null,`+
			`"person_properties":{"plan":%q,"region":%q},"notes":[],"tags":["billing"],"additional_answers":[]}`, between, n, i, score, comment, n, at, plan, region)
		between = ",\n"
	}
	for _, list := range []*bufio.Writer{people, objects} {
		_, _ = list.WriteString("]\n")
	}
	for n, w := range []*bufio.Writer{plain, people, sheet, objects, gone} {
		err = errors.Join(err, w.Flush(), files[n].Close())
	}
	return rows + many + answers, err
}
