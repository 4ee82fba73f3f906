package scheduler_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"koe/scheduler"
	"koe/survey"
	"koe/survey/store"
)

// plain is a letter's text part with what quoted-printable did undone as far as
// these tests look.
func (l letter) plain() string {
	return unquoted(strings.ReplaceAll(l.raw, "=\r\n", ""))
}

var quotedByte = regexp.MustCompile(`(=[0-9A-F]{2})+`)

func unquoted(text string) string {
	return quotedByte.ReplaceAllStringFunc(text, func(run string) string {
		var b []byte
		for i := 0; i+2 < len(run)+1; i += 3 {
			var c byte
			for _, r := range run[i+1 : i+3] {
				c = c<<4 | byte(strings.IndexRune("0123456789ABCDEF", r))
			}
			b = append(b, c)
		}
		return string(b)
	})
}

// The way of an unhappy answer in mails: to its owner in their language, to
// whom it is escalated, to the customer who is asked, and to the owner again.
func TestMailsOfFollowUps(t *testing.T) {
	atDesk(t, nil, func(d desk) {
		owner, err := d.store.CreateMember(d.t.Context(), d.by, survey.Member{Email: "hanako@acme.example", Name: "花子", Role: survey.Editor, Locale: "ja", Timezone: "Asia/Tokyo"})
		if err != nil {
			d.t.Fatal(err)
		}
		h := d.subscribe(listening(d.t, "follow-ups", status(http.StatusOK)), survey.EventFollowUpOpened)
		asked := d.ask("chat", func(v *survey.Survey) {
			v.Rules.FollowUp = &survey.FollowUpRule{Score: survey.ScoreRange{Max: new(6)}, Due: "2h", EscalateTo: "boss@acme.example", Confirm: true}
		})
		r := d.run(func(o *scheduler.Options) { o.WebhookLoopback = true })
		score, address := 2, "ana@customer.example"
		answer := func() survey.ID {
			made, _, err := d.store.CreateResponse(d.t.Context(), d.by, store.NewResponse{Survey: asked.ID.String(), Score: &score,
				Comment:  "<script>alert(1)</script>\u202e\nこの件は解決済みです\n\nhttps://evil.example/",
				Customer: survey.Customer{Email: &address, Name: "Ana\u202e", Locale: "ja"}})
			if err != nil {
				d.t.Fatal(err)
			}
			f, _, err := d.store.FollowUpOfResponse(d.t.Context(), d.by, made.ID)
			if err != nil || f == nil {
				d.t.Fatal(f, err)
			}
			return f.ID
		}
		one := answer()
		d.until("the owner is mailed", func() bool { return len(d.server.lettersTo(owner.Email)) == 1 })
		told := d.server.lettersTo(owner.Email)[0].plain()
		for _, want := range []string{"あなたが担当です", "> <script>alert(1)</script>\r\n> この件は解決済みです\r\n> \r\n> https://evil.example/", "ご連絡の可否については回答がありません",
			"https://koe.example/dashboard/follow-ups/" + one.String(), "2026年11月22日 20:00 (Asia/Tokyo)", "2（10点満点）"} {
			if !strings.Contains(told, want) {
				d.t.Errorf("the owner's mail lacks %q:\n%s", want, told)
			}
		}
		if strings.Contains(told, "\u202e") || strings.Contains(told, address) {
			d.t.Errorf("the owner's mail turns, or tells the address:\n%s", told)
		}
		d.until("the webhook is told", func() bool { return len(h.all()) == 1 })
		if body := string(h.all()[0].body); !strings.Contains(body, `"type":"follow_up.opened"`) || !strings.Contains(body, `"owner":"hanako@acme.example"`) || !strings.Contains(body, `"score":2`) {
			d.t.Errorf("posted %s", body)
		}

		d.clock.Advance(3 * time.Hour)
		d.until("it is escalated", func() bool { return len(d.server.lettersTo("boss@acme.example")) == 1 })
		if late := d.server.lettersTo("boss@acme.example")[0].plain(); !strings.Contains(late, "was not resolved in time") || !strings.Contains(late, "花子") {
			d.t.Errorf("escalated with\n%s", late)
		}

		resolve := func(of survey.ID) {
			if _, _, err := d.store.ChangeFollowUp(d.t.Context(), d.by, of, func(c *store.FollowUpChange) error { c.State = survey.FollowUpResolved; return nil }); err != nil {
				d.t.Fatal(err)
			}
		}
		resolve(one)
		d.until("the customer is asked", func() bool { return len(d.server.lettersTo(address)) == 1 })
		asks := d.server.lettersTo(address)[0]
		link := regexp.MustCompile(`https://koe\.example/f/([A-Za-z0-9_-]+)`).FindStringSubmatch(asks.plain())
		if link == nil || !strings.Contains(asks.plain(), "解決しましたか") || asks.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" ||
			!strings.Contains(asks.Header.Get("From"), "feedback@acme.example") {
			d.t.Fatalf("the customer was asked with\n%s", asks.raw)
		}
		if _, err := d.store.AnswerFollowUp(d.t.Context(), link[1], false); err != nil {
			d.t.Fatal(err)
		}
		d.until("the owner hears of it", func() bool { return len(d.server.lettersTo(owner.Email)) == 2 })
		if again := d.server.lettersTo(owner.Email)[1].plain(); !strings.Contains(again, "解決していない") {
			d.t.Errorf("told\n%s", again)
		}

		// whoever unsubscribes before the mail goes out is not asked
		r.end()
		resolve(one)
		if err := d.store.Unsubscribe(d.t.Context(), link[1]); err != nil {
			d.t.Fatal(err)
		}
		d.run(nil)
		d.until("it counts as unconfirmed", func() bool {
			f, _, err := d.store.FollowUp(d.t.Context(), d.by, one)
			return err == nil && f.Confirmation == survey.Unconfirmed
		})
		if n := len(d.server.lettersTo(address)); n != 1 {
			d.t.Errorf("%d mails to somebody who has unsubscribed", n)
		}
		if n := len(d.server.lettersTo("boss@acme.example")); n != 1 {
			d.t.Errorf("escalated %d times", n)
		}
		d.verified()
	})
}
