package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/text/unicode/norm"

	"koe/survey"
	"koe/survey/history"
	"koe/survey/store/storetest"
)

// atOnce is how many strings one request carries.
const atOnce = 20

// naughtyTemplate asks for twenty texts, and for each other kind of answer.
func naughtyTemplate() string {
	var texts strings.Builder
	for i := range atOnce {
		fmt.Fprintf(&texts, `,{"key":"t%d","type":"text","max_length":10000,"text":{"en":"Text %d?"}}`, i, i)
	}
	return `{"name":"n","metric":"csat","default_locale":"en","placeholders":{"name":{"en":"it"}},"questions":[
		{"key":"score","type":"score","scale":{"min":1,"max":5},"text":{"en":"How was {{name}}, then?"}}` + texts.String() + `,
		{"key":"one","type":"choice","required":true,"options":[{"key":"a","text":{"en":"A"}},{"key":"b","text":{"en":"B"}}],"text":{"en":"Which?"}},
		{"key":"speed","type":"rating","scale":{"min":1,"max":3},"text":{"en":"How fast?"}},
		{"key":"contact","type":"consent","text":{"en":"May we?"}}]}`
}

// shape is what a page is made of: its elements with the names of their
// attributes, and the texts of its text fields and headings.
func (r response) shape() (kinds map[string]bool, texts map[string]string) {
	r.t.Helper()
	root, err := html.Parse(bytes.NewReader(r.body))
	if err != nil || !utf8.Valid(r.body) {
		r.t.Fatalf("%s: %v: %.300q", r.request, err, r.body)
	}
	kinds, texts = map[string]bool{}, map[string]string{}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		kind, name := node.Data, node.Data
		for _, a := range node.Attr {
			kind += " " + a.Key
			if a.Key == "name" {
				name = a.Val
			}
		}
		kinds[kind] = true
		for below := range node.Descendants() {
			if below.Type == html.TextNode && (node.Data == "textarea" || node.Data == "h1") {
				texts[name] += below.Data
			}
		}
	}
	return kinds, texts
}

// like fails the test where a page has elements that the plain one has not.
func (r response) like(plain map[string]bool) map[string]string {
	r.t.Helper()
	kinds, texts := r.shape()
	for kind := range kinds {
		if !plain[kind] {
			r.t.Errorf("%s: <%s> came alive", r.request, kind)
		}
	}
	return texts
}

// kept is a text as koe keeps it; false where it cannot be kept.
func kept(s string) (string, bool) {
	clean, err := survey.Clean(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")))
	return clean, err == nil
}

// TestNaughtyStringsEverywhere sends every string through every text that a
// respondent or a shop can fill, over HTTP: it comes back exactly, or is refused
// by the name of its field, and no page, mail or export comes alive of it.
func TestNaughtyStringsEverywhere(t *testing.T) {
	strs := storetest.Naughty(t, "..")
	eachServer(t, func(t *testing.T, s *server) {
		s.do("PUT", "/v1/templates/naughty", naughtyTemplate()).want(201)
		s.survey("naughty", `"template":"naughty"`)
		s.naughtyAnswers(strs)
		s.naughtyNames(strs)
		s.naughtyAttributes(strs)
		s.naughtyTemplates(strs)
		s.naughtyExports()
		if log := s.log.String(); strings.Contains(log, "alert(") || strings.Contains(log, "HYPERLINK") || strings.Contains(log, "ありがとう") {
			t.Error("the log holds what people wrote")
		}
	})
}

// naughtyAnswers sends texts through the page, once without an answer that is
// required, so that they come back in the form, and once with it.
func (s *server) naughtyAnswers(strs []string) {
	token := s.token("naughty", `{}`)
	s.answer(token, "step=score&score=3").want(200)
	plain := map[string]bool{}
	for _, fields := range []string{"step=questions&q_one=a&q_speed=1&q_contact=yes&q_t0=%00", "step=questions&q_t0=x", "step=questions&q_one=c&q_contact=x&q_speed=9&q_none=x",
		"step=questions&q_one=a&score=9", "step=questions&q_one=a"} {
		kinds, _ := s.answer(token, fields).shape()
		maps.Copy(plain, kinds)
	}
	var good []string
	for _, one := range strs {
		if _, ok := kept(one); ok {
			good = append(good, one)
			continue
		}
		s.now.move(time.Second)
		s.answer(token, "step=questions&q_one=a&q_t7="+url.QueryEscape(one)).wantPage(422, `href="#q_t7"`, "cannot be kept").like(plain)
		for _, field := range []string{"q_one", "q_speed", "q_contact", "score"} {
			s.now.move(time.Second)
			s.answer(token, "step=questions&q_one=a&"+field+"="+url.QueryEscape(one)).wantPage(422, "Please check").like(plain)
		}
	}
	want := map[string][]string{}
	for chunk := range slices.Chunk(good, atOnce) {
		token := s.token("naughty", `{}`)
		fields := "step=questions"
		for i, one := range chunk {
			fields += fmt.Sprintf("&q_t%d=%s", i, url.QueryEscape(one))
		}
		s.answer(token, "step=score&score=3").want(200)
		shown := s.answer(token, fields).wantPage(422, `href="#q_one.1"`).like(plain)
		for i, one := range chunk {
			as := strings.ReplaceAll(strings.ReplaceAll(one, "\r\n", "\n"), "\r", "\n") // as every browser reads HTML
			if got := shown[fmt.Sprintf("q_t%d", i)]; got != as {
				s.t.Errorf("%.80q is shown again as %.80q", one, got)
			}
		}
		s.answer(token, fields+"&q_one=a").wantPage(200, "Thank you").like(plain)
		want[s.do("GET", "/v1/responses?limit=1", nil).want(200).text("data[0].id")] = chunk
	}
	for id, chunk := range want {
		got := s.do("GET", "/v1/responses/"+id, nil).want(200)
		for i, one := range chunk {
			text, _ := kept(one)
			if back, _ := got.at(fmt.Sprintf("answers.t%d", i)).(string); back != text {
				s.t.Errorf("%.80q comes back as %.80q", one, back)
			}
		}
	}
}

// naughtyNames gives customers names, and looks at the pages that show them.
func (s *server) naughtyNames(strs []string) {
	type customer struct {
		ID   string `json:"external_id"`
		Name string `json:"name"`
	}
	var links []map[string]customer
	names := map[string]string{}
	for i, one := range strs {
		if n := utf8.RuneCountInString(one); !utf8.ValidString(one) || n > 200 && utf8.RuneCountInString(norm.NFC.String(one)) <= 200 {
			continue // JSON holds none; the contract counts before marks are composed
		}
		var p survey.Problems
		c := customer{fmt.Sprintf("n-%d", i), one}
		name := survey.Line(&p, "name", one, 200)
		if p.Err() != nil {
			status := 422
			if strings.Contains(one, "\x00") {
				status = 400
			}
			refused := s.do("POST", "/v1/surveys/naughty/links", map[string]any{"links": []map[string]customer{{"customer": c}}}).wantProblem(status)
			if !strings.Contains(string(refused.body), "name") {
				s.t.Errorf("%.80q is refused without its field: %s", one, refused.body)
			}
			continue
		}
		names[c.ID], links = name, append(links, map[string]customer{"customer": c})
	}
	var made struct{ Data []struct{ URL string } }
	s.do("POST", "/v1/surveys/naughty/links", map[string]any{"links": links}).want(201).into(&made)
	plain, _ := s.open(s.token("naughty", `{"name":"Ana"}`)).shape()
	for i, link := range made.Data {
		if i%3 != 0 { // all are kept; a third is enough to look at
			continue
		}
		_, token, _ := strings.Cut(link.URL, "/s/")
		name := names[links[i]["customer"].ID]
		heading := s.open(token).want(200).like(plain)["h1"]
		if strings.ContainsFunc(heading, unicode.IsControl) || !strings.HasPrefix(heading, "How was ") || !strings.HasSuffix(heading, ", then?") {
			s.t.Errorf("%.80q is shown as %.80q", name, heading)
		}
		if !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r > 0x2fff }) && !strings.Contains(heading, name) && name != "" {
			s.t.Errorf("%.80q is shown as %.80q", name, heading)
		}
	}
	for cursor := ""; ; {
		page := s.do("GET", "/v1/people?limit=500"+cursor, nil).want(200)
		var people struct {
			Data []customer
			Next string `json:"next_cursor"`
		}
		page.into(&people)
		for _, p := range people.Data {
			if want, known := names[p.ID]; known && p.Name != want {
				s.t.Errorf("the name %.80q comes back as %.80q", want, p.Name)
			}
			delete(names, p.ID)
		}
		if people.Next == "" {
			break
		}
		cursor = "&cursor=" + people.Next
	}
	if len(names) > 0 {
		s.t.Errorf("%d people are missing", len(names))
	}
}

// naughtyAttributes puts values into the address of an open link. What cannot
// be an attribute is as if it were not there.
func (s *server) naughtyAttributes(strs []string) {
	link := survey.OpenLink{}
	for i := range atOnce {
		link.Attributes = append(link.Attributes, fmt.Sprintf("a%d", i))
	}
	list, _ := json.Marshal(link.Attributes)
	slug := s.openLink("naughty", `"attributes":`+string(list))
	plain, _ := s.do("GET", "/l/"+slug+"?a0=x", nil, as("")).want(200).shape()
	for chunk := range slices.Chunk(strs, atOnce) {
		query := url.Values{"lang": {"en"}}
		for i, one := range chunk {
			query.Set(link.Attributes[i], one)
		}
		v := s.visit(slug + "?" + query.Encode())
		s.do("GET", "/l/"+v.path, nil, as("")).want(200).like(plain)
		v.post("step=questions&score=3&q_one=a").want(200)
		got := s.do("GET", "/v1/responses?limit=1", nil).want(200)
		want := link.Told(query)
		for i, one := range chunk {
			back, _ := got.at("data[0].attributes." + link.Attributes[i]).(string)
			if back != want[link.Attributes[i]].Text() {
				s.t.Errorf("the attribute %.80q comes back as %.80q", one, back)
			}
			if clean, err := survey.Clean(one); err == nil && utf8.RuneCountInString(one) <= 200 && back != clean {
				s.t.Errorf("the attribute %.80q is lost: %.80q", one, back)
			}
		}
	}
}

// naughtyTemplates has an editor write the words of templates.
func (s *server) naughtyTemplates(strs []string) {
	words := func(one string) map[string]any {
		text := map[string]string{"en": one}
		return map[string]any{"name": "w", "metric": "csat", "default_locale": "en", "mail": map[string]any{"intro": text},
			"questions": []map[string]any{{"key": "score", "type": "score", "text": text, "low_label": text, "high_label": text}},
			"thank_you": []map[string]any{{"text": text, "link": map[string]any{"url": "https://example.com/", "text": text}}}}
	}
	preview := func(what string) response {
		return s.do("POST", "/v1/templates/words/preview", `{"what":"`+what+`","score":1}`).want(200)
	}
	page := func(what string) response { got := preview(what); got.body = []byte(got.text("html")); return got }
	s.do("PUT", "/v1/templates/words", words("plain\nwords")).want(201)
	plainPage, _ := page("page").shape()
	plainMail, _ := page("mail").shape()
	refused := 0
	for i, one := range strs {
		if !utf8.ValidString(one) || i%4 != 0 { // each of them is one more version
			continue
		}
		made := s.do("PUT", "/v1/templates/words", words(one))
		if made.status == 200 {
			clean, err := survey.Clean(one)
			if got := made.text("questions[0].text.en"); got != clean || err != nil {
				s.t.Errorf("the words %.80q come back as %.80q", one, got)
			}
			page("page").like(plainPage)
			page("mail").like(plainMail)
			continue
		}
		refused++
		if made.status != 400 && (made.status != 422 || !strings.Contains(string(made.body), `"field":"questions[0].`)) {
			s.t.Errorf("%.80q: %d %s", one, made.status, made.body)
		}
	}
	if refused > 20 {
		s.t.Errorf("%d strings are refused as words", refused)
	}
}

// naughtyExports reads what was answered as a spreadsheet would, and as a
// program.
func (s *server) naughtyExports() {
	cells, err := csv.NewReader(bytes.NewReader(s.do("GET", "/v1/responses/export?format=csv", nil).want(200).body)).ReadAll()
	if err != nil || len(cells) < 40 {
		s.t.Fatalf("%d rows, %v", len(cells), err)
	}
	written := map[string]bool{}
	for _, row := range cells[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && !strings.ContainsAny(cell[1:], "0123456789") {
				s.t.Errorf("a spreadsheet would run %.80q", cell)
			}
			written[history.Unguard(cell)] = true
		}
	}
	lines := s.do("GET", "/v1/responses/export?format=ndjson", nil).want(200).body
	texts := 0
	for line := range bytes.Lines(lines) {
		var r struct{ Answers map[string]any }
		if err := json.Unmarshal(line, &r); err != nil {
			s.t.Fatal(err)
		}
		for _, answer := range r.Answers {
			text, is := answer.(string)
			if !is {
				continue
			}
			texts++
			if !written[strings.ReplaceAll(text, "\r\n", "\n")] {
				s.t.Errorf("%.80q is not in the CSV", text)
			}
		}
	}
	if texts < 450 {
		s.t.Errorf("only %d texts were exported", texts)
	}
}
