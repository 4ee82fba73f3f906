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
	Mood       Mood
	HasComment *bool
	Excluded   *bool  // left out of scores, or not
	FollowUp   string // the state of its follow-up, Unresolved, or NoFollowUp where it has none

	Person                 *survey.ID
	Email                  string          // of the person; one that is no address is nobody's
	UpdatedFrom, UpdatedTo *survey.Instant // of the last change
	CreatedUntil           *survey.Instant // what koe was told later is left out
	Q                      string          // words in the comment or another text answer, in any case
}

// What a filter of follow-ups can be beside a state.
const (
	NoFollowUp = "none"       // answers that have none
	Unresolved = "unresolved" // answers whose follow-up is open or in progress
)

// followedUp finds the follow-up of a response.
const followedUp = `SELECT 1 FROM follow_ups f WHERE f.workspace_id = responses.workspace_id AND f.response_id = responses.id`

// Mood narrows to answers of unhappy customers, see scoring.Result.Unhappy, or
// to the others; "" does not.
type Mood string

// The moods.
const (
	Unhappy Mood = "unhappy"
	Happy   Mood = "happy"
)

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

// Leaf asks for a part of a list by number: Limit items behind the first Skip.
// Unlike a Page it may repeat or miss what is written meanwhile.
type Leaf struct{ Skip, Limit int }

// ResponseOrder is how a list of responses is sorted.
type ResponseOrder struct {
	ByUpdate bool // by the last change, else by when it was answered
	Down     bool // the newest first
}

// ResponseLeaf is a part of the list of responses in any order.
func (s *Store) ResponseLeaf(ctx context.Context, by Caller, f ResponseFilter, o ResponseOrder, leaf Leaf) ([]survey.Response, error) {
	q := s.reading(ctx, by)
	where, args, err := s.responseConditions(q, f)
	if err != nil {
		return nil, err
	}
	column, direction := "responded_at", ""
	if o.ByUpdate {
		column = "updated_at"
	}
	if o.Down {
		direction = " DESC"
	}
	var rows []responseRow
	err = q.list(&rows, `SELECT `+responseColumns+` FROM responses WHERE `+strings.Join(where, " AND ")+
		` ORDER BY `+column+direction+`, id`+direction+` LIMIT ? OFFSET ?`, append(args, leaf.Limit, leaf.Skip)...)
	if err != nil {
		return nil, away(err)
	}
	list, err := s.responsesOf(q, rows)
	return list, away(err)
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
	if f.Mood != "" {
		if err := q.moodCondition(f.Mood, and); err != nil {
			return nil, nil, away(err)
		}
	}
	q.personConditions(f, and)
	if err := q.scopeConditions(and); err != nil {
		return nil, nil, away(err)
	}
	standingConditions(f, and)
	q.textConditions(f, and)
	if f.Q != "" {
		if err := s.wordsCondition(q, f.Q, and); err != nil {
			return nil, nil, away(err)
		}
	}
	return where, args, nil
}

// standingConditions narrow by what became of an answer.
func standingConditions(f ResponseFilter, and func(string, ...any)) {
	switch {
	case f.Excluded == nil:
	case *f.Excluded:
		and("excluded_reason IS NOT NULL")
	default:
		and("excluded_reason IS NULL")
	}
	switch f.FollowUp {
	case "":
	case NoFollowUp:
		and("NOT EXISTS (" + followedUp + ")")
	case Unresolved:
		and("EXISTS (" + followedUp + " AND f.state <> 'resolved')")
	default:
		and("EXISTS ("+followedUp+" AND f.state = ?)", f.FollowUp)
	}
}

// moodCondition narrows to the points of each measure's scale that a mood has.
func (q *session) moodCondition(mood Mood, and func(string, ...any)) error {
	var measures []int64
	if err := q.list(&measures, `SELECT id FROM measures WHERE workspace_id = ? ORDER BY id`, q.by.Workspace); err != nil {
		return err
	}
	var parts []string
	var args []any
	for _, measure := range measures {
		var points []any
		for point := measureOf(measure).Min; point <= measureOf(measure).Max; point++ {
			if unhappy(responseRow{MeasureID: measure, Score: point}) == (mood == Unhappy) {
				points = append(points, point)
			}
		}
		parts, args = append(parts, "measure_id = ? AND score IN ("+marks(len(points))+")"), append(append(args, measure), points...)
	}
	if len(parts) == 0 {
		parts = []string{"1 = 0"} // nobody has answered
	}
	and("("+strings.Join(parts, " OR ")+")", args...)
	return nil
}

// personConditions narrow by whose answer it is, and by when it was changed.
func (q *session) personConditions(f ResponseFilter, and func(string, ...any)) {
	if f.Person != nil {
		and("person_id = ?", *f.Person)
	}
	if f.Email != "" {
		address, _ := survey.NormalizeAddress(f.Email) // "" is nobody's address
		and("person_id IN (SELECT id FROM people"+q.indexedBy("people_email")+" WHERE workspace_id = ? AND email = ?)", q.by.Workspace, address)
	}
	if f.UpdatedFrom != nil {
		and("updated_at >= ?", *f.UpdatedFrom)
	}
	if f.UpdatedTo != nil {
		and("updated_at < ?", *f.UpdatedTo)
	}
	if f.CreatedUntil != nil {
		and("created_at <= ?", *f.CreatedUntil)
	}
}

// textConditions narrow by what stands inside texts.
func (q *session) textConditions(f ResponseFilter, and func(string, ...any)) {
	for _, name := range slices.Sorted(maps.Keys(f.Attributes)) {
		text, args := q.attributeText(name)
		and(text+" = ?", append(args, f.Attributes[name])...)
	}
	if f.Tag != "" {
		and(q.tagged(f.Tag))
	}
	if f.HasComment != nil {
		if *f.HasComment {
			and("comment <> ''")
		} else {
			and("comment = ''")
		}
	}
}

// tagged is the condition that a response has a tag, letter by letter.
func (q *session) tagged(tag string) (condition string, arg any) {
	each := "json_each(tags) t"
	if q.postgres {
		each = "json_array_elements_text(tags::json) t(value)"
	}
	return "tags <> '[]' AND EXISTS (SELECT 1 FROM " + each + " WHERE t.value = ?)", tag // the first as the index says
}

// wordsCondition narrows to responses that have a text in their comment or in
// another text answer.
func (s *Store) wordsCondition(q *session, words string, and func(string, ...any)) error {
	keys, err := s.textKeys(q)
	if err != nil {
		return err
	}
	wanted := strings.ToLower(words)
	pattern := "%" + escapeLike(wanted) + "%"
	comment, args := lowered("comment", wanted)
	condition, args := comment+` LIKE ? ESCAPE '!'`, append(args, pattern)
	if len(keys) > 0 {
		each := "json_each(answers) a"
		if q.postgres {
			each = "json_each_text(answers::json) a"
		}
		value, more := lowered("a.value", wanted)
		condition = "(" + condition + " OR EXISTS (SELECT 1 FROM " + each + " WHERE a.key IN ? AND " + value + " LIKE ? ESCAPE '!'))"
		args = append(append(append(args, keys), more...), pattern)
	}
	and(condition, args...)
	return nil
}

// textKeys are the keys of the workspace's text questions, of every version.
// A choice's answer is a text too, but the key of an option and no words.
func (s *Store) textKeys(q *session) ([]string, error) {
	var rows []struct {
		TemplateID id
		Version    int
	}
	if err := q.list(&rows, `SELECT template_id, version FROM template_versions WHERE workspace_id = ?`, q.by.Workspace); err != nil {
		return nil, err
	}
	var keys []string
	for _, row := range rows {
		template, err := s.templateVersion(q, survey.ID(row.TemplateID), row.Version)
		if err != nil {
			return nil, err
		}
		for _, question := range template.Questions {
			if question.Type == survey.TextQuestion && !slices.Contains(keys, question.Key) {
				keys = append(keys, question.Key)
			}
		}
	}
	return keys, nil
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
