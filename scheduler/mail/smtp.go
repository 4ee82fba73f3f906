package mail

import (
	"context"
	"errors"
	"sync"
	"time"
)

// SMTP is a Mailer that speaks to one server over one connection, which it
// keeps between mails: make one per worker. The connection is opened by the
// first Send, opened again where the server closed it meanwhile, and closed
// when it was idle for long enough. Concurrent Sends wait for each other.
type SMTP struct {
	config SMTPConfig

	mu      sync.Mutex
	session *session // nil: not connected
	idle    *time.Timer
	used    time.Time
}

// NewSMTP prepares a Mailer; nothing is connected yet.
func NewSMTP(config SMTPConfig) *SMTP {
	return &SMTP{config: config.withDefaults()}
}

// Send hands the message to the server. It returns nil only after the server
// accepted the message.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	raw, err := m.Bytes()
	if err != nil {
		return err
	}
	if raw, err = s.config.DKIM.sign(raw); err != nil {
		return failed(ctx, StageSign, "", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.session != nil
	err = s.attempt(ctx, m, raw)
	if kept && stale(err) && ctx.Err() == nil {
		err = s.attempt(ctx, m, raw)
	}
	s.rest()
	return err
}

// attempt sends over the open connection or a new one, and leaves behind either
// a connection that is ready for the next mail or none.
func (s *SMTP) attempt(ctx context.Context, m Message, raw []byte) error {
	if s.session == nil {
		session, err := open(ctx, s.config, m.From.Domain())
		if err != nil {
			return err
		}
		s.session = session
	}
	err := s.session.deliver(ctx, m.returnPath(), m.To.envelope(), raw)
	if !s.session.ready(err) {
		_ = s.session.conn.Close() // broken anyway; err says why
		s.session = nil
	}
	return err
}

// stale is true where a kept connection turned out to be closed by the server:
// its first command met no reply, or the one that says goodbye. Nothing of the
// mail was said yet, so it may be said again.
func stale(err error) bool {
	var e *SendError
	return errors.As(err, &e) && e.Stage == StageMail && e.Temporary && (e.Code == 0 || e.Code == codeClosing)
}

// rest sets the clock that closes an unused connection.
func (s *SMTP) rest() {
	s.used = time.Now()
	if s.session == nil {
		return
	}
	if s.idle == nil {
		s.idle = time.AfterFunc(s.config.IdleTimeout, s.closeIdle)
		return
	}
	s.idle.Reset(s.config.IdleTimeout)
}

func (s *SMTP) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A mail may have gone out between the clock's ring and here.
	if s.session != nil && time.Since(s.used) >= s.config.IdleTimeout {
		s.session.quit()
		s.session = nil
	}
}

// Close says goodbye to the server. A later Send connects again.
func (s *SMTP) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		s.idle.Stop()
	}
	if s.session != nil {
		s.session.quit()
		s.session = nil
	}
	return nil
}
