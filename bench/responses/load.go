package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// round is what bench/load reports of one round.
type round struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Not2xx    int     `json:"not_2xx"`
	Example   string  `json:"example"`
}

// loader runs bench/load; sent counts per program what it sent so far, so that
// every answer comes from another customer.
type loader struct {
	program     string
	connections int
	sent        map[string]int
}

const answer = `{"survey_id":"SURVEY","score":9,` +
	`"customer":{"external_id":"customer-{n}","email":"customer-{n}@example.com"},` +
	`"attributes":{"agent":"Kim"},"comment":"Quick and friendly, thank you. 早くて親切でした。"}`

// round sends requests to one program. An answer that is not 2xx is an error:
// a rate of refusals says nothing.
func (l *loader) round(p *contender, requests int) (round, error) {
	if l.sent == nil {
		l.sent = map[string]int{}
	}
	cmd := exec.Command(l.program, "-url", p.URL+"/v1/responses",
		"-connections", strconv.Itoa(l.connections), "-requests", strconv.Itoa(requests),
		"-start", strconv.Itoa(l.sent[p.Name]), "-header", "Authorization: Bearer "+p.Key,
		"-body-template", strings.Replace(answer, "SURVEY", p.survey, 1))
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return round{}, fmt.Errorf("load %s: %w: %s", p.Name, err, problem.String())
	}
	l.sent[p.Name] += requests
	var got round
	if err := json.Unmarshal(out, &got); err != nil {
		return round{}, fmt.Errorf("load %s: %w", p.Name, err)
	}
	if got.Not2xx > 0 {
		return round{}, fmt.Errorf("%s refused %d of %d requests, such as: %s", p.Name, got.Not2xx, requests, got.Example)
	}
	return got, nil
}
