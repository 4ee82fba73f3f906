package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"koe/survey/store"
)

// followUpMetrics asks the database when somebody looks.
type followUpMetrics struct{ store *store.Store }

var (
	followUpsOpen    = prometheus.NewDesc("koe_follow_ups_open", "Follow-ups that are not resolved.", nil, nil)
	followUpsOverdue = prometheus.NewDesc("koe_follow_ups_overdue", "Follow-ups that should have been resolved by now.", nil, nil)
	followUpsUnowned = prometheus.NewDesc("koe_follow_ups_unowned", "Follow-ups that are not resolved and that nobody owns.", nil, nil)
)

// Describe names the metrics.
func (m followUpMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- followUpsOpen
	out <- followUpsOverdue
	out <- followUpsUnowned
}

// Collect counts. While the database is away its metrics are missing, and the
// others are shown.
func (m followUpMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	g, err := m.store.FollowUpGauges(ctx)
	if err != nil {
		return
	}
	out <- prometheus.MustNewConstMetric(followUpsOpen, prometheus.GaugeValue, float64(g.Open))
	out <- prometheus.MustNewConstMetric(followUpsOverdue, prometheus.GaugeValue, float64(g.Overdue))
	out <- prometheus.MustNewConstMetric(followUpsUnowned, prometheus.GaugeValue, float64(g.Unowned))
}
