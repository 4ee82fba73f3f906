package survey

import (
	"errors"
	"strings"
	"testing"
)

func TestResend(t *testing.T) {
	at := wednesday
	for state, why := range map[InvitationState]string{
		InvitationFailed: "", InvitationUncertain: "", InvitationScheduled: "still to come", InvitationSending: "still to come",
		InvitationSent: "took it", InvitationAnswered: "answered", InvitationExpired: "expired", InvitationCancelled: "cancelled",
		InvitationSuppressed: "suppressed",
	} {
		v := Invitation{State: state, Channel: Email, Email: "a@example.com", ExpiresAt: wednesday + 1}
		conflict(t, string(state), v.Resend(Survey{State: Active}, false, wednesday), why)
		conflict(t, string(state)+", paused", v.Resend(Survey{State: Paused}, false, wednesday), why)
	}
	for name, c := range map[string]struct {
		change     func(*Invitation)
		survey     State
		suppressed bool
		why        string
	}{
		"a link":        {change: func(v *Invitation) { v.Channel = LinkOnly }, why: "hand it over"},
		"over":          {change: func(v *Invitation) { v.ExpiresAt = wednesday }, why: "expired at"},
		"erased":        {change: func(v *Invitation) { v.Email = "" }, why: "erased"},
		"suppressed":    {suppressed: true, why: "lift its suppression"},
		"came back":     {change: func(v *Invitation) { v.BouncedAt = &at }, why: "another address"},
		"survey's over": {survey: Archived, why: "archived"},
	} {
		v := Invitation{State: InvitationFailed, Channel: Email, Email: "a@example.com", ExpiresAt: wednesday + 1}
		if c.change != nil {
			c.change(&v)
		}
		conflict(t, name, v.Resend(Survey{State: c.survey}, c.suppressed, wednesday), c.why)
	}
}

// conflict wants a Conflict that says why, or none.
func conflict(t *testing.T, name string, err error, why string) {
	t.Helper()
	var known *Error
	if why == "" && err != nil || why != "" && (!errors.As(err, &known) || known.Kind != Conflict || !strings.Contains(known.Message, why)) {
		t.Errorf("%s: %v, want %q", name, err, why)
	}
}
