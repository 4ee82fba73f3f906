package scheduler

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// message writes a mail.
func (s *Scheduler) message(m store.Mail) (mail.Message, error) {
	v := m.Invitation
	words, err := s.Words.Invitation(templates.InvitationMail{
		Template: m.Template, Version: v.TemplateVersion, Workspace: m.Workspace, Name: v.Name, Locale: v.Locale, Attributes: v.Attributes,
		Touchpoint: m.Touchpoint, OccurredAt: m.OccurredAt, Timezone: v.Timezone,
		BaseURL: s.BaseURL, SurveyURL: s.BaseURL + "/s/" + m.Token, UnsubscribeURL: s.BaseURL + "/u/" + m.Token, Reminder: v.MailNo > 0,
	})
	if err != nil {
		return mail.Message{}, fmt.Errorf("write the mail: %w", err)
	}
	from := s.Sender(m.Workspace)
	tag := s.Store.BounceTag(m.Workspace.ID, v.ID)
	message := mail.Message{ID: v.MessageID, From: from, To: mail.Address{Name: v.Name, Email: v.Email},
		Subject: words.Subject, Text: words.Text, HTML: words.HTML,
		ListID: m.Survey.ID.String() + "." + from.Domain(), UnsubscribeURL: s.BaseURL + "/u/" + m.Token,
		Date: s.Now().UTC(), ReturnPath: s.returnPath(tag),
		Headers: map[string]string{"X-Koe-Invitation": tag}}
	if m.Workspace.ReplyTo != "" {
		message.ReplyTo = m.Workspace.ReplyTo
	}
	if v.MailNo > 0 {
		_, domain, _ := strings.Cut(v.MessageID, "@") // the first mail's, by which reports are matched: the sender may have moved since
		message.ID = fmt.Sprintf("%s.%d@%s", v.ID, v.MailNo, domain)
		message.InReplyTo = v.MessageID
	}
	return message, nil
}

// returnPath is where a mail comes back to that could not be delivered: an
// address of its own by which it is known, where koe has a mailbox for those.
func (s *Scheduler) returnPath(tag string) string {
	if s.BounceAddress == "" {
		return ""
	}
	at := strings.LastIndexByte(s.BounceAddress, '@')
	return s.BounceAddress[:at] + "+" + tag + s.BounceAddress[at:]
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
