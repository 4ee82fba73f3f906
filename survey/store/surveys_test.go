package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// aSurvey is a survey that Clean accepts and the stock can answer.
func aSurvey() survey.Survey {
	sample, limit := 0.25, 500
	return survey.Survey{Name: "チャットのあと 💬", Template: "csat", Touchpoint: "support_chat", Channel: survey.Email,
		Trigger: survey.Trigger{Type: survey.OnInteraction, Delay: "2h"},
		Rules: survey.Rules{QuietPeriod: "14d", Sample: &sample, DailyLimit: &limit, Reminders: []survey.Duration{"3d"},
			Condition:  survey.Condition{"attributes.plan": {survey.TextValue("pro"), survey.TextValue("team")}},
			SendWindow: &survey.Window{From: "09:00", To: "18:00", Weekdays: []int{1, 2}}},
		Segments: []string{"agent", "plan"}}
}

// surveysOf reads a whole list.
func surveysOf(t *testing.T, s *store.Store, by store.Caller, f store.SurveyFilter) []survey.Survey {
	t.Helper()
	by.Once = nil
	list, _, err := s.Surveys(ctx, by, f, store.Page{Limit: 500})
	ok(t, err)
	return list
}

var values = cmp.AllowUnexported(survey.Value{})

func TestCreateSurvey(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		made, err := s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
		want := aSurvey()
		ok(t, want.Clean())
		want.ID, want.State, want.Revision, want.CreatedAt, want.UpdatedAt = made.ID, survey.Draft, 1, clock.Instant(), clock.Instant()
		if diff := cmp.Diff(want, made, values); diff != "" || made.ID.IsZero() {
			t.Errorf("made (-want +got):\n%s", diff)
		}
		shown, err := s.Survey(ctx, by, made.ID.String())
		ok(t, err)
		if diff := cmp.Diff(made, shown, values); diff != "" {
			t.Errorf("shown (-made +shown):\n%s", diff)
		}
		touchpoint, err := s.Touchpoint(ctx, by, "support_chat")
		ok(t, err)
		if touchpoint.Name != "Support chat" {
			t.Errorf("the touchpoint was made as %+v", touchpoint)
		}

		keyed := aSurvey()
		keyed.Key = "after-chat"
		_, err = s.CreateSurvey(ctx, by, keyed)
		ok(t, err)
		_, err = s.CreateSurvey(ctx, by, keyed)
		refused(t, err, survey.Conflict, "key")
		shown, err = s.Survey(ctx, by, "after-chat")
		ok(t, err)
		if shown.Key != "after-chat" {
			t.Errorf("by its key: %+v", shown)
		}
		for _, ref := range []string{"", "missing", survey.ID{1}.String(), "' OR 1=1 --", "\x00"} {
			if _, err = s.Survey(ctx, by, ref); err == nil {
				t.Errorf("%q is a survey", ref)
			}
		}
	}, clock.Use)
}

func TestSurveysRefuse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for field, spoil := range map[string]func(*survey.Survey){
			"template":   func(v *survey.Survey) { v.Template = "missing" },
			"touchpoint": func(v *survey.Survey) { v.Touchpoint = "" },
			"channel":    func(v *survey.Survey) { v.Channel = "pigeon" },
			"name":       func(v *survey.Survey) { v.Name = "" },
			"key":        func(v *survey.Survey) { v.Key = survey.ID{1}.String() },
		} {
			v := aSurvey()
			v.Key = "mine"
			spoil(&v)
			_, err := s.CreateSurvey(ctx, by, v)
			refused(t, err, survey.Invalid, field)
			_, _, err = s.PutSurvey(ctx, by, v, 0)
			refused(t, err, survey.Invalid, field)
		}
		_, _, err := s.PutSurvey(ctx, by, aSurvey(), 0)
		refused(t, err, survey.Invalid, "key")
		_, _, err = s.Surveys(ctx, by, store.SurveyFilter{State: "asleep"}, store.Page{Limit: 1})
		refused(t, err, survey.Invalid, "state")
	})
}

func TestPutSurvey(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := aSurvey()
		v.Key = "after-chat"
		_, _, err := s.PutSurvey(ctx, by, v, 1)
		refused(t, err, survey.Stale, "")
		made, created, err := s.PutSurvey(ctx, by, v, 0)
		ok(t, err)
		if !created || made.State != survey.Draft {
			t.Errorf("created %v, %+v", created, made)
		}
		made, err = s.SetSurveyState(ctx, by, "after-chat", survey.Active, 0)
		ok(t, err)
		clock.Advance(1e9)
		same := aSurvey()
		same.Key = "after-chat"
		again, created, err := s.PutSurvey(ctx, by, same, made.Revision)
		ok(t, err)
		if diff := cmp.Diff(made, again, values); diff != "" || created {
			t.Errorf("the same again: created %v (-was +is):\n%s", created, diff)
		}

		other := aSurvey()
		other.Key, other.Name, other.Template, other.Touchpoint = "after-chat", "Other", "nps", "checkout"
		other.Rules, other.Segments = survey.Rules{}, nil
		changed, created, err := s.PutSurvey(ctx, by, other, made.Revision)
		ok(t, err)
		if created || changed.ID != made.ID || changed.State != survey.Active || changed.CreatedAt != made.CreatedAt ||
			changed.Name != "Other" || changed.Template != "nps" || changed.TemplateVersion != 1 || changed.Touchpoint != "checkout" ||
			changed.Rules.DailyLimit != nil || len(changed.Segments) != 0 || changed.Revision != made.Revision+1 || changed.UpdatedAt != clock.Instant() {
			t.Errorf("changed to %+v", changed)
		}
		_, _, err = s.PutSurvey(ctx, by, v, made.Revision)
		refused(t, err, survey.Stale, "")

		_, err = s.SetSurveyState(ctx, by, "after-chat", survey.Archived, 0)
		ok(t, err)
		_, _, err = s.PutSurvey(ctx, by, v, 0)
		refused(t, err, survey.Conflict, "")
	}, clock.Use)
}

func TestPatchSurvey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		made, err := s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
		ref := made.ID.String()
		patch := func(ifMatch int64, change func(*survey.Survey)) (survey.Survey, error) {
			return s.PatchSurvey(ctx, by, ref, ifMatch, func(v survey.Survey) (survey.Survey, error) {
				change(&v)
				return v, nil
			})
		}
		patched, err := patch(1, func(v *survey.Survey) {
			v.Name, v.Key = "New", "new"
			v.ID, v.State, v.Revision, v.TemplateVersion, v.CreatedAt = survey.ID{1}, survey.Active, 99, 99, 1
		})
		ok(t, err)
		if patched.ID != made.ID || patched.State != survey.Draft || patched.Revision != 2 || patched.TemplateVersion != 0 ||
			patched.CreatedAt != made.CreatedAt || patched.Name != "New" || patched.Key != "new" {
			t.Errorf("patched %+v", patched)
		}
		same, err := patch(0, func(*survey.Survey) {})
		ok(t, err)
		if same.Revision != 2 {
			t.Errorf("a patch of nothing made revision %d", same.Revision)
		}
		// a change inside what the survey points to counts as one
		deep, err := patch(0, func(v *survey.Survey) { v.Rules.SendWindow.From = "10:00" })
		ok(t, err)
		if deep.Revision != 3 || deep.Rules.SendWindow.From != "10:00" {
			t.Errorf("got revision %d, from %s", deep.Revision, deep.Rules.SendWindow.From)
		}
		_, err = patch(2, func(v *survey.Survey) { v.Name = "Late" })
		refused(t, err, survey.Stale, "")
		_, err = patch(0, func(v *survey.Survey) { v.Channel = "" })
		refused(t, err, survey.Invalid, "channel")
		_, err = patch(0, func(v *survey.Survey) { v.Template = "missing" })
		refused(t, err, survey.Invalid, "template")

		taken := aSurvey()
		taken.Key = "taken"
		_, err = s.CreateSurvey(ctx, by, taken)
		ok(t, err)
		_, err = patch(0, func(v *survey.Survey) { v.Key = "taken" })
		refused(t, err, survey.Conflict, "key")

		_, err = s.SetSurveyState(ctx, by, ref, survey.Archived, 0)
		ok(t, err)
		_, err = patch(0, func(v *survey.Survey) { v.Name = "Too late" })
		refused(t, err, survey.Conflict, "")
		_, err = s.PatchSurvey(ctx, by, "missing", 0, func(v survey.Survey) (survey.Survey, error) { return v, nil })
		refused(t, err, survey.NotFound, "")
	})
}

func TestSurveyStates(t *testing.T) {
	draft, active, paused, archived := survey.Draft, survey.Active, survey.Paused, survey.Archived
	moves := []struct {
		from []survey.State // how it came there
		to   survey.State
		ok   bool
	}{
		{nil, active, true}, {nil, paused, false}, {nil, archived, true}, {nil, draft, false},
		{[]survey.State{active}, active, true}, {[]survey.State{active}, paused, true},
		{[]survey.State{active}, archived, true}, {[]survey.State{active}, draft, false},
		{[]survey.State{active, paused}, active, true}, {[]survey.State{active, paused}, paused, true},
		{[]survey.State{active, paused}, archived, true}, {[]survey.State{active, paused}, draft, false},
		{[]survey.State{archived}, active, false}, {[]survey.State{archived}, paused, false},
		{[]survey.State{archived}, archived, true}, {[]survey.State{archived}, draft, false},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for _, move := range moves {
			v, err := s.CreateSurvey(ctx, by, aSurvey())
			ok(t, err)
			ref := v.ID.String()
			for _, step := range move.from {
				_, err = s.SetSurveyState(ctx, by, ref, step, 0)
				ok(t, err)
			}
			got, err := s.SetSurveyState(ctx, by, ref, move.to, 0)
			if !move.ok {
				refused(t, err, survey.Conflict, "")
				continue
			}
			if err != nil || got.State != move.to {
				t.Errorf("%v to %s: %v, is %s", move.from, move.to, err, got.State)
			}
		}
	})
}

func TestActivationTakesTheNewestVersion(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		db := raw(t, url)
		v, err := s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
		ref := v.ID.String()
		renew := func(name string) {
			t.Helper()
			next := aTemplate("csat")
			next.Name = name
			_, _, err := s.PutTemplate(ctx, by, next, 0)
			ok(t, err)
		}
		activate := func(version int) {
			t.Helper()
			clock.Advance(1e9)
			got, err := s.SetSurveyState(ctx, by, ref, survey.Active, 0)
			ok(t, err)
			if got.TemplateVersion != version || got.ActivatedAt == nil || *got.ActivatedAt != clock.Instant() {
				t.Errorf("asks version %d since %v, want %d", got.TemplateVersion, got.ActivatedAt, version)
			}
		}
		measure := `SELECT COALESCE(m.metric, 'none') FROM surveys s LEFT JOIN measures m
			ON m.workspace_id = s.workspace_id AND m.id = s.measure_id`
		if got := texts(t, db, measure); !slices.Equal(got, []string{"none"}) {
			t.Errorf("a draft measures %v", got)
		}
		renew("two")
		activate(2)
		renew("three")
		got, err := s.Survey(ctx, by, ref)
		ok(t, err)
		if got.TemplateVersion != 2 {
			t.Errorf("asks version %d before it is activated again", got.TemplateVersion)
		}
		activate(3)
		_, err = s.SetSurveyState(ctx, by, ref, survey.Active, got.Revision)
		refused(t, err, survey.Stale, "")
		if got := texts(t, db, measure); !slices.Equal(got, []string{"csat"}) {
			t.Errorf("measures %v", got)
		}

		// another template is asked at once
		patched, err := s.PatchSurvey(ctx, by, ref, 0, func(v survey.Survey) (survey.Survey, error) {
			v.Template = "nps"
			return v, nil
		})
		ok(t, err)
		if patched.TemplateVersion != 1 {
			t.Errorf("asks version %d of nps", patched.TemplateVersion)
		}
		if got := texts(t, db, measure); !slices.Equal(got, []string{"nps"}) {
			t.Errorf("measures %v", got)
		}
	})
}

func TestArchivedTemplateCannotBeActivated(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v, err := s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
		ok(t, s.ArchiveTemplate(ctx, by, "csat", 0))
		_, err = s.SetSurveyState(ctx, by, v.ID.String(), survey.Active, 0)
		refused(t, err, survey.Conflict, "")
	})
}

func TestSurveyFilters(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for _, key := range []string{"a", "b", "c"} {
			clock.Advance(1e9)
			v := aSurvey()
			v.Key, v.Touchpoint = key, "at_"+key
			if key == "c" {
				v.Template = "nps"
			}
			_, err := s.CreateSurvey(ctx, by, v)
			ok(t, err)
		}
		_, err := s.SetSurveyState(ctx, by, "b", survey.Active, 0)
		ok(t, err)
		for _, test := range []struct {
			filter store.SurveyFilter
			want   []string
		}{
			{store.SurveyFilter{}, []string{"c", "b", "a"}},
			{store.SurveyFilter{State: survey.Draft}, []string{"c", "a"}},
			{store.SurveyFilter{Touchpoint: "at_b"}, []string{"b"}},
			{store.SurveyFilter{Template: "csat", State: survey.Draft}, []string{"a"}},
			{store.SurveyFilter{Touchpoint: "nowhere"}, nil},
		} {
			var got []string
			for _, v := range surveysOf(t, s, by, test.filter) {
				got = append(got, v.Key)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%+v: %v, want %v", test.filter, got, test.want)
			}
		}
	}, clock.Use)
}

// What is remembered of a survey must not outlive a change of it.
func TestDecisionsFollowTheSurvey(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, clock.Use)
		replica := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Trigger.Delay = "1h" })
		first := only(t, record(t, replica, by, chat("a@example.com")))
		_, err := s.PatchSurvey(ctx, by, v.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
			v.Trigger.Delay = "2h"
			return v, nil
		})
		ok(t, err)
		second := only(t, record(t, replica, by, chat("b@example.com")))
		if second.SendAt.Sub(*first.SendAt) != time.Hour {
			t.Errorf("planned for %s, then for %s", first.SendAt, second.SendAt)
		}
		_, err = s.SetSurveyState(ctx, by, v.ID.String(), survey.Paused, 0)
		ok(t, err)
		if d := only(t, record(t, replica, by, chat("c@example.com"))); d.Reason != survey.SkipPaused {
			t.Errorf("a paused survey said %+v", d)
		}
		_, err = s.SetSurveyState(ctx, by, v.ID.String(), survey.Archived, 0)
		ok(t, err)
		if r := record(t, replica, by, chat("d@example.com")); len(r.Decisions) != 0 {
			t.Errorf("an archived survey said %+v", r.Decisions)
		}
	})
}

func TestSurveysAtATouchpointOldestFirst(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		older := mustSurvey(t, s, by, "chat", byLink)
		clock.Advance(1e9)
		newer := mustSurvey(t, s, by, "chat", byLink)
		mustSurvey(t, s, by, "desk", byLink)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Trigger.Type = survey.OnManual })
		_, err := s.CreateSurvey(ctx, by, func() survey.Survey { v := aSurvey(); v.Touchpoint = "chat"; return v }())
		ok(t, err)
		d := record(t, s, by, chat("a@example.com")).Decisions
		if len(d) != 2 || d[0].Survey != older.ID || d[1].Survey != newer.ID || d[0].Verdict != survey.Scheduled || d[1].Reason != survey.SkipQuietPeriod {
			t.Errorf("decisions %+v", d)
		}
	}, clock.Use)
}

func TestPausedSurveysHoldTheirMail(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		mustSurvey(t, s, by, "desk", nil)
		held := only(t, record(t, s, by, chat("a@example.com"))).Invitation
		desk := chat("b@example.com")
		desk.Touchpoint = "desk"
		free := only(t, record(t, s, by, desk)).Invitation
		due := func(want *survey.ID) {
			t.Helper()
			clock.Advance(1e9)
			claims, err := s.ClaimDue(ctx, 10, time.Second)
			ok(t, err)
			if len(claims) != 1 || claims[0].Invitation != *want {
				t.Errorf("due are %+v, want %s", claims, want)
			}
		}
		_, err := s.SetSurveyState(ctx, by, v.ID.String(), survey.Paused, 0)
		ok(t, err)
		due(free)
		list, _, err := s.Invitations(ctx, by, store.InvitationFilter{Survey: v.ID.String()}, store.Page{Limit: 10})
		ok(t, err)
		if len(list) != 1 || !list[0].Held || list[0].State != survey.InvitationScheduled {
			t.Errorf("held as %+v", list)
		}
		_, err = s.SetSurveyState(ctx, by, v.ID.String(), survey.Active, 0)
		ok(t, err)
		due(held)
	}, clock.Use)
}

func TestArchivedSurveysCancelWhatIsScheduled(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		for i := range 3 {
			record(t, s, by, chat(fmt.Sprintf("p%d@example.com", i)))
		}
		links, err := s.CreateLinks(ctx, by, v.ID.String(), make([]store.Link, 1))
		ok(t, err)
		_, err = s.SetSurveyState(ctx, by, v.ID.String(), survey.Archived, 0)
		ok(t, err)
		list, _, err := s.Invitations(ctx, by, store.InvitationFilter{}, store.Page{Limit: 10})
		ok(t, err)
		if len(list) != 4 {
			t.Fatalf("%d invitations", len(list))
		}
		for _, invitation := range list {
			if invitation.ID == links[0].Invitation {
				if invitation.State != survey.InvitationSent {
					t.Errorf("a link that is out became %s", invitation.State)
				}
				continue
			}
			_, events, err := s.Invitation(ctx, by, invitation.ID)
			ok(t, err)
			last := events[len(events)-1]
			if invitation.State != survey.InvitationCancelled || invitation.Reason != "survey_archived" ||
				last.Type != "cancelled" || last.Reason != "survey_archived" {
				t.Errorf("%s (%s), last event %+v", invitation.State, invitation.Reason, last)
			}
		}
		claims, err := s.ClaimDue(ctx, 10, time.Second)
		ok(t, err)
		if len(claims) != 0 {
			t.Errorf("%d mails are still due", len(claims))
		}
	}, clock.Use)
}
