package shown_test

import (
	"encoding/json"
	"testing"

	"koe/survey"
	"koe/survey/shown"
)

// An answer to every kind of question, in Delighted's shape: the first words
// are the comment, the rest are additional answers.
func TestAnswersAsDelightedShowsThem(t *testing.T) {
	in := func(words string) survey.Text { return survey.Text{"en": words, "ja": words + "?"} }
	options := []survey.Option{{Key: "speed", Text: in("Speed")}, {Key: "price", Text: in("Price")}}
	template := survey.Template{Key: "long", Metric: "nps", DefaultLocale: "en", Questions: []survey.Question{
		{Key: survey.ScoreKey, Type: survey.ScoreQuestion, Text: in("How likely?")},
		{Key: "reason", Type: survey.TextQuestion, Text: in("Why")},
		{Key: "more", Type: survey.TextQuestion, Text: in("And")},
		{Key: "one", Type: survey.ChoiceQuestion, Text: in("Which"), Options: options},
		{Key: "many", Type: survey.ChoiceQuestion, Multiple: true, Text: in("All"), Options: options},
		{Key: "ease", Type: survey.RatingQuestion, Text: in("Easy")},
		{Key: "call", Type: survey.ConsentQuestion, Text: in("May we")},
		{Key: "silent", Type: survey.TextQuestion, Text: in("Else")},
	}}
	response := survey.Response{ID: survey.ID{15: 7}, Metric: "nps", Score: 9, Comment: "fast", Locale: "ja", RespondedAt: 1_795_339_991_500,
		UpdatedAt: 1_795_340_000_000, Answers: survey.Answers{"reason": "fast", "more": "kind", "one": "speed", "many": []string{"price", "lost"}, "ease": 4, "call": true},
		Person: &survey.Person{ID: survey.ID{14: 1}, Email: "ana@example.com", CreatedAt: 1_795_000_000_000}, Attributes: survey.Attributes{"plan": survey.TextValue("pro")}}
	got, err := json.Marshal(shown.NewDelightedResponse(response, template, "https://koe.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	const value = `"value":{"free_response":`
	want := `{"id":"7","person":{"id":"256","name":null,"email":"ana@example.com","created_at":1795000000},"survey_type":"nps","score":9,"comment":"fast",` +
		`"permalink":"https://koe.example.com/v1/responses/00000000-0000-0000-0000-000000000007","created_at":1795339991,"updated_at":1795340000,` +
		`"person_properties":{"plan":"pro"},"notes":[],"tags":[],"additional_answers":[` +
		`{"id":"702",` + value + `"kind","scale":null,"select_one":null,"select_many":null},"question":{"id":"more","type":"free_response","text":"And?"}},` +
		`{"id":"703",` + value + `null,"scale":null,"select_one":{"id":"speed","text":"Speed?"},"select_many":null},"question":{"id":"one","type":"select_one","text":"Which?"}},` +
		`{"id":"704",` + value + `null,"scale":null,"select_one":null,"select_many":[{"id":"price","text":"Price?"},{"id":"lost","text":"lost"}]},"question":{"id":"many","type":"select_many","text":"All?"}},` +
		`{"id":"705",` + value + `null,"scale":4,"select_one":null,"select_many":null},"question":{"id":"ease","type":"scale","text":"Easy?"}},` +
		`{"id":"706",` + value + `null,"scale":null,"select_one":{"id":"yes","text":"yes"},"select_many":null},"question":{"id":"call","type":"select_one","text":"May we?"}}]}`
	if string(got) != want {
		t.Errorf("is\n%s\ninstead of\n%s", got, want)
	}

	nobody, err := json.Marshal(shown.NewDelightedResponse(survey.Response{Score: 3, Metric: "nps"}, template, ""))
	if err != nil {
		t.Fatal(err)
	}
	const bare = `{"id":"0","person":null,"survey_type":"nps","score":3,"comment":null,"permalink":"/v1/responses/00000000-0000-0000-0000-000000000000",` +
		`"created_at":0,"updated_at":0,"person_properties":{},"notes":[],"tags":[],"additional_answers":[]}`
	if string(nobody) != bare {
		t.Errorf("is\n%s\ninstead of\n%s", nobody, bare)
	}
}
