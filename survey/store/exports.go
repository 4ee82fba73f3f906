package store

import (
	"context"
	"math"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"koe/survey"
)

// ExportedNames are the columns of an export with the same filter: of its
// survey, or of all. More than 900 attributes are Invalid on "format".
func (s *Store) ExportedNames(ctx context.Context, by Caller, f ResponseFilter) (ExportedNames, error) {
	q := s.reading(ctx, by)
	if _, _, err := s.responseConditions(q, f); err != nil {
		return ExportedNames{}, err
	}
	var one *survey.ID
	if f.Survey != "" {
		place, err := s.surveyByRef(q, f.Survey)
		if err != nil {
			return ExportedNames{}, namedFilter("survey", err)
		}
		one = &place.Survey.ID
	}
	columns := s.columnsOf
	if len(by.Scope.Touchpoints) > 0 || by.Scope.Segment != nil {
		columns = func(q *session, _ *survey.ID) (ExportedNames, error) { return s.columnsSeen(q, f) }
	}
	names, err := columns(q, one)
	if err == nil && len(names.Attributes) > maxAttributeColumns {
		return names, survey.Errorf(survey.Invalid, "format", "these responses have %d attributes, a table at most %d columns of them: export ndjson, or one survey",
			len(names.Attributes), maxAttributeColumns)
	}
	return names, away(err)
}

// exportedAtOnce is how many responses are in memory at a time.
const exportedAtOnce = 1000

// Export calls each with every response that a filter lets through, the oldest
// first, and holds a few thousand of them at most. What is answered meanwhile may or
// may not be among them; none is twice. An error of each ends it. That somebody
// takes answers out is kept in the audit before the first of them.
func (s *Store) Export(ctx context.Context, by Caller, f ResponseFilter, each func(survey.Response) error) error {
	q := s.reading(ctx, by)
	where, args, err := s.responseConditions(q, f)
	if err != nil {
		return err
	}
	if err := s.auditExport(ctx, by, "responses.exported", f.Survey); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan []responseRow) // one is read while the one before it is written
	group.Go(func() error {
		defer close(pages)
		return q.eachPage(where, args, func(rows []responseRow) error {
			select {
			case pages <- rows:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	group.Go(func() error {
		for rows := range pages {
			list, err := s.responsesOf(s.reading(ctx, by), rows)
			if err != nil {
				return err
			}
			for _, r := range list {
				if err := each(r); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return away(group.Wait())
}

// auditExport keeps that somebody took out answers, of one survey or of all.
func (s *Store) auditExport(ctx context.Context, by Caller, what, of string) error {
	return s.write(ctx, by, func(q *session) error { return q.audit(what, of, "") })
}

// exportedPage is how many follow-ups are in memory at a time.
const exportedPage = 500

// ExportFollowUps calls each with every follow-up that a filter lets through,
// without its notes, in the order of FollowUps as it was when the export began:
// a due time that moves meanwhile brings none twice. An error of each ends it. It
// is kept in the audit as an Export is.
func (s *Store) ExportFollowUps(ctx context.Context, by Caller, f FollowUpFilter, each func(survey.FollowUp) error) error {
	q := s.reading(ctx, by)
	where, args, err := s.followUpConditions(q, f)
	if err != nil {
		return err
	}
	if err := s.auditExport(ctx, by, "follow_ups.exported", f.Survey); err != nil {
		return err
	}
	sorted, index, where := f.sorted(where)
	tail, all := sorted.clause(where, args, nil, math.MaxInt64)
	var ids []survey.ID
	var one id
	if err := q.each(`SELECT id FROM follow_ups`+q.indexedBy(index)+tail, all, []any{&one}, func() error {
		ids = append(ids, survey.ID(one))
		return nil
	}); err != nil {
		return away(err)
	}
	for page := range slices.Chunk(ids, exportedPage) {
		list, err := s.followUpsAmong(q, page, where, args)
		if err != nil {
			return away(err)
		}
		for _, one := range list {
			if err := each(one); err != nil {
				return err
			}
		}
	}
	return nil
}

// followUpsAmong are those of ids that conditions still let through, in the order
// of ids.
func (s *Store) followUpsAmong(q *session, ids []survey.ID, where []string, args []any) ([]survey.FollowUp, error) {
	var rows []followUpRow
	if err := q.list(&rows, `SELECT `+followUpColumns+` FROM follow_ups WHERE `+strings.Join(where, " AND ")+` AND id IN ?`,
		append(slices.Clone(args), q.idList(ids))...); err != nil {
		return nil, err
	}
	place := make(map[survey.ID]int, len(ids))
	for i, one := range ids {
		place[one] = i
	}
	slices.SortFunc(rows, func(a, b followUpRow) int { return place[survey.ID(a.ID)] - place[survey.ID(b.ID)] })
	return s.followUpsOf(q, rows)
}

// Found is how many were found among those that were looked at.
type Found struct {
	N    int
	More bool // not all were looked at: N or more
}

// CountComments counts the responses with a comment that a filter lets through,
// among the newest of its range: it looks at most of them.
func (s *Store) CountComments(ctx context.Context, by Caller, f ResponseFilter, most int) (found Found, err error) {
	q := s.reading(ctx, by)
	where, args, err := s.responseConditions(q, f)
	if err != nil {
		return found, err
	}
	within, span := "workspace_id = ? AND comment <> ''", []any{by.Workspace}
	if f.From != nil {
		within, span = within+" AND responded_at >= ?", append(span, *f.From)
	}
	if f.To != nil {
		within, span = within+" AND responded_at < ?", append(span, *f.To)
	}
	var looked int
	statement, args := spread(`SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN `+strings.Join(where, " AND ")+` THEN 1 ELSE 0 END), 0) AS bigint)
		FROM (SELECT * FROM responses`+q.indexedBy("responses_commented")+` WHERE `+within+` ORDER BY responded_at DESC LIMIT ?) AS responses`,
		append(append(args, span...), most))
	_, err = q.row(statement, args, &looked, &found.N)
	found.More = looked >= most
	return found, away(err)
}

// eachPage calls do with pages of responses, the oldest first.
func (q *session) eachPage(where []string, args []any, do func([]responseRow) error) error {
	statement := `SELECT ` + responseColumns + ` FROM responses WHERE ` + strings.Join(where, " AND ")
	from, after := args, ""
	for {
		rows, err := q.exportedRows(statement+after+` ORDER BY responded_at, id LIMIT ?`, append(slices.Clone(from), exportedAtOnce))
		if err != nil {
			return err
		}
		if err := do(rows); err != nil || len(rows) < exportedAtOnce {
			return err
		}
		last := rows[len(rows)-1]
		after = ` AND (responded_at, id) > (?, ?)`
		from = append(slices.Clone(args), last.RespondedAt, last.ID)
	}
}

// exportedRows scans by position, which is several times faster than by name.
func (q *session) exportedRows(statement string, args []any) (rows []responseRow, err error) {
	statement, args = spread(statement, args)
	var r responseRow
	into := []any{&r.WorkspaceID, &r.ID, &r.SurveyID, &r.TouchpointID, &r.MeasureID, &r.TemplateID, &r.TemplateVersion, &r.PersonID,
		&r.InvitationID, &r.ExternalID, &r.Score, &r.Answers, &r.Comment, &r.Locale, &r.Channel, &r.Attributes, &r.Segments,
		&r.Tags, &r.Complete, &r.ExcludedReason, &r.RespondedAt, &r.CreatedAt, &r.UpdatedAt, &r.StratumID, &r.RuleTags, &r.RefusedTags}
	rows = make([]responseRow, 0, exportedAtOnce)
	err = q.each(statement, args, into, func() error {
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

// spread gives every text of a list a ? of its own.
func spread(statement string, args []any) (string, []any) {
	var b strings.Builder
	out := make([]any, 0, len(args))
	for _, arg := range args {
		before, rest, _ := strings.Cut(statement, "?")
		statement = rest
		b.WriteString(before)
		list, is := arg.([]string)
		if !is {
			b.WriteByte('?')
			out = append(out, arg)
			continue
		}
		b.WriteString("(" + strings.TrimSuffix(strings.Repeat("?, ", len(list)), ", ") + ")")
		for _, one := range list {
			out = append(out, one)
		}
	}
	return b.String() + statement, out
}
