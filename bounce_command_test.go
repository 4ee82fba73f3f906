package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// piped runs koe bounce as a mail server does.
func piped(t *testing.T, database string, in io.Reader, recipients ...string) (string, int) {
	t.Helper()
	var out strings.Builder
	err := takeBounce{Recipient: recipients}.take(t.Context(), Config{DatabaseURL: database, Secret: strings.Repeat("s", 32), Timezone: "UTC"}, in, &out)
	return out.String(), exitStatus(err)
}

func TestBounceCommand(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		beside, err := openStore(t.Context(), Config{DatabaseURL: database, Secret: strings.Repeat("s", 32), Timezone: "UTC"}) // as a server has it
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = beside.Close() }) // nobody reads it after this
		by := storetest.Default(t, inited(t, beside))
		id := outgoing(t, beside, by)
		report := func(tag string) string {
			return "To: x@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n" +
				"Final-Recipient: rfc822; ana@example.com\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\nX-Koe-Invitation: " + tag + "\n\n--b--\n"
		}
		for _, c := range []struct {
			in         string
			recipients []string
			out        string
			status     int
		}{
			{"not a mail\n", nil, "", 65},
			{"From: ana@example.com\n\nhello\n", nil, "reports: 0, applied: 0\n", 0},
			{report("forged"), nil, "reports: 1, applied: 0\n", 0},
			{report(""), []string{"bounces+" + beside.BounceTag(by.Workspace, id) + "@example.com"}, "reports: 1, applied: 1\n", 0},
			{report(beside.BounceTag(by.Workspace, id)), nil, "reports: 1, applied: 0\n", 0},
		} {
			if out, status := piped(t, database, strings.NewReader(c.in), c.recipients...); out != c.out || status != c.status {
				t.Errorf("%.40q %v: %q, %d", c.in, c.recipients, out, status)
			}
		}
		v, _, err := beside.Invitation(t.Context(), by, id)
		if err != nil || v.State != survey.InvitationFailed || v.Reason != "bounced" {
			t.Errorf("%+v, %v", v, err)
		}
		if _, status := piped(t, "postgres://127.0.0.1:1/koe?connect_timeout=2", strings.NewReader(report("forged"))); status != 75 {
			t.Errorf("without a database: %d", status)
		}
		if _, status := piped(t, database, cutOff{}); status != 75 {
			t.Errorf("without input: %d", status)
		}
	})
}

type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, errors.New("the pipe broke") }

func inited(t *testing.T, s *store.Store) *store.Store {
	t.Helper()
	if _, _, err := s.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// outgoing sends one mail to Ana.
func outgoing(t *testing.T, s *store.Store, by store.Caller) survey.ID {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := s.PutSurvey(ctx, by, survey.Survey{Key: "shop", Name: "shop", Template: "nps", Touchpoint: "shop", Channel: survey.Email,
		Trigger: survey.Trigger{Type: survey.OnInteraction}}, 0)
	check(err)
	_, err = s.SetSurveyState(ctx, by, "shop", survey.Active, 0)
	check(err)
	email := "ana@example.com"
	_, err = s.RecordInteraction(ctx, by, survey.Interaction{Touchpoint: "shop", Customer: survey.Customer{Email: &email}})
	check(err)
	claims, err := s.ClaimDue(ctx, 1, time.Minute)
	check(err)
	if len(claims) != 1 {
		t.Fatalf("%v", claims)
	}
	_, err = s.StartSending(ctx, claims, func(store.Mail) string { return "x@example.com" })
	check(err)
	check(s.Sent(ctx, claims[0]))
	return claims[0].Invitation
}
