package survey

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A Wednesday: 10:00 in London, 19:00 in Tokyo, 05:00 in New York.
var wednesday = at("2026-11-18T10:00:00Z")

// asking is everything that a decision looks at; its zero answer is "yes".
type asking struct {
	survey      Survey
	workspace   Workspace
	interaction Interaction
	history     History
	now         Instant
}

func (a asking) decide() Decision {
	return Decide(a.survey, a.workspace, a.interaction, a.history, a.now)
}

// asksAna is an interaction after which Ana is asked at once.
func asksAna(t *testing.T) asking {
	t.Helper()
	return asking{survey: chatSurvey(t), workspace: NewWorkspace("acme", "Acme", "Asia/Tokyo"),
		interaction: Interaction{ID: ID{15: 7}, Touchpoint: "support_chat", OccurredAt: wednesday,
			Customer: Customer{ExternalID: "c-17", Email: pointer("ana@example.com")}},
		now: wednesday}
}

func TestDecideAsks(t *testing.T) {
	d := asksAna(t).decide()
	want := Decision{Verdict: Scheduled, SendAt: wednesday, ExpiresAt: at("2026-12-18T10:00:00Z"), Day: day("2026-11-18")}
	checks := d.Checks
	d.Checks = nil
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var rules []string
	for _, c := range checks {
		if c.Verdict != "pass" || c.Detail == "" {
			t.Errorf("%+v", c)
		}
		rules = append(rules, c.Rule)
	}
	order := []string{"state", "max_age", "condition", "address", "suppression", "quiet_period", "sample", "daily_limit"}
	if diff := cmp.Diff(order, rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// TestDecideOrder spoils everything and mends one thing after the other: each
// time the next rule must give the reason.
func TestDecideOrder(t *testing.T) {
	a := asksAna(t)
	a.survey.State = Draft
	a.survey.Rules.Condition = Condition{"attributes.plan": {TextValue("pro")}}
	a.survey.Rules.Sample, a.survey.Rules.DailyLimit = pointer(0.0), pointer(1)
	a.interaction.OccurredAt = wednesday.Add(-8 * 24 * time.Hour)
	a.interaction.Customer.Email = nil
	a.history.Suppressed, a.history.AskedAny = true, []Instant{wednesday}
	a.history.Planned = map[Day]int{}
	for d := day("2026-11-18"); d < day("2027-01-01"); d++ {
		a.history.Planned[d] = 1
	}
	for _, step := range []struct {
		rule   string
		reason Reason
		mend   func()
	}{
		{"state", SkipPaused, func() { a.survey.State = Active }},
		{"max_age", SkipTooOld, func() { a.interaction.OccurredAt = wednesday }},
		{"condition", SkipCondition, func() { a.history.Known = Attributes{"plan": TextValue("pro")} }},
		{"address", SkipNoAddress, func() { a.interaction.Customer.Email = pointer("ana@example.com") }},
		{"suppression", SkipSuppressed, func() { a.history.Suppressed = false }},
		{"quiet_period", SkipQuietPeriod, func() { a.history.AskedAny = nil }},
		{"sample", SkipNotSampled, func() { a.survey.Rules.Sample = pointer(1.0) }},
		{"daily_limit", SkipDailyLimit, func() { a.history.Planned = nil }},
	} {
		d := a.decide()
		last := d.Checks[len(d.Checks)-1]
		if d.Verdict != Skipped || d.Reason != step.reason || last.Rule != step.rule || last.Verdict != "skip" || last.Detail == "" {
			t.Fatalf("at %s: %s %s, %+v", step.rule, d.Verdict, d.Reason, last)
		}
		step.mend()
	}
	if d := a.decide(); d.Verdict != Scheduled || d.Reason != "" {
		t.Errorf("all is mended, but %+v", d)
	}
}

func TestDecideState(t *testing.T) {
	for _, state := range []State{Draft, Paused, Archived, ""} {
		a := asksAna(t)
		a.survey.State = state
		if d := a.decide(); d.Reason != SkipPaused {
			t.Errorf("%q: %+v", state, d)
		}
	}
}

func TestDecideAge(t *testing.T) {
	for _, test := range []struct {
		maxAge Duration
		age    time.Duration
		want   Reason
	}{
		{"7d", 7 * 24 * time.Hour, ""},
		{"7d", 7*24*time.Hour + time.Millisecond, SkipTooOld},
		{"0s", 0, ""},
		{"0s", time.Millisecond, SkipTooOld},
		{"0s", -time.Hour, ""}, // a clock that runs ahead
	} {
		a := asksAna(t)
		a.survey.Rules.MaxAge = test.maxAge
		a.interaction.OccurredAt = wednesday.Add(-test.age)
		if d := a.decide(); d.Reason != test.want {
			t.Errorf("%s old at a limit of %s: %q", test.age, test.maxAge, d.Reason)
		}
	}
}

func TestDecideCondition(t *testing.T) {
	pro := Condition{"attributes.plan": {TextValue("pro"), TextValue("team")}}
	for name, test := range map[string]struct {
		own, known Attributes
		want       Reason
	}{
		"told":            {Attributes{"plan": TextValue("team")}, nil, ""},
		"known":           {nil, Attributes{"plan": TextValue("pro")}, ""},
		"told over known": {Attributes{"plan": TextValue("free")}, Attributes{"plan": TextValue("pro")}, SkipCondition},
		"neither":         {nil, nil, SkipCondition},
	} {
		a := asksAna(t)
		a.survey.Rules.Condition = pro
		a.interaction.Attributes, a.history.Known = test.own, test.known
		if d := a.decide(); d.Reason != test.want {
			t.Errorf("%s: %q", name, d.Reason)
		}
	}
}

func TestDecideDelay(t *testing.T) {
	for _, test := range []struct {
		channel  Channel
		delay    Duration
		occurred string
		want     string
	}{
		{Email, "2h", "2026-11-18T10:00:00Z", "2026-11-18T12:00:00Z"},
		{Email, "2h", "2026-11-18T09:00:00Z", "2026-11-18T11:00:00Z"}, // counted from when it happened
		{Email, "2h", "2026-11-18T01:00:00Z", "2026-11-18T10:00:00Z"}, // long over: at once
		{Email, "0s", "2026-11-18T11:00:00Z", "2026-11-18T11:00:00Z"}, // the sender's clock runs ahead
		{LinkOnly, "2h", "2026-11-18T10:00:00Z", "2026-11-18T10:00:00Z"},
		{LinkOnly, "0s", "2026-11-18T11:00:00Z", "2026-11-18T10:00:00Z"},
	} {
		a := asksAna(t)
		a.survey.Channel, a.survey.Trigger.Delay = test.channel, test.delay
		a.interaction.OccurredAt = at(test.occurred)
		d := a.decide()
		if d.SendAt != at(test.want) || d.ExpiresAt != d.SendAt.Add(30*24*time.Hour) {
			t.Errorf("%+v: %s, ends %s", test, d.SendAt, d.ExpiresAt)
		}
	}
}

func TestDecideLink(t *testing.T) {
	a := asksAna(t)
	a.survey.Channel = LinkOnly
	a.interaction.Customer.Email = nil
	a.survey.Rules.SendWindow = &Window{From: "09:00", To: "18:00", Weekdays: []int{7}, Timezone: "Asia/Tokyo"}
	if d := a.decide(); d.Verdict != Scheduled || d.SendAt != wednesday {
		t.Errorf("a link needs no address and no window: %+v", d)
	}
	a.survey.Rules.DailyLimit = pointer(3)
	a.history.Planned = map[Day]int{day("2026-11-18"): 3}
	d := a.decide()
	if d.Reason != SkipDailyLimit || d.Until == nil || *d.Until != at("2026-11-18T15:00:00Z") {
		t.Errorf("a link cannot wait for tomorrow: %+v", d)
	}
}

func TestDecideQuietPeriod(t *testing.T) {
	const d30 = 30 * 24 * time.Hour
	for name, test := range map[string]struct {
		workspace Duration
		own       Duration
		scope     QuietScope // the survey's own
		any, here *Instant
		want      *Instant // the end of the quiet period
	}{
		"never asked":                     {workspace: "30d"},
		"asked by another":                {workspace: "30d", any: pointer(wednesday), want: pointer(wednesday.Add(d30))},
		"a moment before the end":         {workspace: "30d", any: pointer(wednesday.Add(-d30) + 1), want: pointer(wednesday + 1)},
		"at the end":                      {workspace: "30d", any: pointer(wednesday.Add(-d30))},
		"another's does not count":        {workspace: "30d", scope: QuietSurvey, any: pointer(wednesday)},
		"its own counts":                  {workspace: "30d", scope: QuietSurvey, any: pointer(wednesday), here: pointer(wednesday), want: pointer(wednesday.Add(d30))},
		"the workspace's scope":           {workspace: "30d", scope: QuietWorkspace, any: pointer(wednesday), want: pointer(wednesday.Add(d30))},
		"its own value is shorter":        {workspace: "30d", own: "1h", any: pointer(wednesday.Add(-time.Hour))},
		"its own value is longer":         {workspace: "1h", own: "30d", any: pointer(wednesday.Add(-time.Hour)), want: pointer(wednesday.Add(d30 - time.Hour))},
		"none":                            {workspace: "30d", own: "0s", any: pointer(wednesday)},
		"none in the workspace":           {workspace: "0s", any: pointer(wednesday)},
		"planned soon":                    {workspace: "30d", any: pointer(wednesday.Add(time.Hour)), want: pointer(wednesday.Add(d30 + time.Hour))},
		"planned a moment too near":       {workspace: "30d", any: pointer(wednesday.Add(d30) - 1), want: pointer(wednesday.Add(2*d30) - 1)},
		"planned far enough":              {workspace: "30d", any: pointer(wednesday.Add(d30))},
		"the workspace asked, not itself": {workspace: "30d", any: pointer(wednesday), here: pointer(wednesday.Add(-2 * d30)), want: pointer(wednesday.Add(d30))},
	} {
		t.Run(name, func(t *testing.T) {
			a := asksAna(t)
			a.workspace.QuietPeriod = test.workspace
			a.survey.Rules.QuietPeriod, a.survey.Rules.QuietScope = test.own, test.scope
			a.history.AskedAny, a.history.AskedHere = asked(test.any), asked(test.here)
			d := a.decide()
			if (d.Reason == SkipQuietPeriod) != (test.want != nil) {
				t.Fatalf("%+v", d)
			}
			if diff := cmp.Diff(test.want, d.Until); diff != "" {
				t.Errorf("until (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the workspace's scope is survey", func(t *testing.T) {
		a := asksAna(t)
		a.workspace.QuietScope, a.history.AskedAny = QuietSurvey, []Instant{wednesday}
		if d := a.decide(); d.Verdict != Scheduled {
			t.Errorf("%+v", d)
		}
	})
	t.Run("counted to the planned instant", func(t *testing.T) {
		a := asksAna(t)
		a.survey.Trigger.Delay, a.history.AskedAny = "30d", []Instant{wednesday}
		if d := a.decide(); d.Verdict != Scheduled {
			t.Errorf("%+v", d)
		}
	})
}

func TestDecideDailyLimit(t *testing.T) {
	weekdays := &Window{From: "09:00", To: "18:00", Weekdays: []int{1, 2, 3, 4, 5}, Timezone: "Asia/Tokyo"}
	newYork := &Window{From: "09:00", To: "18:00", Timezone: RecipientZone}
	full := func(days ...string) map[Day]int {
		planned := map[Day]int{}
		for _, d := range days {
			planned[day(d)] = 2
		}
		return planned
	}
	for name, test := range map[string]struct {
		window  *Window
		expires Duration
		planned map[Day]int
		sendAt  string // empty: skipped
		day     string
		ends    string
	}{
		"a place is left":        {nil, "30d", map[Day]int{day("2026-11-18"): 1}, "2026-11-18T10:00:00Z", "2026-11-18", "2026-12-18T10:00:00Z"},
		"overfull":               {nil, "30d", map[Day]int{day("2026-11-18"): 9}, "2026-11-18T15:00:00Z", "2026-11-19", "2026-12-18T10:00:00Z"},
		"tomorrow, local":        {nil, "30d", full("2026-11-18"), "2026-11-18T15:00:00Z", "2026-11-19", "2026-12-18T10:00:00Z"},
		"the next free day":      {nil, "30d", full("2026-11-18", "2026-11-19", "2026-11-20", "2026-11-22"), "2026-11-20T15:00:00Z", "2026-11-21", "2026-12-18T10:00:00Z"},
		"another day is full":    {nil, "30d", full("2026-11-19"), "2026-11-18T10:00:00Z", "2026-11-18", "2026-12-18T10:00:00Z"},
		"the last day":           {nil, "2d", full("2026-11-18", "2026-11-19"), "2026-11-19T15:00:00Z", "2026-11-20", "2026-11-20T10:00:00Z"},
		"past the end":           {nil, "2d", full("2026-11-18", "2026-11-19", "2026-11-20"), "", "", ""},
		"window":                 {weekdays, "30d", nil, "2026-11-19T00:00:00Z", "2026-11-19", "2026-12-19T00:00:00Z"},
		"window, over a weekend": {weekdays, "30d", full("2026-11-19", "2026-11-20"), "2026-11-23T00:00:00Z", "2026-11-23", "2026-12-19T00:00:00Z"},
		"window, today is full, but it is over": {weekdays, "30d", full("2026-11-18"), "2026-11-19T00:00:00Z", "2026-11-19",
			"2026-12-19T00:00:00Z"},
		"window, past the end":             {weekdays, "4d", full("2026-11-19", "2026-11-20"), "", "", ""},
		"window elsewhere":                 {newYork, "30d", nil, "2026-11-18T14:00:00Z", "2026-11-18", "2026-12-18T14:00:00Z"},
		"window elsewhere, open at 0:00":   {newYork, "30d", full("2026-11-18"), "2026-11-18T15:00:00Z", "2026-11-19", "2026-12-18T14:00:00Z"},
		"window elsewhere, two full":       {newYork, "30d", full("2026-11-18", "2026-11-19"), "2026-11-19T15:00:00Z", "2026-11-20", "2026-12-18T14:00:00Z"},
		"window elsewhere, up to the end":  {newYork, "1d", full("2026-11-18"), "2026-11-18T15:00:00Z", "2026-11-19", "2026-11-19T14:00:00Z"},
		"window elsewhere, after that end": {newYork, "1d", full("2026-11-18", "2026-11-19"), "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := asksAna(t)
			a.survey.Rules.SendWindow, a.survey.Rules.ExpiresAfter, a.survey.Rules.DailyLimit = test.window, test.expires, pointer(2)
			a.history.Planned, a.history.Timezone = test.planned, "America/New_York"
			d := a.decide()
			if test.sendAt == "" {
				if d.Reason != SkipDailyLimit {
					t.Fatalf("%+v", d)
				}
				return
			}
			got := []string{string(d.Verdict), d.SendAt.String(), d.Day.String(), d.ExpiresAt.String()}
			want := []string{string(Scheduled), at(test.sendAt).String(), test.day, at(test.ends).String()}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDailyLimitMovesIntoAQuietPeriod(t *testing.T) {
	a := asksAna(t)
	a.survey.Rules.DailyLimit = pointer(1)
	a.history.AskedAny = []Instant{wednesday.Add(30 * 24 * time.Hour)} // planned, just far enough from today
	a.history.Planned = map[Day]int{day("2026-11-18"): 1}
	if d := a.decide(); d.Reason != SkipQuietPeriod {
		t.Errorf("tomorrow is too near to what is planned: %+v", d)
	}
}

func TestDecideWindow(t *testing.T) {
	for name, test := range map[string]struct {
		window    Window
		workspace string
		recipient string
		delay     Duration
		want      string
	}{
		"recipient's zone":       {Window{From: "09:00", To: "18:00", Timezone: RecipientZone}, "Asia/Tokyo", "America/New_York", "0s", "2026-11-18T14:00:00Z"},
		"recipient's is unknown": {Window{From: "09:00", To: "18:00", Timezone: RecipientZone}, "Asia/Tokyo", "", "0s", "2026-11-19T00:00:00Z"},
		"a zone of its own":      {Window{From: "12:00", To: "18:00", Timezone: "Europe/London"}, "Asia/Tokyo", "America/New_York", "0s", "2026-11-18T12:00:00Z"},
		"open":                   {Window{From: "05:00", To: "05:01", Timezone: RecipientZone}, "Asia/Tokyo", "America/New_York", "0s", "2026-11-18T10:00:00Z"},
		"just closed":            {Window{From: "04:00", To: "05:00", Timezone: RecipientZone}, "Asia/Tokyo", "America/New_York", "0s", "2026-11-19T09:00:00Z"},
		"after the delay":        {Window{From: "09:00", To: "18:00", Timezone: "Europe/London"}, "Asia/Tokyo", "", "9h", "2026-11-19T09:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			a := asksAna(t)
			a.workspace.Timezone, a.history.Timezone = test.workspace, test.recipient
			a.survey.Rules.SendWindow, a.survey.Trigger.Delay = &test.window, test.delay
			d := a.decide()
			if d.Verdict != Scheduled || d.SendAt != at(test.want) || d.ExpiresAt != d.SendAt.Add(30*24*time.Hour) {
				t.Errorf("%s, ends %s, want %s", d.SendAt, d.ExpiresAt, test.want)
			}
			waits := slices.ContainsFunc(d.Checks, func(c Check) bool { return c.Rule == "send_window" && c.Verdict == "wait" })
			if waits == (d.SendAt == wednesday.Add(test.delay.Length())) {
				t.Errorf("checks say waiting %v: %+v", waits, d.Checks)
			}
		})
	}
}

// TestDecideProperties: whatever the limit, the window and what is planned, a
// mail goes out on a day with room, in the window, after now and before the
// link ends.
func TestDecideProperties(t *testing.T) {
	base := asksAna(t)
	rapid.Check(t, func(t *rapid.T) {
		a := base
		a.workspace.Timezone = rapid.SampledFrom(zoneNames).Draw(t, "workspace")
		a.history.Timezone = rapid.SampledFrom(zoneNames).Draw(t, "recipient")
		a.now = at("2026-01-01T00:00:00Z") + Instant(rapid.Int64Range(0, 366*86_400_000).Draw(t, "now"))
		a.interaction.OccurredAt = a.now
		a.survey.Rules.DailyLimit = pointer(2)
		a.survey.Rules.ExpiresAfter = "10d"
		if rapid.Bool().Draw(t, "windowed") {
			w := randomWindow(t)
			w.Timezone = RecipientZone
			a.survey.Rules.SendWindow = &w
		}
		a.history.Planned = map[Day]int{}
		for d := DayOf(a.now, time.UTC) - 2; d < DayOf(a.now, time.UTC)+40; d++ {
			a.history.Planned[d] = rapid.IntRange(0, 3).Draw(t, "planned")
		}
		d := a.decide()
		free := a
		free.survey.Rules.DailyLimit = nil
		if end := free.decide().ExpiresAt; d.ExpiresAt != end {
			t.Fatalf("the limit moved the end from %s to %s", end, d.ExpiresAt)
		}
		if d.Verdict == Skipped {
			if d.Reason != SkipDailyLimit {
				t.Fatalf("%+v", d)
			}
			return
		}
		loc, _ := LoadZone(a.workspace.Timezone)
		if d.Day != DayOf(d.SendAt, loc) || a.history.Planned[d.Day] >= 2 || d.SendAt < a.now || d.SendAt >= d.ExpiresAt {
			t.Fatalf("%+v", d)
		}
		if w := a.survey.Rules.SendWindow; w != nil && w.Next(d.SendAt, WindowZone(*w, a.workspace, a.history.Timezone)) != d.SendAt {
			t.Fatalf("%s is outside of %+v", d.SendAt, *w)
		}
	})
}

// asked is a history of one invitation, or of none.
func asked(at *Instant) []Instant {
	if at == nil {
		return nil
	}
	return []Instant{*at}
}

// A mail planned far ahead must not hide one that went out yesterday.
func TestQuietPeriodLooksAtEveryInvitation(t *testing.T) {
	a := asksAna(t)
	far, near := a.now.Add(90*24*time.Hour), a.now.Add(-24*time.Hour)
	for _, history := range [][]Instant{{far, near}, {near, far}} {
		a.history.AskedAny = history
		d := a.decide()
		if d.Reason != SkipQuietPeriod || d.Until == nil || *d.Until != near.Add(30*24*time.Hour) {
			t.Errorf("%v: %+v", history, d)
		}
	}
	a.history.AskedAny = []Instant{far}
	if d := a.decide(); d.Verdict != Scheduled {
		t.Errorf("far ahead alone: %+v", d)
	}
}
