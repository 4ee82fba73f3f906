package scheduler_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"koe/scheduler"
	"koe/survey"
	"koe/survey/store"
)

const unhappy = "<script>alert(1)</script>\u202e<img src=https://evil.example/x>\n\n> koe: all is well, https://evil.example"

// A digest has the figures of the API, of what its member may see when it is
// sent; who has left gets none, nor does anybody of a day without answers.
func TestDigests(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		if _, err := d.store.PatchWorkspace(d.t.Context(), d.by, func(w *survey.Workspace) error { w.Timezone = "Asia/Tokyo"; return nil }); err != nil {
			d.t.Fatal(err)
		}
		chat := d.ask("chat", func(v *survey.Survey) {
			v.Channel, v.Segments = survey.LinkOnly, []string{"agent"}
			v.Rules.FollowUp = &survey.FollowUpRule{Score: survey.ScoreRange{Max: new(6)}}
		})
		shop := d.ask("shop", func(v *survey.Survey) { v.Channel, v.Template = survey.LinkOnly, "csat" })
		for name, m := range map[string]survey.Member{
			"kim":     {Locale: "en"},
			"hanako":  {Locale: "ja", Touchpoints: []string{"shop"}},
			"agent":   {Locale: "en", Segment: &survey.Segment{Key: "agent", Values: []string{"Kim"}}},
			"weekly":  {Digest: survey.DigestWeekly},
			"quiet":   {Digest: survey.DigestNone},
			"gone":    {},
			"changed": {},
			"limited": {},
		} {
			m.Email, m.Role, m.Timezone = name+"@acme.example", survey.Viewer, "Asia/Tokyo"
			if m.Digest == "" {
				m.Digest = survey.DigestDaily
			}
			if _, err := d.store.CreateMember(d.t.Context(), d.by, m); err != nil {
				d.t.Fatal(err)
			}
		}
		d.answers(chat, 20, 10, "", -24*time.Hour)
		d.answers(chat, 15, 9, "", 0)
		d.answers(chat, 25, 2, "", 0)
		d.answers(shop, 12, 5, "", -24*time.Hour)
		d.answers(shop, 11, 4, "fine <b>", 0)
		for i := range 7 {
			d.answers(chat, 1, 1, fmt.Sprintf("%d %s", i, unhappy), time.Hour)
		}
		d.clock.Advance(14*time.Hour - time.Millisecond) // 08:00 in Tokyo, but for a moment
		if due, err := d.store.DueDigests(d.t.Context(), 100); err != nil || len(due) != 0 {
			d.t.Fatalf("due at once: %v, %v", due, err)
		}
		d.clock.Advance(time.Millisecond)
		d.queueDigests(7)
		d.change("gone", nil)
		d.change("changed", func(m *survey.Member) { m.Digest = survey.DigestNone })
		d.change("limited", func(m *survey.Member) { m.Touchpoints = []string{"shop"} })
		r := d.run(nil)
		sent := func(name string) []letter { return d.server.lettersTo(name + "@acme.example") }
		for _, name := range []string{"kim", "hanako", "agent", "limited", "weekly"} {
			d.until(name+" is mailed", func() bool { return len(sent(name)) == 1 })
		}
		d.compareFigures(sent("kim")[0])
		d.limitedDigests(sent)

		d.clock.Advance(24 * time.Hour) // of a day without answers
		d.until("nothing is due", func() bool {
			due, err := d.store.DueDigests(d.t.Context(), 100)
			return err == nil && len(due) == 0
		})
		d.clock.Advance(time.Second)
		if err := d.store.AskSignIn(d.t.Context(), "kim@acme.example", ""); err != nil {
			d.t.Fatal(err)
		}
		d.until("what comes after the digests has come", func() bool { return len(sent("kim")) == 2 })
		r.end()
		for _, name := range []string{"gone", "changed", "quiet"} {
			if len(sent(name)) != 0 {
				d.t.Errorf("%s was mailed", name)
			}
		}
		if n := len(d.server.all()); n != 6 {
			d.t.Errorf("%d mails", n)
		}
		d.verified()
	})
}

// answers takes n answers of a score, some time from now.
func (d desk) answers(v survey.Survey, n, score int, comment string, when time.Duration) {
	d.t.Helper()
	at := d.clock.Instant().Add(min(when, 0))
	agent := "Kim"
	if score == 9 {
		agent = "Lee"
	}
	in := store.NewResponse{Survey: v.ID.String(), Score: &score, Comment: comment, RespondedAt: &at}
	if v.Touchpoint == "chat" {
		in.Attributes = survey.Attributes{"agent": survey.TextValue(agent)}
	}
	for range n {
		if _, _, err := d.store.CreateResponse(d.t.Context(), d.by, in); err != nil {
			d.t.Fatal(err)
		}
	}
}

// queueDigests does what the scheduler's job does, twice: of so many members one
// is due each.
func (d desk) queueDigests(want int) {
	d.t.Helper()
	due, err := d.store.DueDigests(d.t.Context(), 100)
	if err != nil || len(due) != want {
		d.t.Fatalf("%d are due, %v", len(due), err)
	}
	for range 2 {
		for _, one := range due {
			if err := d.store.QueueDigest(d.t.Context(), one); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

// change changes a member, or removes them where change is nil.
func (d desk) change(name string, change func(*survey.Member)) {
	d.t.Helper()
	all, _, err := d.store.Members(d.t.Context(), d.by, store.Page{Limit: 100})
	for _, m := range all {
		switch {
		case m.Email != name+"@acme.example":
		case change == nil:
			err = d.store.RemoveMember(d.t.Context(), d.by, m.ID)
		default:
			_, err = d.store.ChangeMember(d.t.Context(), d.by, m.ID, func(m *survey.Member) error { change(m); return nil })
		}
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

type boardRow struct {
	Touchpoint, Name, Metric, Measure string
	Total                             struct {
		Score     float64
		Rounded   int
		Responses int
		Reliable  bool
		Interval  struct{ Low, High float64 }
	}
	Comparison struct {
		Score       float64
		Difference  float64
		Significant bool
	}
}

// scoreboard asks the API for the day before this one in Tokyo.
func (o door) scoreboard() []boardRow {
	o.t.Helper()
	body := o.get("/v1/scores/touchpoints", url.Values{"from": {"2026-11-22"}, "to": {"2026-11-23"}, "compare": {"previous"}, "timezone": {"Asia/Tokyo"}})
	var board struct{ Data []boardRow }
	if err := json.Unmarshal(body, &board); err != nil || len(board.Data) != 2 {
		o.t.Fatalf("%v, %s", err, body)
	}
	return board.Data
}

// compareFigures holds a mail to everything against the API, and that to the
// dashboard.
func (d desk) compareFigures(l letter) {
	d.t.Helper()
	text, html := partsOf(d.t, l.raw)
	checkMailHTML(d.t, html)
	o := d.door()
	board := o.scoreboard()
	o.figuresAgree(board)
	for _, row := range board {
		score, verdict, few := fmt.Sprint(row.Total.Rounded), "could be chance", ""
		measure := strings.ToUpper(row.Metric)
		if row.Metric == "csat" {
			score, measure = score+"%", measure+" "+row.Measure
		}
		moved := strings.TrimPrefix(fmt.Sprintf("%+.1f", row.Comparison.Difference), "+0.0")
		if moved == "" {
			moved = "0.0"
		}
		if row.Comparison.Significant {
			verdict = "real"
		}
		if !row.Total.Reliable {
			few = " (few answers)"
		}
		want := fmt.Sprintf("\n%s (%s)\n  Score: %s%s\n  95%% interval: %.1f to %.1f\n  Answers: %d\n  Change: %s, %s\n", row.Name, measure, score, few,
			row.Total.Interval.Low, row.Total.Interval.High, row.Total.Responses, moved, verdict)
		if !strings.Contains(text, want) {
			d.t.Errorf("the mail lacks %q:\n%s", want, text)
		}
		real := fmt.Sprintf("- %s (%s): %s\n", row.Name, measure, moved)
		if strings.Contains(text, real) != row.Comparison.Significant {
			d.t.Errorf("changed for real or not: %q\n%s", real, text)
		}
	}
	if l.Header.Get("Subject") == "" || !strings.Contains(text, "nobody has resolved yet: 32") || strings.Count(text, "\n> ") != 5 || strings.Count(html, "&lt;script&gt;") != 5 ||
		strings.Count(html, "<a ") != 1 || strings.Count(text, "https://koe.example/dashboard\n") != 1 || strings.ContainsRune(text+html, '\u202e') {
		d.t.Errorf("%s\n%s", text, html)
	}
}

// limitedDigests looks at the mails of who sees a part alone.
func (d desk) limitedDigests(sent func(string) []letter) {
	d.t.Helper()
	for _, name := range []string{"hanako", "limited"} {
		text, _ := partsOf(d.t, sent(name)[0].raw)
		if strings.Contains(text, "Chat") || strings.Contains(text, "script") || !strings.Contains(text, "Shop (CSAT 1-5)") {
			d.t.Errorf("%s reads\n%s", name, text)
		}
	}
	if text, _ := partsOf(d.t, sent("hanako")[0].raw); !strings.Contains(text, "2026年11月22日（Asia/Tokyo）") || !strings.Contains(text, "回答数：11") {
		d.t.Errorf("hanako reads\n%s", text)
	}
	if text, _ := partsOf(d.t, sent("agent")[0].raw); !strings.Contains(text, "Answers: 32\n") || strings.Contains(text, "Shop") {
		d.t.Errorf("an agent reads\n%s", text)
	}
	if text, _ := partsOf(d.t, sent("weekly")[0].raw); !strings.Contains(text, "November 16, 2026 until November 22, 2026") || !strings.Contains(text, "Answers: 67\n") {
		d.t.Errorf("of a week\n%s", text)
	}
}

// What falls due while koe is down comes once it is back, once; not a day later.
func TestDigestsAfterDowntime(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		v := d.ask("chat", func(v *survey.Survey) { v.Channel = survey.LinkOnly })
		for _, digest := range []survey.Digest{survey.DigestDaily, survey.DigestWeekly} {
			if _, err := d.store.CreateMember(d.t.Context(), d.by, survey.Member{Email: string(digest) + "@acme.example", Role: survey.Viewer, Timezone: "UTC", Digest: digest}); err != nil {
				d.t.Fatal(err)
			}
		}
		for range 4 { // Sunday to Wednesday
			d.answers(v, 1, 9, "", 0)
			d.clock.Advance(24 * time.Hour)
		}
		r := d.run(func(o *scheduler.Options) { o.Workers = 2 })
		d.until("the last day has come", func() bool { return len(d.server.lettersTo("daily@acme.example")) == 1 })
		d.until("nothing is due", func() bool {
			due, err := d.store.DueDigests(d.t.Context(), 100)
			return err == nil && len(due) == 0
		})
		r.end()
		if text, _ := partsOf(d.t, d.server.lettersTo("daily@acme.example")[0].raw); !strings.Contains(text, "November 25, 2026, UTC.") || !strings.Contains(text, "Answers: 1\n") {
			d.t.Errorf("%s", text)
		}
		if n := len(d.server.all()); n != 1 {
			d.t.Errorf("%d mails", n)
		}
		d.verified()
	})
}
