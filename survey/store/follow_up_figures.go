package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"koe/survey"
)

// nextScores is how many follow-ups are looked at for what came next, the
// newest first.
const nextScores = 10_000

// summedDays is how far a summary looks back that names no beginning.
const summedDays = 90 * 24 * time.Hour

// FollowUpSummary counts the follow-ups that a filter lets through. Where it names
// no beginning these are what was opened in the 90 days before its end, and what
// is not resolved, however old. The figures are all of the same instant.
func (s *Store) FollowUpSummary(ctx context.Context, by Caller, f FollowUpFilter) (out survey.FollowUpSummary, err error) {
	err = s.snapshot(ctx, by, func(q *session) error {
		given, end := f.From, q.now
		if f.To != nil {
			end = *f.To
		}
		from := end.Add(-summedDays)
		if given != nil {
			from = *given
		}
		f.From = nil
		where, args, err := s.followUpConditions(q, f)
		if err != nil {
			return err
		}
		all := strings.Join(where, " AND ")
		span, spanArgs := all+" AND opened_at >= ?", append(slices.Clip(args), from)
		if given != nil {
			out, err = q.sumFollowUps(q.indexedBy("follow_ups_opened_at")+` WHERE `+span, spanArgs)
		} else {
			out, err = q.sumFollowUps(q.indexedBy("follow_ups_opened_at")+` WHERE `+span+` AND state = 'resolved' UNION ALL SELECT `+summed+
				` FROM follow_ups`+q.indexedBy("follow_ups_due_at")+` WHERE `+all+` AND state <> 'resolved'`, slices.Concat(spanArgs, args))
		}
		if err != nil {
			return err
		}
		out.From = from
		out.Next, err = q.nextScores(span, spanArgs)
		return err
	})
	return out, away(err)
}

// summed are the columns that a summary is made of.
const summed = `state, confirmation, reopened, since, due_at, touched_at, resolved_at, owner_id`

func (q *session) sumFollowUps(which string, args []any) (out survey.FollowUpSummary, err error) {
	out = survey.FollowUpSummary{States: map[survey.FollowUpState]int{}, Remark: survey.NextScoreRemark}
	for _, state := range survey.FollowUpStates() {
		out.States[state] = 0
	}
	var touches, resolutions []time.Duration
	var pending, confirmed, reopened, unconfirmed int
	var r followUpRow
	err = q.each(`SELECT `+summed+` FROM follow_ups`+which, args,
		[]any{&r.State, &r.Confirmation, &r.Reopened, &r.Since, &r.DueAt, &r.TouchedAt, &r.ResolvedAt, &r.OwnerID}, func() error {
			f := r.followUp()
			out.Total++
			out.States[f.State]++
			if f.Overdue(q.now) {
				out.Overdue++
			}
			if f.State != survey.FollowUpResolved && r.OwnerID == (id{}) {
				out.Unowned++
			}
			if f.TouchedAt != nil {
				touches = append(touches, max(0, f.TouchedAt.Sub(f.Since)))
			}
			if f.ResolvedAt != nil {
				resolutions = append(resolutions, max(0, f.ResolvedAt.Sub(f.Since)))
			}
			reopened += f.Reopened
			switch f.Confirmation {
			case survey.ConfirmationPending:
				pending++
			case survey.Confirmed:
				confirmed++
			case survey.Unconfirmed:
				unconfirmed++
			}
			r = followUpRow{}
			return nil
		})
	out.FirstTouch, out.Resolution = survey.SpreadOf(touches), survey.SpreadOf(resolutions)
	out.Confirmed = survey.CountWords(pending, confirmed, reopened, unconfirmed)
	return out, err
}

// nextScores are what the customers answered the next time that they were asked
// the same.
func (q *session) nextScores(condition string, args []any) ([]survey.NextScore, error) {
	type measured struct {
		metric   string
		min, max int
	}
	sums := map[measured]*survey.NextScore{}
	var seen string // of the next answers, as of the follow-ups, what the caller reads
	var seenArgs []any
	if err := q.scopeConditions(func(condition string, args ...any) {
		seen, seenArgs = seen+" AND "+condition, append(seenArgs, args...)
	}); err != nil {
		return nil, err
	}
	var measure int64
	var before int
	var after *int
	err := q.each(`SELECT r.measure_id, r.score, (SELECT n.score FROM responses n`+q.indexedBy("responses_person_id")+` WHERE n.workspace_id = r.workspace_id
		AND n.person_id = r.person_id AND n.measure_id = r.measure_id AND n.responded_at > r.responded_at AND n.excluded_reason IS NULL`+seen+`
		ORDER BY n.responded_at, n.id LIMIT 1) FROM (SELECT response_id FROM follow_ups`+q.indexedBy("follow_ups_opened_at")+` WHERE `+condition+` ORDER BY opened_at DESC LIMIT ?) AS f
		JOIN responses r ON r.workspace_id = ? AND r.id = f.response_id WHERE r.person_id IS NOT NULL`,
		slices.Concat(seenArgs, args, []any{nextScores, q.by.Workspace}), []any{&measure, &before, &after}, func() error {
			if after == nil {
				return nil
			}
			m := measureOf(measure)
			key := measured{string(m.Metric), m.Min, m.Max}
			if sums[key] == nil {
				sums[key] = &survey.NextScore{Metric: key.metric, Scale: survey.Scale{Min: key.min, Max: key.max}}
			}
			sums[key].N++
			sums[key].Before += float64(before)
			sums[key].After += float64(*after)
			after = nil
			return nil
		})
	list := make([]survey.NextScore, 0, len(sums))
	for _, key := range slices.SortedFunc(maps.Keys(sums), func(a, b measured) int {
		return cmp.Or(cmp.Compare(a.metric, b.metric), cmp.Compare(a.min, b.min), cmp.Compare(a.max, b.max))
	}) {
		one := *sums[key]
		one.Before, one.After = one.Before/float64(one.N), one.After/float64(one.N)
		list = append(list, one)
	}
	return list, err
}
