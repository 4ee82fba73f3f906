package templates

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"koe/scoring"
	"koe/survey"
)

const (
	surveyURL      = "https://feedback.example.com/s/0123456789abcdefghijkl"
	unsubscribeURL = "https://feedback.example.com/u/0123456789abcdefghijkl"
)

func workspace() survey.Workspace {
	w := survey.NewWorkspace("default", "Aozora Travel", "Asia/Tokyo")
	w.PostalFooter = "Aozora Travel K.K.\n1-2-3 Marunouchi, Chiyoda-ku, Tokyo"
	w.ReplyTo = "care@example.com"
	w.PrivacyURL = "https://www.example.com/privacy"
	return w
}

func occurred() *survey.Instant {
	at := survey.InstantOf(time.Date(2026, 11, 21, 22, 30, 0, 0, time.UTC))
	return &at
}

func invitation(s survey.Template, locale, name string) InvitationMail {
	return InvitationMail{Template: s, Workspace: workspace(), Name: name, Locale: locale, Touchpoint: "Support chat",
		OccurredAt: occurred(), SurveyURL: surveyURL, UnsubscribeURL: unsubscribeURL}
}

func render(t *testing.T, m InvitationMail) Mail {
	t.Helper()
	mail, err := words(t).Invitation(m)
	if err != nil {
		t.Fatal(err)
	}
	return mail
}

func TestInvitationGolden(t *testing.T) {
	for _, s := range stock(t) {
		for lang, name := range map[string]string{"en": "Ana", "ja": "田中 花子", "de": "Jörg Müller", "fr": "Zoé", "es": "Íñigo", "ar": "سارة"} {
			mail := render(t, invitation(s, lang, name))
			golden(t, "mail-"+s.Key+"-"+lang+".html", mail.HTML)
			golden(t, "mail-"+s.Key+"-"+lang+".txt", "Subject: "+mail.Subject+"\n\n"+mail.Text)
		}
	}
	reminder := invitation(stockTemplate(t, "nps"), "en", "")
	reminder.Reminder, reminder.Test = true, true
	mail := render(t, reminder)
	golden(t, "mail-reminder-test-en.txt", "Subject: "+mail.Subject+"\n\n"+mail.Text)
}

// Both parts name every score with its link, the question, who asks, what
// about and when, and the ways out.
func TestInvitationIsComplete(t *testing.T) {
	for _, s := range stock(t) {
		for _, lang := range words(t).languages {
			mail := render(t, invitation(s, lang, "Ana"))
			date := map[string]string{"en": "22 November 2026", "ja": "2026年11月22日", "de": "22. November 2026",
				"fr": "22 novembre 2026", "es": "22 de noviembre de 2026", "ar": "22 نوفمبر 2026"}[lang]
			question := s.Score()
			for part, body := range map[string]string{"text": mail.Text, "html": mail.HTML} {
				for _, want := range []string{question.Text[lang], question.LowLabel[lang], question.HighLabel[lang],
					"Aozora Travel K.K.", "Marunouchi", "https://www.example.com/privacy", unsubscribeURL,
					"Support chat", date, "Ana", "care@example.com"} {
					if !strings.Contains(body, want) {
						t.Errorf("%s %s %s lacks %q", s.Key, lang, part, want)
					}
				}
			}
			all := elements(t, mail.HTML)
			if got := with(all, "html", "lang", lang); len(got) != 1 || got[0].Attrs["dir"] != direction(lang) {
				t.Errorf("%s %s: html %v", s.Key, lang, got)
			}
			if len(with(all, "a", "href", surveyURL)) != 1 || !strings.Contains(mail.Text, "\n"+surveyURL+"\n") {
				t.Errorf("%s %s: no plain link", s.Key, lang)
			}
			checkScoreLinks(t, s, mail)
		}
	}
}

func checkScoreLinks(t *testing.T, s survey.Template, mail Mail) {
	t.Helper()
	all := elements(t, mail.HTML)
	scale := s.Score().Scale
	for score := scale.Min; score <= scale.Max; score++ {
		link := surveyURL + "?score=" + string(rune('0'+score))
		if score == 10 {
			link = surveyURL + "?score=10"
		}
		if got := with(all, "a", "href", link); len(got) != 1 {
			t.Errorf("%s: %d buttons for %d", s.Key, len(got), score)
		}
		if !strings.Contains(mail.Text, "\n"+link+"\n") {
			t.Errorf("%s: the text has no line for %d", s.Key, score)
		}
	}
	if got := strings.Count(mail.HTML, "?score="); got != scale.Max-scale.Min+1 {
		t.Errorf("%s: %d buttons", s.Key, got)
	}
}

func TestInvitationOfEveryScale(t *testing.T) {
	for _, c := range []struct {
		metric         scoring.Metric
		min, max, ces2 int
		low            string
	}{
		{scoring.CSAT, 1, 3, 0, "Very dissatisfied"}, {scoring.CSAT, 1, 7, 0, "Very dissatisfied"},
		{scoring.CSAT, 1, 10, 0, "Very dissatisfied"}, {scoring.CSAT, 0, 1, 0, "Thumbs down"},
		{scoring.NPS, 0, 10, 0, "Not at all likely"}, {scoring.CES, 1, 7, 2, "Strongly disagree"},
		{scoring.CES, 1, 5, 1, "Very little effort"},
	} {
		s := survey.Template{Key: "k", Name: "K", Metric: c.metric, DefaultLocale: "en", Questions: []survey.Question{
			{Key: "score", Type: survey.ScoreQuestion, Text: survey.Text{"en": "How was it?"}, Scale: &survey.Scale{Min: c.min, Max: c.max}}}}
		if c.ces2 != 0 {
			s.CESVersion = &c.ces2
		}
		if err := s.Clean(); err != nil {
			t.Fatal(err)
		}
		mail := render(t, invitation(s, "en", ""))
		checkScoreLinks(t, s, mail)
		if !strings.Contains(mail.Text, c.low) || !strings.Contains(mail.HTML, c.low) {
			t.Errorf("%s %d-%d: no low end %q", c.metric, c.min, c.max, c.low)
		}
		if mail.Subject != "How did we do? One question from Aozora Travel" {
			t.Errorf("koe's own subject: %q", mail.Subject)
		}
	}
}

func TestInvitationNames(t *testing.T) {
	s := stockTemplate(t, "csat")
	for _, c := range []struct{ locale, name, subject, greeting string }{
		{"en", "Ana", "Hi Ana, how did we do?", "Hello Ana,\n"},
		{"en", "", "Hi there, how did we do?", "Hello,\n"},
		{"ja", "田中", s.Mail.Subject["ja"], "田中 様\n"},
		{"ja", "", s.Mail.Subject["ja"], "お客様\n"},
		{"ja-JP", " ", s.Mail.Subject["ja"], "お客様\n"},
		{"de", "Ana", "Wie zufrieden waren Sie mit uns?", "Guten Tag Ana,\n"},
		{"it", "", "Hi there, how did we do?", "Hello,\n"},
	} {
		mail := render(t, invitation(s, c.locale, c.name))
		if mail.Subject != c.subject || !strings.HasPrefix(mail.Text, c.greeting) {
			t.Errorf("%q in %s: subject %q, text %.40q", c.name, c.locale, mail.Subject, mail.Text)
		}
	}
	s.Mail.Intro = survey.Text{"en": "Dear {{ name }}, one question."}
	if mail := render(t, invitation(s, "en", "Ana")); !strings.HasPrefix(mail.Text, "Dear Ana, one question.") {
		t.Errorf("greets twice: %.60q", mail.Text)
	}
}

func TestInvitationMarks(t *testing.T) {
	m := invitation(stockTemplate(t, "nps"), "en", "Ana")
	subject := "Hi Ana, would you recommend us?"
	for _, c := range []struct {
		reminder bool
		test     bool
		want     string
	}{
		{false, false, subject}, {true, false, subject}, {false, true, "[Test] " + subject}, {true, true, "[Test] " + subject},
	} {
		m.Reminder, m.Test = c.reminder, c.test
		mail := render(t, m)
		if mail.Subject != c.want {
			t.Errorf("subject %q, want %q", mail.Subject, c.want)
		}
		for _, body := range []string{mail.Text, mail.HTML} {
			if strings.Contains(body, "This is a test email") != c.test || strings.Contains(body, "We asked you this") != c.reminder {
				t.Errorf("reminder %v, test %v: %s", c.reminder, c.test, body)
			}
		}
	}
}

const hostile = "<img src=x onerror=alert(1)>\"'\r\nBcc: all@example.com\x00\u202e{{attributes.secret}}{{.Subject}}"

func TestInvitationHostileValues(t *testing.T) {
	s := stockTemplate(t, "csat")
	s.Placeholders["attributes.agent"] = survey.Text{"en": "us"}
	s.Questions[0].Text = survey.Text{"en": "How was {{attributes.agent}}?"}
	m := invitation(s, "en", hostile)
	m.Attributes = survey.Attributes{"agent": survey.TextValue(hostile), "secret": survey.TextValue("S3CRET")}
	m.Touchpoint, m.Workspace.Name = hostile, hostile
	m.Workspace.PostalFooter = strings.ReplaceAll(hostile, "\r\n", " ")
	for _, reminder := range []bool{false, true} {
		m.Reminder, m.Test = reminder, reminder
		mail := render(t, m)
		all := mail.Subject + mail.Text + mail.HTML
		if strings.ContainsAny(mail.Subject, "\r\n\x00") || !strings.Contains(mail.Subject, "<img src=x") {
			t.Errorf("subject %q", mail.Subject)
		}
		if strings.Contains(all, "S3CRET") || !strings.Contains(all, "{{attributes.secret}}") {
			t.Error("a value was read as a template")
		}
		if strings.Contains(all, "\u202e") {
			t.Error("an override survives")
		}
		for _, e := range elements(t, mail.HTML) {
			if e.Name == "img" || e.Name == "script" || e.Attrs["onerror"] != "" {
				t.Errorf("markup came alive: %+v", e)
			}
		}
		if strings.Contains(mail.Text, "\nBcc:") {
			t.Error("a value broke a line")
		}
	}
}

// However long and odd a customer's values are, the subject fits its header.
func TestSubjectFitsWhateverTheValues(t *testing.T) {
	s := stockTemplate(t, "csat")
	s.Mail.Subject = survey.Text{"en": "{{name}} about {{attributes.order}}"}
	s.Placeholders["attributes.order"] = survey.Text{"en": "it"}
	for _, letter := range []string{"長", "😀", "a", "\x07x\u0085", "א"} {
		m := invitation(s, "en", strings.Repeat(letter, 190))
		m.Attributes = survey.Attributes{"order": survey.TextValue(strings.Repeat(letter, 900) + "\r\n\x00")}
		m.Reminder, m.Test = true, true
		subject := render(t, m).Subject
		if n := len([]rune(subject)); n > 200 || n < 199 || len(subject) > 900 || !strings.HasSuffix(subject, "…") || strings.ContainsFunc(subject, unicode.IsControl) {
			t.Errorf("%d letters, %d bytes: %q", n, len(subject), subject)
		}
	}
	if got := subjectLine("a\xff\x1b \n b\u0000"); got != "a b" {
		t.Errorf("%q", got)
	}
	if whole := strings.Repeat("長", 200); subjectLine(whole) != whole {
		t.Error("200 letters were cut")
	}
}

func TestButtonsBreakInHalf(t *testing.T) {
	for n, want := range map[int][]int{2: {2}, 5: {5}, 6: {6}, 7: {4, 3}, 10: {5, 5}, 11: {6, 5}} {
		v := invitationView{scale: scale{Points: make([]point, n)}}
		for i := range v.Points {
			v.Points[i].Value = i
		}
		var got []int
		next := 0
		for _, b := range v.Buttons() {
			got = append(got, len(b.Points))
			for _, p := range b.Points {
				if p.Value != next {
					t.Errorf("%d points: %d comes where %d should", n, p.Value, next)
				}
				next++
			}
			if (b.Low != nil) != (b.Points[0].Value == 0) || (b.High != nil) != (next == n) || b.Width() > 276 {
				t.Errorf("%d points: %+v", n, b)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d points in %v, want %v", n, got, want)
		}
	}
}

func TestInert(t *testing.T) {
	for value, want := range map[string]string{
		"Ana":             "Ana",
		" A\r\n\tB  ":     "A B",
		"a\u202eb\u2069c": "abc",
		"x\x1b[31m\x07":   "x[31m",
		"דנה":             "\u2068דנה\u2069",
		"سارة (VIP)":      "\u2068سارة (VIP)\u2069",
		"👩‍👧 花子":          "👩‍👧 花子",
		"\u2029":          "",
		"A \x00":          "A",
		"\x07 A\u202e B":  "A B",
	} {
		if got := inert(value); got != want {
			t.Errorf("inert(%q) = %q, want %q", value, got, want)
		}
		if got := inert(inert(value)); !strings.HasPrefix(got, "\u2068") && got != want {
			t.Errorf("inert twice(%q) = %q, want %q", value, got, want)
		}
	}
}

// Amid Arabic words a name in other letters is isolated, so that the day of the
// month stays with its month.
func TestValuesAmidWordsFromRightToLeft(t *testing.T) {
	mail := render(t, invitation(stockTemplate(t, "nps"), "ar", "Ana"))
	for _, want := range []string{"مرحبًا \u2068Ana\u2069،", "المناسبة: \u2068Support chat\u2069، 22 نوفمبر 2026", "عملاء \u2068Aozora Travel\u2069."} {
		if !strings.Contains(mail.Text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, mail.Text)
		}
	}
}

func TestInvitationInAnotherLanguage(t *testing.T) {
	s := stockTemplate(t, "csat")
	s.Questions[0].Text = survey.Text{"en": "How was it?", "ar": "كيف كان الأمر؟"}
	mail := render(t, invitation(s, "ar", "Ana"))
	if !strings.Contains(mail.HTML, `lang="ar" dir="rtl"`) || !strings.Contains(mail.Text, "كيف كان الأمر؟") {
		t.Error(mail.HTML)
	}
}

// A mail loads nothing at all: no picture, no pixel, no font, no script.
func TestInvitationLoadsNothing(t *testing.T) {
	for _, s := range stock(t) {
		for _, e := range elements(t, render(t, invitation(s, "ja", "田中")).HTML) {
			switch e.Name {
			case "img", "script", "link", "iframe", "object", "video", "form", "input":
				t.Errorf("%s has <%s>", s.Key, e.Name)
			}
			for name, value := range e.Attrs {
				if strings.HasPrefix(name, "on") || name == "src" || name == "background" || strings.Contains(value, "url(") {
					t.Errorf("%s: <%s %s=%q>", s.Key, e.Name, name, value)
				}
			}
			if href := e.Attrs["href"]; href != "" && href != "https://www.example.com/privacy" && href != "mailto:care@example.com" &&
				!strings.HasPrefix(href, "https://feedback.example.com/") {
				t.Errorf("%s leads to %s", s.Key, href)
			}
		}
	}
}

func TestInvitationSize(t *testing.T) {
	s := stockTemplate(t, "nps")
	s.Questions[0].Text["ja"] = strings.Repeat("質", 1000)
	s.Mail.Intro["ja"] = strings.Repeat("序", 500)
	m := invitation(s, "ja", strings.Repeat("名", 200))
	m.Workspace.PostalFooter = strings.Repeat("住\n", 250)
	m.SurveyURL += strings.Repeat("x", 500)
	if mail := render(t, m); len(mail.HTML) >= 60<<10 {
		t.Errorf("the HTML part has %d bytes", len(mail.HTML))
	}
}

func TestInvitationRefuses(t *testing.T) {
	good := invitation(stockTemplate(t, "nps"), "en", "")
	for name, spoil := range map[string]func(*InvitationMail){
		"no template":            func(m *InvitationMail) { m.Template = survey.Template{} },
		"no link":                func(m *InvitationMail) { m.SurveyURL = "" },
		"a script as link":       func(m *InvitationMail) { m.SurveyURL = "javascript:alert(1)" },
		"no unsubscribe address": func(m *InvitationMail) { m.UnsubscribeURL = "/u/x" },
	} {
		m := good
		spoil(&m)
		if mail, err := words(t).Invitation(m); err == nil {
			t.Errorf("%s: rendered %q", name, mail.Subject)
		}
	}
}

func TestInvitationDateFollowsTheZone(t *testing.T) {
	m := invitation(stockTemplate(t, "nps"), "en", "")
	for zone, want := range map[string]string{"": "22 November", "America/New_York": "21 November", "No/Where": "22 November"} {
		m.Timezone = zone
		if mail := render(t, m); !strings.Contains(mail.Text, want) {
			t.Errorf("in %q: no %q", zone, want)
		}
	}
}
