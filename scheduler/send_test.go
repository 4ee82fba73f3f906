package scheduler_test

import (
	"fmt"
	"log/slog"
	"mime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"koe/scheduler"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestADueMailIsSentOnce(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		asked := d.ask("chat", nil)
		d.ask("canary", nil)
		id := d.happens("chat", "a@example.com")
		d.run(nil)
		v := d.becomes(id, survey.InvitationSent)
		d.passes("canary@example.com")
		letters := d.server.lettersTo("a@example.com")
		if len(letters) != 1 {
			d.t.Fatalf("%d mails, want 1", len(letters))
		}
		m := letters[0]
		link := "https://koe.example/u/" + m.token(d.t)
		for name, want := range map[string]string{
			"Message-Id":            "<" + id.String() + "@acme.example>",
			"List-Id":               "<" + asked.ID.String() + ".acme.example>",
			"List-Unsubscribe":      "<" + link + ">",
			"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
			"Reply-To":              "<help@acme.example>",
			"X-Koe-Invitation":      d.store.BounceTag(d.by.Workspace, id),
			"Date":                  "Sun, 22 Nov 2026 09:00:00 +0000",
			"Auto-Submitted":        "auto-generated",
			"In-Reply-To":           "",
		} {
			if got := m.Header.Get(name); got != want {
				d.t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if v.MessageID != id.String()+"@acme.example" || v.SentAt == nil || v.Attempt != 0 {
			d.t.Errorf("%+v", v)
		}
		for name, want := range map[string]string{"From": "店 Acme|feedback@acme.example", "To": "山田 花子|a@example.com"} {
			list, err := m.Header.AddressList(name)
			if err != nil || len(list) != 1 || list[0].Name+"|"+list[0].Address != want {
				d.t.Errorf("%s: %v %v, want %s", name, list, err, want)
			}
		}
		kind, _, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
		if err != nil || kind != "multipart/alternative" {
			d.t.Errorf("%s %v", kind, err)
		}
	})
}

func TestAMailComesBackToAnAddressThatNamesIt(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	d.ask("chat", nil)
	id := d.happens("chat", "a@example.com")
	d.run(func(o *scheduler.Options) { o.BounceAddress = "bounces@mail.koe.example" })
	d.becomes(id, survey.InvitationSent)
	from := d.server.lettersTo("a@example.com")[0].from
	local, domain, _ := strings.Cut(from, "@")
	name, tag, _ := strings.Cut(local, "+")
	if workspace, named, ok := d.store.ParseBounceTag(tag); !ok || workspace != d.by.Workspace || named != id ||
		name != "bounces" || domain != "mail.koe.example" || len(local) > 64 {
		t.Errorf("it comes back to %s", from)
	}
	without := alone(t, nil)
	without.ask("chat", nil)
	without.becomes(func() survey.ID { id := without.happens("chat", "a@example.com"); without.run(nil); return id }(), survey.InvitationSent)
	if from := without.server.lettersTo("a@example.com")[0].from; from != "feedback@acme.example" {
		t.Errorf("without a mailbox for it, it comes back to %s", from)
	}
}

func TestADelayIsKept(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	d.ask("chat", func(v *survey.Survey) { v.Trigger.Delay = "2h" })
	d.ask("canary", nil)
	id := d.happens("chat", "a@example.com")
	d.run(nil)
	d.clock.Advance(2*time.Hour - time.Millisecond)
	d.passes("b@example.com")
	if v, _ := d.invitation(id); v.State != survey.InvitationScheduled || len(d.server.lettersTo("a@example.com")) != 0 {
		t.Fatalf("before its time: %+v", v)
	}
	d.clock.Advance(time.Millisecond)
	d.becomes(id, survey.InvitationSent)
}

// later refuses for now the first n mails to an address.
func later(address string, n int) func(string, int) error {
	return func(to string, nth int) error {
		if to == address && nth <= n {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Greylisted, please try again"}
		}
		return nil
	}
}

func TestAMailThatIsRefusedForNowIsTriedAgain(t *testing.T) {
	t.Parallel()
	atDesk(t, later("a@example.com", 2), func(d desk) {
		d.ask("chat", nil)
		d.ask("canary", nil)
		id := d.happens("chat", "a@example.com")
		d.run(nil)
		tried := func(n int) {
			d.t.Helper()
			d.until("it is tried again", func() bool { return len(d.server.lettersTo("a@example.com")) == n })
		}
		delayed := func(n int) {
			d.t.Helper()
			d.until("the delay is noted", func() bool { _, events := d.invitation(id); return len(d.eventsOf(events, "delayed")) == n })
		}
		tried(1)
		delayed(1)
		d.clock.Advance(time.Minute)
		tried(2)
		delayed(2)
		d.clock.Advance(time.Minute) // the second pause is two minutes
		d.passes("b@example.com")
		if v, _ := d.invitation(id); v.State != survey.InvitationScheduled || len(d.server.lettersTo("a@example.com")) != 2 {
			d.t.Fatalf("after two refusals: %+v", v)
		}
		d.clock.Advance(time.Minute)
		d.becomes(id, survey.InvitationSent)
		letters, ids := d.server.lettersTo("a@example.com"), []string{}
		for _, l := range letters {
			ids = append(ids, l.Header.Get("Message-Id"))
		}
		if len(letters) != 3 || len(slices.Compact(ids)) != 1 || letters[0].token(d.t) != letters[2].token(d.t) {
			d.t.Errorf("%d mails with the ids %v, want 3 with one", len(letters), ids)
		}
		_, events := d.invitation(id)
		if first := d.eventsOf(events, "delayed")[0]; !strings.Contains(first.Reason, "451 4.7.1 Greylisted, please try again") {
			d.t.Errorf("the delay says %+v", first)
		}
	})
}

func (d desk) eventsOf(events []store.Event, typ string) []store.Event {
	return slices.DeleteFunc(events, func(e store.Event) bool { return e.Type != typ })
}

func TestAMailThatIsRefusedForGoodFails(t *testing.T) {
	t.Parallel()
	atDesk(t, func(to string, _ int) error {
		if to == "a@example.com" || strings.HasSuffix(to, "@gone.example") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: to + ": no such mailbox here"}
		}
		return nil
	}, func(d desk) {
		d.ask("chat", nil)
		d.ask("canary", nil)
		id := d.happens("chat", "a@example.com")
		log := &told{}
		d.run(func(o *scheduler.Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
		v := d.becomes(id, survey.InvitationFailed)
		if !strings.Contains(v.Reason, "550 5.1.1") || !strings.Contains(v.Reason, "no such mailbox here") || strings.Contains(v.Reason, "a@example.com") {
			d.t.Errorf("the reason is %q", v.Reason)
		}
		d.clock.Advance(5 * time.Hour)
		d.passes("b@example.com")
		if n := len(d.server.lettersTo("a@example.com")); n != 1 {
			d.t.Errorf("tried %d times", n)
		}
		var refused, back []survey.ID
		for i := range 10 {
			refused = append(refused, d.happens("chat", fmt.Sprintf("p%d@gone.example", i)))
			back = append(back, d.happens("chat", fmt.Sprintf("q%d@back.example", i)))
		}
		for _, id := range refused { // few, and nobody outside has seen them
			d.becomes(id, survey.InvitationFailed)
		}
		if sending, err := d.store.Sending(d.t.Context(), d.by); err != nil || sending.Paused != "" || sending.Reputation.Refused != 11 {
			d.t.Errorf("%+v, %v", sending, err)
		}
		for _, id := range back { // ten that come back are too many among so few
			d.becomes(id, survey.InvitationSent)
			if _, err := d.store.TakeBounces(d.t.Context(), d.by, []survey.Bounce{{Kind: survey.HardBounce, Invitation: &id}}); err != nil {
				d.t.Fatal(err)
			}
		}
		says := func(words string) func() bool { return func() bool { return strings.Count(log.String(), words) == 1 } }
		d.until("the log says that sending has paused itself", says("sending has paused itself"))
		if sending, err := d.store.Sending(d.t.Context(), d.by); err != nil || sending.Paused != survey.PausedByBounces {
			d.t.Errorf("%+v, %v", sending, err)
		}
		if err := d.store.ResumeSending(d.t.Context(), d.by); err != nil {
			d.t.Fatal(err)
		}
		d.until("the log says that sending goes on", says("sending goes on"))
		if !says("sending has paused itself")() {
			d.t.Errorf("the log is told again:\n%s", log)
		}
	})
}

// told is a log that may be read while it is written.
type told struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *told) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *told) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestAMailWithoutReplyIsUncertain(t *testing.T) {
	t.Parallel()
	atDesk(t, func(to string, _ int) error {
		if to == "a@example.com" {
			return errHangUp
		}
		return nil
	}, func(d desk) {
		d.ask("chat", nil)
		d.ask("canary", nil)
		id := d.happens("chat", "a@example.com")
		d.run(nil)
		if v := d.becomes(id, survey.InvitationUncertain); !strings.Contains(v.Reason, "before the server confirmed it") {
			d.t.Errorf("the reason is %q", v.Reason)
		}
		d.clock.Advance(80 * time.Hour)
		d.passes("b@example.com")
		if n := len(d.server.lettersTo("a@example.com")); n != 1 {
			d.t.Errorf("sent %d times", n)
		}
	})
}

func TestWhoUnsubscribesMeanwhileGetsNothing(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		d.ask("chat", nil)
		d.ask("canary", nil)
		waits := d.happens("chat", "waits@example.com")
		suppress := func(address string) {
			d.t.Helper()
			if _, _, err := d.store.Suppress(d.t.Context(), d.by, address, survey.Unsubscribed); err != nil {
				d.t.Fatal(err)
			}
		}
		suppress("waits@example.com")
		first := d.happens("chat", "first@example.com")
		claimed := d.happens("chat", "claimed@example.com")
		d.run(func(o *scheduler.Options) { o.PerSecond = 0.2 }) // claimed waits its turn for five seconds
		d.becomes(first, survey.InvitationSent)
		suppress("claimed@example.com")
		for _, id := range []survey.ID{waits, claimed} {
			if v := d.becomes(id, survey.InvitationSuppressed); v.Reason != "suppressed" {
				d.t.Errorf("%+v", v)
			}
		}
		d.passes("b@example.com")
		if n := len(d.server.all()); n != 2 {
			d.t.Errorf("%d mails, want 2", n)
		}
	})
}

func TestAPausedSurveyHoldsItsMail(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		asked := d.ask("chat", func(v *survey.Survey) { v.Trigger.Delay = "1h" })
		d.ask("canary", nil)
		id := d.happens("chat", "a@example.com")
		d.move(asked, survey.Paused)
		d.run(nil)
		d.clock.Advance(2 * time.Hour)
		d.passes("b@example.com")
		if v, _ := d.invitation(id); v.State != survey.InvitationScheduled || !v.Held {
			d.t.Fatalf("while paused: %+v", v)
		}
		d.move(asked, survey.Active)
		d.becomes(id, survey.InvitationSent)
	})
}

func TestRemindersGoToThoseWhoHaveNotAnswered(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		d.ask("chat", func(v *survey.Survey) { v.Rules.Reminders = []survey.Duration{"3d", "7d"} })
		d.ask("canary", nil)
		daily := d.ask("desk", func(v *survey.Survey) {
			v.Trigger = survey.Trigger{Type: survey.OnSchedule, Cron: "0 8 * * *", Timezone: "UTC"}
		})
		kind, silent := d.happens("chat", "kind@example.com"), d.happens("chat", "silent@example.com")
		d.run(nil)
		d.becomes(kind, survey.InvitationSent)
		d.becomes(silent, survey.InvitationSent)
		if _, err := d.store.PatchWorkspace(d.t.Context(), d.by, func(w *survey.Workspace) error { w.SenderAddress = "feedback@moved.example"; return nil }); err != nil {
			d.t.Fatal(err)
		}
		nine := 9
		if _, err := d.store.Answer(d.t.Context(), d.server.lettersTo("kind@example.com")[0].token(d.t), storetest.Says(store.Reply{Score: &nine})); err != nil {
			d.t.Fatal(err)
		}
		for i, days := range []int{3, 4, 20} {
			d.clock.Advance(time.Duration(days) * 24 * time.Hour)
			d.passes([]string{"b@example.com", "c@example.com", "d@example.com"}[i])
		}
		if n := len(d.server.lettersTo("kind@example.com")); n != 1 {
			d.t.Errorf("who answered got %d mails", n)
		}
		letters := d.server.lettersTo("silent@example.com")
		if len(letters) != 3 {
			d.t.Fatalf("who was silent got %d mails, want 3", len(letters))
		}
		first := letters[0].Header.Get("Message-Id")
		for i, l := range letters[1:] {
			want := "<" + silent.String() + "." + string(rune('1'+i)) + "@acme.example>"
			if l.Header.Get("Message-Id") != want || l.Header.Get("In-Reply-To") != first || l.Header.Get("References") != first {
				d.t.Errorf("reminder %d: %v, want the id %s in reply to %s", i+1, l.Header, want, first)
			}
			if subject, of := l.Header.Get("Subject"), letters[0].Header.Get("Subject"); subject != of {
				d.t.Errorf("reminder %d: the subject is %q, which mail programs do not put beside %q", i+1, subject, of)
			}
			if text := strings.ReplaceAll(l.raw, "=\r\n", ""); !strings.Contains(text, "We asked you this a few days ago") {
				d.t.Errorf("reminder %d does not say what it is:\n%s", i+1, text)
			}
			if l.token(d.t) != letters[0].token(d.t) {
				d.t.Errorf("reminder %d has another link", i+1)
			}
		}
		if v, _ := d.invitation(silent); v.State != survey.InvitationSent {
			d.t.Errorf("%+v", v)
		}
		d.missed(daily)
	})
}

// missed wants every fire of a schedule to be missed: they were an hour late, and
// this scheduler makes up for nothing.
func (d desk) missed(v survey.Survey) {
	d.t.Helper()
	var fires []store.Fire
	d.until("its schedule was due", func() (due bool) {
		var err error
		if fires, _, err = d.store.Fires(d.t.Context(), d.by, v.ID.String(), store.Page{Limit: 100}); err != nil {
			d.t.Fatal(err)
		}
		return len(fires) > 0
	})
	for _, f := range fires {
		if f.State != "missed" || f.Asked != 0 {
			d.t.Errorf("%+v", f)
		}
	}
}
