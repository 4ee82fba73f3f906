package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"koe/survey/store"
)

// MailCounts are the mails that this process has brought to an end, since it
// started.
type MailCounts struct {
	Sent, Retried, Failed, Uncertain int64
}

// mailMetrics asks the database and the sender when somebody looks.
type mailMetrics struct {
	store  *store.Store
	counts func() MailCounts // nil in a process that does not send
}

var (
	mailDue       = prometheus.NewDesc("koe_mail_due", "Mails of all workspaces that may go out now; counted to 100000.", nil, nil)
	mailInFlight  = prometheus.NewDesc("koe_mail_in_flight", "Mails taken by a sender or being handed over.", nil, nil)
	mailOldestDue = prometheus.NewDesc("koe_mail_oldest_due_seconds", "How long the oldest mail has been due.", nil, nil)
	mailPaused    = prometheus.NewDesc("koe_sending_paused", "Workspaces whose sending has paused itself for bounces or complaints.", nil, nil)
	mailSent      = prometheus.NewDesc("koe_mail_sent_total", "Mails that a server took from this process.", nil, nil)
	mailRetried   = prometheus.NewDesc("koe_mail_retried_total", "Mails that were put off after a passing failure.", nil, nil)
	mailFailed    = prometheus.NewDesc("koe_mail_failed_total", "Mails that a server refused for good.", nil, nil)
	mailUncertain = prometheus.NewDesc("koe_mail_uncertain_total", "Mails that were cut off before the server's reply.", nil, nil)
)

// Describe names the metrics.
func (m mailMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{mailDue, mailInFlight, mailOldestDue, mailPaused, mailSent, mailRetried, mailFailed, mailUncertain} {
		out <- d
	}
}

// Collect counts. While the database is away its metrics are missing, and the
// others are shown.
func (m mailMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if g, err := m.store.MailGauges(ctx); err == nil {
		out <- prometheus.MustNewConstMetric(mailDue, prometheus.GaugeValue, float64(g.Due))
		out <- prometheus.MustNewConstMetric(mailInFlight, prometheus.GaugeValue, float64(g.InFlight))
		out <- prometheus.MustNewConstMetric(mailOldestDue, prometheus.GaugeValue, g.OldestDue.Seconds())
	}
	if n, err := m.store.PausedWorkspaces(ctx); err == nil {
		out <- prometheus.MustNewConstMetric(mailPaused, prometheus.GaugeValue, float64(n))
	}
	if m.counts == nil {
		return
	}
	n := m.counts()
	for desc, value := range map[*prometheus.Desc]int64{mailSent: n.Sent, mailRetried: n.Retried, mailFailed: n.Failed, mailUncertain: n.Uncertain} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value))
	}
}
