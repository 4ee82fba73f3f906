package main

import (
	"fmt"
	"net/http"

	"koe/bench/program"
)

// contender is a program under load, with what it did.
type contender struct {
	*program.Program
	survey string
	rounds []round
}

func startFloor(dir string) (*contender, error) {
	port, err := program.FreePort()
	if err != nil {
		return nil, err
	}
	p, err := program.Start(dir, "floor", port, []string{"-listen", "127.0.0.1:" + port, "-db", "floor.db"}, nil)
	// an id as long as koe's, so that both read as much
	return &contender{Program: p, survey: "00000000-0000-7000-8000-000000000000"}, err
}

// startKoe starts koe with a survey that is open.
func startKoe(dir string) (*contender, error) {
	p, err := program.StartKoe(dir)
	if err != nil {
		return nil, err
	}
	c := &contender{Program: p}
	if err := c.openSurvey(); err != nil {
		p.Stop()
		return nil, err
	}
	return c, nil
}

func (c *contender) openSurvey() error {
	var made struct {
		ID string `json:"id"`
	}
	if err := c.Call(http.MethodPost, "/v1/surveys", `{"name":"bench","template":"nps",
		"touchpoint":"bench","channel":"link","trigger":{"type":"manual"}}`, &made); err != nil {
		return err
	}
	c.survey = made.ID
	return c.Call(http.MethodPost, "/v1/surveys/"+c.survey+"/activate", "", nil)
}

// stored checks that koe counts every answer that it acknowledged.
func (c *contender) stored(want int) error {
	var scores struct {
		Total struct {
			Responses int `json:"responses"`
		} `json:"total"`
	}
	if err := c.Call(http.MethodGet, "/v1/scores?metric=nps&survey="+c.survey, "", &scores); err != nil {
		return err
	}
	if got := scores.Total.Responses; got != want {
		return fmt.Errorf("koe acknowledged %d answers and counts %d", want, got)
	}
	return nil
}
