package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey/store/storetest"
)

// figures are a score as it is printed.
type figures struct {
	Key       string   `json:"key"`
	Start     string   `json:"start"`
	Responses int64    `json:"responses"`
	Score     *float64 `json:"score"`
	Error     *float64 `json:"standard_error"`
	Interval  *struct {
		Low, High float64
	} `json:"interval"`
	Mean      *float64 `json:"mean"`
	Deviation *float64 `json:"standard_deviation"`
	Agree     *float64 `json:"percent_agree"`
}

type printed struct {
	Source  string    `json:"source"`
	Total   figures   `json:"total"`
	Periods []figures `json:"periods"`
	Groups  []figures `json:"groups"`
}

// truth are the figures that others computed; files differ in what they have.
type truth struct {
	N        int64     `json:"n"`
	NPS      *float64  `json:"nps"`
	Error    *float64  `json:"se"`
	Adjusted []float64 `json:"adj_wald95_clipped"`
	Mean     *float64  `json:"mean"`
	SD       *float64  `json:"sd"`
	MeanT    []float64 `json:"mean_t95"`
	Top2     *share    `json:"top2"`
	Agree    *share    `json:"agree_from_5"`
}

type share struct {
	Percent float64   `json:"pct"`
	Wilson  []float64 `json:"wilson95"`
}

// score runs the command as a user does.
func score(t *testing.T, args ...string) printed {
	t.Helper()
	text, err := command(t, "sqlite:none.db", append([]string{"score", "--format", "json"}, args...)...)
	if err != nil {
		t.Fatal(args, err)
	}
	var p printed
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func close6(want, got *float64) bool {
	return want == nil || got != nil && math.Abs(*want-*got) <= 1e-6
}

func (w truth) check(t *testing.T, name string, got figures) {
	t.Helper()
	between := func(want []float64) bool {
		return want == nil || got.Interval != nil && close6(&want[0], &got.Interval.Low) && close6(&want[1], &got.Interval.High)
	}
	good := got.Responses == w.N && close6(w.Mean, got.Mean) && close6(w.SD, got.Deviation)
	switch {
	case w.NPS != nil:
		good = good && close6(w.NPS, got.Score) && close6(w.Error, got.Error) && between(w.Adjusted)
	case w.Agree != nil:
		good = good && close6(w.Mean, got.Score) && close6(&w.Agree.Percent, got.Agree)
	case w.Top2 != nil && w.N > 0:
		good = good && close6(&w.Top2.Percent, got.Score) && between(w.Top2.Wilson)
	}
	if !good || w.N == 0 {
		t.Errorf("%s: got %+v, want %+v", name, got, w)
	}
}

// each compares every part; key names a part of what was printed as the truth
// does.
func each(t *testing.T, name string, want map[string]truth, got []figures, key func(figures) string) {
	t.Helper()
	parts := map[string]figures{}
	for _, f := range got {
		if f.Responses > 0 {
			parts[key(f)] = f
		}
	}
	if len(want) < 2 || !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(parts))) {
		t.Errorf("%s: got %v, want %v", name, slices.Sorted(maps.Keys(parts)), slices.Sorted(maps.Keys(want)))
		return
	}
	for part, w := range want {
		w.check(t, name+" "+part, parts[part])
	}
}

func byKey(f figures) string   { return f.Key }
func byMonth(f figures) string { return f.Start[:7] }
func byQuarter(f figures) string {
	at, _ := time.Parse(time.DateOnly, f.Start)
	return fmt.Sprintf("%d-Q%d", at.Year(), (int(at.Month())+2)/3)
}
func byWeek(f figures) string {
	at, _ := time.Parse(time.DateOnly, f.Start)
	year, week := at.ISOWeek()
	return fmt.Sprintf("%d-W%02d", year, week)
}

// dataset names a file of the reference data and reads its truth.
func dataset(t *testing.T, name string, into any) (file string) {
	t.Helper()
	folder := storetest.Data(t)
	text, err := os.ReadFile(filepath.Join(folder, "truth", name+".json"))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "data", name+".csv")
}

func TestScoreBank(t *testing.T) {
	var want struct {
		Overall  truth            `json:"overall"`
		Markets  map[string]truth `json:"by_market"`
		Months   map[string]truth `json:"by_month"`
		Quarters map[string]truth `json:"by_quarter"`
		Weeks    map[string]truth `json:"by_iso_week"`
		Both     map[string]truth `json:"by_market_quarter"`
	}
	file := dataset(t, "nps_bank_2021", &want)
	bank := []string{file, "--metric", "nps", "--column", "NPS", "--date-column", "Survey date", "--date-format", "%d/%m/%y", "--timezone", "America/New_York", "--by"}
	months := score(t, append(bank, "month", "--group", "Market")...)
	want.Overall.check(t, "overall", months.Total)
	each(t, "market", want.Markets, months.Groups, byKey)
	each(t, "month", want.Months, months.Periods, byMonth)
	each(t, "quarter", want.Quarters, score(t, append(bank, "quarter")...).Periods, byQuarter)
	each(t, "week", want.Weeks, score(t, append(bank, "week")...).Periods, byWeek)
	if months.Source != "rows" {
		t.Error(months.Source)
	}
	both := []figures{}
	for market := range want.Markets {
		for _, f := range score(t, append(bank, "quarter", "--where", "Market="+market)...).Periods {
			f.Key = market + "|" + byQuarter(f)
			both = append(both, f)
		}
	}
	each(t, "market and quarter", want.Both, both, byKey)
}

func TestScoreCallCentre(t *testing.T) {
	var want struct {
		Overall  truth            `json:"overall"`
		Agents   map[string]truth `json:"by_agent"`
		Topics   map[string]truth `json:"by_topic"`
		Resolved map[string]truth `json:"by_resolved"`
		Months   map[string]truth `json:"by_month"`
		Weeks    map[string]truth `json:"by_iso_week"`
		Both     map[string]truth `json:"by_agent_month"`
	}
	file := dataset(t, "csat_callcenter_2021q1", &want)
	calls := []string{file, "--metric", "csat", "--column", "Satisfaction rating", "--date-column", "Date", "--by"}
	months := score(t, append(calls, "month", "--group", "Agent")...)
	want.Overall.check(t, "overall", months.Total)
	each(t, "agent", want.Agents, months.Groups, byKey)
	each(t, "month", want.Months, months.Periods, byMonth)
	each(t, "topic", want.Topics, score(t, append(calls, "year", "--group", "Topic")...).Groups, byKey)
	each(t, "resolved", want.Resolved, score(t, append(calls, "year", "--group", "Resolved")...).Groups, byKey)
	each(t, "week", want.Weeks, score(t, append(calls, "week")...).Periods, byWeek)
	both := []figures{}
	for agent := range want.Agents {
		for _, f := range score(t, append(calls, "month", "--where", "Agent="+agent)...).Periods {
			f.Key = agent + "|" + byMonth(f)
			both = append(both, f)
		}
	}
	each(t, "agent and month", want.Both, both, byKey)
}

func TestScoreAirport(t *testing.T) {
	for _, year := range []string{"2016", "2017"} {
		var want struct {
			Items map[string]truth `json:"csat_by_touchpoint_item"`
			Ease  map[string]truth `json:"effort_ease_1to5_5_is_easy"`
			Areas map[string]truth `json:"effort_Q14PASSTHRU_by_boarding_area"`
			NPS   struct {
				Overall   truth            `json:"overall"`
				Dates     map[string]truth `json:"by_date"`
				Areas     map[string]truth `json:"by_boarding_area"`
				Languages map[string]truth `json:"by_language"`
				Modes     map[string]truth `json:"by_mode_SAQ"`
			} `json:"nps"`
		}
		file := dataset(t, "sfo_survey_"+year, &want)
		rated := []string{file, "--metric", "csat", "--ignore", "0,6,Blank", "--column"}
		maps.Copy(want.Items, want.Ease)
		for item, w := range want.Items {
			w.check(t, year+" "+item, score(t, append(rated, item)...).Total)
		}
		areas := score(t, append(rated, "Q14PASSTHRU", "--group", "BAREA")...).Groups
		each(t, "area", want.Areas, areas, byKey)
		if year == "2016" {
			continue // nobody was asked whether they would recommend the airport
		}
		recommend := []string{file, "--metric", "nps", "--column", "NETPRO", "--ignore", "11,99", "--group"}
		days := score(t, append(recommend, "INTDATE")...)
		want.NPS.Overall.check(t, "nps", days.Total)
		each(t, "date", want.NPS.Dates, days.Groups, func(f figures) string { return fmt.Sprintf("2017-05-%02s", f.Key) })
		each(t, "boarding area", want.NPS.Areas, score(t, append(recommend, "BAREA")...).Groups, byKey)
		each(t, "language", want.NPS.Languages, score(t, append(recommend, "LANG")...).Groups, byKey)
		each(t, "mode", want.NPS.Modes, score(t, append(recommend, "SAQ")...).Groups, byKey)
	}
}

func TestScoreSynthetic(t *testing.T) {
	var want struct {
		Touchpoints map[string]struct {
			Metric   string           `json:"metric"`
			Overall  truth            `json:"overall"`
			Segments map[string]truth `json:"by_segment"`
			Months   map[string]truth `json:"by_month"`
			Weeks    map[string]truth `json:"by_iso_week"`
		} `json:"touchpoints"`
	}
	file := dataset(t, "synth_10k_seed1", &want)
	for touchpoint, w := range want.Touchpoints {
		of := []string{file, "--metric", w.Metric, "--column", "score", "--where", "touchpoint=" + touchpoint, "--id", "response_id",
			"--date-column", "responded_at", "--timezone", "Asia/Tokyo", "--by"}
		months := score(t, append(of, "month", "--group", "segment")...)
		w.Overall.check(t, touchpoint, months.Total)
		each(t, touchpoint+" segment", w.Segments, months.Groups, byKey)
		each(t, touchpoint+" month", w.Months, months.Periods, byMonth)
		each(t, touchpoint+" week", w.Weeks, score(t, append(of, "week")...).Periods, byWeek)
	}
	if len(want.Touchpoints) != 8 {
		t.Error(len(want.Touchpoints))
	}
}

// written is a file of a test's own.
func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "answers.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestScoreRefusals(t *testing.T) {
	good := "score,at,who\n9,2026-01-01,a\n"
	many := "score,at\n" + "9,1971-01-01\n9,2080-07-06\n" // 40,000 days
	for _, c := range []struct{ file, args, want string }{
		{good, "--metric nps --column rating", `--column: there is no column "rating"; there are: score, at, who`},
		{good, "--metric nps --column score --group team", `--group: there is no column "team"`},
		{good, "--metric nps --column score --where team=a", `--where: there is no column "team"`},
		{good, "--metric nps --column score --by month", "--date-column: is required with --by"},
		{good, "--metric nps --column score --by hour --date-column at", "--by: must be day, week, month, quarter or year"},
		{good, "--metric nps --column score --by day --date-column at --timezone Mars/Base", "--timezone: must be an IANA time zone"},
		{good, "--metric nps --column score --by day --date-column at --date-format %Q", "--date-format: %Q is none of those"},
		{good, "--metric nps --column score --scale 1-5", "--scale: is for csat"},
		{good, "--metric csat --column score --scale 2-5", "--scale: must be 1-3, 1-5"},
		{good, "--metric csat --column score --scale five", "--scale: must be 1-3, 1-5"},
		{good, "--metric csat --column score --version 2", "--version: is for ces"},
		{good, "--metric ces --column score --version 3", "--version: must be 1 (effort) or 2"},
		{good, "--metric nps --column score --level 2", "--level: must be above 0.5"},
		{many, "--metric nps --column score --by day --date-column at", "--by: this range has 40000 periods of a day, at most 2000"},
		{"score\n9\n\"8", "--metric nps --column score", "line 3: a quote opens here and never closes"},
		{"score\n9\nf\xfcnf\n", "--metric nps --column score", "line 3: byte 10 of the file (0xFC) is not UTF-8"},
		{"", "--metric nps --column score", "the file is empty"},
		{"score,at,who\n", "--metric nps --column score", `answers.csv: no row was counted: none that is wanted has a score in "score"`},
		{"score,at,who\n,2026-01-01,a\n11,2026-01-01,a\n", "--metric nps --column score", "no row was counted"},
		{good, "--metric nps --column score --where who=b --format json", "no row was counted"},
		{good, "--metric nps --column score --ignore 9", "no row was counted"},
		{"score" + strings.Repeat("x", 2<<20), "--metric nps --column score", "line 1: a record of more than 1048576 bytes"},
	} {
		_, err := command(t, "sqlite:none.db", append([]string{"score", written(t, c.file)}, strings.Fields(c.args)...)...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q %s: %v, want %s", c.file, c.args, err, c.want)
		}
	}
	if _, err := command(t, "sqlite:none.db", "score", "nowhere.csv", "--metric", "nps", "--column", "x"); err == nil || !strings.Contains(err.Error(), "nowhere.csv") {
		t.Error(err)
	}
}

func TestScoreFormats(t *testing.T) {
	file := written(t, "score,who\n10,Ana\n9,=cmd\n3,日本\n,Ana\n")
	table, err := command(t, "sqlite:none.db", "score", file, "--metric", "nps", "--column", "score", "--group", "who")
	if err != nil || !strings.Contains(table, "33.33") || !strings.Contains(table, "日本") {
		t.Error(table, err)
	}
	text, err := command(t, "sqlite:none.db", "score", file, "--metric", "nps", "--column", "score", "--group", "who", "--format", "csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 5 || !strings.Contains(text, "'=cmd") {
		t.Errorf("%s %v", text, err)
	}
}

// TestRowsThatAreNotCountedAreNamed: the first twenty, and how many there are.
func TestRowsThatAreNotCountedAreNamed(t *testing.T) {
	file := "score,at\n9,2026-01-01\n11,2026-01-01\nnine,2026-01-01\n9,yesterday\n9\n,\n" + strings.Repeat("99,2026-01-01\n", 30)
	f := scoreFile{File: "x.csv", Metric: "nps", Column: "score", By: "month", DateColumn: "at", Level: 0.95}
	counts, err := f.count(t.Context(), strings.NewReader(file), "UTC")
	if err != nil || counts.total.N() != 1 {
		t.Fatal(counts, err)
	}
	var said strings.Builder
	counts.warn(&said)
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) != 22 || lines[0] != "koe: rows that were not counted: 34" || lines[21] != "  and 14 more" {
		t.Error(said.String())
	}
	for i, want := range []string{"  line 3, score: 11 is not on the scale from 0 to 10", `  line 4, score: "nine" is not a whole number`,
		`  line 5, at: "yesterday" must be a date`, "  line 6: the row has 1 column, the header 2 columns"} {
		if !strings.HasPrefix(lines[i+1], want) {
			t.Errorf("%q, want %q", lines[i+1], want)
		}
	}
}
