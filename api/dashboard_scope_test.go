package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// A member who is limited sees nothing else: on the page, and in whatever the store
// answers on their behalf.
func TestMembersSeeTheirPartAlone(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		s.survey("shop", `"touchpoint":"shop","segments":["agent"]`)
		s.survey("chat", `"touchpoint":"chat"`)
		for i := range 9 {
			s.answered("shop", 9, fmt.Sprintf(`,"attributes":{"agent":"Kim"},"comment":"kim %d"`, i))
		}
		for range 5 {
			s.answered("shop", 2, `,"attributes":{"agent":"Lee"},"comment":"of lee"`)
		}
		elsewhere := s.answered("chat", 3, `,"attributes":{"agent":"Kim"},"comment":"of chat"`)
		s.rebuilt()
		for name, c := range map[string]struct {
			fields  string
			answers []string // by touchpoint, as the page shows them
			listed  int
			sees    bool // the answer at chat
		}{
			"nothing":        {``, []string{"1", "14"}, 15, true},
			"a touchpoint":   {`,"touchpoints":["shop"]`, []string{"14"}, 14, false},
			"an agent":       {`,"segment":{"key":"agent","values":["Kim"]}`, []string{"9"}, 10, true},
			"two agents":     {`,"segment":{"key":"agent","values":["Kim","Lee"]}`, []string{"14"}, 15, true},
			"both":           {`,"touchpoints":["chat"],"segment":{"key":"agent","values":["Kim"]}`, nil, 1, true},
			"nobody":         {`,"segment":{"key":"agent","values":["Nobody"]}`, nil, 0, false},
			"not a segment":  {`,"segment":{"key":"plan","values":["pro"]}`, nil, 0, false},
			"two touchpoint": {`,"touchpoints":["shop","chat"]`, []string{"1", "14"}, 15, true},
		} {
			t.Run(name, func(t *testing.T) {
				address := strings.ReplaceAll(name, " ", "-") + "@example.com"
				id, err := survey.ParseID(s.member(address, c.fields))
				if err != nil {
					t.Fatal(err)
				}
				page := s.do("GET", "/dashboard", nil, staff(s.signedIn(address))).want(200)
				var shown []string
				for i, f := range figures.FindAllStringSubmatch(string(page.body), -1) {
					if i%2 == 1 {
						shown = append(shown, f[1])
					}
				}
				if strings.Join(shown, " ") != strings.Join(c.answers, " ") {
					t.Errorf("the page shows %v answers: %s", shown, page.body)
				}
				ctx := context.Background()
				m, err := s.store.Member(ctx, store.Caller{Workspace: s.workspace.ID}, id)
				if err != nil {
					t.Fatal(err)
				}
				by := store.Caller{Workspace: s.workspace.ID, KeyID: id, KeyName: m.Name, Role: m.Role, Scope: store.ScopeOf(m)}
				list, _, err := s.store.Responses(ctx, by, store.ResponseFilter{}, store.Page{Limit: 100})
				if err != nil || len(list) != c.listed {
					t.Errorf("%d answers are listed, %v", len(list), err)
				}
				chat, err := survey.ParseID(elsewhere)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := s.store.Response(ctx, by, chat); (err == nil) != c.sees {
					t.Errorf("shows the answer at chat: %v", err)
				}
				if err := s.store.DeleteResponse(ctx, by, chat); !c.sees && err == nil {
					t.Error("deletes what it does not see")
				} else if c.sees && err == nil {
					elsewhere = s.answered("chat", 3, `,"attributes":{"agent":"Kim"},"comment":"of chat"`)
				}
				// a tag, and part of a day, are counted in other ways
				counted, err := s.store.Tally(ctx, by, store.ScoreQuery{Spans: []store.Span{{}}, AnyMetric: true, Rates: true, ScoreFilter: store.ScoreFilter{Metric: "nps"}})
				if err != nil {
					t.Fatal(err)
				}
				tagged, err := s.store.Tally(ctx, by, store.ScoreQuery{Spans: []store.Span{{}}, AnyMetric: true, ScoreFilter: store.ScoreFilter{Metric: "nps", Tag: "none"}})
				if err != nil || tagged.Spans[0][0].Histogram.N() != 0 {
					t.Errorf("%+v, %v", tagged, err)
				}
				all := 0
				for _, n := range c.answers {
					all += map[string]int{"1": 1, "9": 9, "14": 14}[n]
				}
				if n := counted.Spans[0][0].Histogram.N(); n != int64(all) {
					t.Errorf("%d answers are counted, %d shown", n, all)
				}
			})
		}
	})
}
