package mail

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is known of a mail when the connection breaks or the server says odd
// things.
func TestOddServers(t *testing.T) {
	upTo := func(replies ...string) func(*wire) { // answers so many commands, then hangs up
		return func(w *wire) {
			w.greet()
			for _, reply := range replies {
				w.hear()
				w.say(reply)
			}
			w.hear()
		}
	}
	dot := func(reply string) func(*wire) {
		return func(w *wire) {
			w.greet()
			w.mail(reply)
			if reply != "" {
				w.hear()
			}
		}
	}
	for name, c := range map[string]struct {
		script               func(*wire)
		stage                Stage
		temporary, uncertain bool
		code                 int
	}{
		"no greeting":           {func(*wire) {}, StageHello, true, false, 0},
		"greeted away":          {func(w *wire) { w.say("554 go away") }, StageHello, true, false, 554},
		"not SMTP":              {func(w *wire) { w.say("HTTP/1.1 400 Bad Request") }, StageHello, true, false, 0},
		"gone after EHLO":       {func(w *wire) { w.say("220 x"); w.hear() }, StageHello, true, false, 0},
		"gone after MAIL":       {upTo(), StageMail, true, false, 0},
		"sender refused":        {upTo("550 5.7.1 not you"), StageMail, false, false, 550},
		"gone after RCPT":       {upTo("250 ok"), StageRcpt, true, false, 0},
		"gone after DATA":       {upTo("250 ok", "250 ok"), StageData, true, false, 0},
		"DATA refused for good": {upTo("250 ok", "250 ok", "554 no"), StageData, false, false, 554},
		"DATA refused for now":  {upTo("250 ok", "250 ok", "451 later"), StageData, true, false, 451},
		"gone after the dot":    {dot(""), StageReply, false, true, 0},
		"nonsense after dot":    {dot("thanks!"), StageReply, false, true, 0},
		"odd code after dot":    {dot("354 more please"), StageReply, false, true, 354},
		"goodbye after the dot": {dot("421 4.3.2 going down"), StageReply, true, false, 421},
		"refused after the dot": {dot("552 5.3.4 too big"), StageReply, false, false, 552},
	} {
		t.Run(name, func(t *testing.T) {
			config, _ := scripted(t, c.script)
			e := refused(t, client(t, config).Send(t.Context(), sample()), c.stage)
			if e.Temporary != c.temporary || e.Uncertain != c.uncertain || e.Code != c.code {
				t.Errorf("%+v", e)
			}
			if c.uncertain != strings.Contains(e.Error(), "before the server confirmed") && c.code == 0 {
				t.Errorf("words: %s", e)
			}
		})
	}
}

// Commands that go out in one go: the first refusal is what is known of the
// mail, and a server that wants a message all the same gets none.
func TestRefusedAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		replies []string // to MAIL, RCPT, DATA and the dot
		stage   Stage
		code    int
		heard   string // after the three commands
	}{
		"taken":                     {[]string{"250 ok", "250 ok", "354 go", "250 ok"}, "", 0, "QUIT"},
		"sender refused":            {[]string{"550 5.7.1 not you", "503 MAIL first", "503 RCPT first"}, StageMail, 550, "RSET"},
		"recipient refused":         {[]string{"250 ok", "550 5.1.1 nobody", "503 RCPT first"}, StageRcpt, 550, "RSET"},
		"refused, a message wanted": {[]string{"250 ok", "450 4.2.1 later", "354 go"}, StageRcpt, 450, ""},
		"DATA refused":              {[]string{"250 ok", "250 ok", "452 4.3.1 full"}, StageData, 452, "RSET"},
		"gone after a refused":      {[]string{"250 ok", "550 5.1.1 nobody"}, StageRcpt, 550, ""},
		"gone after MAIL":           {[]string{"250 ok"}, StageRcpt, 0, ""},
		"421 and gone":              {[]string{"421 4.7.0 enough"}, StageMail, 421, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config, heard := scripted(t, func(w *wire) {
				w.greet("PIPELINING")
				for range 3 { // all three are there before the first is answered
					w.hear()
				}
				for i, reply := range c.replies {
					if i == 3 {
						for w.hear() != "." {
						}
					}
					w.say(reply)
				}
				if c.stage == "" || len(c.replies) > 2 {
					w.hear() // QUIT or RSET
				}
			})
			mailer := client(t, config)
			err := mailer.Send(t.Context(), sample())
			_ = mailer.Close() // the server has gone
			if c.stage == "" && err != nil {
				t.Error(err)
			} else if c.stage != "" {
				if e := refused(t, err, c.stage); e.Code != c.code || e.Uncertain {
					t.Errorf("%+v", e)
				}
			}
			lines := heard()[0]
			if last := lines[len(lines)-1]; last != c.heard && len(c.replies) > 2 {
				t.Errorf("the server heard %q, want %q", last, c.heard)
			}
			if given := slices.Contains(lines, "."); given != (c.stage == "") {
				t.Errorf("a message was given: %v", given)
			}
		})
	}
}

// Lines end as the standard says and a line's leading dot is doubled, whatever
// the message holds: where a mail ends is the client's to say alone.
func TestDots(t *testing.T) {
	for raw, want := range map[string]string{
		"a\r\n":                        "a\r\n.\r\n",
		"a":                            "a\r\n.\r\n",
		"":                             ".\r\n",
		".\r\n":                        "..\r\n.\r\n",
		".a\r\n..\r\n.\r\nb\r\n":       "..a\r\n...\r\n..\r\nb\r\n.\r\n",
		"a\n.\nMAIL FROM:<x>\n":        "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n",
		"a\n.\r\nb\r\n\r\n.\r\n\r\n.c": "a\r\n..\r\nb\r\n\r\n..\r\n\r\n..c\r\n.\r\n",
	} {
		if got := string(dotted(nil, []byte(raw))); got != want {
			t.Errorf("%q became %q, want %q", raw, got, want)
		}
	}
}

// The connection breaks while the message is being written: the dot cannot
// have gone out.
func TestBrokenBeforeTheDot(t *testing.T) {
	config, _ := scripted(t, func(w *wire) {
		w.greet()
		for _, answer := range []string{"250 ok", "250 ok", "354 go"} {
			w.hear()
			w.say(answer)
		}
		w.hear()
		if tcp, ok := w.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // hang up without reading on
		}
	})
	m := sample()
	m.Text = strings.Repeat("more than the buffers between the two can hold ", 400_000)
	e := refused(t, client(t, config).Send(t.Context(), m), StageData)
	if !e.Temporary || e.Uncertain {
		t.Errorf("%+v", e)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := clientOf(listener)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	config.Username, config.Password = "koe", "secret"
	e := refused(t, client(t, config).Send(t.Context(), sample()), StageDial)
	if !e.Temporary || e.Server != "" || strings.Contains(e.Error(), "secret") || !strings.Contains(e.Error(), "refused") {
		t.Errorf("%v", e)
	}
}

// A kept connection that the server closed meanwhile is noticed before
// anything was said about the mail, and the mail goes over a new one.
func TestServerClosesBetweenMails(t *testing.T) {
	for name, last := range map[string]func(*wire){
		"silently":     func(*wire) {},
		"with 421":     func(w *wire) { w.hear(); w.say("421 4.7.0 too many mails") },
		"421 unasked":  func(w *wire) { w.say("421 4.4.2 idle"); w.hear() },
		"gone at MAIL": func(w *wire) { w.hear() },
	} {
		t.Run(name, func(t *testing.T) {
			config, heard := scripted(t, func(w *wire) {
				w.greet()
				w.mail("250 ok")
				w.mail("250 ok")
				last(w)
			}, func(w *wire) {
				w.greet()
				w.mail("250 ok")
				w.mail("250 ok")
			})
			s := client(t, config)
			for range 4 {
				send(t, s, sample())
			}
			dots := 0
			for _, connection := range heard() {
				for _, line := range connection {
					if line == "." {
						dots++
					}
				}
			}
			if dots != 4 {
				t.Errorf("%d mails arrived", dots)
			}
		})
	}
}

// A fresh connection that breaks at once is not tried a second time: that is
// the scheduler's to decide.
func TestFreshConnectionIsTriedOnce(t *testing.T) {
	config, heard := scripted(t, func(w *wire) { w.greet(); w.hear() })
	_ = refused(t, client(t, config).Send(t.Context(), sample()), StageMail)
	if n := len(heard()); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestHangingServer(t *testing.T) {
	for name, c := range map[string]struct {
		script func(*wire)
		stage  Stage
	}{
		"no greeting":   {func(*wire) {}, StageHello},
		"no EHLO reply": {func(w *wire) { w.say("220 x") }, StageHello},
		"no MAIL reply": {func(w *wire) { w.greet() }, StageMail},
		"no dot reply":  {func(w *wire) { w.greet(); w.mail("") }, StageReply},
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			config, _ := scripted(t, func(w *wire) { c.script(w); <-release })
			t.Cleanup(func() { close(release) })
			config.CommandTimeout, config.ReplyTimeout = 100*time.Millisecond, 200*time.Millisecond
			begun := time.Now()
			e := refused(t, client(t, config).Send(t.Context(), sample()), c.stage)
			took, least := time.Since(begun), config.CommandTimeout
			if c.stage == StageReply {
				least = config.ReplyTimeout
			}
			if took < least || took > 3*time.Second || !errors.Is(e, os.ErrDeadlineExceeded) {
				t.Errorf("after %s: %v", took, e)
			}
			if e.Uncertain != (c.stage == StageReply) || e.Temporary == e.Uncertain {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestHangingHandshake(t *testing.T) {
	release := make(chan struct{})
	config, _ := scripted(t, func(w *wire) { <-release })
	t.Cleanup(func() { close(release) })
	config.Security, config.CommandTimeout = ImplicitTLS, 100*time.Millisecond
	if e := refused(t, client(t, config).Send(t.Context(), sample()), StageTLS); !e.Temporary {
		t.Errorf("%v", e)
	}
}

func TestContextCutsTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		script func(*wire)
		stage  Stage
	}{
		"at EHLO":       {func(w *wire) { w.say("220 x"); w.hear() }, StageHello},
		"at MAIL":       {func(w *wire) { w.greet(); w.hear() }, StageMail},
		"after the dot": {func(w *wire) { w.greet(); w.mail("") }, StageReply},
	} {
		t.Run(name, func(t *testing.T) {
			reached, release := make(chan struct{}), make(chan struct{})
			config, _ := scripted(t, func(w *wire) { c.script(w); close(reached); <-release })
			t.Cleanup(func() { close(release) })
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-reached; cancel() }()
			e := refused(t, client(t, config).Send(ctx, sample()), c.stage)
			if !errors.Is(e, context.Canceled) || e.Uncertain != (c.stage == StageReply) || e.Temporary == e.Uncertain {
				t.Errorf("%+v", e)
			}
		})
	}
	t.Run("before all", func(t *testing.T) {
		server := serve(t, Plaintext, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := client(t, server.config)
		if e := refused(t, s.Send(ctx, sample()), StageDial); !e.Temporary || !errors.Is(e, context.Canceled) {
			t.Errorf("%+v", e)
		}
		send(t, s, sample()) // the Mailer outlives it
	})
}
