package delighted

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// Reconciliation says what arrived, what did not, and who will not be mailed.
type Reconciliation struct {
	DryRun     bool           `json:"dry_run"`
	At         survey.Instant `json:"at"`
	Workspace  string         `json:"workspace"`
	Files      []FileCount    `json:"files"`
	People     PeopleCount    `json:"people"`
	Unsubs     ListCount      `json:"unsubscribes"`
	Bounced    ListCount      `json:"bounces"`
	Surveys    []SurveyCount  `json:"surveys"`
	Suppressed []Suppressed   `json:"suppressed"`
	Quiet      Quiet          `json:"quiet"`
	Rejected   int            `json:"rejected"`
	Rejections []Rejection    `json:"rejections"`
	Notes      []string       `json:"notes"`
}

// FileCount is how many records of which kind a file holds.
type FileCount struct {
	Name string         `json:"name"`
	Rows map[Kind]int64 `json:"rows"`
}

// PeopleCount is what became of the rows of people. Merged are those whose
// address came before, Unreachable those without a mail address.
type PeopleCount struct {
	In          int64 `json:"in"`
	Accepted    int64 `json:"accepted"`
	Merged      int64 `json:"merged"`
	Unreachable int64 `json:"without_address"`
	Rejected    int64 `json:"rejected"`
	Others      int64 `json:"from_answers"` // people whom only their answers told of
}

// SurveyCount is what became of the responses of one survey, and what they come
// to. Responses and what follows are of those that were accepted or are repeats.
type SurveyCount struct {
	Types     []string        `json:"survey_types"`
	Survey    string          `json:"survey"` // koe's key or id
	Metric    scoring.Metric  `json:"metric"`
	In        int64           `json:"in"`
	Accepted  int64           `json:"accepted"`
	Repeated  int64           `json:"repeated"` // there already, or twice in the files
	Blank     int64           `json:"without_score"`
	Rejected  int64           `json:"rejected"`
	Unnamed   int64           `json:"without_person"`
	From      *survey.Instant `json:"from"`
	To        *survey.Instant `json:"to"`
	Score     Figures         `json:"score"`
	Delighted *Comparison     `json:"delighted"` // nil where no metrics were given
}

// Figures are a score as Delighted rounds it: each a whole number of its own,
// halves away from zero. Score is nil without responses.
type Figures struct {
	Responses  int64            `json:"response_count"`
	Score      *int             `json:"score"`
	Counts     map[string]int64 `json:"counts"`
	Percentage map[string]int   `json:"percent"`
}

// Comparison holds Delighted's own figures beside koe's.
type Comparison struct {
	File    string                     `json:"file"`
	Figures map[string]json.RawMessage `json:"figures"`
	Agrees  string                     `json:"agrees"`      // "all", "last_30_days", or "" where neither does
	Differs []string                   `json:"differences"` // of all, where neither agrees
}

// Suppressed is an address that will never be mailed.
type Suppressed struct {
	Email  string                   `json:"email"`
	Reason survey.SuppressionReason `json:"reason"`
	Since  survey.Instant           `json:"since"`
}

// Quiet are the people who were asked lately. Period is the longest of the
// workspace and its surveys.
type Quiet struct {
	Period survey.Duration `json:"period"`
	People []QuietPerson   `json:"people"`
}

// QuietPerson is not asked again before Until.
type QuietPerson struct {
	Email string         `json:"email"`
	Asked survey.Instant `json:"asked_at"`
	Until survey.Instant `json:"until"`
}

// QuietAt lists who was asked less than a period ago, in the order of their
// addresses.
func (f *Facts) QuietAt(period survey.Duration, now survey.Instant) Quiet {
	q := Quiet{Period: period, People: []QuietPerson{}}
	for _, address := range slices.Sorted(maps.Keys(f.known)) {
		asked := notAfter(f.known[address].asked, now)
		if asked == nil {
			continue
		}
		if until := asked.Add(period.Length()); until > now {
			q.People = append(q.People, QuietPerson{address, *asked, until})
		}
	}
	return q
}

// Rejected are the rows that were refused so far, and more that are noted.
func (f *Facts) Rejected(more ...Rejection) []Rejection {
	f.rejected = append(f.rejected, more...)
	return f.rejected
}

// FiguresOf is a score as Delighted gives it: CSAT the share of the satisfied,
// CES the share of those who agree.
func FiguresOf(m scoring.Measure, h scoring.Histogram) (Figures, error) {
	r, err := scoring.Report([]scoring.Cell{{Measure: m, Histogram: h}}, 0.95)
	if err != nil {
		return Figures{}, err
	}
	f := Figures{Responses: r.Responses, Counts: map[string]int64{}, Percentage: map[string]int{}}
	for _, group := range r.Counts {
		f.Counts[group.Name] = group.Value
		if r.Responses > 0 {
			f.Percentage[group.Name] = scoring.Round(group.Value, r.Responses)
		}
	}
	switch {
	case r.Responses == 0:
	case m.Metric == scoring.NPS:
		f.Score = new(scoring.Round(f.Counts["promoters"]-f.Counts["detractors"], r.Responses))
	case m.Metric == scoring.CSAT:
		f.Score = new(f.Percentage["satisfied"])
	default:
		f.Score = new(f.Percentage["agree"])
	}
	return f, nil
}

// own are the names by which Delighted's metrics call figures of koe's.
func (f Figures) own(metric scoring.Metric) map[string]int64 {
	own := map[string]int64{"response_count": f.Responses}
	for name, n := range f.Counts {
		one := strings.TrimSuffix(name, "s")
		own[one+"_count"], own[one+"_percent"] = n, int64(f.Percentage[name])
	}
	if f.Score != nil {
		own[string(metric)] = int64(*f.Score)
	}
	return own
}

// Compare holds Delighted's metrics against all answers, and against those of
// the last 30 days, which is what Delighted counts where it is asked for no
// range.
func Compare(file string, given map[string]json.RawMessage, metric scoring.Metric, all, recent Figures) Comparison {
	c := Comparison{File: file, Figures: given, Agrees: "all", Differs: all.differ(given, metric)}
	switch {
	case len(c.Differs) == 0:
	case len(recent.differ(given, metric)) == 0:
		c.Agrees, c.Differs = "last_30_days", nil
	default:
		c.Agrees = ""
	}
	return c
}

func (f Figures) differ(given map[string]json.RawMessage, metric scoring.Metric) []string {
	var list []string
	own := f.own(metric)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		mine, known := own[name]
		if said := string(given[name]); known && said != "null" && said != strconv.FormatInt(mine, 10) {
			list = append(list, fmt.Sprintf("%s: Delighted %s, koe %d", name, said, mine))
		}
	}
	return list
}

// Of is the metric that Delighted's metrics are about, by the figure that is
// called so; "" where none is.
func Of(given map[string]json.RawMessage) scoring.Metric {
	for _, metric := range []scoring.Metric{scoring.NPS, scoring.CSAT, scoring.CES} {
		if _, is := given[string(metric)]; is {
			return metric
		}
	}
	return ""
}
