package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
)

// truthFolder holds reference data in data/ and what others computed from it in
// truth/. Without it these tests are skipped, unless KOE_TEST_MUST=1 says that
// they must run.
func truthFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("KOE_TEST_DATA")
	if folder == "" {
		if os.Getenv("KOE_TEST_MUST") == "1" {
			t.Fatal("KOE_TEST_DATA is not set, but KOE_TEST_MUST is 1")
		}
		t.Skip("KOE_TEST_DATA is not set: it names the folder with data/ and truth/")
	}
	return folder
}

// answered is one answer of a file.
type answered struct {
	at    survey.Instant
	score int
}

// bank reads the answers of a bank's customers: a day each, day before month.
func bank(t *testing.T, folder string) []answered {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "data", "nps_bank_2021.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var answers []answered
	for _, line := range lines[1:] {
		day, err := time.Parse("02/01/06", line[2])
		if err != nil {
			t.Fatal(err)
		}
		score, err := scoring.ParseScore(line[6])
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answered{survey.InstantOf(day), score})
	}
	return answers
}

// within counts the answers of a range.
func within(answers []answered, from, to survey.Instant) []scoring.Cell {
	var h scoring.Histogram
	for _, a := range answers {
		if from <= a.at && a.at < to {
			h[a.score]++
		}
	}
	return cell(nps, h)
}

type npsFigures struct {
	N        int64
	NPS      float64
	SE       float64
	Adjusted [2]float64 `json:"adj_wald95_clipped"`
	Rounded  int        `json:"nps_int_half_away"`
	Percents []int      `json:"pct_int_sum100"`
}

func (want npsFigures) check(t *testing.T, name string, got scoring.Result) {
	t.Helper()
	if got.Responses != want.N || want.N == 0 {
		t.Errorf("%s: %d responses, want %d", name, got.Responses, want.N)
		return
	}
	for _, pair := range [][2]float64{{*got.Score, want.NPS}, {*got.StandardError, want.SE},
		{got.Interval.Low, want.Adjusted[0]}, {got.Interval.High, want.Adjusted[1]}} {
		if math.Abs(pair[0]-pair[1]) > 6e-9 {
			t.Errorf("%s: got %v, want %v", name, pair[0], pair[1])
		}
	}
	for i, whole := range want.Percents {
		if got.Percent[i].Value != whole {
			t.Errorf("%s: percents %v, want %v", name, got.Percent, want.Percents)
		}
	}
	if *got.Rounded != want.Rounded {
		t.Errorf("%s: headline %d, want %d", name, *got.Rounded, want.Rounded)
	}
}

// TestBank cuts a bank's year into every kind of period, and rolls 30 days.
func TestBank(t *testing.T) {
	folder := truthFolder(t)
	var truth struct {
		Overall     npsFigures
		Months      map[string]npsFigures `json:"by_month"`
		Quarters    map[string]npsFigures `json:"by_quarter"`
		Weeks       map[string]npsFigures `json:"by_iso_week"`
		Rolling     map[string]npsFigures
		Comparisons struct {
			Quarters map[string]struct {
				Wald struct {
					Difference float64 `json:"diff"`
					Z          float64
					P          float64 `json:"p_two_sided"`
				}
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(folder, "truth", "nps_bank_2021.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &truth); err != nil {
		t.Fatal(err)
	}
	answers := bank(t, folder)
	from, to := at(t, "2021-01-01T00:00:00Z"), at(t, "2022-01-01T00:00:00Z")
	year := func(every survey.Interval, rolling int) Report {
		t.Helper()
		periods, err := survey.Periods(from, to, every, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if rolling > 0 {
			periods = survey.Rolling(periods, rolling, time.UTC)
		}
		counted := Counted{Metric: scoring.NPS, From: &from, To: &to, Level: 0.95, Cells: within(answers, from, to)}
		for _, p := range periods {
			counted.Periods = append(counted.Periods, CountedPeriod{p, within(answers, p.From, p.To)})
		}
		r, err := New(counted)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for every, want := range map[survey.Interval]map[string]npsFigures{
		survey.Monthly: truth.Months, survey.Quarterly: truth.Quarters, survey.Weekly: truth.Weeks} {
		r := year(every, 0)
		truth.Overall.check(t, "overall", r.Total)
		if len(r.Periods) != len(want) || len(want) < 4 {
			t.Errorf("%d periods of a %s, want %d", len(r.Periods), every, len(want))
		}
		for _, p := range r.Periods {
			name := named(every, p.Start)
			want[name].check(t, name, p.Result)
		}
	}
	rolled := 0
	for _, p := range year(survey.Monthly, 30).Periods {
		for name, want := range truth.Rolling {
			if strings.Contains(name, "["+p.Start.String()+","+p.End.String()+")") {
				want.check(t, name, p.Result)
				rolled++
			}
		}
	}
	if rolled != len(truth.Rolling) || rolled == 0 {
		t.Errorf("%d of %d rolling windows found", rolled, len(truth.Rolling))
	}
	for name, want := range truth.Comparisons.Quarters {
		number, err := strconv.Atoi(name[6:7]) // "2021-Q2 - 2021-Q1"
		if err != nil {
			t.Fatal(err)
		}
		begins := survey.InstantOf(time.Date(2021, time.Month(number*3-2), 1, 0, 0, 0, 0, time.UTC))
		ends := survey.InstantOf(time.Date(2021, time.Month(number*3+1), 1, 0, 0, 0, 0, time.UTC))
		before := survey.Before(begins, ends, "", time.UTC)
		r, err := New(Counted{Level: 0.95, Cells: within(answers, begins, ends),
			Previous: &CountedRange{before, begins, within(answers, before, begins)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2]float64{{*r.Comparison.Difference, want.Wald.Difference}, {*r.Comparison.Z, want.Wald.Z}, {*r.Comparison.PValue, want.Wald.P}} {
			if math.Abs(pair[0]-pair[1]) > 6e-9 {
				t.Errorf("%s: got %v, want %v", name, pair[0], pair[1])
			}
		}
	}
}

// named is how the truth names the period that a day is in.
func named(every survey.Interval, d survey.Day) string {
	y, m, _ := d.Date()
	switch every {
	case survey.Weekly:
		return d.ISOWeek()
	case survey.Quarterly:
		return strconv.Itoa(y) + "-Q" + strconv.Itoa((int(m)+2)/3)
	}
	return d.String()[:7]
}
