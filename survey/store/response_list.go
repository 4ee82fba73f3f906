package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"koe/scoring"
	"koe/survey"
)

// ResponseFilter narrows a list; empty fields do not.
type ResponseFilter struct {
	Survey     string // id or key
	Touchpoint string
	Metric     scoring.Metric
	ScoreMin   *int
	ScoreMax   *int
	From, To   *survey.Instant
	Locale     string
	Attributes map[string]string
	Tag        string
	HasComment *bool
	Q          string // words in the comment
}

// Responses lists the newest first.
func (s *Store) Responses(ctx context.Context, by Caller, f ResponseFilter, page Page) ([]survey.Response, string, error) {
	q := s.reading(ctx, by)
	where, args, err := s.responseConditions(q, f)
	if err != nil {
		return nil, "", err
	}
	var rows []responseRow
	next, err := s.newestFirst(q, "responses", f, page, "responded_at", where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+responseColumns+` FROM responses`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].RespondedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list, err := s.responsesOf(q, rows[:min(len(rows), page.Limit)])
	return list, next, away(err)
}

func (s *Store) responseConditions(q *session, f ResponseFilter) ([]string, []any, error) {
	where, args := []string{"workspace_id = ?"}, []any{q.by.Workspace}
	and := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if f.Survey != "" {
		place, err := s.surveyByRef(q, f.Survey)
		if err != nil {
			return nil, nil, namedFilter("survey", err)
		}
		and("survey_id = ?", place.Survey.ID)
	}
	if f.Touchpoint != "" {
		touchpoint, found, err := q.touchpointID(f.Touchpoint)
		if err != nil {
			return nil, nil, away(err)
		}
		if !found {
			return nil, nil, survey.Errorf(survey.Invalid, "touchpoint", "does not exist in this workspace")
		}
		and("touchpoint_id = ?", touchpoint)
	}
	if f.Metric != "" {
		and("measure_id IN (SELECT id FROM measures WHERE workspace_id = ? AND metric = ?)", q.by.Workspace, string(f.Metric))
	}
	if f.ScoreMin != nil {
		and("score >= ?", *f.ScoreMin)
	}
	if f.ScoreMax != nil {
		and("score <= ?", *f.ScoreMax)
	}
	if f.From != nil {
		and("responded_at >= ?", *f.From)
	}
	if f.To != nil {
		and("responded_at < ?", *f.To)
	}
	if f.Locale != "" {
		and("locale = ?", f.Locale)
	}
	q.textConditions(f, and)
	return where, args, nil
}

// textConditions narrow by what stands inside texts.
func (q *session) textConditions(f ResponseFilter, and func(string, ...any)) {
	for _, name := range slices.Sorted(maps.Keys(f.Attributes)) {
		text, args := q.attributeText(name)
		and(text+" = ?", append(args, f.Attributes[name])...)
	}
	if f.Tag != "" {
		quoted, _ := asJSON(f.Tag) // a string always encodes
		and(`tags LIKE ? ESCAPE '!'`, "%"+escapeLike(quoted)+"%")
	}
	if f.HasComment != nil {
		if *f.HasComment {
			and("comment <> ''")
		} else {
			and("comment = ''")
		}
	}
	if f.Q != "" {
		wanted := strings.ToLower(f.Q)
		comment, args := lowered("comment", wanted)
		and(comment+` LIKE ? ESCAPE '!'`, append(args, "%"+escapeLike(wanted)+"%")...)
	}
}

// lowered is a column in lower case, as far as a wanted text can tell. The
// databases' own LOWER may know ASCII alone: the other letters of the text are
// replaced one by one.
func lowered(column, wanted string) (expression string, args []any) {
	expression = "LOWER(" + column + ")"
	seen := map[rune]bool{}
	for _, r := range wanted {
		if upper := unicode.ToUpper(r); r >= utf8.RuneSelf && upper != r && !seen[r] {
			seen[r] = true
			expression, args = "REPLACE("+expression+", ?, ?)", append(args, string(upper), string(r))
		}
	}
	return expression, args
}

// escapeLike makes a text match only itself in LIKE … ESCAPE '!'.
func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}
