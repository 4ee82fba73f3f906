package store_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// tagged applies the rules to what is there.
func tagged(t *testing.T, s *store.Store) {
	t.Helper()
	for more := true; more; {
		var err error
		more, err = s.ApplyTagRules(ctx)
		ok(t, err)
	}
}

// tagsIn are the tags of a response, those by rule with a * behind them.
func tagsIn(r survey.Response) string {
	var out []string
	for _, tag := range r.Tags {
		if slices.Contains(r.RuleTags, tag) {
			tag += "*"
		}
		out = append(out, tag)
	}
	return strings.Join(out, " ")
}

func wantTags(t *testing.T, s *store.Store, by store.Caller, of survey.ID, want string) {
	t.Helper()
	r, _, err := s.Response(ctx, by, of)
	ok(t, err)
	if got := tagsIn(r); got != want {
		t.Errorf("tags %q, want %q (%q)", got, want, r.Comment)
	}
}

func rule(t *testing.T, s *store.Store, by store.Caller, tag string, keywords ...string) survey.TagRule {
	t.Helper()
	r, err := s.CreateTagRule(ctx, by, survey.TagRule{Tag: tag, Keywords: keywords})
	ok(t, err)
	return r
}

// said keeps an answer that was taken elsewhere.
func said(t *testing.T, s *store.Store, by store.Caller, of survey.Survey, score int, comment string, tags ...string) survey.Response {
	t.Helper()
	r, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: of.ID.String(), Score: &score, Comment: comment, Tags: tags})
	ok(t, err)
	return r
}

func TestRulesTagNewAndOldAnswers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		chat, shop := mustSurvey(t, s, by, "chat", byLink), mustSurvey(t, s, by, "shop", byLink)
		old := said(t, s, by, chat, 3, "配送が遅い")
		silent := said(t, s, by, chat, 3, "")
		theirs := said(t, s, other, mustSurvey(t, s, other, "chat", byLink), 3, "配送が遅い")

		delivery := rule(t, s, by, "delivery", "late", "配送")
		if delivery.Applied || delivery.Matched != 0 {
			t.Errorf("made: %+v", delivery)
		}
		fresh := said(t, s, by, shop, 2, "It was LATE", "vip")
		if got := tagsIn(fresh); got != "vip delivery*" {
			t.Errorf("a new answer comes back with %q", got)
		}
		wantTags(t, s, by, old.ID, "")
		tagged(t, s)
		wantTags(t, s, by, old.ID, "delivery*")
		wantTags(t, s, by, silent.ID, "")
		wantTags(t, s, by, fresh.ID, "vip delivery*")
		wantTags(t, s, other, theirs.ID, "")
		if r, err := s.TagRule(ctx, by, delivery.ID); err != nil || !r.Applied || r.Matched != 2 {
			t.Errorf("applied: %+v, %v", r, err)
		}
		verified(t, s)

		// of one touchpoint alone
		_, err := s.ChangeTagRule(ctx, by, delivery.ID, func(r *survey.TagRule) error { r.Touchpoint = "chat"; return nil })
		ok(t, err)
		tagged(t, s)
		wantTags(t, s, by, old.ID, "delivery*")
		wantTags(t, s, by, fresh.ID, "vip")
		_, err = s.ChangeTagRule(ctx, by, delivery.ID, func(r *survey.TagRule) error { r.Touchpoint = "nowhere"; return nil })
		refused(t, err, survey.Invalid, "touchpoint")
		_, err = s.ChangeTagRule(ctx, other, delivery.ID, func(r *survey.TagRule) error { return nil })
		refused(t, err, survey.NotFound, "")
		refused(t, s.DeleteTagRule(ctx, other, delivery.ID), survey.NotFound, "")
		refused(t, s.DeleteTouchpoint(ctx, by, "chat", 0), survey.Conflict, "")

		ok(t, s.DeleteTagRule(ctx, by, delivery.ID))
		tagged(t, s)
		wantTags(t, s, by, old.ID, "")
		verified(t, s)
	})
}

func TestMoods(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		count := func(mood store.Mood) int {
			t.Helper()
			list, _, err := s.Responses(ctx, by, store.ResponseFilter{Mood: mood}, store.Page{Limit: 50})
			ok(t, err)
			return len(list)
		}
		nps := mustSurvey(t, s, by, "chat", byLink)
		csat := mustSurvey(t, s, by, "desk", func(v *survey.Survey) { byLink(v); v.Template = "csat" })
		for _, score := range []int{0, 6, 7, 10} {
			said(t, s, by, nps, score, "")
		}
		for _, score := range []int{1, 2, 3, 4, 5} {
			said(t, s, by, csat, score, "")
		}
		if bad, good := count(store.Unhappy), count(store.Happy); bad != 5 || good != 4 {
			t.Errorf("%d unhappy and %d others, want 5 and 4", bad, good)
		}
	})
}

func TestHandsAndRulesDoNotFight(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", byLink)
		delivery := rule(t, s, by, "delivery", "late")
		token := only(t, record(t, s, by, chat("a@example.com"))).Token
		opened, err := s.Answer(ctx, token, storetest.Says(store.Reply{Score: pointer(3), Answers: survey.Answers{"reason": "late"}}))
		ok(t, err)
		of := opened.Response.ID
		wantTags(t, s, by, of, "delivery*")
		edit := func(tags ...string) {
			t.Helper()
			_, _, err := s.ChangeResponse(ctx, by, of, change(nil, nil, tags))
			ok(t, err)
		}
		edit("delivery", "mine")
		wantTags(t, s, by, of, "delivery* mine")
		edit("mine") // away by hand: no rule puts it back
		rule(t, s, by, "speed", "late", "slow")
		tagged(t, s)
		wantTags(t, s, by, of, "mine speed*")
		edit("mine", "speed", "delivery") // now put there by hand
		wantTags(t, s, by, of, "mine speed* delivery")
		ok(t, s.DeleteTagRule(ctx, by, delivery.ID))
		tagged(t, s)
		wantTags(t, s, by, of, "mine speed* delivery")
		verified(t, s)

		edit("mine")
		_, err = s.Answer(ctx, token, storetest.Says(store.Reply{Answers: survey.Answers{"reason": "so slow"}})) // other words
		ok(t, err)
		wantTags(t, s, by, of, "mine speed*")
		_, err = s.Answer(ctx, token, storetest.Says(store.Reply{Answers: survey.Answers{"reason": "nothing"}}))
		ok(t, err)
		wantTags(t, s, by, of, "mine")
		_, _, err = s.ChangeResponse(ctx, by, of, change(nil, survey.Answers{"reason": "slow again"}, nil))
		ok(t, err)
		wantTags(t, s, by, of, "mine speed*")
		verified(t, s)

		// an answer has room for 50 tags, and hands come first
		var many []string
		for i := range survey.MaxTags {
			many = append(many, fmt.Sprint("t", i))
		}
		if full := said(t, s, by, v, 1, "late and slow", many...); len(full.Tags) != survey.MaxTags || len(full.RuleTags) != 0 {
			t.Errorf("%d tags, %v by rule", len(full.Tags), full.RuleTags)
		}
		tagged(t, s)
		verified(t, s)
	})
}

func TestErasingKeepsTags(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", byLink)
		first := rule(t, s, by, "delivery", "late")
		r, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(1), Comment: "late", Customer: survey.Customer{ExternalID: "c-1"}})
		ok(t, err)
		ok(t, s.ErasePerson(ctx, by, "c-1"))
		rule(t, s, by, "other", "late")
		ok(t, s.DeleteTagRule(ctx, by, first.ID))
		tagged(t, s)
		wantTags(t, s, by, r.ID, "delivery*")
		verified(t, s)
	})
}

func TestImportsAreTaggedAndExportsSayByWhat(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", byLink)
		rule(t, s, by, "delivery", "配送", "late")
		file := "external_id,score,comment,tags,rule_tags\n" +
			"1,3,It was late,vip|delivery,delivery\n2,3,late,delivery,\n3,3,nothing,delivery|gone,delivery|gone\n4,9,,,\n"
		_, err := s.Import(ctx, by, store.Import{Survey: v.ID.String(), Open: func(template survey.Template, zone *time.Location) (*history.Reader, error) {
			return history.ReadCSV(strings.NewReader(file), template, history.Options{Zone: zone})
		}})
		ok(t, err)
		got := map[string]string{}
		list, _, err := s.Responses(ctx, by, store.ResponseFilter{}, store.Page{Limit: 50})
		ok(t, err)
		for _, r := range list {
			got[r.ExternalID] = tagsIn(r)
		}
		for of, want := range map[string]string{"1": "vip delivery*", "2": "delivery", "3": "delivery gone", "4": ""} {
			if got[of] != want {
				t.Errorf("row %s has %q, want %q", of, got[of], want)
			}
		}
		verified(t, s)
		var out bytes.Buffer
		w, err := history.WriteCSV(&out, nil, []string{"reason"}, false)
		ok(t, err)
		ok(t, s.Export(ctx, by, store.ResponseFilter{Tag: "vip"}, w.Write))
		ok(t, w.Flush())
		if text := out.String(); !strings.Contains(text, "vip|delivery,delivery,") {
			t.Errorf("exported %s", text)
		}
	})
}

// A pass is done in steps, begins anew with a change of the rules, and goes on
// while answers come and are edited.
func TestARuleIsAppliedInSteps(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", byLink)
		var file strings.Builder
		file.WriteString("external_id,score,comment,responded_at\n")
		for i := range 600 { // all at one of two instants: the place of a pass is not an instant alone
			fmt.Fprintf(&file, "%d,%d,%s,2026-11-0%dT00:00:00Z\n", i, i%11, map[bool]string{true: "late", false: "fine"}[i%3 == 0], 1+i%2)
		}
		_, err := s.Import(ctx, by, store.Import{Survey: v.ID.String(), Open: func(template survey.Template, zone *time.Location) (*history.Reader, error) {
			return history.ReadCSV(strings.NewReader(file.String()), template, history.Options{Zone: zone})
		}})
		ok(t, err)
		late := rule(t, s, by, "late", "late")
		more, err := s.ApplyTagRules(ctx)
		ok(t, err)
		half, err := s.TagRule(ctx, by, late.ID)
		ok(t, err)
		if !more || half.Applied || half.Matched == 0 || half.Matched >= 200 {
			t.Errorf("after a step: %+v, more %v", half, more)
		}
		rule(t, s, by, "fine", "fine")
		tagged(t, s)
		for tag, want := range map[string]int64{"late": 200, "fine": 400} {
			if n := score(t, s, by, store.ScoreFilter{Metric: scoring.NPS, Tag: tag}).Responses; n != want {
				t.Errorf("%d answers tagged %s, want %d", n, tag, want)
			}
		}
		rules, _, err := s.TagRules(ctx, by, store.Page{Limit: 50})
		ok(t, err)
		for _, r := range rules {
			if want := map[string]int64{"late": 200, "fine": 400}[r.Tag]; !r.Applied || r.Matched != want {
				t.Errorf("%+v, want %d", r, want)
			}
		}
		verified(t, s)

		counted, err := s.Tally(ctx, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, GroupBy: store.ByTag, Spans: []store.Span{{}}})
		ok(t, err)
		if len(counted.Groups) != 2 || counted.Groups[0].Key != "fine" || counted.Groups[0].Spans[0][0].Histogram.N() != 400 || counted.Spans[0][0].Histogram.N() != 600 {
			t.Errorf("by tag: %+v", counted.Groups)
		}
	}, clock.Use)
}

// Rules change while answers come from everywhere: at the end every answer has
// the tags of the last rules.
func TestRulesChangeWhileAnswersCome(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", byLink)
		r := rule(t, s, by, "late", "late")
		words := []string{"late", "slow", "fine", "late and slow"}
		for _, err := range atOnce(24, func(i int) error {
			switch i % 6 {
			case 0:
				_, err := s.ChangeTagRule(context.Background(), by, r.ID, func(r *survey.TagRule) error {
					r.Keywords = []string{words[i/6]}
					return nil
				})
				return err
			case 1:
				_, err := s.ApplyTagRules(context.Background())
				return err
			}
			_, _, err := s.CreateResponse(context.Background(), by, store.NewResponse{Survey: v.ID.String(), Score: pointer(5), Comment: words[i%4]})
			return err
		}) {
			ok(t, err)
		}
		tagged(t, s)
		verified(t, s)
	})
}

func TestPreviewsAndSuggestions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		chat, shop := mustSurvey(t, s, by, "chat", byLink), mustSurvey(t, s, by, "shop", byLink)
		for range 4 {
			said(t, s, by, chat, 2, "the parcel was late <b>=1+1")
			said(t, s, by, shop, 10, "the staff was friendly")
			said(t, s, by, shop, 1, "配送状況が不明")
		}
		said(t, s, by, chat, 1, "")
		seen, err := s.PreviewTagRule(ctx, by, survey.TagRule{Keywords: []string{"late", "配送"}})
		ok(t, err)
		if seen.Comments != 12 || seen.Matched != 8 || len(seen.Samples) != 5 || seen.Limit != 1000 {
			t.Errorf("preview %d of %d, %d samples", seen.Matched, seen.Comments, len(seen.Samples))
		}
		seen, err = s.PreviewTagRule(ctx, by, survey.TagRule{Keywords: []string{"late", "配送"}, Touchpoint: "shop"})
		ok(t, err)
		if seen.Comments != 8 || seen.Matched != 4 {
			t.Errorf("preview at the shop: %d of %d", seen.Matched, seen.Comments)
		}
		_, err = s.PreviewTagRule(ctx, by, survey.TagRule{Keywords: []string{"a"}})
		refused(t, err, survey.Invalid, "keywords[0]")
		_, err = s.PreviewTagRule(ctx, other, survey.TagRule{Keywords: []string{"late"}, Touchpoint: "shop"})
		refused(t, err, survey.Invalid, "touchpoint")

		terms := func(by store.Caller, f store.ResponseFilter) (out []string) {
			t.Helper()
			found, err := s.SuggestTags(ctx, by, f)
			ok(t, err)
			for _, one := range found.Terms {
				if !strings.Contains(survey.Fold(one.Comment), one.Term.Term) {
					t.Errorf("%q is not in its example %q", one.Term.Term, one.Comment)
				}
				out = append(out, one.Term.Term)
			}
			return out
		}
		if all := terms(by, store.ResponseFilter{}); slices.Index(all, "friendly") < slices.Index(all, "late") || !slices.Contains(all, "配送状況") || slices.Contains(all, "送状") {
			t.Errorf("suggested %v", all)
		}
		if at := terms(by, store.ResponseFilter{Touchpoint: "chat"}); slices.Contains(at, "friendly") || !slices.Contains(at, "parcel") {
			t.Errorf("at the chat: %v", at)
		}
		rule(t, s, by, "delivery", "late", "parcel", "配送")
		if left := terms(by, store.ResponseFilter{}); slices.Contains(left, "late") || slices.Contains(left, "配送状況") || !slices.Contains(left, "friendly") {
			t.Errorf("with a rule: %v", left)
		}
		if none := terms(other, store.ResponseFilter{}); len(none) != 0 {
			t.Errorf("another workspace's: %v", none)
		}
	})
}
