package survey_test

import (
	"testing"
	"time"

	"koe/survey"
)

func TestChooseOwner(t *testing.T) {
	member := func(name string, role survey.Role, open int, last survey.Instant) survey.Candidate {
		return survey.Candidate{Member: survey.Member{Email: name + "@company.example", Name: name, Role: role}, Open: open, LastAt: last}
	}
	kim, lee, vic := member("Kim", survey.Editor, 2, 10), member("Lee", survey.Admin, 2, 5), member("Vic", survey.Viewer, 0, 0)
	far := member("Far", survey.Editor, 0, 0)
	far.Touchpoints = []string{"elsewhere"}
	seg := member("Seg", survey.Editor, 0, 0)
	seg.Segment = &survey.Segment{Key: "plan", Values: []string{"pro"}}
	printed := survey.Candidate{Member: survey.Member{Name: "setup", Role: survey.Admin}}
	all := []survey.Candidate{vic, kim, lee, far, seg, printed}
	of := func(agent, plan string) survey.Attributes {
		return survey.Attributes{"agent": survey.TextValue(agent), "plan": survey.TextValue(plan)}
	}
	for name, c := range map[string]struct {
		owner, agent, plan, touchpoint string
		want                           string
	}{
		"fewest, then longest without one": {survey.RoundRobin, "", "", "chat", "Lee"},
		"by address":                       {"Kim@company.example", "", "", "chat", "Kim"},
		"by name":                          {"attributes.agent", " KIM ", "", "chat", "Kim"},
		"by the attribute's address":       {"attributes.agent", "kim@company.example", "", "chat", "Kim"},
		"a viewer by name":                 {"attributes.agent", "Vic", "", "chat", "Lee"},
		"nobody by name":                   {"attributes.agent", "", "", "chat", "Lee"},
		"another touchpoint":               {survey.RoundRobin, "", "", "elsewhere", "Far"},
		"a segment":                        {survey.RoundRobin, "", "pro", "chat", "Seg"},
		"an address that has left":         {"gone@company.example", "", "", "chat", "Lee"},
	} {
		got, found := survey.FollowUpRule{Owner: c.owner}.ChooseOwner(c.touchpoint, of(c.agent, c.plan), all)
		if !found || got.Name != c.want {
			t.Errorf("%s: %q, want %q", name, got.Name, c.want)
		}
	}
	if got, found := (survey.FollowUpRule{Owner: survey.RoundRobin}).ChooseOwner("chat", nil, []survey.Candidate{vic, far, printed}); found {
		t.Errorf("given to %q", got.Name)
	}
}

func TestQuantilesOfTimes(t *testing.T) {
	hours := func(list ...float64) (out []time.Duration) {
		for _, h := range list {
			out = append(out, time.Duration(h*float64(time.Hour)))
		}
		return out
	}
	if s := survey.SpreadOf(nil); s.N != 0 || s.Median != nil || s.P90 != nil {
		t.Errorf("of nothing: %+v", s)
	}
	for _, c := range []struct {
		of          []time.Duration
		median, p90 float64
	}{{hours(5), 5, 5}, {hours(3, 1), 2, 2.8}, {hours(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 6, 10}} {
		if s := survey.SpreadOf(c.of); *s.Median != c.median || *s.P90 < c.p90-1e-9 || *s.P90 > c.p90+1e-9 {
			t.Errorf("%v: median %v, p90 %v", c.of, *s.Median, *s.P90)
		}
	}
}

// A customer's word on each state of a follow-up.
func TestTheCustomersWord(t *testing.T) {
	rule := survey.FollowUpRule{Due: "2h", Confirm: true, ConfirmWithin: "1d", EscalateTo: "boss@company.example"}
	start := survey.Instant(1_000_000_000_000)
	f := survey.FollowUp{State: survey.FollowUpOpen, Confirmation: survey.NotAsked, DueAt: start}
	if _, err := f.Answer(true, rule, start); err == nil {
		t.Error("taken though nobody asked")
	}
	f.Move(survey.FollowUpResolved, rule, true, start)
	if f.EscalateAt(rule, start) != nil || f.Overdue(start) || f.ClosedAt != nil || *f.ConfirmBy != start.Add(24*time.Hour) {
		t.Errorf("resolved: %+v", f)
	}
	if _, err := f.Answer(true, rule, *f.ConfirmBy); err == nil {
		t.Error("taken too late")
	}
	if changed, err := f.Answer(false, rule, start); err != nil || !changed || f.State != survey.FollowUpOpen || f.DueAt != start.Add(2*time.Hour) || f.Reopened != 1 {
		t.Errorf("no: %v %v %+v", changed, err, f)
	}
	if at := f.EscalateAt(rule, start); at == nil || *at != start { // nobody owns it
		t.Errorf("escalates at %v", at)
	}
	f.Owner = &survey.Member{}
	if at := f.EscalateAt(rule, start); at == nil || *at != f.DueAt {
		t.Errorf("escalates at %v", at)
	}
	f.Move(survey.FollowUpResolved, rule, false, start) // the address is suppressed
	if f.Confirmation != survey.Unconfirmed || f.ClosedAt == nil {
		t.Errorf("nobody to ask: %+v", f)
	}
}
