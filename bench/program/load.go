package program

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// StartFloor runs the floor (see bench/floor) on an empty database.
func StartFloor(dir string) (*Program, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	return Start(dir, "floor", port, []string{"-listen", "127.0.0.1:" + port, "-db", "floor.db"}, nil)
}

// FloorSurvey is the survey of the floor's answers: an id as long as koe's, so
// that both read as much.
const FloorSurvey = "00000000-0000-7000-8000-000000000000"

const answer = `{"survey_id":"SURVEY","score":9,` +
	`"customer":{"external_id":"customer-{n}","email":"customer-{n}@example.com"},` +
	`"attributes":{"agent":"Kim"},"comment":"Quick and friendly, thank you. 早くて親切でした。"}`

// OpenSurvey makes a survey by link that can be answered, and returns its id.
func (p *Program) OpenSurvey() (string, error) {
	var made struct {
		ID string `json:"id"`
	}
	if err := p.Call("POST", "/v1/surveys", `{"name":"bench","template":"nps",
		"touchpoint":"bench","channel":"link","trigger":{"type":"manual"}}`, &made); err != nil {
		return "", err
	}
	return made.ID, p.Call("POST", "/v1/surveys/"+made.ID+"/activate", "", nil)
}

// Counted fails where koe does not count every answer that it acknowledged.
func (p *Program) Counted(survey string, want int) error {
	var scores struct {
		Total struct {
			Responses int `json:"responses"`
		} `json:"total"`
	}
	if err := p.Call("GET", "/v1/scores?metric=nps&survey="+survey, "", &scores); err != nil {
		return err
	}
	if got := scores.Total.Responses; got != want {
		return fmt.Errorf("koe acknowledged %d answers and counts %d", want, got)
	}
	return nil
}

// Round is what bench/load reports of one round.
type Round struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Not2xx    int     `json:"not_2xx"`
	Example   string  `json:"example"`
}

// Loader runs bench/load, which is built as "load" in Dir. What it sends to a
// program is numbered on from round to round, so that every answer is another
// customer's.
type Loader struct {
	Dir         string
	Connections int
	Sent        map[string]int // so far, by program
}

// Round sends requests to one program. An answer that is not 2xx is an error: a
// rate of refusals says nothing.
func (l *Loader) Round(p *Program, requests int, flags ...string) (Round, error) {
	if l.Sent == nil {
		l.Sent = map[string]int{}
	}
	cmd := exec.Command(filepath.Join(l.Dir, "load"), append([]string{"-connections", strconv.Itoa(l.Connections),
		"-requests", strconv.Itoa(requests), "-start", strconv.Itoa(l.Sent[p.Name])}, flags...)...)
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return Round{}, fmt.Errorf("load %s: %w: %s", p.Name, err, problem.String())
	}
	l.Sent[p.Name] += requests
	var got Round
	if err := json.Unmarshal(out, &got); err != nil {
		return Round{}, fmt.Errorf("load %s: %w", p.Name, err)
	}
	if got.Not2xx > 0 {
		return Round{}, fmt.Errorf("%s refused %d of %d requests, such as: %s", p.Name, got.Not2xx, requests, got.Example)
	}
	return got, nil
}

// Answers sends answers to a survey over the API.
func (l *Loader) Answers(p *Program, survey string, requests int) (Round, error) {
	return l.Round(p, requests, "-url", p.URL+"/v1/responses", "-header", "Authorization: Bearer "+p.Key,
		"-body-template", strings.Replace(answer, "SURVEY", survey, 1))
}

// Median is the middle one of some numbers, or the mean of the two.
func Median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
