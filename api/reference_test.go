package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
)

// bring imports a file into a survey; columns are pairs of a parameter and its
// value.
func (s *server) bring(survey string, file []byte, columns ...string) response {
	s.t.Helper()
	query := url.Values{"survey": {survey}}
	for i := 0; i < len(columns); i += 2 {
		query.Set(columns[i], columns[i+1])
	}
	return s.do("POST", "/v1/responses/import?"+query.Encode(), file, asCSV).want(200)
}

// A bank's year, day before month: by market, by every kind of period, rolled,
// and period against period.
func TestScoresOfTheBank(t *testing.T) {
	var known struct {
		Overall     truth            `json:"overall"`
		Markets     map[string]truth `json:"by_market"`
		Months      map[string]truth `json:"by_month"`
		Quarters    map[string]truth `json:"by_quarter"`
		Weeks       map[string]truth `json:"by_iso_week"`
		Both        map[string]truth `json:"by_market_quarter"`
		Rolling     map[string]truth
		Comparisons struct{ Months, Quarters, Halves map[string]truthChange }
	}
	file := dataset(t, "nps_bank_2021", &known)
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("bank", `"touchpoint":"bank","segments":["market"]`)
		s.bring("bank", file, "map.score", "NPS", "map.responded_at", "Survey date", "date_format", "%d/%m/%y", "map.external_id", "ID",
			"map.attributes.market", "Market").wantAt("accepted", 5000.0).wantAt("rejected", 0.0)
		months := s.scoresOf("touchpoint=bank&interval=month&group_by=attributes.market")
		if months.Source != "tallies" {
			t.Errorf("the report comes from %s", months.Source)
		}
		known.Overall.check(t, "overall", months.Total)
		checkParts(t, "market", known.Markets, months.Groups, partKey)
		checkParts(t, "month", known.Months, months.Periods, partMonth)
		quarters := s.scoresOf("touchpoint=bank&interval=quarter")
		checkParts(t, "quarter", known.Quarters, quarters.Periods, partQuarter)
		checkParts(t, "week", known.Weeks, s.scoresOf("touchpoint=bank&interval=week").Periods, partWeek)
		var both []scored
		for market := range known.Markets {
			for _, p := range s.scoresOf("touchpoint=bank&interval=quarter&attributes.market=%s", market).Periods {
				p.Key = market + "|" + partQuarter(p)
				both = append(both, p)
			}
		}
		checkParts(t, "market and quarter", known.Both, both, partKey)
		s.checkWindows("bank", known.Rolling)
		s.checkChanges("bank", "month", known.Comparisons.Months, months.Periods, partMonth)
		s.checkChanges("bank", "quarter", known.Comparisons.Quarters, quarters.Periods, partQuarter)
		known.Comparisons.Halves["H2 - H1"].check(t, "halves", s.scoresOf("touchpoint=bank&from=2021-07-01&to=2022-01-01&compare=2021-01-01/2021-07-01"))
	})
}

// A call centre's quarter, with calls that nobody rated: by agent, topic and
// whether it was resolved, by month and week, and month against month.
func TestScoresOfTheCallCentre(t *testing.T) {
	var known struct {
		Overall     truth            `json:"overall"`
		Agents      map[string]truth `json:"by_agent"`
		Topics      map[string]truth `json:"by_topic"`
		Resolved    map[string]truth `json:"by_resolved"`
		Months      map[string]truth `json:"by_month"`
		Weeks       map[string]truth `json:"by_iso_week"`
		Both        map[string]truth `json:"by_agent_month"`
		Unrated     float64
		Comparisons struct{ Months map[string]truthChange }
	}
	file := dataset(t, "csat_callcenter_2021q1", &known)
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("calls", `"touchpoint":"calls","template":"csat","segments":["agent","topic","resolved"]`)
		s.bring("calls", file, "map.score", "Satisfaction rating", "map.responded_at", "Date", "map.external_id", "Call Id", "map.attributes.agent", "Agent",
			"map.attributes.topic", "Topic", "map.attributes.resolved", "Resolved").wantAt("accepted", known.Overall.N).wantAt("blank", known.Unrated).wantAt("rejected", 0.0)
		months := s.scoresOf("touchpoint=calls&interval=month&group_by=attributes.agent")
		known.Overall.check(t, "overall", months.Total)
		checkParts(t, "agent", known.Agents, months.Groups, partKey)
		checkParts(t, "month", known.Months, months.Periods, partMonth)
		checkParts(t, "topic", known.Topics, s.scoresOf("touchpoint=calls&group_by=attributes.topic").Groups, partKey)
		checkParts(t, "resolved", known.Resolved, s.scoresOf("touchpoint=calls&group_by=attributes.resolved").Groups, partKey)
		checkParts(t, "week", known.Weeks, s.scoresOf("touchpoint=calls&interval=week").Periods, partWeek)
		var both []scored
		for agent := range known.Agents {
			for _, p := range s.scoresOf("touchpoint=calls&interval=month&attributes.agent=%s", agent).Periods {
				p.Key = agent + "|" + partMonth(p)
				both = append(both, p)
			}
		}
		checkParts(t, "agent and month", known.Both, both, partKey)
		s.checkChanges("calls", "month", known.Comparisons.Months, months.Periods, partMonth)
	})
}

// airport is what is known of a year of an airport's survey.
type airport struct {
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
	Changes struct {
		Items map[string]truthChange `json:"csat_top2"`
		Ease  map[string]truthChange `json:"ease_agree"`
	} `json:"comparisons_2017_minus_2016"`
}

// An airport's two years: each of its 24 ratings is a survey of its own, scored
// for either year and year against year. The second year's file has only days
// of a month in it, so that its answers are of when they are imported.
func TestScoresOfTheAirport(t *testing.T) {
	var first, second airport
	file2016, file2017 := dataset(t, "sfo_survey_2016", &first), dataset(t, "sfo_survey_2017", &second)
	for _, known := range []airport{first, second} {
		maps.Copy(known.Items, known.Ease)
	}
	maps.Copy(second.Changes.Items, second.Changes.Ease)
	if len(first.Items) != 24 || len(second.Items) != 24 || len(second.Changes.Items) != 24 {
		t.Fatal(len(first.Items), len(second.Items), len(second.Changes.Items))
	}
	eachServer(t, func(t *testing.T, s *server) {
		const before, now = "from=2016-01-01&to=2017-01-01", "from=2026-01-01&to=2027-01-01"
		items := second.Items
		if !strings.HasPrefix(s.database, "sqlite:") {
			items = second.Ease // three of them: every item takes a while, and tells the databases apart no more
		}
		for item := range items {
			key := strings.ToLower(item)
			s.survey(key, fmt.Sprintf(`"touchpoint":%q,"template":"csat","segments":["area"]`, key))
			columns := []string{"map.score", item, "ignore", "0,6,Blank", "map.attributes.area", "BAREA"}
			s.bring(key, file2016, append(columns, "map.responded_at", "INTDATE", "date_format", "%m/%d/%Y %I:%M:%S %p")...).
				wantAt("accepted", first.Items[item].N).wantAt("rejected", 0.0)
			s.bring(key, file2017, columns...).wantAt("accepted", second.Items[item].N).wantAt("rejected", 0.0)
			first.Items[item].check(t, "2016 "+item, s.scoresOf("survey=%s&%s", key, before).Total)
			change := s.scoresOf("survey=%s&%s&compare=2016-01-01/2017-01-01", key, now)
			second.Items[item].check(t, "2017 "+item, change.Total)
			second.Changes.Items[item].check(t, item, change)
		}
		checkParts(t, "2016 area", first.Areas, s.scoresOf("survey=q14passthru&group_by=attributes.area&%s", before).Groups, partKey)
		checkParts(t, "2017 area", second.Areas, s.scoresOf("survey=q14passthru&group_by=attributes.area&%s", now).Groups, partKey)

		s.survey("recommend", `"touchpoint":"recommend","segments":["day","area","language","mode"]`)
		s.bring("recommend", file2017, "map.score", "NETPRO", "ignore", "11,99", "map.attributes.day", "INTDATE", "map.attributes.area", "BAREA",
			"map.attributes.language", "LANG", "map.attributes.mode", "SAQ").wantAt("accepted", second.NPS.Overall.N).wantAt("rejected", 0.0).wantAt("blank", 85.0)
		days := s.scoresOf("survey=recommend&group_by=attributes.day")
		second.NPS.Overall.check(t, "nps", days.Total)
		checkParts(t, "date", second.NPS.Dates, days.Groups, func(p scored) string { return fmt.Sprintf("2017-05-%02s", p.Key) })
		for by, want := range map[string]map[string]truth{"area": second.NPS.Areas, "language": second.NPS.Languages, "mode": second.NPS.Modes} {
			checkParts(t, by, want, s.scoresOf("survey=recommend&group_by=attributes.%s", by).Groups, partKey)
		}
	})
}

// The synthetic file, with its re-deliveries, holes and scores that are none: by
// segment, month and week of Tokyo, and month against month.
func TestScoresOfTheSyntheticFile(t *testing.T) {
	var known struct {
		Rows, Missing, Rejected float64
		Duplicates              float64 `json:"duplicate_rows"`
		Touchpoints             map[string]struct {
			Metric   string                     `json:"metric"`
			Overall  truth                      `json:"overall"`
			Segments map[string]truth           `json:"by_segment"`
			Months   map[string]truth           `json:"by_month"`
			Weeks    map[string]truthWeek       `json:"by_iso_week"`
			Changes  map[string]json.RawMessage `json:"month_on_month"`
		} `json:"touchpoints"`
	}
	rows, err := csv.NewReader(bytes.NewReader(dataset(t, "synth_10k_seed1", &known))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	eachServer(t, func(t *testing.T, s *server) {
		var all, blank, repeated, rejected float64
		for touchpoint, want := range known.Touchpoints {
			s.survey(touchpoint, fmt.Sprintf(`"touchpoint":%q,"template":%q,"segments":["segment"]`, touchpoint, want.Metric))
			var file bytes.Buffer
			out := csv.NewWriter(&file)
			for i, row := range rows {
				if i == 0 || row[1] == touchpoint {
					_ = out.Write(row) // Flush's error is the same
				}
			}
			if out.Flush(); out.Error() != nil {
				t.Fatal(out.Error())
			}
			got := s.bring(touchpoint, file.Bytes(), "map.score", "score", "map.external_id", "response_id", "map.responded_at", "responded_at",
				"map.channel", "channel", "map.attributes.segment", "segment", "map.locale", "locale", "map.comment", "comment").wantAt("accepted", want.Overall.N)
			all += want.Overall.N
			blank, repeated, rejected = blank+got.number("blank"), repeated+got.number("repeated"), rejected+got.number("rejected")

			months := s.scoresOf("touchpoint=%s&interval=month&group_by=attributes.segment", touchpoint)
			want.Overall.check(t, touchpoint, months.Total)
			checkParts(t, touchpoint+" segment", want.Segments, months.Groups, partKey)
			checkParts(t, touchpoint+" month", want.Months, months.Periods, partMonth)
			for name, week := range partsOf(t, touchpoint+" week", want.Weeks, s.scoresOf("touchpoint=%s&interval=week", touchpoint).Periods, partWeek) {
				value := week.Score
				if want.Metric == "ces" {
					value = new(100 * (week.Distribution[5].Count + week.Distribution[6].Count) / week.Responses)
				}
				if w := want.Weeks[name]; w.N != week.Responses || !near(w.Value, value) {
					t.Errorf("%s %s: %s instead of %+v", touchpoint, name, written(t, week), w)
				}
			}
			if want.Metric == "ces" {
				s.checkMeans(touchpoint, want.Months, months.Periods)
				continue
			}
			changes := map[string]truthChange{}
			for name, raw := range want.Changes {
				var change truthChange
				if err := json.Unmarshal(raw, &change); err != nil {
					t.Fatal(err)
				}
				changes[name] = change
			}
			s.checkChanges(touchpoint, "month", changes, months.Periods, partMonth)
		}
		if len(known.Touchpoints) != 8 || all+blank+repeated+rejected != known.Rows || blank != known.Missing || repeated != known.Duplicates || rejected != known.Rejected {
			t.Errorf("%d touchpoints: %v kept, %v blank, %v repeated, %v rejected of %+v", len(known.Touchpoints), all, blank, repeated, rejected, known.Rows)
		}
	})
}
