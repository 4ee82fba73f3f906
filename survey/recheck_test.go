package survey

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const oneDay = 24 * time.Hour

// TestBeforeSendingAsksTheRulesAgain begins with a mail that may go and changes
// one thing each.
func TestBeforeSendingAsksTheRulesAgain(t *testing.T) {
	type due struct {
		v Invitation
		s Survey
		w Workspace
		m Meanwhile
	}
	cancelled := func(reason Reason) Recheck { return Recheck{State: InvitationCancelled, Reason: reason} }
	waits := func(to Instant, reason Reason) Recheck {
		return Recheck{WaitTo: to, Day: DayOf(to, time.UTC), Reason: reason}
	}
	goes := Recheck{Send: true, Day: day("2026-11-18")}
	ago := func(d time.Duration) Instant { return wednesday.Add(-d) }
	tomorrow := at("2026-11-19T00:00:00Z")
	for name, test := range map[string]struct {
		change func(*due)
		want   Recheck
	}{
		"nothing":                           {func(*due) {}, goes},
		"asked meanwhile by another survey": {func(d *due) { d.m.SentAny = []Sent{{ago(oneDay), ago(oneDay)}} }, cancelled(SkipQuietPeriod)},
		"asked this moment":                 {func(d *due) { d.m.SentAny = []Sent{{wednesday, wednesday}} }, cancelled(SkipQuietPeriod)},
		"a moment within":                   {func(d *due) { d.m.SentAny = []Sent{{ago(30*oneDay) + 1, ago(30*oneDay) + 1}} }, cancelled(SkipQuietPeriod)},
		"a quiet period ago":                {func(d *due) { d.m.SentAny = []Sent{{ago(30 * oneDay), ago(30 * oneDay)}} }, goes},
		"the other one was late": {func(d *due) { d.m.SentAny = []Sent{{ago(29 * oneDay), ago(31 * oneDay)}} },
			waits(wednesday.Add(oneDay), SkipQuietPeriod)},
		"this one was late": {func(d *due) {
			d.v.SendAt, d.m.SentAny = ago(3*oneDay), []Sent{{ago(33*oneDay - 29*oneDay), ago(33 * oneDay)}}
		}, waits(ago(4*oneDay).Add(30*oneDay), SkipQuietPeriod)},
		"late past the link's end": {func(d *due) {
			d.v.ExpiresAt, d.m.SentAny = wednesday.Add(oneDay), []Sent{{ago(29 * oneDay), ago(31 * oneDay)}}
		}, cancelled(SkipQuietPeriod)},
		"another survey, by the survey": {func(d *due) { d.s.Rules.QuietScope, d.m.SentAny = QuietSurvey, []Sent{{ago(oneDay), ago(oneDay)}} }, goes},
		"this survey, by the survey":    {func(d *due) { d.s.Rules.QuietScope, d.m.SentHere = QuietSurvey, []Sent{{ago(oneDay), ago(oneDay)}} }, cancelled(SkipQuietPeriod)},
		"no quiet period":               {func(d *due) { d.s.Rules.QuietPeriod, d.m.SentAny = "0s", []Sent{{wednesday, wednesday}} }, goes},
		"the workspace's is longer now": {func(d *due) { d.w.QuietPeriod, d.m.SentAny = "60d", []Sent{{ago(31 * oneDay), ago(31 * oneDay)}} }, cancelled(SkipQuietPeriod)},
		"a condition that is met":       {func(d *due) { d.s.Rules.Condition = Condition{"attributes.plan": {TextValue("pro")}} }, goes},
		"a condition that is not":       {func(d *due) { d.s.Rules.Condition = Condition{"attributes.plan": {TextValue("free")}} }, cancelled(SkipCondition)},
		"nobody is asked any more":      {func(d *due) { d.s.Rules.Sample = pointer(0.0) }, cancelled(SkipNotSampled)},
		"another zone since": {func(d *due) {
			d.s.Rules.SendWindow, d.v.Timezone, d.m.Timezone = &Window{From: "09:00", To: "18:00", Timezone: RecipientZone}, "UTC", "America/New_York"
		}, waits(at("2026-11-18T14:00:00Z"), WaitSendWindow)},
		"as many as a day may bring": {func(d *due) { d.m.Mailed, d.m.MailsADay = []Instant{ago(time.Hour), ago(oneDay) + 1, ago(oneDay)}, 2 }, waits(wednesday+1, WaitRecipientCap)},
		"one fewer":                  {func(d *due) { d.m.Mailed, d.m.MailsADay = []Instant{ago(time.Hour), ago(oneDay) + 1}, 3 }, goes},
		"more than a day may bring now": {func(d *due) {
			d.m.Mailed, d.m.MailsADay = []Instant{ago(2 * time.Hour), ago(time.Hour), ago(3 * time.Hour)}, 1
		}, waits(ago(time.Hour).Add(oneDay), WaitRecipientCap)},
		"no such limit":   {func(d *due) { d.m.Mailed = []Instant{ago(time.Hour)} }, goes},
		"room":            {func(d *due) { d.s.Rules.DailyLimit, d.m.SentToday = pointer(2), 1 }, goes},
		"the day is full": {func(d *due) { d.s.Rules.DailyLimit, d.m.SentToday = pointer(2), 2 }, waits(tomorrow, SkipDailyLimit)},
		"and the next": {func(d *due) {
			d.s.Rules.DailyLimit, d.m.SentToday, d.m.Planned = pointer(2), 2, map[Day]int{day("2026-11-19"): 2}
		}, waits(tomorrow.Add(oneDay), SkipDailyLimit)},
		"full, and tomorrow at nine": {func(d *due) {
			d.s.Rules.DailyLimit, d.m.SentToday, d.s.Rules.SendWindow = pointer(2), 2, &Window{From: "09:00", To: "12:00", Timezone: "UTC"}
		}, waits(tomorrow.Add(9*time.Hour), SkipDailyLimit)},
		"full until the link ends": {func(d *due) {
			d.s.Rules.DailyLimit, d.m.SentToday, d.v.ExpiresAt = pointer(2), 2, tomorrow
		}, cancelled(SkipDailyLimit)},
		"a reminder asks no rule about the person": {func(d *due) {
			d.v.MailNo, d.v.SentAt = 1, pointer(ago(3*oneDay))
			d.m.SentAny, d.s.Rules.Sample, d.s.Rules.DailyLimit = []Sent{{wednesday, wednesday}}, pointer(0.0), pointer(1)
			d.m.SentToday, d.s.Rules.Condition = 9, Condition{"attributes.plan": {TextValue("free")}}
		}, goes},
		"nor does one that is sent again": {func(d *due) { d.v.SentAt, d.m.SentAny = pointer(ago(oneDay)), []Sent{{wednesday, wednesday}} }, goes},
	} {
		t.Run(name, func(t *testing.T) {
			d := due{Invitation{State: InvitationScheduled, Email: "ana@example.com", SendAt: wednesday, ExpiresAt: wednesday.Add(60 * oneDay)}, chatSurvey(t),
				NewWorkspace("acme", "Acme", "UTC"), Meanwhile{OccurredAt: wednesday, Attributes: Attributes{"plan": TextValue("pro")}}}
			d.s.State = Active
			test.change(&d)
			if diff := cmp.Diff(test.want, BeforeSending(d.v, d.s, d.w, d.m, wednesday)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
