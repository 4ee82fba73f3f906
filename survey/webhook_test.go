package survey

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestWebhookAddresses(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://example.com/koe":                          true,
		"http://example.com:8080/koe?key=a&b=%20":          true,
		"https://[2001:db8::1]/koe":                        true,
		"https://xn--wgv71a.example/":                      true,
		"https://example.com/" + strings.Repeat("x", 1980): true,
		"https://example.com/" + strings.Repeat("x", 1981): false,
		"":                         false,
		"example.com/koe":          false,
		"//example.com/koe":        false,
		"ftp://example.com/":       false,
		"javascript:alert(1)":      false,
		"file:///etc/passwd":       false,
		"https://":                 false,
		"https://:443/":            false,
		"https:///koe":             false,
		"https://a@example.com/":   false,
		"https://a:b@example.com/": false,
		"https://example.com/#top": false,
		"https://example.com/a b":  false,
		"https://日本.example/":      false,
		"https://example.com/\r\n": true, // what surrounds it is trimmed
		"https://exa\nmple.com/":   false,
		"https://example.com/%zz":  false,
		"https://example.com:x/":   false,
	} {
		w := Webhook{URL: url, Events: Events()}
		err := w.Clean()
		var known *Error
		if (err == nil) != ok || err != nil && (!errors.As(err, &known) || len(known.Fields) != 1 || known.Fields[0].Field != "url") {
			t.Errorf("%.60q: %v", url, err)
		}
	}
}

func TestWebhookFields(t *testing.T) {
	for field, w := range map[string]Webhook{
		"events":      {},
		"events[1]":   {Events: []Event{EventResponseCreated, EventResponseCreated}},
		"owner_email": {Events: Events(), OwnerEmail: "nobody"},
		"state":       {Events: Events(), State: "archived"},
		"description": {Events: Events(), Description: strings.Repeat("x", 201)},
		"format":      {Events: Events(), Format: "xml"},
		"events[0]":   {Events: []Event{EventInvitationSent}, Format: FormatSlack},
		"score_max":   {Events: Events(), ScoreMin: new(7), ScoreMax: new(6)},
		"score_min":   {Events: Events(), ScoreMin: new(11)},
	} {
		w.URL = "https://example.com"
		var known *Error
		if err := w.Clean(); !errors.As(err, &known) || len(known.Fields) != 1 || known.Fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	unknown := Webhook{URL: "https://example.com", Events: []Event{"response.deleted"}}
	var known *Error
	if err := unknown.Clean(); !errors.As(err, &known) || known.Fields[0].Field != "events[0]" {
		t.Errorf("%v", err)
	}
	good := Webhook{URL: " https://example.com ", Events: Events(), OwnerEmail: "Ops@Example.com "}
	if err := good.Clean(); err != nil || good.State != Active || good.OwnerEmail != "ops@example.com" || good.URL != "https://example.com" {
		t.Errorf("%+v, %v", good, err)
	}
}

func TestDeliveriesAreTriedForThreeDays(t *testing.T) {
	for _, jitter := range []float64{0, 0.5, 0.999} {
		now, tries, before := Instant(0), 1, time.Duration(0)
		for {
			next, again := NextDelivery(EventResponseCreated, tries, now, jitter)
			if !again {
				break
			}
			pause := next.Sub(now)
			if pause <= before {
				t.Errorf("the pause after try %d is %s, the one before %s", tries, pause, before)
			}
			now, before, tries = next, pause, tries+1
		}
		if tries != 10 || now.Sub(0) < 72*time.Hour || now.Sub(0) > 90*time.Hour {
			t.Errorf("with jitter %v %d tries over %s", jitter, tries, now.Sub(0))
		}
	}
	if _, again := NextDelivery(EventResponseCreated, 0, 0, 0); again {
		t.Error("what was never tried has no next try")
	}
	if _, again := NextDelivery(EventWebhookTest, 1, 0, 0); again {
		t.Error("a test is tried again")
	}
}

func TestWhenAWebhookIsPaused(t *testing.T) {
	hour := func(n int) Instant { return Instant(0).Add(time.Duration(n) * time.Hour) }
	since := func(at Instant) *Instant { return &at }
	for name, c := range map[string]struct {
		before Webhook
		of     Event
		status int
		at     Instant
		paused string
		counts bool // towards the three days
	}{
		"the first failure":            {Webhook{State: Active}, EventResponseCreated, 500, hour(100), "", true},
		"no answer":                    {Webhook{State: Active, FailingSince: since(0), FailedAt: since(hour(45))}, EventResponseCreated, 0, hour(71), "", true},
		"three days":                   {Webhook{State: Active, FailingSince: since(0), FailedAt: since(hour(45))}, EventInvitationSent, 500, hour(72), PausedFailing, true},
		"one failure long ago":         {Webhook{State: Active, FailingSince: since(0), FailedAt: since(hour(1))}, EventInvitationSent, 500, hour(100), "", true},
		"it wants no more":             {Webhook{State: Active}, EventResponseCreated, 410, hour(1), PausedGone, true},
		"a test":                       {Webhook{State: Active}, EventWebhookTest, 500, hour(1), "", false},
		"a test after three days":      {Webhook{State: Active, FailingSince: since(0), FailedAt: since(hour(79))}, EventWebhookTest, 0, hour(80), "", true},
		"a test of one that is gone":   {Webhook{State: Active}, EventWebhookTest, 410, hour(1), PausedGone, true},
		"paused by hand while it came": {Webhook{State: Paused, PausedReason: PausedByHand, FailingSince: since(0)}, EventResponseCreated, 410, hour(100), PausedByHand, true},
	} {
		after, paused := c.before.AfterFailure(c.of, c.status, c.at)
		if after.PausedReason != c.paused || paused != (c.paused != "" && c.before.State == Active) || (after.FailingSince != nil) != c.counts {
			t.Errorf("%s: %+v, %v", name, after, paused)
		}
	}
}
