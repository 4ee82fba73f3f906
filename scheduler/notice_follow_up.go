package scheduler

import (
	"cmp"
	"context"

	"koe/scheduler/mail"
	"koe/survey/store"
	"koe/templates"
)

// tendFollowUps escalates what is overdue and closes what a customer was asked
// about in vain.
func (s *Scheduler) tendFollowUps(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := s.Store.TendFollowUps(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// followUpNotice writes to somebody of the company about an unhappy answer.
func (s *Scheduler) followUpNotice(ctx context.Context, d store.Dispatch) (notice, error) {
	m, err := s.Store.FollowUpMail(ctx, d)
	if err != nil || m.Unwanted != "" {
		return notice{unwanted: m.Unwanted}, err
	}
	locale, timezone := m.Workspace.DefaultLocale, m.Workspace.Timezone
	if m.Reader != nil {
		locale, timezone = m.Reader.Locale, cmp.Or(m.Reader.Timezone, timezone)
	}
	words, err := s.Words.FollowUpNotice(templates.FollowUpNotice{Event: d.Event, FollowUp: m.FollowUp, Template: m.Template,
		Touchpoint: cmp.Or(m.Touchpoint, m.Survey.Touchpoint), Locale: locale, Timezone: timezone, BaseURL: s.BaseURL})
	return notice{words: words}, err
}

// askSolved asks a customer whether it is solved. It is mail to a customer:
// from the workspace, with a way out, within the cap over all, and not while
// their mail is paused. Whoever has unsubscribed meanwhile is not asked, which
// counts as unconfirmed.
func (s *Scheduler) askSolved(ctx context.Context, d store.Dispatch) (notice, error) {
	m, err := s.Store.FollowUpMail(ctx, d)
	if err != nil {
		return notice{}, err
	}
	if m.Unwanted != "" {
		return notice{unwanted: m.Unwanted}, s.Store.NotAsked(ctx, d, m.Unwanted)
	}
	if m.Held {
		return notice{later: "the workspace's mail to customers is paused"}, nil
	}
	r := m.FollowUp.Response
	asks := templates.SolvedMail{Workspace: m.Workspace, Locale: r.Locale, Touchpoint: cmp.Or(m.Touchpoint, m.Survey.Touchpoint),
		RespondedAt: r.RespondedAt, BaseURL: s.BaseURL, URL: s.BaseURL + "/f/" + m.Token, UnsubscribeURL: s.BaseURL + "/u/" + m.Token}
	if r.Person != nil {
		asks.Name, asks.Timezone = r.Person.Name, r.Person.Timezone
	}
	words, err := s.Words.SolvedMail(asks)
	if err != nil {
		return notice{}, err
	}
	from := s.Sender(m.Workspace)
	return notice{words: words, customer: &mail.Message{From: from, To: mail.Address{Name: asks.Name, Email: d.To}, ReplyTo: m.Workspace.ReplyTo,
		ListID: m.Survey.ID.String() + "." + from.Domain(), UnsubscribeURL: asks.UnsubscribeURL}}, s.all.Wait(ctx)
}
