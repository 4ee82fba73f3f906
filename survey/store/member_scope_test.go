package store_test

import (
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// What tells segments apart tells them apart for follow-ups too: the first 200
// characters of a value.
func TestFollowUpsOfLongSegmentValues(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		long := strings.Repeat("長", survey.SegmentRunes)
		seg, err := s.CreateMember(ctx, by, survey.Member{Email: "seg@company.example", Role: survey.Editor, Segment: &survey.Segment{Key: "shop", Values: []string{long + "い"}}})
		ok(t, err)
		v := aSurvey()
		v.Rules.FollowUp = &survey.FollowUpRule{Score: survey.ScoreRange{Max: new(6)}}
		made, err := s.CreateSurvey(ctx, by, v)
		ok(t, err)
		for _, value := range []string{long + "ろは", long[:len(long)-3]} {
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: made.ID.String(), Score: pointer(1), Attributes: survey.Attributes{"shop": survey.TextValue(value)}})
			ok(t, err)
		}
		limited := store.Caller{Workspace: by.Workspace, KeyID: seg.ID, Role: store.Editor, Scope: store.ScopeOf(seg)}
		answers, _, err := s.Responses(ctx, limited, store.ResponseFilter{}, store.Page{Limit: 10})
		ok(t, err)
		list, _, err := s.FollowUps(ctx, limited, store.FollowUpFilter{}, store.Page{Limit: 10})
		ok(t, err)
		if len(answers) != 1 || len(list) != 1 || list[0].Owner == nil || list[0].Owner.ID != seg.ID {
			t.Fatalf("of %d answers there are the follow-ups %+v", len(answers), list)
		}
		_, _, err = s.FollowUp(ctx, limited, list[0].ID)
		ok(t, err)
	})
}

// A page is full while there are rules that the member sees.
func TestPagesOfTheRulesThatAMemberSees(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "shop", Name: "Shop"})
		ok(t, err)
		for _, r := range []survey.TagRule{{Tag: "late", Touchpoint: "shop"}, {Tag: "rude", Touchpoint: "shop"}, {Tag: "price"}, {Tag: "queue"}} {
			r.Keywords = []string{r.Tag}
			_, err := s.CreateTagRule(ctx, by, r)
			ok(t, err)
		}
		by.Scope = store.Scope{Touchpoints: []string{"shop"}}
		first, next, err := s.TagRules(ctx, by, store.Page{Limit: 1})
		ok(t, err)
		second, end, err := s.TagRules(ctx, by, store.Page{Limit: 1, Cursor: next})
		ok(t, err)
		if len(first) != 1 || len(second) != 1 || end != "" || first[0].Tag == second[0].Tag {
			t.Errorf("%v, then %v, then %q", first, second, end)
		}
		by.Scope = store.Scope{Segment: &survey.Segment{Key: "plan", Values: []string{"pro"}}}
		none, end, err := s.TagRules(ctx, by, store.Page{Limit: 1})
		if ok(t, err); len(none) != 0 || end != "" {
			t.Errorf("%v, then %q", none, end)
		}
	})
}
