package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"time"

	"koe/bench/program"
)

// dashboard times the pages that a CX lead opens, signed in by the link that koe
// printed when it started.
func (b *bench) dashboard(answers int) error {
	if _, _, err := b.fill(answers); err != nil {
		return err
	}
	if err := b.counted(); err != nil {
		return err
	}
	link, err := b.SignInLink()
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	lead := &http.Client{Jar: jar}
	answer, err := lead.Post(link, "application/x-www-form-urlencoded", nil)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	year := "from=" + b.answers.end.AddDate(-1, 0, 0).Format(time.DateOnly) + "&until=" + b.answers.end.Format(time.DateOnly)
	for _, page := range []struct{ what, path, limit string }{
		{"first page, p50", "/dashboard", "at most 50 ms"},
		{"first page over a year, p50", "/dashboard?" + year, ""},
		{"busiest touchpoint, p50", "/dashboard/touchpoints/delivery", ""},
		{"comments, p50", "/dashboard/comments", ""},
		{"tags, p50", "/dashboard/tags", ""},
		{"follow-ups, p50", "/dashboard/follow-ups", ""},
		{"surveys, p50", "/dashboard/surveys", ""},
	} {
		took, err := visit(lead, b.Program, page.path)
		if err != nil {
			return err
		}
		show(page.what, milliseconds(quantile(took, 0.5)), page.limit)
		show("  slowest of "+fmt.Sprint(len(took)), milliseconds(quantile(took, 1)), "")
	}
	memory, err := b.PeakMemory()
	if err != nil {
		return err
	}
	show("peak memory of koe", fmt.Sprintf("%.0f MB", float64(memory)/1e6), "")
	return nil
}

// visit opens a page as often as there is time, 50 times at most, and returns
// how long each took, whole.
func visit(lead *http.Client, koe *program.Program, path string) (took []time.Duration, err error) {
	for began := time.Now(); len(took) < 50 && time.Since(began) < 20*time.Second; {
		start := time.Now()
		answer, err := lead.Get(koe.URL + path)
		if err != nil {
			return nil, err
		}
		page, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusOK || answer.Request.URL.RequestURI() != path { // sent away to sign in
			return nil, fmt.Errorf("%s: %s: %.300s", path, answer.Status, page)
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}
