package survey_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"koe/survey"
)

func TestKeywordsMatch(t *testing.T) {
	for _, c := range []struct {
		keyword, comment string
		want             bool
	}{
		{"late", "It was LATE.", true},
		{"late", "later", false},
		{"late", "chocolate", false},
		{"late", "too-late!", true},
		{"late", "ｌａｔｅ again", true},
		{"late", "la\u00adte", true}, // a soft hyphen
		{"late", "l\u200bate", true},
		{"late", "この荷物はlateです", true},
		{"late", "", false},
		{"late delivery", "late\n  delivery", true},
		{"late delivery", "late, delivery", false},
		{"late delivery", "late deliveryman", false},
		{"delivery", "the delivery's fault", true},
		{"attente", "trop d'attente", true},
		{"attente", "trop d’attente", true},
		{"straße", "STRASSE", true},
		{"café", "cafe\u0301", true},
		{"cafe", "café", false},
		{"cafe", "cafe\u0301", false},
		{"liefer*", "Lieferung", true},
		{"liefer*", "ausliefern", false},
		{"доставка", "ДОСТАВКА!", true},
		{"доставк", "доставка", false},
		{"доставк*", "доставкой", true},
		{"توصيل", "خدمة التوصيل", false},
		{"التوصيل", "خدمة التوصيل", true},
		{"배송", "배송이 늦어요", true},
		{"배송", "무료배송", false},
		{"डिलीवरी", "डिलीवरी देर से", true},
		{"डिल", "डिलीवरी", false}, // a vowel sign goes on with the word
		{"遅い", "返事が遅いです", true},
		{"遅", "遅かった", true},
		{"配送", "配送が遅い", true},
		{"ハイソウ", "ﾊｲｿｳが遅い", true},
		{"だめ", "全然だめでした", true},
		{"か", "が", false},
		{"VIP会員", "私はvip会員です", true},
		{"VIP会員", "NOVIP会員", false},
		{"太慢", "配送太慢了", true},
		{"ช้า", "ส่งช้ามาก", true},
		{"🐌", "so 🐌🐌", true},
		{"c++", "I use C++ here", true},
		{"24h", "24H please", true},
		{"24", "240", false},
		{"aa", strings.Repeat("a", 100), false},
	} {
		if got := survey.NewKeywords([]string{c.keyword}).Match(survey.Fold(c.comment)); got != c.want {
			t.Errorf("%q in %q: %v", c.keyword, c.comment, got)
		}
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		rule   survey.TagRule
		fields string
	}{
		"nothing":         {survey.TagRule{}, "tag required, keywords required"},
		"a letter":        {survey.TagRule{Tag: "x", Keywords: []string{"a"}}, "keywords[0] too_broad"},
		"a digit":         {survey.TagRule{Tag: "x", Keywords: []string{"7"}}, "keywords[0] too_broad"},
		"a kana":          {survey.TagRule{Tag: "x", Keywords: []string{"の"}}, "keywords[0] too_broad"},
		"a star":          {survey.TagRule{Tag: "x", Keywords: []string{"*"}}, "keywords[0] required"},
		"a beginning":     {survey.TagRule{Tag: "x", Keywords: []string{"ab*"}}, "keywords[0] too_broad"},
		"dots":            {survey.TagRule{Tag: "x", Keywords: []string{"..."}}, "keywords[0] too_broad"},
		"unseen":          {survey.TagRule{Tag: "x", Keywords: []string{"\u200b"}}, "keywords[0] required"},
		"twice":           {survey.TagRule{Tag: "x", Keywords: []string{"late", "ＬＡＴＥ"}}, "keywords[1] duplicate"},
		"two lines":       {survey.TagRule{Tag: "x", Keywords: []string{"a\nb"}}, "keywords[0] format"},
		"too many":        {survey.TagRule{Tag: "x", Keywords: slices.Repeat([]string{"late"}, 51)}, "keywords too_many"},
		"too long":        {survey.TagRule{Tag: "x", Keywords: []string{strings.Repeat("a", 101)}}, "keywords[0] too_long"},
		"no touchpoint":   {survey.TagRule{Tag: "x", Keywords: []string{"late"}, Touchpoint: "No Key"}, "touchpoint format"},
		"a character, ok": {survey.TagRule{Tag: " 遅い ", Keywords: []string{" 遅 ", "🐌"}}, ""},
	} {
		err := c.rule.Clean()
		var got []string
		var known *survey.Error
		if errors.As(err, &known) {
			for _, f := range known.Fields {
				got = append(got, f.Field+" "+f.Code)
			}
		}
		if strings.Join(got, ", ") != c.fields {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCommonTermsPutTheUnhappyFirst(t *testing.T) {
	var said []survey.Said
	say := func(times int, unhappy bool, comments ...string) {
		for range times {
			for _, comment := range comments {
				said = append(said, survey.Said{Comment: comment, Unhappy: unhappy})
			}
		}
	}
	say(10, true, "the parcel was late", "配送状況がわからない", "アプリが遅い")
	say(30, false, "the staff was friendly", "店員さんが親切")
	say(2, true, "once in a blue moon")
	terms := survey.CommonTerms(said, func(term string) bool { return term == "parcel" })
	var names []string
	for _, one := range terms {
		names = append(names, one.Term)
	}
	place := func(term string) int { return slices.Index(names, term) }
	for _, term := range []string{"late", "配送状況", "アプリ", "遅"} {
		if at := place(term); at < 0 || at > 4 || terms[at].Responses != 10 || terms[at].Unhappy != 10 {
			t.Errorf("%s stands at %d of %v", term, at, names)
		}
	}
	for _, term := range []string{"parcel", "送状", "moon", "was"} { // known, a piece, rare, of everybody
		if place(term) >= 0 && place(term) < place("friendly") {
			t.Errorf("%s is suggested: %v", term, names)
		}
	}
	if place("parcel") >= 0 || place("送状") >= 0 || place("moon") >= 0 {
		t.Errorf("%v", names)
	}
	if at := place("friendly"); at < place("late") {
		t.Errorf("friendly before late: %v", names)
	}
	if got := survey.CommonTerms(nil, func(string) bool { return false }); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func FuzzKeywords(f *testing.F) {
	for _, s := range []string{"late", "LATE*", "配送", "ﾊｲｿｳ", "straße", "\u0345ι", "e\u0301", "ǰ̣", "\x00", "İ", "ᾳ", "ﷺ", "👩‍👩‍👧"} {
		f.Add(s, "x "+s+" y")
	}
	f.Fuzz(func(t *testing.T, word, comment string) {
		if !utf8.ValidString(word) || !utf8.ValidString(comment) {
			return
		}
		folded := survey.Fold(comment)
		if again := survey.Fold(folded); again != folded {
			t.Errorf("%q folds to %q and then to %q", comment, folded, again)
		}
		keywords := survey.NewKeywords([]string{word})
		if keywords.Match(folded) != survey.NewKeywords([]string{survey.Fold(word)}).Match(folded) {
			t.Errorf("%q and its folded form differ in %q", word, comment)
		}
		rule := survey.TagRule{Tag: "x", Keywords: []string{word}}
		if rule.Clean() == nil {
			if text := strings.TrimRight(survey.Fold(rule.Keywords[0]), "* "); !survey.NewKeywords(rule.Keywords).Match(text) {
				t.Errorf("%q does not match itself", word)
			}
		}
		_ = survey.CommonTerms([]survey.Said{{Comment: comment}, {Comment: comment}, {Comment: comment, Unhappy: true}}, func(string) bool { return false })
	})
}
