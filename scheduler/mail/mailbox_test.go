package mail

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

func TestMailboxKeepsTheNewest(t *testing.T) {
	var box Mailbox
	for i := range mailboxSize + 7 {
		m := sample()
		m.ID = fmt.Sprintf("%d@example.com", i)
		if err := box.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	list := box.List()
	if len(list) != mailboxSize || list[0].ID != "506@example.com" || list[mailboxSize-1].ID != "7@example.com" {
		t.Errorf("%d mails, %s to %s", len(list), list[0].ID, list[len(list)-1].ID)
	}
	if _, found := box.Find("6@example.com"); found {
		t.Error("an old mail is still there")
	}
	if m, found := box.Find("7@example.com"); !found || m.Subject != sample().Subject {
		t.Errorf("found %t %+v", found, m)
	}
	if err := box.Close(); err != nil || len(box.List()) != mailboxSize {
		t.Errorf("after Close: %v, %d mails", err, len(box.List()))
	}
}

func TestMailboxFindsTheNewestOfAResend(t *testing.T) {
	var box Mailbox
	for _, words := range []string{"first", "second"} {
		m := sample()
		m.Text = words
		if err := box.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		m.Headers["X-Koe-Invitation"] = "changed by the caller afterwards"
	}
	m, found := box.Find(sample().ID)
	if !found || m.Text != "second" || m.Headers["X-Koe-Invitation"] != "0199" || len(box.List()) != 2 {
		t.Errorf("%t %+v", found, m)
	}
}

func TestMailboxRefuses(t *testing.T) {
	var box Mailbox
	bad := sample()
	bad.To.Email = "ana@example.org\r\nBcc: x@example.com"
	if err := box.Send(t.Context(), bad); err == nil {
		t.Error("took a bad message")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e := refused(t, box.Send(ctx, sample()), StageMail); !e.Temporary {
		t.Errorf("%v", e)
	}
	if len(box.List()) != 0 {
		t.Errorf("%d mails", len(box.List()))
	}
}

func TestMailboxConcurrently(t *testing.T) {
	var box Mailbox
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 50 {
				m := sample()
				m.ID = fmt.Sprintf("%d.%d@example.com", worker, i)
				if err := box.Send(t.Context(), m); err != nil {
					t.Error(err)
				}
				if _, found := box.Find(m.ID); !found {
					t.Errorf("%s is not there", m.ID)
				}
			}
		})
	}
	group.Wait()
	if len(box.List()) != 400 {
		t.Errorf("%d mails", len(box.List()))
	}
}
