package templates

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"koe/survey"
)

func page(t *testing.T, p SurveyPage) string {
	t.Helper()
	var b bytes.Buffer
	if err := words(t).SurveyPage(&b, p); err != nil {
		t.Fatal(err)
	}
	checkInert(t, b.String(), "https://www.example.com/privacy", "https://www.example.com/review", "mailto:care@example.com")
	return b.String()
}

func surveyPage(s survey.Template, step Step, locale string) SurveyPage {
	p := SurveyPage{Step: step, Template: s, Workspace: workspace(), Locale: locale, Touchpoint: "Support chat",
		OccurredAt: occurred(), Editable: true}
	if step == StepQuestions || step == StepThanks || step == StepClosed {
		p.Score = new(s.Score().Scale.Min)
	}
	return p
}

var steps = []Step{StepScore, StepQuestions, StepThanks, StepClosed, StepExpired, StepUnknown, StepUnsubscribe,
	StepUnsubscribed, StepUnavailable, StepTooMany, StepTooLong, StepUnread}

func TestPageGolden(t *testing.T) {
	for _, lang := range words(t).languages {
		for _, step := range steps {
			p := surveyPage(stockTemplate(t, "csat"), step, lang)
			if step == StepUnavailable || step == StepTooMany {
				p.Typed = map[string][]string{"step": {"questions"}, "q_improve": {"Slow, very slow."}, "q_topic": {"speed", "price"}}
			}
			golden(t, "page-"+string(step)+"-"+lang+".html", page(t, p))
		}
		for _, s := range stock(t) {
			golden(t, "page-score-"+s.Key+"-"+lang+".html", page(t, surveyPage(s, StepScore, lang)))
			golden(t, "page-questions-"+s.Key+"-"+lang+".html", page(t, surveyPage(s, StepQuestions, lang)))
		}
	}
}

func checked(all []element) []string {
	var values []string
	for _, e := range with(all, "input", "", "") {
		if _, ok := e.Attrs["checked"]; ok {
			values = append(values, e.Attrs["name"]+"="+e.Attrs["value"])
		}
	}
	return values
}

func TestScorePage(t *testing.T) {
	nine, seven, off := 9, 7, 11
	for _, c := range []struct {
		name  string
		spoil func(*SurveyPage)
		want  string
		link  string
	}{
		{"nothing", func(p *SurveyPage) {}, "", "?lang=ja"},
		{"from the mail", func(p *SurveyPage) { p.Preselected = &nine }, "score=9", "?lang=ja&score=9"},
		{"off the scale", func(p *SurveyPage) { p.Preselected = &off }, "", "?lang=ja"},
		{"saved", func(p *SurveyPage) { p.Score = &seven }, "score=7", "?edit=1&lang=ja&score=7"},
		{"mail over saved", func(p *SurveyPage) { p.Preselected, p.Score = &nine, &seven }, "score=9", "?edit=1&lang=ja&score=9"},
		{"typed", func(p *SurveyPage) { p.Preselected = &nine; p.Typed = map[string][]string{"score": {"3"}} }, "score=3", "?lang=ja&score=3"},
		{"typed rubbish", func(p *SurveyPage) { p.Preselected = &nine; p.Typed = map[string][]string{"score": {"x"}} }, "", "?lang=ja"},
	} {
		p := surveyPage(stockTemplate(t, "nps"), StepScore, "en")
		c.spoil(&p)
		all := elements(t, page(t, p))
		if got := strings.Join(checked(all), " "); got != c.want {
			t.Errorf("%s: checked %q, want %q", c.name, got, c.want)
		}
		if len(with(all, "a", "href", c.link)) != 1 {
			t.Errorf("%s: no language link %s", c.name, c.link)
		}
		if len(with(all, "input", "type", "radio")) != 11 || len(with(all, "button", "type", "submit")) != 1 {
			t.Errorf("%s: radios or buttons are missing", c.name)
		}
		if got := with(all, "form", "method", "post"); len(got) != 1 || got[0].Attrs["action"] != "" {
			t.Errorf("%s: forms %v", c.name, got)
		}
		if got := with(all, "input", "type", "hidden"); len(got) != 1 || got[0].Attrs["name"] != "step" || got[0].Attrs["value"] != "score" {
			t.Errorf("%s: hidden %v", c.name, got)
		}
	}
}

func rich() survey.Template {
	return survey.Template{Key: "rich", Name: "Rich", Metric: "csat", DefaultLocale: "en", Questions: []survey.Question{
		{Key: "score", Type: survey.ScoreQuestion, Text: survey.Text{"en": "How was it?"}},
		{Key: "why", Type: survey.TextQuestion, Required: true, MaxLength: new(20), Text: survey.Text{"en": "Why?"}},
		{Key: "one", Type: survey.ChoiceQuestion, Text: survey.Text{"en": "Which one?"}, Options: []survey.Option{
			{Key: "a", Text: survey.Text{"en": "A"}}, {Key: "b", Text: survey.Text{"en": "B"}}}},
		{Key: "many", Type: survey.ChoiceQuestion, Multiple: true, Text: survey.Text{"en": "Which ones?"}, Options: []survey.Option{
			{Key: "c", Text: survey.Text{"en": "C"}}, {Key: "d", Text: survey.Text{"en": "D"}}}},
		{Key: "speed", Type: survey.RatingQuestion, Scale: &survey.Scale{Min: 1, Max: 3}, LowLabel: survey.Text{"en": "Slow"}, Text: survey.Text{"en": "How fast?"}},
		{Key: "contact", Type: survey.ConsentQuestion, Text: survey.Text{"en": "May we call?"}},
		{Key: "angry", Type: survey.TextQuestion, Text: survey.Text{"en": "What now?"}, ShowIf: survey.When{"score": {Max: new(2)}}},
	}, ThankYou: []survey.ThankYou{{When: survey.When{"score": {Min: new(4)}}, Text: survey.Text{"en": "Great!"},
		Link: &survey.Link{URL: "https://www.example.com/review", Text: survey.Text{"en": "Tell others"}}}}}
}

func richPage(t *testing.T, step Step) SurveyPage {
	t.Helper()
	s := rich()
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	p := surveyPage(s, step, "en")
	p.Score = new(4)
	return p
}

func TestQuestionsPage(t *testing.T) {
	p := richPage(t, StepQuestions)
	p.Answers = survey.Answers{"why": "Fast & <kind>\nindeed", "one": "b", "many": []string{"c", "d"}, "speed": 3, "contact": true}
	body := page(t, p)
	all := elements(t, body)
	want := "q_one=b q_many=c q_many=d q_speed=3 q_contact=yes"
	if got := strings.Join(checked(all), " "); got != want {
		t.Errorf("checked %q, want %q", got, want)
	}
	text := with(all, "textarea", "name", "q_why")
	if len(text) != 1 || text[0].Text != "Fast & <kind>\nindeed" || text[0].Attrs["data-most"] != "20" {
		t.Errorf("text field %+v", text)
	}
	if len(with(all, "textarea", "name", "q_angry")) != 0 {
		t.Error("a question that does not fit the score is shown")
	}
	if !strings.Contains(body, "Your answer: 4 (1–5)") || len(with(all, "a", "href", "?edit=1&lang=en")) != 1 {
		t.Error("the saved score or the way to change it is missing")
	}
	for _, label := range []string{"Why?", "Which one?", "Which ones?", "How fast?", "May we call?", "1 – Slow"} {
		if !strings.Contains(body, label) {
			t.Errorf("no %q", label)
		}
	}
	p.Editable = false
	if body := page(t, p); strings.Contains(body, "edit=1") || strings.Contains(body, "<form") {
		t.Error("offers to change what cannot be changed")
	}
	delete(p.Answers, "one")
	if all = elements(t, page(t, p)); len(with(all, "input", "name", "q_one")) != 2 || len(with(all, "textarea", "", "")) != 0 || len(checked(all)) != 0 {
		t.Error("not only what has no answer yet is asked")
	}
	p.Editable = true
	p.Typed = map[string][]string{"q_why": {"typed"}, "q_many": {"d"}}
	all = elements(t, page(t, p))
	if got := strings.Join(checked(all), " "); got != "q_many=d" || with(all, "textarea", "", "")[0].Text != "typed" {
		t.Errorf("what was typed is lost: %s", got)
	}
}

// Every control has a label or a legend; every id is there once; every
// description exists.
func TestPagesAreAccessible(t *testing.T) {
	p := richPage(t, StepQuestions)
	p.Errors = map[string]string{"q_why": "Too long.", "q_many": "Choose."}
	pages := []string{page(t, p)}
	for _, s := range stock(t) {
		for _, step := range steps {
			pages = append(pages, page(t, surveyPage(s, step, "ja")))
		}
	}
	for _, body := range pages {
		all := elements(t, body)
		ids := map[string]int{}
		labels := map[string]bool{}
		for _, e := range all {
			if id, ok := e.Attrs["id"]; ok {
				ids[id]++
			}
			if e.Name == "label" {
				labels[e.Attrs["for"]] = true
				if e.Text == "" {
					t.Error("a label without words")
				}
			}
		}
		for _, e := range all {
			if ids[e.Attrs["id"]] > 1 {
				t.Errorf("id %s twice", e.Attrs["id"])
			}
			for _, id := range strings.Fields(e.Attrs["aria-describedby"]) {
				if ids[id] != 1 {
					t.Errorf("nothing has the id %s", id)
				}
			}
			if target, ok := strings.CutPrefix(e.Attrs["href"], "#"); ok && ids[target] != 1 {
				t.Errorf("nothing to jump to at %s", target)
			}
			if e.Name == "textarea" && !labels[e.Attrs["id"]] {
				t.Errorf("no label for %s", e.Attrs["id"])
			}
		}
		if len(with(all, "h1", "", "")) != 1 || len(with(all, "main", "", "")) != 1 || with(all, "title", "", "")[0].Text == "" {
			t.Error("not one heading, one main part and a title")
		}
		if len(with(all, "fieldset", "", "")) != len(with(all, "legend", "", "")) {
			t.Error("a fieldset without legend")
		}
	}
}

func TestErrorsOnThePage(t *testing.T) {
	p := richPage(t, StepQuestions)
	var problems survey.Problems
	problems.Add("answers.why", "too_long", "must have at most 20 characters")
	problems.Add("answers.one", "unknown", "is not an option")
	problems.Add("answers.gone", "unknown", "is not a question of the template")
	w := words(t)
	messages, err := w.FormErrors(p.Template, "en", problems.Err())
	if err != nil {
		t.Fatal(err)
	}
	p.Errors = messages
	all := elements(t, page(t, p))
	alert := with(all, "div", "role", "alert")
	if len(alert) != 1 || !strings.Contains(alert[0].Text, "Why? Please use at most 20 characters.") {
		t.Errorf("summary %+v", alert)
	}
	if len(with(all, "a", "href", "#q_why")) != 1 || len(with(all, "a", "href", "#q_one.1")) != 1 {
		t.Error("the summary does not lead to the fields")
	}
	text := with(all, "textarea", "name", "q_why")[0]
	if text.Attrs["aria-invalid"] != "true" || text.Attrs["aria-describedby"] != "q_why.hint q_why.error" {
		t.Errorf("text field %v", text.Attrs)
	}
	if got := len(with(all, "li", "", "")); got != 3 {
		t.Errorf("%d problems listed, want 3", got)
	}
	if title := with(all, "title", "", "")[0].Text; !strings.HasPrefix(title, "Please check your answer") {
		t.Errorf("title %q", title)
	}
}

func TestFormErrors(t *testing.T) {
	w, s := words(t), stockTemplate(t, "csat")
	var p survey.Problems
	p.Add("score", "required", "is required")
	p.Add("answers.improve", "format", "must not contain NUL")
	p.Add("answers.topic", "required", "is required")
	got, err := w.FormErrors(s, "ja", p.Err())
	if err != nil {
		t.Fatal(err)
	}
	ja := localeFile(t, "ja")
	for field, key := range map[string]string{"score": "error_score", "q_improve": "error_text", "q_topic": "error_required"} {
		if got[field] != ja[key][""] {
			t.Errorf("%s: %q, want %q", field, got[field], ja[key])
		}
	}
	for _, other := range []error{nil, errors.New("disk full"), survey.Errorf(survey.Gone, "", "over")} {
		if got, err := w.FormErrors(s, "ja", other); got != nil || err != nil {
			t.Errorf("%v gives %v, %v", other, got, err)
		}
	}
}

func TestThanksPage(t *testing.T) {
	p := richPage(t, StepThanks)
	body := page(t, p)
	if !strings.Contains(body, "Great!") || !strings.Contains(body, "https://www.example.com/review") {
		t.Errorf("the template's thanks are missing: %s", body)
	}
	p.Framed = true
	if framed := elements(t, page(t, p)); len(with(framed, "a", "target", "_blank")) != 2 || strings.Contains(body, "_blank") { // the template's, and privacy
		t.Error("links out of a frame open inside it, or others beside")
	}
	p.Score = new(2)
	if body = page(t, p); strings.Contains(body, "Great!") || strings.Contains(body, "review") || !strings.Contains(body, "Thank you for your answer.") {
		t.Errorf("koe's own thanks are missing: %s", body)
	}
	p.Step, p.Editable = StepClosed, true
	if body = page(t, p); !strings.Contains(body, "can no longer be changed") || strings.Contains(body, "edit=1") {
		t.Errorf("closed: %s", body)
	}
}

func TestMessagePages(t *testing.T) {
	for _, lang := range words(t).languages {
		for _, step := range []Step{StepExpired, StepUnknown, StepUnsubscribe, StepUnsubscribed, StepUnavailable, StepTooMany, StepTooLong, StepUnread} {
			body := page(t, SurveyPage{Step: step, Locale: lang})
			if !strings.Contains(body, localeFile(t, lang)[string(step)+"_title"][""]) || !strings.Contains(body, `<html lang="`+lang+`"`) {
				t.Errorf("%s in %s: %s", step, lang, body)
			}
			forms := len(with(elements(t, body), "form", "method", "post"))
			if (forms == 1) != (step == StepUnsubscribe) {
				t.Errorf("%s has %d forms", step, forms)
			}
		}
	}
}

func TestUnavailableKeepsWhatWasTyped(t *testing.T) {
	p := SurveyPage{Step: StepUnavailable, Locale: "en", Typed: map[string][]string{
		"step": {"questions"}, "score": {"9"}, "q_why": {"<b>Slow</b>\nand late"}, "q_many": {"c", "d"}, "csrf": {"x"},
		"texts": {"q_word", "q_none", "csrf"}, "q_word": {"slow"}, "q_none": {""}}}
	all := elements(t, page(t, p))
	var got []string
	for _, e := range with(all, "input", "type", "hidden") {
		got = append(got, e.Attrs["name"]+"="+e.Attrs["value"])
	}
	if want := "q_many=c q_many=d q_none= score=9 step=questions texts=q_word texts=q_none texts=csrf"; strings.Join(got, " ") != want {
		t.Errorf("kept %q, want %q", got, want)
	}
	if text := with(all, "textarea", "name", "q_why"); len(text) != 1 || text[0].Text != "<b>Slow</b>\nand late" {
		t.Errorf("text %+v", text)
	}
	if text := with(all, "textarea", "name", "q_word"); len(text) != 1 || text[0].Text != "slow" {
		t.Errorf("a text of one word is hidden: %+v", text)
	}
	for range 60_000 { // 256 KB of a program's
		p.Typed["q_many"] = append(p.Typed["q_many"], "")
		p.Typed["texts"] = append(p.Typed["texts"], "")
	}
	if n := len(with(elements(t, page(t, p)), "input", "type", "hidden")); n < 1500 || n > 1600 {
		t.Errorf("%d values are given back", n)
	}
}

func TestPageHostileValues(t *testing.T) {
	p := richPage(t, StepQuestions)
	p.Template.Placeholders = map[string]survey.Text{"name": {"en": "there"}}
	evil := survey.Text{"en": hostile + " {{name}}"}
	p.Template.ThankYou[0].Text = evil
	for i := range p.Template.Questions {
		p.Template.Questions[i].Text, p.Template.Questions[i].LowLabel = evil, evil
		for j := range p.Template.Questions[i].Options {
			p.Template.Questions[i].Options[j].Text = evil
		}
	}
	p.Name, p.Touchpoint, p.Workspace.Name, p.Workspace.PostalFooter = hostile, hostile, hostile, hostile
	p.Typed = map[string][]string{"q_why": {"</textarea><script>alert(1)</script>"}, `q_"><b>`: {hostile}}
	p.Errors = map[string]string{"q_why": hostile}
	for _, step := range steps {
		p.Step = step
		for _, e := range elements(t, page(t, p)) {
			if e.Name == "img" || e.Name == "script" && e.Attrs["type"] != "module" || e.Name == "b" {
				t.Errorf("%s: markup came alive: %+v", step, e)
			}
		}
	}
	p.Workspace.PrivacyURL = "javascript:alert(1)"
	p.Step = StepScore
	var b bytes.Buffer
	if err := words(t).SurveyPage(&b, p); err != nil || strings.Contains(b.String(), "javascript:") {
		t.Errorf("a script as privacy link: %v %s", err, b.String())
	}
}

func TestPageShowsTheCustomerOnlyInPlaceholders(t *testing.T) {
	p := surveyPage(stockTemplate(t, "csat"), StepScore, "en")
	p.Name, p.Attributes = "Wilhelmina", survey.Attributes{"plan": survey.TextValue("platinum")}
	if body := page(t, p); strings.Contains(body, "Wilhelmina") || strings.Contains(body, "platinum") {
		t.Error("personal data on a page that does not ask for it")
	}
	p.Template.Questions[0].Text = survey.Text{"en": "How was it, {{name}}?"}
	if body := page(t, p); !strings.Contains(body, "How was it, Wilhelmina?") {
		t.Error("the placeholder is not filled")
	}
}

func TestSurveyPageRefuses(t *testing.T) {
	w := words(t)
	for name, p := range map[string]SurveyPage{
		"no such step": {Step: "nonsense"},
		"no template":  {Step: StepScore},
		"no score":     {Step: StepQuestions, Template: stockTemplate(t, "nps")},
	} {
		var b bytes.Buffer
		if err := w.SurveyPage(&b, p); err == nil || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes written", name, err, b.Len())
		}
	}
}
