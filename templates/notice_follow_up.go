package templates

import (
	"fmt"
	"strings"
	"time"

	"koe/survey"
)

// FollowUpNotice is a mail to somebody of the company about an unhappy answer.
type FollowUpNotice struct {
	Event      survey.Event // follow_up.opened, follow_up.reopened or follow_up.overdue
	FollowUp   survey.FollowUp
	Template   survey.Template // of the answer
	Touchpoint string          // its name for people
	Locale     string          // of the reader: "en" or "ja"
	Timezone   string          // of the reader
	BaseURL    string
}

// followUpWords are what such mails say in one language.
type followUpWords struct {
	subject, why                map[survey.Event]string // with the touchpoint's name
	of, customer, unknown       string
	agreed, refused, notAsked   string
	yes, no, due, owner, nobody string
	link, separate              string
}

var followUpEnglish = followUpWords{
	subject: map[survey.Event]string{survey.EventFollowUpOpened: "Please get back to a customer: %s",
		survey.EventFollowUpReopened: "Not solved yet: %s", survey.EventFollowUpOverdue: "Overdue: nobody has resolved %s"},
	why: map[survey.Event]string{survey.EventFollowUpOpened: "An unhappy answer about %s is yours to follow up.",
		survey.EventFollowUpReopened: "The customer says that it is not solved, about %s. It is open again.",
		survey.EventFollowUpOverdue:  "An unhappy answer about %s was not resolved in time."},
	of: "%d of %d", customer: "Customer", unknown: "not known",
	agreed: "The customer agreed to be contacted.", refused: "The customer does not want to be contacted.",
	notAsked: "The customer said nothing about being contacted.", yes: "yes", no: "no",
	due: "Due", owner: "Owner", nobody: "nobody", link: "Open it:", separate: ": ",
}

var followUpJapanese = followUpWords{
	subject: map[survey.Event]string{survey.EventFollowUpOpened: "お客様への対応をお願いします：%s",
		survey.EventFollowUpReopened: "未解決とのご回答がありました：%s", survey.EventFollowUpOverdue: "対応期限を過ぎています：%s"},
	why: map[survey.Event]string{survey.EventFollowUpOpened: "%sについて低い評価の回答がありました。あなたが担当です。ご対応をお願いします。",
		survey.EventFollowUpReopened: "%sの件について、お客様から「解決していない」とのご回答がありました。対応を再開してください。",
		survey.EventFollowUpOverdue:  "%sについての低い評価の回答が、期限までに解決していません。"},
	of: "%d（%d点満点）", customer: "お客様", unknown: "不明",
	agreed: "お客様からご連絡の承諾をいただいています。", refused: "お客様はご連絡を希望されていません。",
	notAsked: "ご連絡の可否については回答がありません。", yes: "はい", no: "いいえ",
	due: "期限", owner: "担当者", nobody: "未定", link: "対応ページ：", separate: "：",
}

func followUpWordsIn(lang string) followUpWords {
	if lang == "ja" {
		return followUpJapanese
	}
	return followUpEnglish
}

// FollowUpNotice writes the mail. What the customer wrote is quoted: no line of
// it can pass for koe's own, nor turn the text around it.
func (w *Words) FollowUpNotice(n FollowUpNotice) (Mail, error) {
	words, speaks := followUpEnglish, w.voice("en")
	if n.Locale == "ja" {
		words, speaks = followUpJapanese, w.voice("ja")
	}
	if words.subject[n.Event] == "" {
		return Mail{}, fmt.Errorf("no words for %s", n.Event)
	}
	touchpoint := speaks.inert(n.Touchpoint)
	due, err := speaks.moment(n.FollowUp.DueAt, firstZone(n.Timezone))
	if err != nil {
		return Mail{}, err
	}
	r := n.FollowUp.Response
	locale := w.SurveyLocale(n.Template, n.Locale)
	said := func(text survey.Text) string {
		words, _ := text.In(locale, n.Template.DefaultLocale)
		return inert(words)
	}
	var b strings.Builder
	fmt.Fprintf(&b, words.why[n.Event]+"\n\n", touchpoint)
	line := func(name, value string) { fmt.Fprintf(&b, "%s%s%s\n", name, words.separate, value) }
	if score := n.Template.Score(); score != nil {
		line(said(score.Text), fmt.Sprintf(words.of, r.Score, n.Template.Measure().Max))
	}
	for _, question := range n.Template.Questions {
		if answer, given := r.Answers[question.Key]; given && question.Type != survey.ScoreQuestion && question.Type != survey.ConsentQuestion {
			line(said(question.Text), words.answer(question, answer, said))
		}
	}
	b.WriteString("\n")
	customer := words.unknown
	if r.Person != nil && r.Person.Name != "" {
		customer = inert(r.Person.Name)
	}
	line(words.customer, customer)
	b.WriteString(words.consent(n.FollowUp.MayContact) + "\n\n")
	line(words.due, due)
	if n.Event == survey.EventFollowUpOverdue {
		owner := words.nobody
		if n.FollowUp.Owner != nil {
			owner = inert(n.FollowUp.Owner.Name)
		}
		line(words.owner, owner)
	}
	fmt.Fprintf(&b, "\n%s\n%s/dashboard/follow-ups/%s\n", words.link, n.BaseURL, n.FollowUp.ID)
	return Mail{Subject: subjectLine(fmt.Sprintf(words.subject[n.Event], touchpoint)), Text: b.String()}, nil
}

func (w followUpWords) consent(said *bool) string {
	switch {
	case said == nil:
		return w.notAsked
	case *said:
		return w.agreed
	}
	return w.refused
}

// answer is what was said to one question; a text stands below, quoted.
func (w followUpWords) answer(q survey.Question, said any, words func(survey.Text) string) string {
	option := func(key string) string {
		for _, o := range q.Options {
			if o.Key == key {
				return words(o.Text)
			}
		}
		return key
	}
	switch v := said.(type) {
	case bool:
		if v {
			return w.yes
		}
		return w.no
	case []string:
		names := make([]string, len(v))
		for i, key := range v {
			names[i] = option(key)
		}
		return strings.Join(names, ", ")
	case string:
		if q.Type == survey.ChoiceQuestion {
			return option(v)
		}
		return "\n> " + strings.ReplaceAll(unturned(strings.TrimSpace(lineEnds.Replace(v))), "\n", "\n> ")
	}
	return fmt.Sprint(said)
}

// moment is the date and the time of an instant, in a zone that it names.
func (v voice) moment(i survey.Instant, zone *time.Location) (string, error) {
	date, err := v.date(i, zone)
	return fmt.Sprintf("%s %s (%s)", date, i.Time().In(zone).Format("15:04"), zone), err
}
