package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"koe/scoring"
	"koe/survey"
)

// AnswersCounted is what the answers to a survey's questions come to.
type AnswersCounted struct {
	Survey     survey.ID
	Source     string // as in Counted
	Rebuilding bool
	Notes      []string
	Responses  []scoring.Cell // the scores of all who answered the survey
	Questions  []QuestionCount

	DefaultLocale string // of the template
}

// QuestionCount is one question. Cells are the scores of those who answered it,
// or who gave one answer; how many they are is their histograms' N.
type QuestionCount struct {
	Question survey.Question
	Answered []scoring.Cell
	Values   []ValueCount // options in the template's order, points of a rating, true and false
}

// ValueCount is one answer to a question: an option's key, points, true or false.
type ValueCount struct {
	Key   string
	Cells []scoring.Cell
}

// Answers counts the answers to every further question of a survey, as it is
// asked now and as it was in earlier versions of its template that were
// answered. NotFound where there is no such survey; else as Tally.
func (s *Store) Answers(ctx context.Context, by Caller, ref string, f ScoreFilter, span Span) (AnswersCounted, error) {
	q := s.reading(ctx, by)
	place, err := s.surveyByRef(q, ref)
	if err != nil {
		return AnswersCounted{}, away(err)
	}
	f.Survey = place.Survey.ID.String()
	var out AnswersCounted
	err = s.snapshot(ctx, by, func(q *session) (err error) {
		out, err = s.answersCounted(q, place, f, span)
		return err
	})
	return out, away(err)
}

func (s *Store) answersCounted(q *session, place surveyPlace, f ScoreFilter, span Span) (AnswersCounted, error) {
	out := AnswersCounted{Survey: place.Survey.ID}
	n, err := s.counterOf(q, f, "")
	if err != nil {
		return out, err
	}
	cut := cutSpans([]Span{span}, n.calendar.loc)
	all, err := n.count(cut, "")
	if err != nil {
		return out, err
	}
	versions, err := s.versionsOf(q, place.TemplateID)
	if err != nil {
		return out, err
	}
	found, err := n.answerCounts(cut, versions)
	if err != nil {
		return out, err
	}
	metric := f.Metric
	if metric == "" {
		metric = versions[0].Measure().Metric
	}
	out.Source, out.Rebuilding, out.Notes = n.source(), n.calendar.rebuild.running(), n.scope.notes
	out.Responses = cellsOf(all.ofSpan("", cut, 0), metric, f.CESVersion)
	out.DefaultLocale = versions[0].DefaultLocale
	out.Questions = found.questions(versions, metric, f.CESVersion)
	return out, nil
}

// answerCounts are the scores of those who gave an answer, per dimension and
// value as in the tallies.
type answerCounts map[[2]string]map[int64]scoring.Histogram

func (c answerCounts) add(dimension, value string, measure int64, h scoring.Histogram) {
	key := [2]string{dimension, value}
	if c[key] == nil {
		c[key] = map[int64]scoring.Histogram{}
	}
	c[key][measure] = c[key][measure].Add(h)
}

// answerCounts takes whole days from the tallies, where the filter narrows by
// nothing that is a dimension itself, and looks at the rest answer by answer.
func (n *counter) answerCounts(cut spanCut, versions []survey.Template) (answerCounts, error) {
	counts := answerCounts{}
	if len(n.scope.measures) == 0 {
		return counts, nil
	}
	dimension, _, ok := n.scope.segmentDimension()
	tallied := ok && dimension == "" && !n.calendar.rebuild.running()
	for _, p := range cut.all {
		switch {
		case p.empty():
		case tallied && p.days:
			if err := n.answerTallies(p, versions, counts); err != nil {
				return nil, err
			}
		default:
			n.counted = true
			if err := n.answerRows(p, counts); err != nil {
				return nil, err
			}
		}
	}
	return counts, nil
}

func (n *counter) answerTallies(p piece, versions []survey.Template, counts answerCounts) error {
	dimensions := map[string]bool{byAnswered: true}
	for _, t := range versions {
		for _, question := range t.Questions {
			dimensions[byChoice+question.Key] = dimensions[byChoice+question.Key] || question.Type == survey.ChoiceQuestion
			dimensions[byRating+question.Key] = dimensions[byRating+question.Key] || question.Type == survey.RatingQuestion
			dimensions[byConsent+question.Key] = dimensions[byConsent+question.Key] || question.Type == survey.ConsentQuestion
		}
	}
	for dimension, has := range dimensions {
		if !has {
			continue
		}
		if err := n.sums("value", dimension, nil, p, func(value string, measure int64, h scoring.Histogram) {
			counts.add(dimension, value, measure, h)
		}); err != nil {
			return err
		}
	}
	return nil
}

func (n *counter) answerRows(p piece, counts answerCounts) error {
	if err := n.loadTemplates(); err != nil {
		return err
	}
	return n.eachRow(p, false, func(r responseRow) error {
		var h scoring.Histogram
		h[r.Score] = 1
		return n.eachAnswer(r, func(dimension, value string) { counts.add(dimension, value, r.MeasureID, h) })
	})
}

// questions puts counts into the order of the newest template; what only
// earlier versions asked follows where it was answered.
func (c answerCounts) questions(versions []survey.Template, metric scoring.Metric, cesVersion int) []QuestionCount {
	cells := func(dimension, value string) []scoring.Cell {
		return cellsOf(c[[2]string{dimension, value}], metric, cesVersion)
	}
	out := []QuestionCount{}
	known := map[string]bool{survey.ScoreKey: true}
	for age, t := range versions {
		for _, question := range t.Questions {
			if known[question.Key] || age > 0 && countOf(c[[2]string{byAnswered, question.Key}]) == 0 {
				continue
			}
			known[question.Key] = true
			one := QuestionCount{Question: question, Answered: cells(byAnswered, question.Key)}
			dimension, values := c.values(question)
			for _, value := range values {
				one.Values = append(one.Values, ValueCount{value, cells(dimension, value)})
			}
			out = append(out, one)
		}
	}
	return out
}

// values are the answers that a question offers, and those that it offered
// once and that were given.
func (c answerCounts) values(question survey.Question) (dimension string, values []string) {
	switch question.Type {
	case survey.ChoiceQuestion:
		dimension = byChoice + question.Key
		for _, option := range question.Options {
			values = append(values, option.Key)
		}
	case survey.RatingQuestion:
		dimension = byRating + question.Key
		for point := question.Scale.Min; point <= question.Scale.Max; point++ {
			values = append(values, strconv.Itoa(point))
		}
	case survey.ConsentQuestion:
		return byConsent + question.Key, []string{"true", "false"}
	default:
		return "", nil
	}
	var once []string
	for key, counts := range c {
		if key[0] == dimension && countOf(counts) > 0 && !slices.Contains(values, key[1]) {
			once = append(once, key[1])
		}
	}
	slices.SortFunc(once, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return dimension, append(values, once...)
}

// DataSpan is when the first and the last answer of a scope were given, nil
// where there is none. Filters beside metric, touchpoint and survey are not
// looked at: it is the stretch that a report without from and to is cut into.
func (s *Store) DataSpan(ctx context.Context, by Caller, f ScoreFilter) (first, last *survey.Instant, err error) {
	q := s.reading(ctx, by)
	scope, err := s.scopeOf(q, f, "")
	if err != nil || len(scope.measures) == 0 {
		return nil, nil, away(err)
	}
	n := &counter{session: q, store: s, scope: scope}
	if n.calendar, err = q.calendar(""); err != nil {
		return nil, nil, away(err)
	}
	stale, err := n.stale("")
	if err != nil {
		return nil, nil, away(err)
	}
	if stale {
		first, last, err = n.firstAndLast()
		return first, last, away(err)
	}
	strata, err := n.strata("")
	if err != nil {
		return nil, nil, away(err)
	}
	list, ids, err := n.idList(strata)
	if err != nil || len(strata) == 0 {
		return nil, nil, away(err)
	}
	edge := func(which string) string {
		return `(SELECT ` + which + `(responded_at) FROM responses r WHERE r.workspace_id = ? AND r.stratum_id = s.id AND r.excluded_reason IS NULL)`
	}
	var low, high *int64
	if _, err = q.row(`WITH s AS MATERIALIZED (`+list+`) SELECT MIN(low), MAX(high) FROM
		(SELECT `+edge("MIN")+` AS low, `+edge("MAX")+` AS high FROM s) AS edges`,
		[]any{ids, by.Workspace, by.Workspace}, &low, &high); err != nil {
		return nil, nil, away(err)
	}
	return (*survey.Instant)(low), (*survey.Instant)(high), nil
}

// firstAndLast is DataSpan where strata do not tell.
func (n *counter) firstAndLast() (first, last *survey.Instant, err error) {
	where, args := n.places()
	for order, at := range map[string]**survey.Instant{"ASC": &first, "DESC": &last} {
		var instant *int64
		if _, err := n.row(`SELECT responded_at FROM responses WHERE `+where+` AND excluded_reason IS NULL
			ORDER BY responded_at `+order+` LIMIT 1`, slices.Clone(args), &instant); err != nil {
			return nil, nil, err
		}
		*at = (*survey.Instant)(instant)
	}
	return first, last, nil
}
