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
	mailWaiting   = prometheus.NewDesc("koe_mail_waiting", "Mails that wait for a later instant or are held, by why; counted to 100000.", []string{"reason"}, nil)
	mailInFlight  = prometheus.NewDesc("koe_mail_in_flight", "Mails taken by a sender or being handed over.", nil, nil)
	mailOldestDue = prometheus.NewDesc("koe_mail_oldest_due_seconds", "How long the oldest mail has been due.", nil, nil)
	mailMinute    = prometheus.NewDesc("koe_mail_sent_last_minute", "Mails of all workspaces that went out in the last full minute.", nil, nil)
	mailDay       = prometheus.NewDesc("koe_mail_last_day", "Invitations by what became of their latest mail in the last 24 hours: sent, failed, uncertain; counted to 100000.", []string{"outcome"}, nil)
	mailPaused    = prometheus.NewDesc("koe_sending_paused", "Workspaces whose sending has paused itself for bounces or complaints.", nil, nil)
	mailSent      = prometheus.NewDesc("koe_mail_sent_total", "Mails that a server took from this process.", nil, nil)
	mailRetried   = prometheus.NewDesc("koe_mail_retried_total", "Mails that were put off after a passing failure.", nil, nil)
	mailFailed    = prometheus.NewDesc("koe_mail_failed_total", "Mails that a server refused for good.", nil, nil)
	mailUncertain = prometheus.NewDesc("koe_mail_uncertain_total", "Mails that were cut off before the server's reply.", nil, nil)
)

// Describe names the metrics.
func (m mailMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{mailDue, mailWaiting, mailInFlight, mailOldestDue, mailMinute, mailDay, mailPaused,
		mailSent, mailRetried, mailFailed, mailUncertain} {
		out <- d
	}
}

// Collect counts. While the database is away its metrics are missing, and the
// others are shown.
func (m mailMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(of *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(of, prometheus.GaugeValue, value, labels...)
	}
	if at, t, err := m.store.MailTotals(ctx); err == nil {
		gauge(mailDue, float64(t.Due))
		for reason, n := range t.Waiting {
			gauge(mailWaiting, float64(n), string(reason))
		}
		gauge(mailInFlight, float64(t.InFlight))
		oldest := at
		if t.OldestDue != nil {
			oldest = *t.OldestDue
		}
		gauge(mailOldestDue, at.Sub(oldest).Seconds())
		gauge(mailMinute, float64(t.Minutes[1].Sent)) // the first is not over yet
		gauge(mailDay, float64(t.Sent), "sent")
		gauge(mailDay, float64(t.Failed), "failed")
		gauge(mailDay, float64(t.Uncertain), "uncertain")
	}
	if paused, err := m.store.PausedWorkspaces(ctx); err == nil {
		gauge(mailPaused, float64(len(paused)))
	}
	if m.counts == nil {
		return
	}
	n := m.counts()
	for desc, value := range map[*prometheus.Desc]int64{mailSent: n.Sent, mailRetried: n.Retried, mailFailed: n.Failed, mailUncertain: n.Uncertain} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value))
	}
}
