package report

import (
	"bytes"
	"errors"
	"testing"

	"koe/scoring"
	"koe/survey"
)

func TestScoreboard(t *testing.T) {
	from, to := at(t, "2026-01-01T00:00:00Z"), at(t, "2026-02-01T00:00:00Z")
	board, err := NewScoreboard([]CountedTouchpoint{
		{Key: "support_chat", Name: "サポート", Cells: npsOf(500, 300, 200), Previous: npsOf(440, 320, 240)},
		{Key: "nobody-yet", Name: "Nobody yet"},
		{Key: "checkout", Name: "Checkout", Cells: append(cell(ease, scoring.Histogram{6: 40, 2: 10}), cell(effort, scoring.Histogram{1: 3})...)},
		{Key: "branch", Name: "=Branch", Cells: append(cell(csat, scoring.Histogram{4: 9, 1: 1}), cell(thumbs, scoring.Histogram{1: 30})...),
			Previous: npsOf(1, 0, 0)},
	}, &CountedRange{From: from, To: to}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	goldenJSON(t, "scoreboard.json", board)
	var sheet bytes.Buffer
	if err := board.WriteCSV(&sheet); err != nil {
		t.Fatal(err)
	}
	golden(t, "scoreboard.csv", sheet.Bytes())
	rows := readCSV(t, sheet.Bytes())
	var got []string
	for _, row := range rows {
		got = append(got, row["touchpoint"]+" "+row["metric"]+" "+row["measure"]+" "+row["responses"])
	}
	want := []string{"support_chat nps 0-10 1000", "checkout ces 1-5 3", "checkout ces 1-7 50", "branch nps 0-10 0", "branch csat 0-1 30", "branch csat 1-5 10"}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	// metrics.md: (500,200,1000) against (440,240,1000)
	if c := board.Data[0].Comparison; !c.Significant || *c.Difference != 10 || c.From != from || c.To != to || c.Responses != 1000 {
		t.Errorf("comparison %+v", c)
	}
	if rows[4]["name"] != "'=Branch" || rows[1]["direction"] != "lower_is_better" || rows[2]["percent_agree"] != "80" || rows[0]["significant"] != "true" {
		t.Errorf("got %v", rows)
	}
}

func TestScoreboardAlone(t *testing.T) {
	board, err := NewScoreboard([]CountedTouchpoint{{Key: "a", Cells: npsOf(1, 1, 1), Previous: npsOf(9, 9, 9)}}, nil, 0.95)
	if err != nil || board.Data[0].Comparison != nil {
		t.Errorf("compared with nothing: %+v, %v", board, err)
	}
	empty, err := NewScoreboard(nil, nil, 0.95)
	if err != nil || empty.Data == nil || len(empty.Data) != 0 {
		t.Errorf("got %+v, %v", empty, err)
	}
	var e *survey.Error
	if _, err := NewScoreboard([]CountedTouchpoint{{Cells: npsOf(1, 0, 0)}}, nil, 2); !errors.As(err, &e) || e.Fields[0].Field != "level" {
		t.Errorf("level 2: %v", err)
	}
}

// asked is a survey with a question of each type; four of ten chose an option
// that the question no longer has.
func asked(t *testing.T) CountedAnswers {
	t.Helper()
	from := at(t, "2026-01-01T00:00:00Z")
	return CountedAnswers{
		SurveyID: "0190163d", Timezone: "UTC", Source: "tallies", From: &from, Level: 0.95, Cells: npsOf(50, 30, 20),
		Questions: []CountedQuestion{
			{Question: survey.Question{Key: "topic", Type: survey.ChoiceQuestion, Multiple: true,
				Options: []survey.Option{{Key: "speed"}, {Key: "quality"}, {Key: "price"}}},
				Text: "お問い合わせの内容", Answered: 80, Values: []CountedGroup{
					{Key: "quality", Cells: npsOf(40, 20, 10)}, {Key: "", Cells: npsOf(5, 10, 5)}, {Key: "speed", Cells: npsOf(10, 10, 10)}, {Key: "old", Cells: npsOf(4, 0, 0)}}},
			{Question: survey.Question{Key: "clarity", Type: survey.RatingQuestion, Scale: &survey.Scale{Min: 1, Max: 5}},
				Text: "Was it clear?", Answered: 60, Values: []CountedGroup{
					{Key: "5", Cells: npsOf(20, 0, 0)}, {Key: "4", Cells: npsOf(20, 0, 0)}, {Key: "1", Cells: npsOf(0, 0, 20)}, {Key: "", Cells: npsOf(10, 30, 0)},
					{Key: "9", Cells: npsOf(0, 0, 0)}}},
			{Question: survey.Question{Key: "reason", Type: survey.TextQuestion}, Text: "=Why?", Answered: 41,
				Values: []CountedGroup{{Key: "text", Cells: npsOf(41, 0, 0)}}},
			{Question: survey.Question{Key: "contact", Type: survey.ConsentQuestion}, Answered: 0},
		},
	}
}

func TestAnswers(t *testing.T) {
	r, err := NewAnswers(asked(t))
	if err != nil {
		t.Fatal(err)
	}
	goldenJSON(t, "answers.json", r)
	var sheet bytes.Buffer
	if err := r.WriteCSV(&sheet); err != nil {
		t.Fatal(err)
	}
	golden(t, "answers.csv", sheet.Bytes())
	if rows := readCSV(t, sheet.Bytes()); len(rows) != 4+4+5 || rows[11]["text"] != "'=Why?" || rows[11]["answered"] != "41" {
		t.Errorf("%d rows: %v", len(rows), rows)
	}
	topic := r.Questions[0]
	if r.Responses != 100 || topic.Responses != 80 || len(topic.Options) != 4 || topic.Options[3].Key != "old" {
		t.Fatalf("got %+v", r)
	}
	quality := topic.Options[1]
	if quality.Count != 70 || *quality.Share.Share != 87.5 || *quality.Score.Rounded != 43 || quality.Interval.Method != "wilson" {
		t.Errorf("got %+v", quality)
	}
	if price := topic.Options[2]; price.Count != 0 || *price.Share.Share != 0 || price.Score.Score != nil || price.Score.Counts == nil {
		t.Errorf("got %+v", price)
	}
	clarity := r.Questions[1]
	if len(clarity.Distribution) != 5 || *clarity.Mean != 10/3.0 || clarity.Distribution[0].Count != 20 {
		t.Errorf("got %+v", clarity.Rating)
	}
}

// TestAnswersOfAnEarlierScale: no rating is lost where the scale was wider once.
func TestAnswersOfAnEarlierScale(t *testing.T) {
	a := asked(t)
	a.Questions = a.Questions[1:2]
	a.Questions[0].Values = append(a.Questions[0].Values, CountedGroup{Key: "0", Cells: npsOf(1, 0, 0)}, CountedGroup{Key: "7", Cells: npsOf(1, 0, 0)},
		CountedGroup{Key: "11", Cells: npsOf(1, 0, 0)}, CountedGroup{Key: "many", Cells: npsOf(1, 0, 0)})
	r, err := NewAnswers(a)
	if err != nil {
		t.Fatal(err)
	}
	bins := r.Questions[0].Distribution
	if len(bins) != 8 || bins[0].Count != 1 || bins[7].Count != 1 || bins[6].Count != 0 || *r.Questions[0].Scale != (survey.Scale{Min: 1, Max: 5}) {
		t.Errorf("got %+v", r.Questions[0].Rating)
	}
}

func TestAnswersErrors(t *testing.T) {
	a := asked(t)
	a.Level = 0
	var e *survey.Error
	if _, err := NewAnswers(a); !errors.As(err, &e) || e.Fields[0].Field != "level" {
		t.Errorf("level 0: %v", err)
	}
	r, err := NewAnswers(CountedAnswers{Level: 0.95})
	if err != nil || r.Questions == nil || r.Responses != 0 {
		t.Errorf("nothing was asked: %+v, %v", r, err)
	}
	var sheet bytes.Buffer
	if err := r.WriteCSV(&sheet); err != nil || len(readCSV(t, sheet.Bytes())) != 0 {
		t.Errorf("nothing was asked: %s, %v", sheet.Bytes(), err)
	}
}
