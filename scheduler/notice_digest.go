package scheduler

import (
	"cmp"
	"context"

	"koe/survey/report"
	"koe/survey/store"
	"koe/templates"
)

// digestsAtOnce is how many digests are queued in one turn.
const digestsAtOnce = 500

// queueDigests puts the digests that are due into the outbox. One that fails is
// tried again in the next turn.
func (s *Scheduler) queueDigests(ctx context.Context) error {
	due, err := s.Store.DueDigests(ctx, digestsAtOnce)
	if err != nil {
		return err
	}
	for _, one := range due {
		if err := s.Store.QueueDigest(ctx, one); err != nil && ctx.Err() == nil {
			s.Log.Error("a digest could not be queued", "workspace", one.Workspace, "member", one.Member, "error", err)
		}
	}
	return nil
}

// digestLevel is the confidence level of its intervals, as the dashboard's.
const digestLevel = 0.95

// digest tells a member how it went, by what they may see now. Its figures are
// made as those of GET /v1/scores/touchpoints.
func (s *Scheduler) digest(ctx context.Context, d store.Dispatch) (notice, error) {
	m, err := s.Store.DigestMail(ctx, d)
	if err != nil || m.Unwanted != "" {
		return notice{unwanted: m.Unwanted}, err
	}
	touchpoints, names := make([]report.CountedTouchpoint, len(m.Counted.Groups)), map[string]string{}
	for i, g := range m.Counted.Groups {
		touchpoints[i] = report.CountedTouchpoint{Key: g.Key, Name: g.Name, Cells: g.Spans[0], Previous: g.Spans[1]}
		names[g.Key] = g.Name
	}
	board, err := report.NewScoreboard(touchpoints, &report.CountedRange{From: m.Period.Since, To: m.Period.From}, digestLevel)
	if err != nil {
		return notice{}, err
	}
	digest := templates.Digest{Workspace: m.Workspace, Locale: m.Member.Locale, Period: m.Period, Open: m.Open, BaseURL: s.BaseURL}
	for _, one := range board.Data {
		standing := templates.Standing{Name: one.Name, Metric: one.Metric, Measure: one.Measure, Total: one.Total}
		if one.Comparison != nil {
			standing.Change = &one.Comparison.Comparison
		}
		digest.Standings = append(digest.Standings, standing)
	}
	for _, one := range m.Said {
		digest.Said = append(digest.Said, templates.DigestComment{Touchpoint: cmp.Or(names[one.Touchpoint], one.Touchpoint), Comment: one.Response.Comment})
	}
	words, err := s.Words.Digest(digest)
	return notice{words: words}, err
}
