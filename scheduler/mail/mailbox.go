package mail

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// mailboxSize is how many messages a Mailbox keeps.
const mailboxSize = 500

// Mailbox is a Mailer that keeps the newest 500 messages in memory and sends
// none, for developing without an SMTP server. The zero value is empty and
// ready; it may be used concurrently.
type Mailbox struct {
	mu       sync.RWMutex
	messages []Message // oldest first
}

// Send keeps the message. It refuses what an SMTP server would never see.
func (b *Mailbox) Send(ctx context.Context, m Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return failed(ctx, StageMail, "", err)
	}
	m.Headers = maps.Clone(m.Headers)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.messages) == mailboxSize {
		b.messages = slices.Delete(b.messages, 0, 1)
	}
	b.messages = append(b.messages, m)
	return nil
}

// Close keeps what is there: nothing is open.
func (b *Mailbox) Close() error { return nil }

// List returns the messages, newest first.
func (b *Mailbox) List() []Message {
	b.mu.RLock()
	defer b.mu.RUnlock()
	list := slices.Clone(b.messages)
	slices.Reverse(list)
	return list
}

// Find returns the newest message of a Message-ID (without angle brackets).
func (b *Mailbox) Find(id string) (Message, bool) {
	for _, m := range b.List() {
		if m.ID == id {
			return m, true
		}
	}
	return Message{}, false
}
