package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// outboxResponse answers "is it sending?".
type outboxResponse struct {
	At         survey.Instant     `json:"at"`
	CountsTo   int                `json:"counts_to"`
	Mail       mailResponse       `json:"mail"`
	Deliveries []deliveryResponse `json:"deliveries"`
}

type mailResponse struct {
	Due           int                   `json:"due"`
	Waiting       map[survey.Reason]int `json:"waiting"`
	InFlight      int                   `json:"in_flight"`
	SentPerMinute []minuteResponse      `json:"sent_per_minute"`
	LastDay       lastDayResponse       `json:"last_24h"`
	OldestDueAt   *survey.Instant       `json:"oldest_due_at"`
	NextDueAt     *survey.Instant       `json:"next_due_at"`
}

type minuteResponse struct {
	Start survey.Instant `json:"start"`
	Sent  int            `json:"sent"`
}

type lastDayResponse struct {
	Sent      int `json:"sent"`
	Failed    int `json:"failed"`
	Uncertain int `json:"uncertain"`
}

type deliveryResponse struct {
	Kind        string          `json:"kind"`
	Due         int             `json:"due"`
	Waiting     int             `json:"waiting"`
	Paused      int             `json:"paused"`
	InFlight    int             `json:"in_flight"`
	Failed      int             `json:"failed"`
	OldestDueAt *survey.Instant `json:"oldest_due_at"`
}

// showOutbox counts what waits, what is under way and what went out lately, of all
// surveys or of one.
func (a *api) showOutbox(c echo.Context) error {
	s, err := a.Store.OutboxSummary(c.Request().Context(), caller(c), queryOf(c)["survey"])
	if err != nil {
		return err
	}
	m := s.Mail
	out := outboxResponse{At: s.At, CountsTo: store.SummaryCap, Deliveries: make([]deliveryResponse, len(s.Deliveries)),
		Mail: mailResponse{Due: m.Due, Waiting: m.Waiting, InFlight: m.InFlight, SentPerMinute: make([]minuteResponse, len(m.Minutes)),
			LastDay: lastDayResponse{m.Sent, m.Failed, m.Uncertain}, OldestDueAt: m.OldestDue, NextDueAt: m.NextDue}}
	for i, minute := range m.Minutes {
		out.Mail.SentPerMinute[i] = minuteResponse(minute)
	}
	for i, d := range s.Deliveries {
		out.Deliveries[i] = deliveryResponse{d.Kind, d.Due, d.Waiting, d.Paused, d.InFlight, d.Failed, d.OldestDue}
	}
	return send(c, okay(out, ""))
}
