package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"koe/survey/store"
)

// WebhookTries are the events that this process has posted since it started,
// one for each try.
type WebhookTries struct {
	Taken, Refused, Unreached int64
}

// webhookMetrics asks the database and the sender when somebody looks.
type webhookMetrics struct {
	store *store.Store
	tries func() WebhookTries // nil in a process that sends nothing
}

var (
	webhookTried  = prometheus.NewDesc("koe_webhook_tries_total", "Tries to post an event, by what came of them: taken, refused, unreached.", []string{"outcome"}, nil)
	webhookFlight = prometheus.NewDesc("koe_webhook_in_flight", "Events that are being posted.", nil, nil)
	webhookOldest = prometheus.NewDesc("koe_webhook_oldest_due_seconds", "How long the oldest event for an active webhook has been due.", nil, nil)
	webhookPaused = prometheus.NewDesc("koe_webhook_paused", "Webhooks that koe has paused because their endpoints take nothing.", nil, nil)
)

// Describe names the metrics.
func (m webhookMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{webhookTried, webhookFlight, webhookOldest, webhookPaused} {
		out <- d
	}
}

// Collect counts. While the database is away its metrics are missing, and the
// others are shown.
func (m webhookMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if g, err := m.store.DeliveryGauges(ctx); err == nil {
		out <- prometheus.MustNewConstMetric(webhookFlight, prometheus.GaugeValue, float64(g.InFlight))
		out <- prometheus.MustNewConstMetric(webhookOldest, prometheus.GaugeValue, g.OldestDue.Seconds())
		out <- prometheus.MustNewConstMetric(webhookPaused, prometheus.GaugeValue, float64(g.Paused))
	}
	if m.tries == nil {
		return
	}
	n := m.tries()
	for outcome, value := range map[string]int64{"taken": n.Taken, "refused": n.Refused, "unreached": n.Unreached} {
		out <- prometheus.MustNewConstMetric(webhookTried, prometheus.CounterValue, float64(value), outcome)
	}
}
