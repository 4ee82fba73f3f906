package scheduler

import (
	"context"
	"errors"

	"koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// notice is a mail to somebody of the company. Where unwanted says why, it is not
// sent any more.
type notice struct {
	words    templates.Mail
	unwanted string
}

// notice finds out what a notice says, by what it is about; each event has a
// file of its own.
func (s *Scheduler) notice(ctx context.Context, d store.Dispatch) (notice, error) {
	switch d.Event {
	case survey.EventWebhookPaused:
		return s.webhookPaused(ctx, d)
	case survey.EventSignIn:
		return s.signIn(ctx, d)
	case survey.EventTargetChanged:
		return s.targetChanged(ctx, d)
	}
	return notice{unwanted: "this koe does not know such a notice"}, nil
}

// notify mails the notices that the outbox holds.
func (s *Scheduler) notify(ctx context.Context) error {
	for ctx.Err() == nil {
		claimed, err := s.Store.ClaimNotices(ctx, 1, s.deliveryLease()) // one at a time, so that none waits past its lease
		if err != nil || len(claimed) == 0 {
			return err
		}
		mailer := s.NewMailer()
		tried, err := s.sendNotice(ctx, mailer, claimed[0])
		if err == nil {
			err = s.noteDelivery(ctx, claimed[0], tried)
		}
		if err = errors.Join(err, mailer.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scheduler) sendNotice(ctx context.Context, mailer mail.Mailer, d store.Dispatch) (store.Tried, error) {
	n, err := s.notice(ctx, d)
	if err != nil {
		return store.Tried{}, err
	}
	if n.unwanted != "" {
		return store.Tried{Skipped: true, Error: n.unwanted}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.DeliveryTime)
	defer cancel()
	start := s.Now()
	err = mailer.Send(ctx, mail.Message{ID: d.ID.String() + "@" + s.From.Domain(), From: s.From, To: mail.Address{Email: d.To},
		Subject: n.words.Subject, Text: n.words.Text, HTML: n.words.HTML, Date: start.UTC()})
	tried := store.Tried{Status: noticeTaken, Latency: s.Now().Sub(start)}
	if err != nil {
		var refused *mail.SendError
		tried.Status, tried.Error = 0, "the mail server did not take the notice"
		tried.Final = !errors.As(err, &refused) || !refused.Temporary || refused.Uncertain // a second copy is worse than none
	}
	return tried, nil
}

// noticeTaken is the SMTP reply to a mail that was taken.
const noticeTaken = 250
