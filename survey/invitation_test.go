package survey

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var everyInvitationState = []InvitationState{InvitationScheduled, InvitationSending, InvitationSent, InvitationAnswered,
	InvitationFailed, InvitationUncertain, InvitationExpired, InvitationCancelled, InvitationSuppressed}

func TestCancel(t *testing.T) {
	for _, state := range everyInvitationState {
		err := Invitation{State: state}.Cancel()
		if state == InvitationScheduled {
			if err != nil {
				t.Errorf("a scheduled one: %v", err)
			}
			continue
		}
		var known *Error
		if !errors.As(err, &known) || known.Kind != Conflict || !strings.Contains(known.Message, string(state)) {
			t.Errorf("%s: %v", state, err)
		}
	}
}

func TestExpired(t *testing.T) {
	v := Invitation{State: InvitationSent, ExpiresAt: wednesday}
	if v.Expired(wednesday-1) || !v.Expired(wednesday) || !v.Expired(wednesday+1) {
		t.Error("not from the link's end on")
	}
	v.State = InvitationExpired
	if !v.Expired(wednesday - 1) {
		t.Error("what has ended is open again")
	}
}

func TestBeforeSending(t *testing.T) {
	office := &Window{From: "09:00", To: "18:00", Weekdays: []int{1, 2, 3, 4, 5}, Timezone: RecipientZone}
	suppressed := Recheck{State: InvitationSuppressed, Reason: "suppressed"}
	archived := Recheck{State: InvitationCancelled, Reason: "survey_archived"}
	expired := Recheck{State: InvitationExpired, Reason: "expired"}
	for name, test := range map[string]struct {
		state      State
		window     *Window
		recipient  string
		suppressed bool
		now, ends  string
		want       Recheck
	}{
		"go":                        {Active, nil, "", false, "2026-11-18T10:00:00Z", "2026-12-18T10:00:00Z", Recheck{Send: true, Day: day("2026-11-18")}},
		"all is wrong":              {Archived, office, "", true, "2026-11-18T10:00:00Z", "2026-11-18T10:00:00Z", suppressed},
		"archived and over":         {Archived, office, "", false, "2026-11-18T10:00:00Z", "2026-11-18T10:00:00Z", archived},
		"over":                      {Active, office, "", false, "2026-11-18T10:00:00Z", "2026-11-18T10:00:00Z", expired},
		"a moment before":           {Active, nil, "", false, "2026-11-18T09:59:59.999Z", "2026-11-18T10:00:00Z", Recheck{Send: true, Day: day("2026-11-18")}},
		"open in the recipient's":   {Active, office, "Europe/London", false, "2026-11-18T10:00:00Z", "2026-12-18T10:00:00Z", Recheck{Send: true, Day: day("2026-11-18")}},
		"closed in the workspace's": {Active, office, "", false, "2026-11-18T10:00:00Z", "2026-12-18T10:00:00Z", Recheck{WaitTo: at("2026-11-19T00:00:00Z"), Day: day("2026-11-19"), Reason: WaitSendWindow}},
		"closed over the weekend":   {Active, office, "Europe/London", false, "2026-11-20T18:00:00Z", "2026-12-18T10:00:00Z", Recheck{WaitTo: at("2026-11-23T09:00:00Z"), Day: day("2026-11-23"), Reason: WaitSendWindow}},
		"opens as the link ends": {Active, office, "", false, "2026-11-18T10:00:00Z", "2026-11-19T00:00:00Z",
			Recheck{State: InvitationExpired, Reason: "window_closed"}},
		"opens a moment earlier": {Active, office, "", false, "2026-11-18T10:00:00Z", "2026-11-19T00:00:00.001Z", Recheck{WaitTo: at("2026-11-19T00:00:00Z"), Day: day("2026-11-19"), Reason: WaitSendWindow}},
	} {
		t.Run(name, func(t *testing.T) {
			s := chatSurvey(t)
			s.State, s.Rules.SendWindow = test.state, test.window
			v := Invitation{State: InvitationScheduled, Timezone: test.recipient, ExpiresAt: at(test.ends)}
			got := BeforeSending(v, s, NewWorkspace("acme", "Acme", "Asia/Tokyo"), Meanwhile{Suppressed: test.suppressed}, at(test.now))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNextReminder(t *testing.T) {
	office := &Window{From: "09:00", To: "18:00", Weekdays: []int{1, 2, 3, 4, 5}, Timezone: "UTC"}
	friday := "2026-11-20T10:00:00Z"
	for name, test := range map[string]struct {
		reminders []Duration
		window    *Window
		sentAt    string
		sent      int
		went      string // the mail before; empty: as planned
		ends      string
		want      string // empty: none
	}{
		"none":                      {nil, nil, friday, 0, "", "2026-12-20T00:00:00Z", ""},
		"the first":                 {[]Duration{"3d", "7d"}, nil, friday, 0, "", "2026-12-20T00:00:00Z", "2026-11-23T10:00:00Z"},
		"the second":                {[]Duration{"3d", "7d"}, nil, friday, 1, "", "2026-12-20T00:00:00Z", "2026-11-27T10:00:00Z"},
		"all sent":                  {[]Duration{"3d", "7d"}, nil, friday, 2, "", "2026-12-20T00:00:00Z", ""},
		"never sent":                {[]Duration{"3d"}, nil, "", 0, "", "2026-12-20T00:00:00Z", ""},
		"as the link ends":          {[]Duration{"3d"}, nil, friday, 0, "", "2026-11-23T10:00:00Z", ""},
		"a moment before":           {[]Duration{"3d"}, nil, friday, 0, "", "2026-11-23T10:00:00.001Z", "2026-11-23T10:00:00Z"},
		"waits for the window":      {[]Duration{"1d"}, office, friday, 0, "", "2026-12-20T00:00:00Z", "2026-11-23T09:00:00Z"},
		"waits past the link's end": {[]Duration{"1d"}, office, friday, 0, "", "2026-11-23T09:00:00Z", ""},
		"two never go together":     {[]Duration{"1d", "2d"}, office, friday, 1, "", "2026-12-20T00:00:00Z", "2026-11-24T09:00:00Z"},
		"nor three":                 {[]Duration{"1d", "2d", "3d"}, office, friday, 2, "", "2026-12-20T00:00:00Z", "2026-11-25T09:00:00Z"},
		"a later one is on time":    {[]Duration{"1d", "10d"}, office, friday, 1, "", "2026-12-20T00:00:00Z", "2026-12-02T09:00:00Z"},
		"after a pause":             {[]Duration{"3d", "7d"}, nil, friday, 1, "2026-12-05T10:00:00Z", "2026-12-20T00:00:00Z", "2026-12-09T10:00:00Z"},
		"a little late":             {[]Duration{"3d", "7d"}, nil, friday, 1, "2026-11-23T10:00:03Z", "2026-12-20T00:00:00Z", "2026-11-27T10:00:03Z"},
		"late, and in the window":   {[]Duration{"1d", "2d"}, office, friday, 1, "2026-12-04T10:00:00Z", "2026-12-20T00:00:00Z", "2026-12-07T09:00:00Z"},
		"late, past the link's end": {[]Duration{"3d", "7d"}, nil, friday, 1, "2026-12-16T00:00:00Z", "2026-12-20T00:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := chatSurvey(t), NewWorkspace("acme", "Acme", "UTC")
			s.Rules.Reminders, s.Rules.SendWindow = test.reminders, test.window
			v := Invitation{State: InvitationSent, ExpiresAt: at(test.ends)}
			var went Instant
			if test.sentAt != "" {
				went = at(test.sentAt)
				v.SentAt = pointer(went)
			}
			for sent := range test.sent {
				went, _ = NextReminder(v, s, w, sent, went)
			}
			if test.went != "" {
				went = at(test.went)
			}
			due, more := NextReminder(v, s, w, test.sent, went)
			if more != (test.want != "") || more && due != at(test.want) {
				t.Errorf("%s %v, want %q", due, more, test.want)
			}
		})
	}
}

func TestRetryAt(t *testing.T) {
	v := Invitation{SendAt: wednesday, ExpiresAt: wednesday.Add(365 * 24 * time.Hour)}
	minutes := []int{1, 2, 4, 8, 16, 32, 64, 128} // then every four hours
	now, tried := wednesday, 0
	for attempt := 1; ; attempt++ {
		want := 4 * time.Hour
		if attempt <= len(minutes) {
			want = time.Duration(minutes[attempt-1]) * time.Minute
		}
		next, again := RetryAt(v, attempt, now)
		if next.Sub(now) != want {
			t.Fatalf("after attempt %d: %s, want %s", attempt, next.Sub(now), want)
		}
		if !again {
			break
		}
		now, tried = next, attempt
	}
	if spent := now.Sub(wednesday); spent > 72*time.Hour || spent < 68*time.Hour || tried != 24 {
		t.Errorf("tried for %s, %d times", spent, tried)
	}
	for _, attempt := range []int{25, 1000, 1 << 40} {
		if _, again := RetryAt(v, attempt, wednesday); again {
			t.Errorf("attempt %d is followed by another", attempt)
		}
	}
	if next, again := RetryAt(v, 0, wednesday); !again || next != wednesday.Add(time.Minute) {
		t.Errorf("before any attempt: %s %v", next, again)
	}
	late := v.SendAt.Add(30 * 24 * time.Hour)
	if next, again := RetryAt(v, 1, late); !again || next != late.Add(time.Minute) {
		t.Errorf("a reminder of the thirtieth day is tried once only")
	}
	v.ExpiresAt = wednesday.Add(time.Minute)
	if _, again := RetryAt(v, 1, wednesday); again {
		t.Error("tried again as the link ends")
	}
	if _, again := RetryAt(v, 1, wednesday-1); !again {
		t.Error("not tried again a moment before the link ends")
	}
}

func TestEditable(t *testing.T) {
	s := chatSurvey(t) // 24h
	r := Response{CreatedAt: wednesday, UpdatedAt: wednesday.Add(23 * time.Hour)}
	end := wednesday.Add(24 * time.Hour)
	if !Editable(s, r, end-1) || Editable(s, r, end) {
		t.Error("not until a day after it was first given")
	}
	kiosk, lasts := Response{Channel: ByKiosk, CreatedAt: r.CreatedAt, UpdatedAt: wednesday}, Invitation{ExpiresAt: wednesday.Add(24 * time.Hour)}
	left := wednesday.Add(KioskLeft)
	if Editable(s, kiosk, r.CreatedAt) || !Unfinished(lasts, kiosk, left) || Unfinished(lasts, kiosk, left+1) || !Unfinished(lasts, r, left+1) {
		t.Error("what the next person at a kiosk may do")
	}
	s.Rules.EditableFor = "0s"
	if Editable(s, r, wednesday) {
		t.Error("editable, though the survey says never")
	}
}
