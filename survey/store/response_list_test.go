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

// value is an attribute's value as JSON writes it.
func value(t *testing.T, literal string) (v survey.Value) {
	t.Helper()
	ok(t, v.UnmarshalJSON([]byte(literal)))
	return v
}
