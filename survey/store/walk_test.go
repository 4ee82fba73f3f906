package store_test

import (
	"context"
	"errors"
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

// mustSurvey makes an active survey at a touchpoint and returns its id.
func mustSurvey(t *testing.T, s *store.Store, by store.Caller, touchpoint string, change func(*survey.Survey)) survey.Survey {
	t.Helper()
	v := survey.Survey{Name: "After " + touchpoint, Template: "nps", Touchpoint: touchpoint, Channel: survey.Email,
		Trigger: survey.Trigger{Type: survey.OnInteraction}}
	if change != nil {
		change(&v)
	}
	made, err := s.CreateSurvey(t.Context(), by, v)
	if err != nil {
		t.Fatal(err)
	}
	active, err := s.SetSurveyState(t.Context(), by, made.ID.String(), survey.Active, 0)
	if err != nil {
		t.Fatal(err)
	}
	return active
}

func byLink(v *survey.Survey) { v.Channel = survey.LinkOnly }

func chat(email string) survey.Interaction {
	return survey.Interaction{Touchpoint: "chat", Customer: survey.Customer{Email: &email}}
}

func record(t *testing.T, s *store.Store, by store.Caller, in survey.Interaction) store.Recorded {
	t.Helper()
	r, err := s.RecordInteraction(t.Context(), by, in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func only(t *testing.T, r store.Recorded) store.Decided {
	t.Helper()
	if len(r.Decisions) != 1 {
		t.Fatalf("%d decisions, want 1", len(r.Decisions))
	}
	return r.Decisions[0]
}

func kindOf(err error) survey.Kind {
	var known *survey.Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return ""
}

func score(t *testing.T, s *store.Store, by store.Caller, f store.ScoreFilter) scoring.Result {
	t.Helper()
	counted, err := s.Tally(t.Context(), by, store.ScoreQuery{ScoreFilter: f, Spans: []store.Span{{}}})
	if err != nil {
		t.Fatal(err)
	}
	result, err := scoring.Report(counted.Spans[0], 0.95)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func pointer[T any](v T) *T { return &v }

func TestALinkIsAnsweredAndScored(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", byLink)
		d := only(t, record(t, s, by, chat("Ana@Example.com")))
		if d.Verdict != survey.Scheduled || d.Token == "" {
			t.Fatalf("decision %+v, want a link", d)
		}
		opened, err := s.Open(t.Context(), d.Token)
		if err != nil || opened.Response != nil || opened.Invitation.State != survey.InvitationSent {
			t.Fatalf("opened %+v, %v", opened.Invitation, err)
		}
		if n := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS}).Responses; n != 0 {
			t.Fatalf("opening recorded %d answers", n)
		}
		if _, err := s.Answer(t.Context(), d.Token, storetest.Says(store.Reply{Score: pointer(9)})); err != nil {
			t.Fatal(err)
		}
		after, err := s.Answer(t.Context(), d.Token, storetest.Says(store.Reply{Answers: survey.Answers{"reason": "速い 🎉"}, Complete: true}))
		if err != nil || after.Response.Score != 9 || after.Response.Comment != "速い 🎉" || !after.Response.Complete {
			t.Fatalf("after %+v, %v", after.Response, err)
		}
		if r := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS}); r.Responses != 1 || *r.Score != 100 {
			t.Fatalf("score %+v", r)
		}
		v, events, err := s.Invitation(t.Context(), by, *d.Invitation)
		if err != nil || v.State != survey.InvitationAnswered || len(events) != 2 {
			t.Fatalf("invitation %+v, events %+v, %v", v, events, err)
		}
	}, clock.Use)
}

func TestAnEditMovesTheScoreAndARepeatDoesNot(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", byLink)
		token := only(t, record(t, s, by, chat("a@example.com"))).Token
		reply := func(score int) error {
			_, err := s.Answer(t.Context(), token, storetest.Says(store.Reply{Score: &score}))
			return err
		}
		for _, n := range []int{9, 9, 3} {
			if err := reply(n); err != nil {
				t.Fatal(err)
			}
		}
		if r := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS}); r.Responses != 1 || *r.Score != -100 {
			t.Fatalf("after the edit: %+v", r)
		}
		clock.Advance(25 * time.Hour)
		if err := reply(3); err != nil {
			t.Errorf("an identical repeat after the window: %v", err)
		}
		if kind := kindOf(reply(10)); kind != survey.Conflict {
			t.Errorf("another score after the window: %q, want a conflict", kind)
		}
		if kind := kindOf(reply(11)); kind != survey.Invalid {
			t.Errorf("a score off the scale: %q, want invalid", kind)
		}
		clock.Advance(-25 * time.Hour)
	}, clock.Use)
}

func TestReasonsForNotAsking(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) {
			v.Rules.Condition = survey.Condition{"attributes.plan": {survey.TextValue("pro")}}
		})
		pro := func(email string) survey.Interaction {
			in := chat(email)
			in.Attributes = survey.Attributes{"plan": survey.TextValue("pro")}
			return in
		}
		if d := only(t, record(t, s, by, pro("first@example.com"))); d.Verdict != survey.Scheduled {
			t.Fatalf("first: %+v", d)
		}
		if _, _, err := s.Suppress(t.Context(), by, "no@example.com", survey.ByHand); err != nil {
			t.Fatal(err)
		}
		old := pro("old@example.com")
		old.OccurredAt = clock.Instant().Add(-8 * 24 * time.Hour)
		nobody := pro("x@example.com")
		nobody.Customer = survey.Customer{ExternalID: "c-1"}
		for reason, in := range map[survey.Reason]survey.Interaction{
			survey.SkipQuietPeriod: pro("FIRST@example.com"),
			survey.SkipSuppressed:  pro("no@example.com"),
			survey.SkipCondition:   chat("other@example.com"),
			survey.SkipTooOld:      old,
			survey.SkipNoAddress:   nobody,
		} {
			if d := only(t, record(t, s, by, in)); d.Verdict != survey.Skipped || d.Reason != reason {
				t.Errorf("%s: %+v", reason, d)
			}
		}
		if _, err := s.SetSurveyState(t.Context(), by, v.ID.String(), survey.Paused, 0); err != nil {
			t.Fatal(err)
		}
		if d := only(t, record(t, s, by, pro("late@example.com"))); d.Reason != survey.SkipPaused {
			t.Errorf("paused: %+v", d)
		}
	}, clock.Use)
}

func TestAnInteractionIsToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", byLink)
		in := chat("a@example.com")
		in.ExternalID = "chat-1"
		first := record(t, s, by, in)
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() {
				again, err := s.RecordInteraction(context.Background(), by, in)
				if err != nil || !again.Repeat || again.Interaction.ID != first.Interaction.ID ||
					len(again.Decisions) != 1 || again.Decisions[0].Token != first.Decisions[0].Token {
					t.Errorf("again: %+v, %v", again, err)
				}
			})
		}
		wait.Wait()
	})
}

func TestTwinsAskOnePersonOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", byLink)
		var asked sync.Map
		var wait sync.WaitGroup
		for i := range 12 {
			wait.Go(func() {
				in := chat("same@example.com")
				in.Customer.ExternalID = "c-1"
				in.ExternalID = fmt.Sprint("chat-", i)
				r, err := s.RecordInteraction(context.Background(), by, in)
				if err != nil {
					t.Error(err)
				} else if r.Decisions[0].Verdict == survey.Scheduled {
					asked.Store(i, true)
				}
			})
		}
		wait.Wait()
		n := 0
		asked.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

func TestTwentyPostsOfOneTokenMakeOneResponse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", byLink)
		token := only(t, record(t, s, by, chat("a@example.com"))).Token
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if _, err := s.Answer(context.Background(), token, storetest.Says(store.Reply{Score: pointer(7)})); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		list, _, err := s.Responses(t.Context(), by, store.ResponseFilter{}, store.Page{Limit: 50})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d responses, %v", len(list), err)
		}
		if r := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS}); r.Responses != 1 {
			t.Errorf("tally %d", r.Responses)
		}
	})
}

func TestTokensOfNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", byLink)
		token := only(t, record(t, s, by, chat("a@example.com"))).Token
		last := "A"
		if strings.HasSuffix(token, last) {
			last = "B"
		}
		ofNoWorkspace := "Yw" + strings.Repeat("A", 24) // it names the 99th
		for _, wrong := range []string{"", "x", "../../etc/passwd", ofNoWorkspace, strings.Repeat("A", 26), token[:len(token)-1] + last, token + "A", strings.ToUpper(token), "\x00\xff"} {
			if _, err := s.Open(t.Context(), wrong); kindOf(err) != survey.NotFound {
				t.Errorf("open %q: %v", wrong, err)
			}
			if _, err := s.Answer(t.Context(), wrong, storetest.Says(store.Reply{Score: pointer(9)})); kindOf(err) != survey.NotFound {
				t.Errorf("answer %q: %v", wrong, err)
			}
			if err := s.Unsubscribe(t.Context(), wrong); kindOf(err) != survey.NotFound {
				t.Errorf("unsubscribe %q: %v", wrong, err)
			}
		}
	})
}

func TestALinkExpires(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { byLink(v); v.Rules.ExpiresAfter = "2d" })
		d := only(t, record(t, s, by, chat("a@example.com")))
		clock.Advance(48 * time.Hour)
		defer clock.Advance(-48 * time.Hour)
		if _, err := s.Answer(t.Context(), d.Token, storetest.Says(store.Reply{Score: pointer(9)})); kindOf(err) != survey.Gone {
			t.Errorf("answer: %v, want gone", err)
		}
		v, _, err := s.Invitation(t.Context(), by, *d.Invitation)
		if err != nil || v.State != survey.InvitationExpired {
			t.Errorf("state %s before the sweep, %v", v.State, err)
		}
		if n, err := s.Sweep(t.Context()); n != 1 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
		if n, err := s.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("swept again %d, %v", n, err)
		}
	}, clock.Use)
}

func TestWorkspacesAreApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		mustSurvey(t, s, by, "chat", byLink)
		r := record(t, s, by, chat("a@example.com"))
		d := only(t, r)
		if _, err := s.Answer(t.Context(), d.Token, storetest.Says(store.Reply{Score: pointer(9)})); err != nil {
			t.Fatal(err)
		}
		answers, _, err := s.Responses(t.Context(), by, store.ResponseFilter{}, store.Page{Limit: 1})
		if err != nil || len(answers) != 1 {
			t.Fatal(answers, err)
		}
		if _, _, err := s.Response(t.Context(), other, answers[0].ID); kindOf(err) != survey.NotFound {
			t.Errorf("response: %v", err)
		}
		if _, _, err := s.Invitation(t.Context(), other, *d.Invitation); kindOf(err) != survey.NotFound {
			t.Errorf("invitation: %v", err)
		}
		if err := s.CancelInvitation(t.Context(), other, *d.Invitation); kindOf(err) != survey.NotFound {
			t.Errorf("cancel: %v", err)
		}
		if _, err := s.Interaction(t.Context(), other, r.Interaction.ID); kindOf(err) != survey.NotFound {
			t.Errorf("interaction: %v", err)
		}
		if _, err := s.CreateLinks(t.Context(), other, d.Survey.String(), make([]store.Link, 1)); kindOf(err) != survey.NotFound {
			t.Errorf("links: %v", err)
		}
		if _, _, err := s.CreateResponse(t.Context(), other, store.NewResponse{Survey: d.Survey.String(), Score: pointer(1)}); kindOf(err) != survey.Invalid {
			t.Errorf("post: %v", err)
		}
		for name, list := range map[string]func() (int, error){
			"responses": func() (int, error) {
				l, _, err := s.Responses(t.Context(), other, store.ResponseFilter{}, store.Page{Limit: 50})
				return len(l), err
			},
			"invitations": func() (int, error) {
				l, _, err := s.Invitations(t.Context(), other, store.InvitationFilter{}, store.Page{Limit: 50})
				return len(l), err
			},
		} {
			if n, err := list(); n != 0 || err != nil {
				t.Errorf("%s of another workspace: %d, %v", name, n, err)
			}
		}
		if r := score(t, s, other, store.ScoreFilter{Metric: scoring.NPS}); r.Responses != 0 {
			t.Errorf("another workspace's answers count: %d", r.Responses)
		}
	})
}

func TestRowsAndTalliesAgree(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		var wait sync.WaitGroup
		for i := range 200 {
			wait.Go(func() {
				at := clock.Instant().Add(-time.Duration(i) * 7 * time.Hour)
				if _, _, err := s.CreateResponse(context.Background(), by, store.NewResponse{Survey: v.ID.String(), Score: pointer(i % 11),
					RespondedAt: &at, Customer: survey.Customer{ExternalID: fmt.Sprint("c-", i%30)}}); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if _, err := s.FoldTallies(t.Context()); err != nil {
			t.Fatal(err)
		}
		from, _ := survey.ParseInstant("2026-10-01T00:00:00Z")
		to, _ := survey.ParseInstant("2026-11-20T00:00:00Z")
		odd := to.Add(-time.Millisecond)
		query := store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, GroupBy: store.BySurvey, Spans: []store.Span{{From: &from, To: &to}}}
		byTally, err := s.Tally(t.Context(), by, query)
		if err != nil {
			t.Fatal(err)
		}
		query.Spans[0].To = &odd
		byRows, err := s.Tally(t.Context(), by, query)
		if err != nil {
			t.Fatal(err)
		}
		if byTally.Source != "tallies" || byRows.Source != "rows" {
			t.Fatalf("sources %s and %s", byTally.Source, byRows.Source)
		}
		total := byTally.Spans[0][0]
		if total != byRows.Spans[0][0] || total.Histogram.N() < 100 {
			t.Errorf("tallies %+v, rows %+v", byTally.Spans, byRows.Spans)
		}
		if len(byTally.Groups) != 1 || byTally.Groups[0].Spans[0][0] != total {
			t.Errorf("groups %+v", byTally.Groups)
		}
	}, clock.Use)
}

func TestAResponseIsKeptOncePerExternalID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		in := store.NewResponse{Survey: v.ID.String(), Score: pointer(9), ExternalID: "3074457347487777543"}
		first, repeat, err := s.CreateResponse(t.Context(), by, in)
		if err != nil || repeat {
			t.Fatal(repeat, err)
		}
		again, repeat, err := s.CreateResponse(t.Context(), by, in)
		if err != nil || !repeat || again.ID != first.ID {
			t.Fatal(again, repeat, err)
		}
		in.ExternalID = "3074457347487777544"
		if _, repeat, err = s.CreateResponse(t.Context(), by, in); err != nil || repeat {
			t.Fatal(repeat, err)
		}
		if r := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS}); r.Responses != 2 {
			t.Errorf("n %d", r.Responses)
		}
	})
}
