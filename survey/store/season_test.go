package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// season lets random things happen for weeks and keeps its own account of what
// reached whom, by which every mail and link is judged when it goes out.
type season struct {
	t       *testing.T
	s       *store.Store
	by      store.Caller
	clock   *storetest.Clock
	random  *rand.Rand
	seed    uint64
	step    int
	zone    *time.Location // of the workspace
	surveys []survey.Survey
	asked   map[survey.ID]*reached
	out     []*reached
	closed  map[string]bool // addresses that are suppressed
	count   map[string]int
}

// reached is an invitation that went out.
type reached struct {
	id     survey.ID
	of     survey.ID // survey
	email  string
	person survey.ID
	at     survey.Instant // of the first mail, or of the link
	last   survey.Instant // of the last mail
	token  string
	void   bool // bounced, refused or erased: it does not count for a quiet period
	gone   bool // erased
	byHand bool

	answered  bool
	mailNo    int
	reminders int
}

// TestNobodyIsTired: whatever happens in whatever order, nobody is asked twice
// in a quiet period by any way, more often than the daily limit, outside of the
// window, or reminded of what they have answered or do not want; and what is
// planned comes to an end.
func TestNobodyIsTired(t *testing.T) {
	whole := os.Getenv("KOE_BATTERY") == "full"
	seeds, steps := 1, 200
	if whole {
		seeds, steps = 60, 600
	}
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		all := map[string]int{}
		for i := range seeds {
			if i > 0 {
				if url = storetest.SQLite(t); strings.HasSuffix(t.Name(), "postgres") {
					url = storetest.Postgres(t)
				}
			}
			seed := uint64(40 + i)
			clock := storetest.NewClock(t, []string{"2027-03-10T15:00:00Z", "2026-10-20T03:00:00Z", "2027-03-31T10:00:00Z"}[i%3])
			s := storetest.Open(t, url, clock.Use)
			a := &season{t: t, s: s, by: storetest.Default(t, s), clock: clock, random: rand.New(rand.NewPCG(seed, 5)), seed: seed,
				asked: map[survey.ID]*reached{}, closed: map[string]bool{}, count: all}
			a.begin([]string{"America/New_York", "Europe/London", "Australia/Lord_Howe"}[i%3])
			for a.step = range steps {
				a.happen()
			}
			a.end()
		}
		t.Logf("%d seeds from 40: %v", seeds, all)
		must := []string{"mail", "link", "reminder", "answer", "fire"}
		if whole {
			must = append(must, "by hand", "unsubscribe", "uncertain", "450 later", "550 no", "resend", "cancel", "erase", "bounce",
				"pause", "clock back", "import", "another tool", "follow-on", "stopped")
		}
		for _, what := range must {
			if all[what] == 0 {
				t.Errorf("%s did not come up: %v", what, all)
			}
		}
	})
}

func (a *season) fatal(format string, args ...any) {
	a.t.Helper()
	a.t.Fatalf("seed %d, step %d, %s: %s", a.seed, a.step, a.clock.Instant(), fmt.Sprintf(format, args...))
}

// may is for what the state of things may forbid.
func (a *season) may(err error) bool {
	a.t.Helper()
	var known *survey.Error
	if err != nil && !errors.As(err, &known) {
		a.fatal("%v", err)
	}
	return err == nil
}

func (a *season) n(n int) int { return a.random.IntN(n) }

func (a *season) pick(list ...string) string { return list[a.n(len(list))] }

func (a *season) begin(zone string) {
	a.t.Helper()
	var err error
	a.zone, err = survey.LoadZone(zone)
	ok(a.t, err)
	_, err = a.s.PatchWorkspace(ctx, a.by, func(w *survey.Workspace) error {
		w.Timezone, w.QuietPeriod = zone, survey.Duration(a.pick("2d", "4d"))
		return nil
	})
	ok(a.t, err)
	add := func(touchpoint string, trigger survey.Trigger, rules survey.Rules, change ...func(*survey.Survey)) {
		a.surveys = append(a.surveys, mustSurvey(a.t, a.s, a.by, touchpoint, func(v *survey.Survey) {
			v.Key, v.Trigger, v.Rules = fmt.Sprint("s", len(a.surveys)), trigger, rules
			for _, c := range change {
				c(v)
			}
		}))
		a.clock.Advance(time.Second)
	}
	onInteraction := survey.Trigger{Type: survey.OnInteraction, Delay: survey.Duration(a.pick("0s", "2h", "1d"))}
	office := &survey.Window{From: "09:00", To: "18:00", Weekdays: []int{1, 2, 3, 4, 5}, Timezone: survey.RecipientZone}
	night := &survey.Window{From: "22:00", To: "06:00", Timezone: "Asia/Tokyo"}
	add("a", onInteraction, survey.Rules{QuietPeriod: "5d", QuietScope: survey.QuietWorkspace, SendWindow: office, Reminders: []survey.Duration{"1d", "3d", "5d"}, ExpiresAfter: "10d"})
	add(a.pick("a", "c"), onInteraction, survey.Rules{QuietPeriod: "0s", DailyLimit: pointer(2), Reminders: []survey.Duration{"2d"}, ExpiresAfter: "8d"})
	add("a", onInteraction, survey.Rules{QuietPeriod: "3d", QuietScope: survey.QuietScope(a.pick("survey", "workspace")), DailyLimit: pointer(3)}, byLink)
	add("b", onInteraction, survey.Rules{DailyLimit: pointer(1), SendWindow: night, Reminders: []survey.Duration{"12h", "36h"}, ExpiresAfter: "6d"})
	add("pulse", survey.Trigger{Type: survey.OnSchedule, Cron: "30 */6 * * *", Every: "5d"},
		survey.Rules{QuietPeriod: "1d", QuietScope: survey.QuietSurvey, Reminders: []survey.Duration{"1d"}, ExpiresAfter: "4d"})
	add("after", survey.Trigger{Type: survey.OnResponse, Survey: "s4", When: survey.When{"score": {Max: pointer(8)}}, Delay: "6h"}, survey.Rules{QuietPeriod: "1h", ExpiresAfter: "9d"})
	add("c", survey.Trigger{Type: survey.OnManual}, survey.Rules{}, byLink)
}

// customer is one of nine people; three pairs of them share an address.
func (a *season) customer() survey.Customer {
	n := a.n(9)
	address := fmt.Sprintf("p%d@example.com", max(n-3, n/2))
	c := survey.Customer{ExternalID: fmt.Sprint("c-", n)}
	switch a.n(4) {
	case 0:
		c.ExternalID, c.Email = "", &address
	case 1, 2:
		c.Email = &address
	}
	if n%3 == 0 {
		c.Timezone = "Asia/Tokyo"
	}
	return c
}

func (a *season) happen() {
	a.t.Helper()
	switch a.n(28) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		a.interact()
	case 8, 9, 10:
		a.answer()
	case 11:
		a.suppress()
	case 12:
		a.pause()
	case 13:
		a.otherTool()
	case 14:
		a.importHistory()
	case 15:
		a.link()
	case 16:
		a.undo()
	case 17:
		a.bounceOrErase()
	case 18:
		a.clock.Advance(-time.Hour)
		a.count["clock back"]++
	default:
		a.clock.Advance(time.Duration(1+a.n(24*3600)) * time.Second)
	}
	began, _, err := a.s.FireDue(ctx, 6*time.Hour)
	ok(a.t, err)
	a.count["fire"] += began
	_, err = a.s.AskShares(ctx)
	ok(a.t, err)
	for a.deliver(1+a.n(6), true) {
	}
	if a.n(10) == 0 {
		_, err = a.s.Sweep(ctx)
		ok(a.t, err)
	}
}

func (a *season) interact() {
	a.t.Helper()
	in := survey.Interaction{Touchpoint: a.pick("a", "b", "c"), Customer: a.customer()}
	if a.n(4) == 0 {
		in.ExternalID = fmt.Sprint("told-", a.n(20)) // some are told twice
	}
	r, err := a.s.RecordInteraction(ctx, a.by, in)
	ok(a.t, err)
	for _, d := range r.Decisions {
		if d.Token != "" && !r.Repeat {
			a.count["link"]++
			a.goesOut(*d.Invitation, d.Token, false)
		}
	}
}

func (a *season) link() {
	a.t.Helper()
	made, err := a.s.CreateLinks(ctx, a.by, a.surveys[a.n(len(a.surveys))].ID.String(), []store.Link{{Customer: a.customer()}})
	if a.may(err) {
		a.count["by hand"]++
		a.goesOut(made[0].Invitation, made[0].Token, true)
	}
}

// known picks something that went out; nil where nothing has.
func (a *season) known() *reached {
	if len(a.out) == 0 {
		return nil
	}
	return a.out[len(a.out)-1-a.n(min(len(a.out), 12))]
}

func (a *season) answer() {
	a.t.Helper()
	r := a.known()
	for range 5 { // rather one that is new
		if r != nil && r.answered {
			r = a.known()
		}
	}
	if r != nil {
		_, err := a.s.Answer(ctx, r.token, storetest.Says(store.Reply{Score: pointer(a.n(9))}))
		if a.may(err) {
			r.answered, r.void = true, false
			a.count["answer"]++
		}
	}
}

func (a *season) suppress() {
	a.t.Helper()
	if list, _, err := a.s.Suppressions(ctx, a.by, "", store.Page{Limit: 50}); a.n(2) == 0 {
		ok(a.t, err)
		for _, one := range list { // they come back
			ok(a.t, a.s.Unsuppress(ctx, a.by, one.ID))
		}
		clear(a.closed)
		return
	}
	if r := a.known(); r != nil && r.email != "" && !r.void {
		if a.may(a.s.Unsubscribe(ctx, r.token)) {
			a.closed[r.email] = true
			a.count["unsubscribe"]++
		}
	}
}

func (a *season) pause() {
	a.t.Helper()
	i, to := a.n(len(a.surveys)), survey.Paused
	if paused := slices.IndexFunc(a.surveys, func(v survey.Survey) bool { return v.State == survey.Paused }); paused >= 0 && a.n(3) > 0 {
		i = paused
	}
	if a.surveys[i].State == survey.Paused {
		to = survey.Active
	}
	v, err := a.s.SetSurveyState(ctx, a.by, a.surveys[i].ID.String(), to, 0)
	ok(a.t, err)
	a.surveys[i] = v
	a.count["pause"]++
}

// otherTool learns when another tool asked somebody.
func (a *season) otherTool() {
	a.t.Helper()
	c := a.customer()
	p := survey.Person{ExternalID: c.ExternalID, LastAskedAt: pointer(a.clock.Instant().Add(-time.Duration(a.n(100)) * time.Hour))}
	if c.Email != nil {
		p.Email = *c.Email
	}
	done, err := a.s.ImportPeople(ctx, a.by, []survey.Person{p})
	if ok(a.t, err); done.Accepted != 1 {
		a.fatal("%+v", done)
	}
	a.count["another tool"]++
}

// importHistory imports answers, which ask nobody.
func (a *season) importHistory() {
	a.t.Helper()
	before := a.invitations()
	file := "score,external_id,customer.external_id\n"
	for range 1 + a.n(5) {
		file += fmt.Sprintf("%d,h-%d,c-%d\n", a.n(11), a.n(60), a.n(9))
	}
	_, err := a.s.Import(ctx, a.by, reading("s4", strings.NewReader(file), history.Options{}, nil))
	ok(a.t, err)
	if after := a.invitations(); after != before {
		a.fatal("an import made %d invitations", after-before)
	}
	a.count["import"]++
}

func (a *season) invitations(states ...survey.InvitationState) (n int) {
	a.t.Helper()
	if len(states) == 0 {
		states = []survey.InvitationState{""}
	}
	for _, state := range states {
		page := store.Page{Limit: 500}
		for {
			list, next, err := a.s.Invitations(ctx, a.by, store.InvitationFilter{State: state}, page)
			ok(a.t, err)
			n += len(list)
			if page.Cursor = next; next == "" {
				break
			}
		}
	}
	return n
}

// undo cancels what is planned, or sends again what is uncertain or failed.
func (a *season) undo() {
	a.t.Helper()
	state, what, do := survey.InvitationScheduled, "cancel", a.s.CancelInvitation
	if a.n(3) > 0 {
		state, what, do = []survey.InvitationState{survey.InvitationUncertain, survey.InvitationFailed}[a.n(2)], "resend", a.s.Resend
	}
	list, _, err := a.s.Invitations(ctx, a.by, store.InvitationFilter{State: state}, store.Page{Limit: 5})
	ok(a.t, err)
	for _, v := range list {
		if a.may(do(ctx, a.by, v.ID)) {
			a.count[what]++
			if r := a.asked[v.ID]; r != nil && what == "resend" {
				r.mailNo = -1
			}
			return
		}
	}
}

func (a *season) bounceOrErase() {
	a.t.Helper()
	r := a.known()
	if r == nil || r.void {
		return
	}
	if a.n(2) == 0 {
		if !a.may(a.s.ErasePerson(ctx, a.by, r.person.String())) {
			return
		}
		for _, other := range a.out {
			if other.person == r.person {
				other.void, other.gone = true, true
			}
		}
		a.count["erase"]++
		return
	}
	v, _, err := a.s.Invitation(ctx, a.by, r.id)
	ok(a.t, err)
	if v.Channel != survey.Email || r.byHand {
		return
	}
	_, err = a.s.TakeBounces(ctx, a.by, []survey.Bounce{{Kind: survey.HardBounce, Invitation: &r.id, Code: "5.2.1", At: a.clock.Instant()}})
	ok(a.t, err)
	if v, _, err = a.s.Invitation(ctx, a.by, r.id); err != nil || v.BouncedAt == nil {
		a.fatal("a bounce was not taken: %+v, %v", v, err)
	}
	r.void, a.closed[r.email] = r.void || v.State == survey.InvitationFailed, true
	a.count["bounce"]++
}

// deliver claims some mails and sends them, with a server in a mood; true where
// there may be more.
func (a *season) deliver(n int, moody bool) bool {
	a.t.Helper()
	mood := 0
	if moody {
		mood = a.n(12)
	}
	hold := lease
	if mood == 9 { // the process dies with the mails in hand
		hold = -time.Second
	}
	claims, err := a.s.ClaimDue(ctx, n, hold)
	ok(a.t, err)
	if len(claims) == 0 {
		return false
	}
	mails, err := a.s.StartSending(ctx, claims, plainID)
	ok(a.t, err)
	if mood == 9 {
		for _, m := range mails {
			a.judge(m)
		}
		a.count["stopped"] += len(mails)
		_, err := a.s.SettleLeases(ctx, false)
		ok(a.t, err)
		return false
	}
	for _, m := range mails {
		switch mood {
		case 6, 7:
			refuse, words := a.s.Retry, "450 later"
			if mood == 7 {
				refuse, words = a.s.Fail, "550 no"
			}
			ok(a.t, refuse(ctx, m.Claim, words))
			a.count[words]++
			if r := a.asked[m.Invitation.ID]; r != nil { // sent again, or a reminder
				v, _, err := a.s.Invitation(ctx, a.by, r.id)
				ok(a.t, err)
				r.void = r.void || v.State == survey.InvitationFailed
			}
			continue
		case 8:
			ok(a.t, a.s.Release(ctx, m.Claim))
			continue
		}
		a.judge(m)
		if mood == 10 {
			ok(a.t, a.s.Uncertain(ctx, m.Claim, "cut off"))
			a.count["uncertain"]++
			continue
		}
		if r := a.asked[m.Invitation.ID]; mood == 11 && !r.void { // faster than the server's reply
			if _, err := a.s.Answer(ctx, m.Token, storetest.Says(store.Reply{Score: pointer(5)})); a.may(err) {
				r.answered = true
			}
		}
		ok(a.t, a.s.Sent(ctx, m.Claim))
	}
	return mood != 8
}
