package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// A claim holds for a lease and is extended while its mail waits for a worker
// or for the server.
const (
	lease     = 15 * time.Second
	heartbeat = 5 * time.Second
)

// Once koe is asked to stop, a mail that is with a worker may still take so
// long, and after it the note of what became of it.
const (
	inHand = 6 * time.Second
	toNote = 2 * time.Second
)

// dispatch claims due mails and hands them to the workers, at most twice their
// number at a time, until ctx is done and the workers have ended.
func (s *Scheduler) dispatch(ctx context.Context) error {
	most := 2 * s.Workers
	work, done := make(chan store.Claim, most), make(chan store.Claim, most)
	var workers errgroup.Group
	for range s.Workers {
		workers.Go(func() error { return s.work(ctx, work, done) })
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	taken := map[store.Claim]struct{}{}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.wake:
			s.claim(ctx, work, taken, most)
		case c := <-done:
			delete(taken, c)
			if len(taken) == s.Workers { // half of it is through: fetch more
				s.claim(ctx, work, taken, most)
			}
		case <-beat.C:
			s.extend(ctx, taken)
		}
	}
	close(work)
	return workers.Wait()
}

func (s *Scheduler) claim(ctx context.Context, work chan<- store.Claim, taken map[store.Claim]struct{}, most int) {
	if len(taken) == most {
		return
	}
	claims, err := s.Store.ClaimDue(ctx, most-len(taken), lease)
	if err != nil && ctx.Err() == nil {
		s.Log.Error("no mail could be claimed", "error", err)
	}
	for _, c := range claims {
		taken[c] = struct{}{}
		work <- c // it never blocks: there is room for all that may be taken
	}
}

func (s *Scheduler) extend(ctx context.Context, taken map[store.Claim]struct{}) {
	for c := range taken {
		if _, err := s.Store.Extend(ctx, c, lease); err != nil && ctx.Err() == nil {
			s.Log.Error("a lease could not be extended", "invitation", c.Invitation, "error", err)
		}
	}
}

// work is one worker with one connection. Once ctx is done it gives back what
// it has not begun, so that somebody else sends it at once.
func (s *Scheduler) work(ctx context.Context, work <-chan store.Claim, done chan<- store.Claim) error {
	mailer := s.NewMailer()
	for c := range work {
		err := s.limits.wait(ctx, c.Domain)
		if err != nil { // koe is asked to stop
			err = s.release(ctx, c)
		} else {
			err = s.send(ctx, mailer, c)
		}
		if err != nil {
			s.Log.Error("a mail could not be brought to its end", "invitation", c.Invitation, "error", err)
		}
		done <- c
	}
	return mailer.Close()
}

// send brings one claimed mail to the server and notes what became of it. Once
// begun it outlives ctx for a while: half a mail is worse than none. A panic is
// its error, so that it ends one mail and not koe; the mail becomes uncertain
// when its lease runs out.
func (s *Scheduler) send(ctx context.Context, mailer mail.Mailer, c store.Claim) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a panic: %v", fault)
		}
	}()
	m, err := s.Store.StartSending(ctx, c, s.messageID)
	if err != nil || m == nil {
		return err
	}
	outcome := s.handOver(ctx, mailer, *m)
	late, cancel := lasting(ctx, toNote)
	defer cancel()
	return s.note(late, c, outcome)
}

func (s *Scheduler) release(ctx context.Context, c store.Claim) error {
	late, cancel := lasting(ctx, toNote)
	defer cancel()
	return s.Store.Release(late, c)
}

func (s *Scheduler) handOver(ctx context.Context, mailer mail.Mailer, m store.Mail) error {
	late, cancel := lasting(ctx, inHand)
	defer cancel()
	message, err := s.message(m)
	if err != nil {
		return err
	}
	return mailer.Send(late, message)
}

// lasting is a context that ends some time after ctx does.
func lasting(ctx context.Context, more time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(more, cancel) })
	return late, func() { stop(); cancel() }
}

// note keeps what became of a mail, with some patience for a database that is
// away. What cannot be kept becomes uncertain when its lease runs out.
func (s *Scheduler) note(ctx context.Context, c store.Claim, outcome error) error {
	wait := 100 * time.Millisecond
	for {
		err := s.noteOnce(ctx, c, outcome)
		var known *survey.Error
		if err == nil || !errors.As(err, &known) || known.Kind != survey.Unavailable {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
			wait = min(2*wait, 5*time.Second)
		}
	}
}

func (s *Scheduler) noteOnce(ctx context.Context, c store.Claim, outcome error) error {
	var refused *mail.SendError
	switch {
	case outcome == nil:
		return s.Store.Sent(ctx, c)
	case !errors.As(outcome, &refused):
		return s.Store.Fail(ctx, c, outcome.Error())
	case refused.Uncertain:
		return s.Store.Uncertain(ctx, c, refused.Error())
	case refused.Temporary:
		return s.Store.Retry(ctx, c, refused.Error())
	}
	return s.Store.Fail(ctx, c, refused.Error())
}

// message writes a mail.
func (s *Scheduler) message(m store.Mail) (mail.Message, error) {
	v := m.Invitation
	words, err := s.Words.Invitation(templates.InvitationMail{
		Template: m.Template, Workspace: m.Workspace, Name: v.Name, Locale: v.Locale, Attributes: v.Attributes,
		Touchpoint: m.Touchpoint, OccurredAt: m.OccurredAt, Timezone: v.Timezone,
		BaseURL: s.BaseURL, SurveyURL: s.BaseURL + "/s/" + m.Token, UnsubscribeURL: s.BaseURL + "/u/" + m.Token, Reminder: v.MailNo,
	})
	if err != nil {
		return mail.Message{}, fmt.Errorf("write the mail: %w", err)
	}
	from := s.Sender(m.Workspace)
	message := mail.Message{ID: v.MessageID, From: from, To: mail.Address{Name: v.Name, Email: v.Email},
		Subject: words.Subject, Text: words.Text, HTML: words.HTML,
		ListID: m.Survey.ID.String() + "." + from.Domain(), UnsubscribeURL: s.BaseURL + "/u/" + m.Token,
		Date: s.Now().UTC(), Headers: map[string]string{"X-Koe-Invitation": v.ID.String()}}
	if m.Workspace.ReplyTo != "" {
		message.ReplyTo = m.Workspace.ReplyTo
	}
	if v.MailNo > 0 {
		message.ID = fmt.Sprintf("%s.%d@%s", v.ID, v.MailNo, from.Domain())
		message.InReplyTo = v.MessageID
	}
	return message, nil
}

// Sender is who a workspace's mail comes from.
func (s *Scheduler) Sender(w survey.Workspace) mail.Address {
	from := s.From
	if w.SenderAddress != "" {
		from = mail.Address{Name: w.Name, Email: w.SenderAddress}
	}
	if w.SenderName != "" {
		from.Name = w.SenderName
	}
	return from
}

// messageID is the Message-ID of an invitation's first mail: it is kept, so
// that a resend bears the same.
func (s *Scheduler) messageID(m store.Mail) string {
	return m.Invitation.ID.String() + "@" + s.Sender(m.Workspace).Domain()
}

// SendTest sends a mail to somebody who wants to look at it; it is counted
// nowhere.
func (s *Scheduler) SendTest(ctx context.Context, w survey.Workspace, id, to string, words templates.Mail) error {
	mailer := s.NewMailer()
	from := s.Sender(w)
	err := mailer.Send(ctx, mail.Message{ID: id, From: from, To: mail.Address{Email: to},
		Subject: words.Subject, Text: words.Text, HTML: words.HTML, Date: s.Now().UTC()})
	return errors.Join(err, mailer.Close())
}
