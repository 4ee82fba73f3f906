package delighted

import (
	"net/http"
	"strings"
	"time"

	"koe/scoring"
	"koe/survey/report"
	"koe/survey/store"
)

// usualRange is how far metrics look back where no range is named.
const usualRange = 30 * 24 * time.Hour

// level is that of intervals, which Delighted does not show.
const level = 0.95

// Metrics counts the survey's answers of a range, by default of the 30 days
// that end with the latest one. Every figure is whole and rounded on its own.
func Metrics(s *Server, r *request) error {
	from, to := r.span("since", "until")
	r.refuse("trend", "koe has no trends; ask /v1/scores with attributes.NAME")
	for _, group := range r.words("groups") {
		if group != "core" {
			r.problems.Add("groups", "unsupported", "koe knows core alone; for others ask /v1/scores?group_by=channel")
		}
	}
	if err := r.err(); err != nil {
		return err
	}
	ctx := r.http().Context()
	project, err := s.Store.KeySurvey(ctx, r.by)
	if err != nil {
		return err
	}
	template, err := s.template(r, project.Template, project.TemplateVersion)
	if err != nil {
		return err
	}
	filter := store.ScoreFilter{Survey: project.ID.String(), Metric: template.Metric}
	if from == nil && to == nil {
		_, latest, err := s.Store.DataSpan(ctx, r.by, filter)
		if err != nil {
			return err
		}
		if latest != nil {
			from, to = new(latest.Add(-usualRange)), new(*latest+1)
		}
	}
	counted, err := s.Store.Tally(ctx, r.by, store.ScoreQuery{ScoreFilter: filter, Spans: []store.Span{{From: from, To: to}}})
	if err != nil {
		return err
	}
	scored, err := report.New(report.Counted{Metric: counted.Metric, Cells: counted.Spans[0], From: from, To: to, Level: level})
	if err != nil {
		return err
	}
	return answer(r, http.StatusOK, figures(scored.Metric, scored.Total))
}

// figures are a score as Delighted writes it: {"nps":51,"promoter_count":32,
// "promoter_percent":63, …}. Its CES is the share of those who agree, which koe
// has beside the mean. Without answers there is no score and no share.
func figures(metric scoring.Metric, total scoring.Result) map[string]*int64 {
	out := map[string]*int64{"response_count": new(total.Responses), string(metric): whole(total.Rounded)}
	if total.Agreement != nil && total.Responses > 0 {
		out[string(metric)] = new(int64(scoring.Round(total.Counts.Of("agree"), total.Responses)))
	}
	for _, group := range total.Counts {
		name := strings.TrimSuffix(group.Name, "s")
		out[name+"_count"], out[name+"_percent"] = new(group.Value), nil
		if total.Responses > 0 {
			out[name+"_percent"] = new(int64(scoring.Round(group.Value, total.Responses)))
		}
	}
	return out
}

func whole(n *int) *int64 {
	if n == nil {
		return nil
	}
	return new(int64(*n))
}
