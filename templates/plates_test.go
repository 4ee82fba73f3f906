package templates

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"koe/survey"
)

// TestAPrintedMailIsTheRenderedOne holds mails from one plate against mails
// that were rendered alone.
func TestAPrintedMailIsTheRenderedOne(t *testing.T) {
	stock, w := stock(t), words(t)
	long := stock[0]
	long.Key, long.Mail.Subject = "long", survey.Text{"en": strings.Repeat("how was it ", 20)}
	stock = append(stock, long)
	token := rapid.StringMatching(`[A-Za-z0-9_-]{0,40}`)
	printed := 0
	rapid.Check(t, func(t *rapid.T) {
		at := survey.InstantOf(time.Date(2026, 11, 21, rapid.IntRange(0, 72).Draw(t, "hour"), 30, 0, 0, time.UTC))
		m := invitation(rapid.SampledFrom(stock).Draw(t, "template"), rapid.SampledFrom([]string{"en", "ja", "de", "ar", ""}).Draw(t, "locale"),
			rapid.OneOf(rapid.SampledFrom([]string{"", "Ana", "O'Hara & <Sons> + 1", "יעל", "{{name}}", "田中 花子"}), rapid.StringN(0, 80, -1)).Draw(t, "name"))
		m.Version, m.OccurredAt, m.Reminder = 1, &at, rapid.Bool().Draw(t, "reminder")
		m.Timezone = rapid.SampledFrom([]string{"", "America/New_York", "Asia/Tokyo"}).Draw(t, "zone")
		m.SurveyURL = "https://koe.example/s/" + token.Draw(t, "survey")
		if m.UnsubscribeURL = ""; rapid.Bool().Draw(t, "unsubscribe") {
			m.UnsubscribeURL = "https://koe.example/u/" + token.Draw(t, "unsubscribe token")
		}
		got, err := w.Invitation(m)
		if err != nil {
			t.Fatal(err)
		}
		want, err := w.render(m)
		if err != nil || got != want {
			t.Errorf("printed\n%+v\nrendered\n%+v\n%v", got, want, err)
		}
		if key, ok := m.key(inert(m.Name)); ok && w.plates.made[key].subject != "" {
			printed++
		}
	})
	if printed == 0 {
		t.Error("none was printed from a plate")
	}
	if len(w.plates.made) > maxPlates {
		t.Errorf("%d plates", len(w.plates.made))
	}
}

func TestAnotherVersionIsAnotherMail(t *testing.T) {
	w, m := words(t), invitation(stock(t)[0], "en", "Ana")
	m.Version = 1
	before, err := w.Invitation(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Version, m.Template.Mail.Subject = 2, survey.Text{"en": "Something else"}
	after, err := w.Invitation(m)
	if err != nil || after.Subject == before.Subject {
		t.Errorf("%q, %v", after.Subject, err)
	}
	m.Workspace.Name = "Another name"
	renamed, err := w.Invitation(m)
	if err != nil || !strings.Contains(renamed.HTML, "Another name") {
		t.Error("the company keeps its old name")
	}
}

func BenchmarkInvitation(b *testing.B) {
	list, err := Stock()
	if err != nil {
		b.Fatal(err)
	}
	w, err := New()
	if err != nil {
		b.Fatal(err)
	}
	for name, version := range map[string]int{"alone": 0, "printed": 1} {
		b.Run(name, func(b *testing.B) {
			m := invitation(list[0], "en", "Ana")
			m.Version = version
			for b.Loop() {
				if _, err := w.Invitation(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
