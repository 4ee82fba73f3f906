package report

import (
	"io"
	"slices"
	"strconv"

	"koe/scoring"
	"koe/survey"
)

// CountedAnswers is what the summary of a survey's questions is made of.
type CountedAnswers struct {
	SurveyID   string
	Timezone   string
	Source     string
	Rebuilding bool
	Notes      []string
	From, To   *survey.Instant
	Level      float64
	Cells      []scoring.Cell // of all responses in the range
	Questions  []CountedQuestion
}

// CountedQuestion is one further question with the answers to it.
type CountedQuestion struct {
	Question survey.Question
	Text     string // the question in the reader's language
	Answered int64  // how many responses answer it
	// Values are the answers given: an option's key, a rating as a decimal
	// number, for other types anything. The empty key, of those who did not
	// answer, is not read.
	Values []CountedGroup
}

// AnswersReport is what the further questions of a survey come to: the answer
// of GET /v1/surveys/{id}/answers.
type AnswersReport struct {
	SurveyID   string          `json:"survey_id"`
	Timezone   string          `json:"timezone"`
	Source     string          `json:"source"`
	Rebuilding bool            `json:"rebuilding,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	From       *survey.Instant `json:"from"`
	To         *survey.Instant `json:"to"`
	Responses  int64           `json:"responses"`
	Questions  []Answered      `json:"questions"`
}

// Answered is what the answers to one question come to. A choice has Multiple
// and Options, a rating Scale and Rating; of text and consent only Responses are
// told.
type Answered struct {
	Key       string              `json:"key"`
	Type      survey.QuestionType `json:"type"`
	Text      string              `json:"text,omitempty"`
	Responses int64               `json:"responses"` // that answer this question
	Multiple  *bool               `json:"multiple,omitempty"`
	Options   []Chosen            `json:"options,omitzero"`
	Scale     *survey.Scale       `json:"scale,omitempty"`
	*scoring.Rating
}

// Chosen is an option, its share of those who answered the question, and the
// score of those who chose it.
type Chosen struct {
	Key string `json:"key"`
	scoring.Share
	Score scoring.Result `json:"score"`
}

// NewAnswers summarises the questions, in the order given. Errors are as of
// [New].
func NewAnswers(c CountedAnswers) (AnswersReport, error) {
	r := AnswersReport{SurveyID: c.SurveyID, Timezone: c.Timezone, Source: c.Source, Rebuilding: c.Rebuilding, Notes: c.Notes,
		From: c.From, To: c.To, Responses: counted(c.Cells), Questions: make([]Answered, 0, len(c.Questions))}
	for _, q := range c.Questions {
		a := Answered{Key: q.Question.Key, Type: q.Question.Type, Text: q.Text, Responses: q.Answered}
		switch q.Question.Type {
		case survey.ChoiceQuestion:
			a.Multiple = &q.Question.Multiple
			options, err := chosen(q, c.Cells, c.Level)
			if err != nil {
				return AnswersReport{}, err
			}
			a.Options = options
		case survey.RatingQuestion:
			a.Scale = q.Question.Scale
			a.Rating = rated(q, c.Level)
		}
		r.Questions = append(r.Questions, a)
	}
	return r, nil
}

// chosen lists the question's options in its order, and then those that only
// earlier versions of it had.
func chosen(q CountedQuestion, whole []scoring.Cell, level float64) ([]Chosen, error) {
	byKey := map[string][]scoring.Cell{}
	var keys []string
	for _, o := range q.Question.Options {
		keys = append(keys, o.Key)
	}
	for _, v := range q.Values {
		byKey[v.Key] = v.Cells
		if v.Key != "" && !slices.Contains(keys, v.Key) {
			keys = append(keys, v.Key)
		}
	}
	options := make([]Chosen, 0, len(keys))
	for _, key := range keys {
		result, err := scored(likewise(byKey[key], whole), level)
		if err != nil {
			return nil, err
		}
		options = append(options, Chosen{key, scoring.ShareOf(result.Responses, q.Answered, level), result})
	}
	return options, nil
}

// rated adds up the ratings. Where an earlier version of the question had a
// wider scale, its ends are shown too.
func rated(q CountedQuestion, level float64) *scoring.Rating {
	var h scoring.Histogram
	var low, high int
	if q.Question.Scale != nil {
		low, high = q.Question.Scale.Min, q.Question.Scale.Max
	}
	for _, v := range q.Values {
		value, err := strconv.Atoi(v.Key)
		n := counted(v.Cells)
		if err != nil || value < 0 || value >= len(h) || n == 0 {
			continue // such as the empty key, of those who did not rate
		}
		h[value] += n
		low, high = min(low, value), max(high, value)
	}
	rating := scoring.Rate(low, high, h, level)
	return &rating
}

func counted(cells []scoring.Cell) int64 {
	var n int64
	for _, cell := range cells {
		n += cell.Histogram.N()
	}
	return n
}

// WriteCSV writes a row for each question, below it one for each option or
// point of its scale. Score and what follows are of those who chose the option.
func (r AnswersReport) WriteCSV(w io.Writer) error {
	s := sheet{columns: []string{"row", "question", "type", "text", "key", "answered", "count", "share", "share_low", "share_high",
		"rating_mean", "rating_low", "rating_high", "rating_standard_deviation"}}
	var results []scoring.Result
	for _, q := range r.Questions {
		row := map[string]string{"row": "question", "question": q.Key, "type": string(q.Type), "text": q.Text,
			"answered": strconv.FormatInt(q.Responses, 10)}
		s.rows = append(s.rows, row)
		for _, o := range q.Options {
			option := map[string]string{"row": "option", "question": q.Key, "key": o.Key,
				"count": strconv.FormatInt(o.Count, 10), "share": number(o.Share.Share)}
			intervalCells(option, "share", o.Interval)
			scoreCells(option, o.Score)
			results = append(results, o.Score)
			s.rows = append(s.rows, option)
		}
		if q.Rating == nil {
			continue
		}
		row["rating_mean"], row["rating_standard_deviation"] = number(q.Mean), number(q.StandardDeviation)
		intervalCells(row, "rating", q.Interval)
		for _, bin := range q.Distribution {
			s.rows = append(s.rows, map[string]string{"row": "value", "question": q.Key, "key": strconv.Itoa(bin.Value),
				"count": strconv.FormatInt(bin.Count, 10)})
		}
	}
	if results != nil {
		s.columns = append(s.columns, scoreColumns(results...)...)
	}
	return s.write(w)
}
