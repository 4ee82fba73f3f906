package scheduler_test

import (
	"testing"
	"time"

	"koe/scheduler"
	koemail "koe/scheduler/mail"
	"koe/survey"
)

// TestTheClockIsSetWhileAMailIsInHand: the lease of a mail that the server is
// thinking about seems to be over for an hour, or not to end for one. Neither
// loses it.
func TestTheClockIsSetWhileAMailIsInHand(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun, release := make(chan struct{}, 10), make(chan struct{})
			atDesk(t, func(to string, _ int) error {
				if to == "slow@example.com" {
					begun <- struct{}{}
					<-release
				}
				return nil
			}, func(d desk) {
				d.ask("chat", func(v *survey.Survey) { v.Rules.QuietPeriod = "30d" })
				d.ask("canary", nil)
				id := d.happens("chat", "slow@example.com")
				d.run(func(o *scheduler.Options) { o.Workers = 2 })
				<-begun
				d.clock.Advance(jump)
				d.passes("a@example.com")           // what comes after the jump goes out
				time.Sleep(2500 * time.Millisecond) // leases are looked at every second
				if v, _ := d.invitation(id); v.State != survey.InvitationSending {
					d.t.Errorf("while it is in hand: %+v", v)
				}
				release <- struct{}{}
				d.becomes(id, survey.InvitationSent)
				d.quiet("slow@example.com")
				d.clock.Advance(-jump)
				d.quiet("slow@example.com")
				d.passes("b@example.com")
				if n := len(d.server.lettersTo("slow@example.com")); n != 1 {
					d.t.Errorf("it came %d times", n)
				}
				d.verified()
			})
		})
	}
}

// quiet wants an address to be left alone, because it was asked lately.
func (d desk) quiet(address string) {
	d.t.Helper()
	r, err := d.store.RecordInteraction(d.t.Context(), d.by, survey.Interaction{Touchpoint: "chat", Customer: survey.Customer{Email: &address}})
	if err != nil || len(r.Decisions) != 1 || r.Decisions[0].Verdict != survey.Skipped || r.Decisions[0].Reason != survey.SkipQuietPeriod {
		d.t.Errorf("%s is not left alone: %+v, %v", address, r.Decisions, err)
	}
}

// TestTheClockIsSetBackBehindALease: a mail that a worker has lost is not stuck
// until the clock shows its lease's end once more; what was due waits for its
// instant, and comes once.
func TestTheClockIsSetBackBehindALease(t *testing.T) {
	t.Parallel()
	d := alone(t, nil) // on PostgreSQL leases run on its own clock
	d.ask("chat", nil)
	d.ask("canary", nil)
	ids := d.crowd(6)
	r := d.run(func(o *scheduler.Options) {
		o.NewMailer = func() koemail.Mailer { return panicker{d.smtp()} }
	})
	for i, id := range ids {
		if i != 2 {
			d.becomes(id, survey.InvitationSent)
		}
	}
	waits := d.happens("canary", "later@example.com")
	d.becomes(waits, survey.InvitationSent)
	d.clock.Advance(-time.Hour)
	d.becomes(ids[2], survey.InvitationUncertain)
	d.passes("now@example.com")
	r.end()
	d.run(nil)
	d.clock.Advance(time.Hour + time.Minute)
	d.passes("then@example.com")
	if n := len(d.server.all()); n != 8 {
		t.Errorf("%d mails, want 8: each once", n)
	}
	d.verified()
}
