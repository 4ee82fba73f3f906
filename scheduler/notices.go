package scheduler

import (
	"context"
	"errors"

	"koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// notice is a mail to somebody of the company, or to a customer who is asked
// something beside surveys. Where unwanted says why, it is not sent any more;
// where later does, not yet.
type notice struct {
	words    templates.Mail
	unwanted string
	later    string
	customer *mail.Message // of mail to a customer: from whom, to whom and the way out
}

// notice finds out what a notice says, by what it is about; each event has a
// file of its own.
func (s *Scheduler) notice(ctx context.Context, d store.Dispatch) (notice, error) {
	switch d.Event {
	case survey.EventWebhookPaused:
		return s.webhookPaused(ctx, d)
	case survey.EventFollowUpOpened, survey.EventFollowUpReopened, survey.EventFollowUpOverdue:
		return s.followUpNotice(ctx, d)
	case survey.EventFollowUpAsked:
		return s.askSolved(ctx, d)
	case survey.EventSignIn:
		return s.signIn(ctx, d)
	case survey.EventTargetChanged:
		return s.targetChanged(ctx, d)
	case survey.EventDigest:
		return s.digest(ctx, d)
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
	if n.later != "" {
		return store.Tried{Error: n.later}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.DeliveryTime)
	defer cancel()
	start := s.Now()
	message := mail.Message{From: s.From, To: mail.Address{Email: d.To}}
	if n.customer != nil {
		message = *n.customer
	}
	message.ID, message.Date = d.ID.String()+"@"+message.From.Domain(), start.UTC()
	message.Subject, message.Text, message.HTML = n.words.Subject, n.words.Text, n.words.HTML
	err = mailer.Send(ctx, message)
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
