package store

import (
	"context"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// Latest is what was looked at: the latest comments, how many, and at most how
// many.
type Latest struct {
	Comments int `json:"comments"`
	Limit    int `json:"limit"`
}

const (
	previewed = 1000 // comments that a rule is tried on
	sampled   = 5    // matches that are shown
	suggested = 2000 // comments that suggestions are taken from
)

// TagPreview is what a rule would do.
type TagPreview struct {
	Latest
	Matched int               // of the comments
	Samples []survey.Response // the latest matches
}

// PreviewTagRule says which of the latest 1,000 comments a rule would match,
// wherever it is kept or not. Errors: Invalid with the fields.
func (s *Store) PreviewTagRule(ctx context.Context, by Caller, r survey.TagRule) (TagPreview, error) {
	if r.Tag == "" {
		r.Tag = "preview" // what it is called makes no difference
	}
	if err := r.Clean(); err != nil {
		return TagPreview{}, err
	}
	q := s.reading(ctx, by)
	rows, err := s.latestComments(q, ResponseFilter{Touchpoint: r.Touchpoint}, previewed)
	if err != nil {
		return TagPreview{}, err
	}
	out := TagPreview{Latest: Latest{len(rows), previewed}}
	rule := []tagger{{keywords: survey.NewKeywords(r.Keywords)}}
	var samples []responseRow
	for _, row := range rows {
		if len(matching(rule, row.TouchpointID, row.Comment)) == 0 {
			continue
		}
		if out.Matched++; len(samples) < sampled {
			samples = append(samples, row)
		}
	}
	out.Samples, err = s.responsesOf(q, samples)
	return out, away(err)
}

// latestComments are the latest answers with a comment that a filter lets
// through.
func (s *Store) latestComments(q *session, f ResponseFilter, limit int) ([]responseRow, error) {
	f.HasComment = new(true)
	where, args, err := s.responseConditions(q, f)
	if err != nil {
		return nil, err
	}
	rows, err := q.exportedRows(`SELECT `+responseColumns+` FROM responses`+q.indexedBy("responses_commented")+` WHERE `+strings.Join(where, " AND ")+
		` ORDER BY responded_at DESC, id DESC LIMIT ?`, append(args, limit))
	return rows, away(err)
}

// TagSuggestions are terms of the latest 2,000 comments that no rule looks for
// yet; see survey.CommonTerms.
type TagSuggestions struct {
	Latest
	Unhappy int // of the comments, those of unhappy customers
	Terms   []SuggestedTerm
}

// SuggestedTerm is a term with a comment that says it.
type SuggestedTerm struct {
	survey.Term
	Comment string `json:"comment"`
}

// SuggestTags finds terms in the comments that a filter lets through.
func (s *Store) SuggestTags(ctx context.Context, by Caller, f ResponseFilter) (TagSuggestions, error) {
	q := s.reading(ctx, by)
	rows, err := s.latestComments(q, f, suggested)
	if err != nil {
		return TagSuggestions{}, err
	}
	c, err := q.calendar("")
	if err != nil {
		return TagSuggestions{}, away(err)
	}
	rules, err := s.taggersOf(q, c)
	if err != nil {
		return TagSuggestions{}, away(err)
	}
	var touchpoint id
	if f.Touchpoint != "" && len(rows) > 0 {
		touchpoint = rows[0].TouchpointID
	}
	out := TagSuggestions{Latest: Latest{len(rows), suggested}, Terms: []SuggestedTerm{}}
	said := make([]survey.Said, len(rows))
	comments := make(map[survey.ID]string, len(rows))
	for i, row := range rows {
		said[i] = survey.Said{Response: survey.ID(row.ID), Comment: row.Comment, Unhappy: unhappy(row)}
		comments[said[i].Response] = row.Comment
		if said[i].Unhappy {
			out.Unhappy++
		}
	}
	for _, term := range survey.CommonTerms(said, func(term string) bool { return len(matching(rules, touchpoint, term)) > 0 }) {
		out.Terms = append(out.Terms, SuggestedTerm{term, comments[term.Example]})
	}
	return out, nil
}

func unhappy(r responseRow) bool {
	var h scoring.Histogram
	h[r.Score] = 1
	return scoring.Score(measureOf(r.MeasureID), h, 0.95).Unhappy() > 0
}
