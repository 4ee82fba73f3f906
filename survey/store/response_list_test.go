package store_test

import (
	"fmt"
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// Both databases find the same answers by what stands inside texts.
func TestResponsesByTheirTexts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		asked := mustSurvey(t, s, by, "chat", byLink)
		names := map[survey.ID]string{}
		for name, in := range map[string]store.NewResponse{
			"a": {Comment: "Sehr ÄRGERLICH, 100% late_ness!", Attributes: survey.Attributes{"agent": survey.TextValue(`say "hi" <b>`), "vip": value(t, "true"), "n": value(t, "1.50"), "Größe": value(t, "1e3")}},
			"b": {Comment: "ärgerlich: Ὀδυσσεύς", Attributes: survey.Attributes{"agent": survey.TextValue("金 さん"), "vip": survey.TextValue("true"), "n": value(t, "1.5"), "a.b": survey.TextValue("x")}},
		} {
			nine := 9
			in.Survey, in.Score = asked.ID.String(), &nine
			r, _, err := s.CreateResponse(ctx, by, in)
			ok(t, err)
			names[r.ID] = name
		}
		for _, c := range []struct{ q, attribute, value, want string }{
			{q: "Ärgerlich", want: "ab"}, {q: "ÄRGER", want: "ab"}, {q: "ärger", want: "ab"}, {q: "ὈΔΥΣ", want: "b"}, {q: "arger"}, {q: "100%", want: "a"}, {q: "e_n", want: "a"}, {q: "e!n"},
			{attribute: "agent", value: `say "hi" <b>`, want: "a"}, {attribute: "agent", value: "金 さん", want: "b"}, {attribute: "agent", value: "%"}, {attribute: "agent", value: `"金 さん"`},
			{attribute: "vip", value: "true", want: "ab"}, {attribute: "vip", value: "1"}, {attribute: "n", value: "1.50", want: "a"}, {attribute: "n", value: "1.5", want: "b"},
			{attribute: "Größe", value: "1e3", want: "a"}, {attribute: "a.b", value: "x", want: "b"}, {attribute: "none", value: ""}, {attribute: "none", value: "null"},
		} {
			f := store.ResponseFilter{Q: c.q}
			if c.attribute != "" {
				f.Attributes = map[string]string{c.attribute: c.value}
			}
			list, _, err := s.Responses(ctx, by, f, store.Page{Limit: 10})
			ok(t, err)
			found := map[string]bool{}
			for _, r := range list {
				found[names[r.ID]] = true
			}
			want := map[string]bool{}
			for name := range strings.SplitSeq(c.want, "") {
				want[name] = true
			}
			if fmt.Sprint(found) != fmt.Sprint(want) {
				t.Errorf("%+v: found %v", c, found)
			}
		}
	})
}

// Words are looked for in every text answer and nowhere else, tags as a whole.
func TestResponsesByWordsAndTags(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		template := aTemplate("long")
		template.Questions = append(template.Questions,
			survey.Question{Key: "first", Type: survey.TextQuestion, Text: survey.Text{"en": "What?"}},
			survey.Question{Key: "second", Type: survey.TextQuestion, Text: survey.Text{"en": "And?"}},
			survey.Question{Key: "topic", Type: survey.ChoiceQuestion, Text: survey.Text{"en": "Which?"}, Options: []survey.Option{{Key: "speed", Text: survey.Text{"en": "Speed"}}}})
		_, err := s.CreateTemplate(ctx, by, template)
		ok(t, err)
		asked := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { byLink(v); v.Template = "long" })
		score := template.Measure().Max
		names := map[survey.ID]string{}
		for name, in := range map[string]struct {
			answers survey.Answers
			tags    []string
		}{
			"a": {survey.Answers{"first": "plain", "second": "配達が遅い 😞 \"100%\" ÜBEL\nzwei", "topic": "speed"}, []string{"VIP", "50%", "a,b"}},
			"b": {survey.Answers{"first": "speed of delivery", "second": "שלום עולם under_score"}, []string{"vip", `x"y`, "返品 🏷"}},
			"c": {survey.Answers{"topic": "speed"}, []string{"one", "two"}},
		} {
			r, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: asked.ID.String(), Score: &score, Answers: in.answers})
			ok(t, err)
			_, _, err = s.ChangeResponse(ctx, by, r.ID, change(nil, nil, in.tags))
			ok(t, err)
			names[r.ID] = name
		}
		for _, c := range []struct{ q, tag, want string }{
			{q: "遅い", want: "a"}, {q: "😞", want: "a"}, {q: "100%", want: "a"}, {q: "0_%"}, {q: `"100`, want: "a"}, {q: "übel", want: "a"}, {q: "übel\nzwei", want: "a"}, {q: `\n`}, {q: "PLAIN", want: "a"},
			{q: "speed", want: "b"}, {q: "עולם", want: "b"}, {q: "UNDER_s", want: "b"}, {q: "underXscore"}, {q: "second"}, {q: "%", want: "a"}, {q: "_", want: "b"},
			{tag: "VIP", want: "a"}, {tag: "vip", want: "b"}, {tag: "Vip"}, {tag: "50%", want: "a"}, {tag: "50_"}, {tag: "a,b", want: "a"}, {tag: ","}, {tag: "a"}, {tag: `x"y`, want: "b"}, {tag: `"`}, {tag: "返品 🏷", want: "b"}, {tag: "返品"}, {tag: "two", want: "c"},
			{q: "speed", tag: "vip", want: "b"}, {q: "speed", tag: "VIP"},
		} {
			list, _, err := s.Responses(ctx, by, store.ResponseFilter{Q: c.q, Tag: c.tag}, store.Page{Limit: 10})
			ok(t, err)
			found := ""
			for _, r := range list {
				found += names[r.ID]
			}
			if found != c.want {
				t.Errorf("%+v: found %q", c, found)
			}
		}
	})
}

// value is an attribute's value as JSON writes it.
func value(t *testing.T, literal string) (v survey.Value) {
	t.Helper()
	ok(t, v.UnmarshalJSON([]byte(literal)))
	return v
}
