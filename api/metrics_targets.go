package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"koe/survey/store"
)

// targetMetrics asks the database when somebody looks.
type targetMetrics struct{ store *store.Store }

var (
	targetStates = prometheus.NewDesc("koe_targets", "Targets of all workspaces, by how they stood when last judged.", []string{"state"}, nil)
	targetsDue   = prometheus.NewDesc("koe_targets_due", "Targets that can be judged and are not yet.", nil, nil)
)

// Describe names the metrics.
func (m targetMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- targetStates
	out <- targetsDue
}

// Collect counts. While the database is away its metrics are missing.
func (m targetMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	g, err := m.store.TargetGauges(ctx)
	if err != nil {
		return
	}
	for state, n := range g.States {
		out <- prometheus.MustNewConstMetric(targetStates, prometheus.GaugeValue, float64(n), string(state))
	}
	out <- prometheus.MustNewConstMetric(targetsDue, prometheus.GaugeValue, float64(g.Due))
}
