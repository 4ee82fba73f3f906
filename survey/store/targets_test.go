package store_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// chatTerms is a target that is fine.
func chatTerms(change func(*survey.TargetTerms)) survey.TargetTerms {
	t := survey.TargetTerms{Name: "Chat", Kind: survey.TargetScore, Metric: scoring.CSAT, Touchpoint: "chat", AtLeast: pointer(85.0)}
	if change != nil {
		change(&t)
	}
	return t
}

// targeted sets a target, judges it and shows it.
func targeted(t *testing.T, s *store.Store, by store.Caller, terms survey.TargetTerms) survey.Target {
	t.Helper()
	made, err := s.CreateTarget(ctx, by, terms)
	ok(t, err)
	return judged(t, s, by, made.ID)
}

func judged(t *testing.T, s *store.Store, by store.Caller, of survey.ID) survey.Target {
	t.Helper()
	ok(t, s.JudgeTarget(ctx, store.DueTarget{Workspace: by.Workspace, Target: of}))
	target, err := s.Target(ctx, by, of)
	ok(t, err)
	return target
}

// dayOf is noon of a day in UTC.
func dayOf(t *testing.T, day string) *survey.Instant {
	t.Helper()
	i, err := survey.ParseInstant(day + "T12:00:00Z")
	ok(t, err)
	return &i
}

func csatAt(t *testing.T, s *store.Store, by store.Caller, touchpoint string) survey.Survey {
	t.Helper()
	return mustSurvey(t, s, by, touchpoint, func(v *survey.Survey) { byLink(v); v.Template, v.Rules.QuietPeriod = "csat", "0s" })
}

// answered keeps answers of a day.
func answered(t *testing.T, s *store.Store, by store.Caller, v survey.Survey, day string, satisfied, not int) {
	t.Helper()
	for i := range satisfied + not {
		score := 5
		if i >= satisfied {
			score = 1
		}
		_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: &score, RespondedAt: dayOf(t, day)})
		ok(t, err)
	}
}

// attribute is an attribute's value as JSON has it.
func attribute(t *testing.T, literal string) survey.Value {
	t.Helper()
	var v survey.Value
	ok(t, json.Unmarshal([]byte(literal), &v))
	return v
}

func TestTargetsOfEachKind(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-02T12:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-02T12:00:00Z")
		by := storetest.Default(t, s)
		v := csatAt(t, s, by, "chat")
		var items []store.Item
		for i := range 60 {
			attributes := survey.Attributes{"wait_seconds": attribute(t, fmt.Sprint(10*i)), "resolved": attribute(t, fmt.Sprint(i%10 != 0))}
			switch {
			case i >= 55:
				attributes = nil // brought nothing along
			case i >= 50:
				attributes["wait_seconds"], attributes["resolved"] = attribute(t, `"long"`), attribute(t, `"はい"`)
			case i%2 == 0:
				attributes["wait_seconds"] = attribute(t, fmt.Sprintf(`" %d.0"`, 10*i)) // a tool that sends texts
			}
			items = append(items, store.Item{Interaction: survey.Interaction{Touchpoint: "chat", Attributes: attributes,
				Customer: survey.Customer{ExternalID: fmt.Sprint("c-", i)}}})
		}
		told, err := s.RecordInteractions(ctx, by, items)
		ok(t, err)
		for i, one := range told {
			ok(t, one.Err)
			if i < 20 {
				_, err := s.Answer(ctx, one.Decisions[0].Token, storetest.Says(store.Reply{Score: pointer(5)}))
				ok(t, err)
			}
		}
		answered(t, s, by, v, "2026-11-01", 20, 20) // with those by link 40 of 60
		clock.Set(t, "2026-12-16T00:00:00Z")
		answered(t, s, by, v, "2026-12-01", 1, 0)

		for name, c := range map[string]struct {
			terms                survey.TargetTerms
			state                scoring.Standing
			value                float64
			n, ignored, missing_ int64
			unit                 string
		}{
			"score":         {chatTerms(nil), scoring.Breached, 100 * 40.0 / 60, 60, 0, 0, "percent"},
			"score at risk": {chatTerms(func(t *survey.TargetTerms) { t.AtLeast = pointer(70.0) }), scoring.AtRisk, 100 * 40.0 / 60, 60, 0, 0, "percent"},
			"score, met":    {chatTerms(func(t *survey.TargetTerms) { t.AtLeast, t.Touchpoint = pointer(50.0), "" }), scoring.Met, 100 * 40.0 / 60, 60, 0, 0, "percent"},
			"few":           {chatTerms(func(t *survey.TargetTerms) { t.Minimum = 61 }), scoring.Insufficient, 100 * 40.0 / 60, 60, 0, 0, "percent"},
			"rate": {chatTerms(func(t *survey.TargetTerms) {
				t.Kind, t.Metric, t.AtLeast = survey.TargetResponseRate, "", pointer(15.0)
			}),
				scoring.Met, 100 * 20.0 / 60, 60, 0, 0, "percent"},
			"median": {chatTerms(func(t *survey.TargetTerms) {
				t.Kind, t.Metric, t.AtLeast, t.AtMost, t.Attribute = survey.TargetAttributeMedian, "", nil, pointer(120.0), "wait_seconds"
			}), scoring.Breached, 245, 50, 5, 5, ""},
			"share": {chatTerms(func(t *survey.TargetTerms) {
				t.Kind, t.Metric, t.AtLeast, t.Attribute = survey.TargetAttributeShare, "", pointer(90.0), "resolved"
			}), scoring.AtRisk, 100 * 50.0 / 55, 55, 0, 5, "percent"},
			"of what nobody brings": {chatTerms(func(t *survey.TargetTerms) {
				t.Kind, t.Metric, t.Attribute = survey.TargetAttributeShare, "", "never"
			}), scoring.Insufficient, -1, 0, 0, 60, "percent"},
		} {
			target := targeted(t, s, by, c.terms)
			look := target.Judged
			if look == nil || target.State != c.state || look.N != c.n || look.Ignored != c.ignored || look.Missing != c.missing_ || target.Unit != c.unit {
				t.Errorf("%s: %s, %+v", name, target.State, look)
				continue
			}
			if (look.Value == nil) != (c.value < 0) || look.Value != nil && *look.Value != c.value {
				t.Errorf("%s: %v, want %v", name, *look.Value, c.value)
			}
			if look.Start.String() != "2026-11-01" || look.End.String() != "2026-12-01" {
				t.Errorf("%s: %s to %s", name, look.Start, look.End)
			}
			running, err := s.RunningLook(ctx, by, target)
			ok(t, err)
			if running.Start.String() != "2026-12-01" || name == "score" && (running.N != 1 || *running.Value != 100) {
				t.Errorf("%s: runs %+v", name, running)
			}
		}
		page, next, err := s.Targets(ctx, by, store.TargetFilter{Touchpoint: "chat", State: scoring.AtRisk}, store.Page{Limit: 10})
		ok(t, err)
		if len(page) != 2 || next != "" {
			t.Errorf("%d are at risk at chat", len(page))
		}
		ok(t, verifiedOnly(s))
	}, clock.Use)
}

func verifiedOnly(s *store.Store) error {
	c, err := s.Verify(ctx)
	if err == nil && len(c.Faults) > 0 {
		err = fmt.Errorf("%v", c.Faults)
	}
	return err
}

// An attribute with 50,000 different values has its median in a moment.
func TestTargetOfManyValues(t *testing.T) {
	clock := storetest.NewClock(t, "2026-12-16T00:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "chat", Name: "Chat"})
		ok(t, err)
		id, times := `randomblob(16)`, `1793800000000 + n`
		if url[:6] != "sqlite" {
			id = `gen_random_uuid()`
		}
		_, err = raw(t, url).Exec(`INSERT INTO interactions (workspace_id, id, key_id, touchpoint_id, customer, attributes, warnings, occurred_at, received_at)
			WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 50000)
			SELECT t.workspace_id, ` + id + `, t.id, t.id, '{}', '{"wait":' || n || '.5}', 'null', ` + times + `, 0 FROM s, touchpoints t WHERE t.key = 'chat'`)
		ok(t, err)
		start := time.Now()
		target := targeted(t, s, by, survey.TargetTerms{Name: "a", Kind: survey.TargetAttributeMedian, Touchpoint: "chat", Attribute: "wait", AtMost: pointer(25_500.0)})
		if look := target.Judged; target.State != scoring.Met || look.N != 50_000 || *look.Value != 25_001 || look.Interval.Low < 24_700 || look.Interval.High > 25_300 {
			t.Errorf("%s, %+v", target.State, look)
		}
		t.Logf("judged in %s", time.Since(start))
	})
}

// A state that changes is told once, to members and webhooks, whoever judges and
// however often; what stays is not told.
func TestTargetChangesAreToldOnce(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-02T00:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock.Set(t, "2026-11-02T00:00:00Z")
		replicas := []*store.Store{storetest.Open(t, url, clock.Use)}
		for len(replicas) < 3 && url[:6] != "sqlite" {
			replicas = append(replicas, storetest.Open(t, url, clock.Use))
		}
		s := replicas[0]
		by := storetest.Default(t, s)
		v := csatAt(t, s, by, "chat")
		kim, err := s.CreateMember(ctx, by, aMember("kim@example.com"))
		ok(t, err)
		_, err = s.CreateMember(ctx, by, aMember("ana@example.com"))
		ok(t, err)
		aWebhook(t, s, by)
		answered(t, s, by, v, "2026-10-05", 60, 0)
		target := targeted(t, s, by, chatTerms(func(t *survey.TargetTerms) { t.Notify = []string{"kim@example.com", "ana@example.com"} }))
		if target.State != scoring.Met || len(target.Notify) != 2 {
			t.Fatalf("%+v", target)
		}
		db := raw(t, url)
		told := func(kind string) string {
			return texts(t, db, `SELECT COUNT(*) FROM outbox WHERE event = 'target.changed' AND kind = '`+kind+`'`)[0]
		}
		turn := func(until string) {
			for clock.Instant() < *dayOf(t, until) {
				clock.Advance(24 * time.Hour)
				var all sync.WaitGroup
				for _, s := range replicas {
					all.Go(func() {
						due, err := s.DueTargets(ctx, 10)
						if err == nil {
							for _, one := range due {
								err = s.JudgeTarget(ctx, one)
							}
						}
						if err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
			}
		}
		answered(t, s, by, v, "2026-11-01", 30, 30)
		turn("2026-11-30")
		if told("notice")+told("webhook") != "00" {
			t.Errorf("before the period ended %s notices, %s events", told("notice"), told("webhook"))
		}
		turn("2026-12-20")
		answered(t, s, by, v, "2026-12-05", 20, 30)
		turn("2027-01-20") // breached again: nothing new
		if told("notice") != "2" || told("webhook") != "1" {
			t.Errorf("%s notices, %s events", told("notice"), told("webhook"))
		}
		turn("2027-02-20") // January had no answers
		changes, err := s.TargetChanges(ctx, by, target.ID)
		ok(t, err)
		var story []string
		for _, c := range changes {
			story = append(story, fmt.Sprint(c.From, " ", c.To, " ", c.Told))
		}
		if want := "[breached insufficient true met breached true insufficient met false]"; fmt.Sprint(story) != want {
			t.Errorf("%v, want %s", story, want)
		}
		if told("notice") != "4" || told("webhook") != "2" {
			t.Errorf("%s notices, %s events", told("notice"), told("webhook"))
		}
		if *changes[1].Look.Value != 50 || changes[1].Look.N != 60 {
			t.Errorf("%+v", changes[1].Look)
		}
		ok(t, verifiedOnly(s))

		ok(t, s.RemoveMember(ctx, by, kim.ID))
		if shown, err := s.Target(ctx, by, target.ID); err != nil || len(shown.Notify) != 1 || shown.Notify[0] != "ana@example.com" {
			t.Errorf("%+v, %v", shown.Notify, err)
		}
		ok(t, verifiedOnly(s))
		ok(t, s.DeleteTarget(ctx, by, target.ID))
		if left := texts(t, db, `SELECT (SELECT COUNT(*) FROM targets) + (SELECT COUNT(*) FROM target_changes) + (SELECT COUNT(*) FROM target_members)
			+ (SELECT COUNT(*) FROM outbox WHERE event = 'target.changed' AND state = 'waiting')`)[0]; left != "0" {
			t.Errorf("%s rows are left", left)
		}
		_, err = s.Target(ctx, by, target.ID)
		refused(t, err, survey.NotFound, "")
	})
}

// A drop is looked for every day, whatever the period, and told once.
func TestTargetsTellOfDrops(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-25T02:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-25T02:00:00Z")
		by := storetest.Default(t, s)
		v := csatAt(t, s, by, "chat")
		for week := range 9 {
			day := survey.DayOf(clock.Instant(), time.UTC) - survey.Day(7*week) - 3
			answered(t, s, by, v, day.String(), 40, 10)
		}
		_, err := s.CreateMember(ctx, by, aMember("kim@example.com"))
		ok(t, err)
		target := targeted(t, s, by, chatTerms(func(t *survey.TargetTerms) { t.UnusualDrop, t.Notify = true, []string{"kim@example.com"} }))
		if d := target.Drop; d == nil || !d.Enough || d.Unusual || d.Day.String() != "2026-11-24" || *d.Before != 80 {
			t.Fatalf("%+v", d)
		}
		clock.Advance(24 * time.Hour)
		answered(t, s, by, v, "2026-11-25", 10, 40)
		for range 6 {
			target = judged(t, s, by, target.ID)
			clock.Advance(24 * time.Hour)
		}
		if d := target.Drop; !d.Unusual || d.Since == nil || d.Since.String() != "2026-11-25" || d.Day.String() != "2026-11-30" {
			t.Fatalf("%+v", d)
		}
		changes, err := s.TargetChanges(ctx, by, target.ID)
		ok(t, err)
		drops := 0
		for _, c := range changes {
			if c.Kind == survey.ChangedDrop {
				drops++
				if c.Drop == nil || c.To != survey.DropUnusual || *c.Drop.Score >= 60 {
					t.Errorf("%+v", c.Drop)
				}
			}
		}
		if claimed, err := s.ClaimNotices(ctx, 10, time.Minute); err != nil || drops != 1 || len(claimed) != 1 {
			t.Errorf("%d drops, %d notices, %v", drops, len(claimed), err)
		}
		ok(t, verifiedOnly(s))
	}, clock.Use)
}

func TestTargetsRefuse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine, theirs := storetest.Default(t, s), storetest.Other(t, s, "other")
		_, err := s.CreateTarget(ctx, mine, chatTerms(nil))
		refused(t, err, survey.Invalid, "touchpoint")
		csatAt(t, s, mine, "chat")
		_, err = s.CreateTarget(ctx, mine, chatTerms(func(t *survey.TargetTerms) { t.Notify = []string{"nobody@example.com"} }))
		refused(t, err, survey.Invalid, "notify[0]")
		_, err = s.CreateTarget(ctx, mine, chatTerms(func(t *survey.TargetTerms) { t.AtLeast = nil }))
		refused(t, err, survey.Invalid, "at_least")
		target := targeted(t, s, mine, chatTerms(nil))
		if target.State != scoring.Insufficient || target.Judged.Value != nil || target.Since == nil {
			t.Errorf("without answers: %+v", target)
		}
		_, err = s.Target(ctx, theirs, target.ID)
		refused(t, err, survey.NotFound, "")
		_, err = s.ChangeTarget(ctx, theirs, target.ID, func(*survey.TargetTerms) error { return nil })
		refused(t, err, survey.NotFound, "")
		refused(t, s.DeleteTarget(ctx, theirs, target.ID), survey.NotFound, "")
		ok(t, s.JudgeTarget(ctx, store.DueTarget{Workspace: theirs.Workspace, Target: target.ID})) // nobody's
		if list, _, err := s.Targets(ctx, theirs, store.TargetFilter{}, store.Page{Limit: 10}); err != nil || len(list) != 0 {
			t.Errorf("another workspace lists %d, %v", len(list), err)
		}
		for name, scope := range map[string]store.Scope{"another touchpoint": {Touchpoints: []string{"shop"}}, "a segment": {Segment: &survey.Segment{Key: "plan", Values: []string{"pro"}}}} {
			limited := mine
			limited.Scope = scope
			_, err = s.Target(ctx, limited, target.ID)
			refused(t, err, survey.NotFound, "")
			refused(t, s.DeleteTarget(ctx, limited, target.ID), survey.NotFound, "")
			_, err = s.CreateTarget(ctx, limited, chatTerms(nil))
			refused(t, err, survey.Invalid, "touchpoint")
			if list, _, err := s.Targets(ctx, limited, store.TargetFilter{}, store.Page{Limit: 10}); err != nil || len(list) != 0 {
				t.Errorf("limited to %s one lists %d, %v", name, len(list), err)
			}
		}
		limited := mine
		limited.Scope = store.Scope{Touchpoints: []string{"shop", "chat"}}
		if list, _, err := s.Targets(ctx, limited, store.TargetFilter{}, store.Page{Limit: 10}); err != nil || len(list) != 1 {
			t.Errorf("limited to its touchpoint one lists %d, %v", len(list), err)
		}
		_, _, err = s.Targets(ctx, theirs, store.TargetFilter{Touchpoint: "chat"}, store.Page{Limit: 10})
		refused(t, err, survey.Invalid, "touchpoint")
	})
}

// A change of the terms begins anew, in silence; a new name does not.
func TestChangedTargetsBeginAnew(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-02T12:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-02T12:00:00Z")
		by := storetest.Default(t, s)
		v := csatAt(t, s, by, "chat")
		answered(t, s, by, v, "2026-10-05", 60, 40)
		target := targeted(t, s, by, chatTerms(nil))
		renamed, err := s.ChangeTarget(ctx, by, target.ID, func(t *survey.TargetTerms) error { t.Name = "Talk"; return nil })
		ok(t, err)
		if renamed.State != scoring.Breached || renamed.Judged == nil || renamed.Name != "Talk" {
			t.Errorf("%+v", renamed)
		}
		lowered, err := s.ChangeTarget(ctx, by, target.ID, func(t *survey.TargetTerms) error { t.AtLeast = pointer(40.0); return nil })
		ok(t, err)
		if lowered.State != scoring.Insufficient || lowered.Judged != nil || lowered.Since != nil {
			t.Errorf("%+v", lowered)
		}
		if due, err := s.DueTargets(ctx, 10); err != nil || len(due) != 1 {
			t.Errorf("%v are due, %v", due, err)
		}
		if again := judged(t, s, by, target.ID); again.State != scoring.Met {
			t.Errorf("%+v", again)
		}
		changes, err := s.TargetChanges(ctx, by, target.ID)
		ok(t, err)
		for _, c := range changes {
			if c.Told {
				t.Errorf("%+v is told", c)
			}
		}
		if g, err := s.TargetGauges(ctx); err != nil || len(changes) != 3 || g.States[scoring.Met] != 1 || g.Due != 0 {
			t.Errorf("%d changes, %+v, %v", len(changes), g, err)
		}
		refused(t, s.DeleteTouchpoint(ctx, by, "chat", 0), survey.Conflict, "")
		ok(t, verifiedOnly(s))
	}, clock.Use)
}

// TestVerifyFindsTargetsThatContradict breaks rows by SQL and puts them back.
func TestVerifyFindsTargetsThatContradict(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-02T12:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock.Set(t, "2026-11-02T12:00:00Z")
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		v := csatAt(t, s, by, "chat")
		_, err := s.CreateMember(ctx, by, aMember("kim@example.com"))
		ok(t, err)
		answered(t, s, by, v, "2026-10-05", 20, 40)
		target := targeted(t, s, by, chatTerms(func(t *survey.TargetTerms) { t.Notify = []string{"kim@example.com"} }))
		answered(t, s, by, v, "2026-11-02", 60, 0)
		clock.Set(t, "2026-12-02T12:00:00Z")
		if now := judged(t, s, by, target.ID); now.State != scoring.Met {
			t.Fatalf("%+v", now)
		}
		ok(t, verifiedOnly(s))
		db := raw(t, url)
		for _, c := range []struct{ harm, mend, found string }{
			{`UPDATE targets SET state = 'lost'`, `UPDATE targets SET state = 'met'`, "a target stands in no known state"},
			{`UPDATE targets SET next_at = 0`, `UPDATE targets SET next_at = 1`, "or is never judged"},
			{`UPDATE targets SET state = 'at_risk'`, `UPDATE targets SET state = 'met'`, "a target's last change says another state"},
			{`UPDATE target_changes SET became = 'breached', was = 'breached' WHERE told`, `UPDATE target_changes SET became = 'met' WHERE told`, "changes nothing"},
			{`UPDATE target_changes SET revision = 3`, `UPDATE target_changes SET revision = 2 WHERE NOT told`, "or comes twice"},
			{`UPDATE target_members SET member_id = target_id`, `UPDATE target_members SET member_id = (SELECT id FROM workspace_members WHERE email <> '' LIMIT 1)`,
				"a target tells somebody who is no member"},
		} {
			for _, statement := range []string{c.harm, c.mend} {
				result, err := db.Exec(statement)
				ok(t, err)
				if n, _ := result.RowsAffected(); n == 0 {
					t.Errorf("%s: nothing was changed", statement)
				}
				faults := fmt.Sprint(must(s.Verify(ctx)).Faults)
				if statement == c.harm && !strings.Contains(faults, c.found) || statement == c.mend && faults != "[]" {
					t.Errorf("%s: %s", statement, faults)
				}
			}
		}
	})
}
