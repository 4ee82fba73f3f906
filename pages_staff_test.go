package main

import (
	"fmt"
	"io"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"

	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

// staffScreens are what the dashboard is looked at on.
var staffScreens = []screen{{"light", 390}, {"dark", 390}, {"dark", 1280}, {"light", 1280}}

// staff goes through the pages of the dashboard.
type staff struct {
	*visitor
	member string
	prefix string // of the names of pictures
	turns  int
}

// TestEveryPageOfTheDashboard looks at every page that staff meet: nobody has to
// scroll sideways, and axe finds nothing. With KOE_BATTERY=full that is on every
// screen in every language, else once, by turns. Then a checker reads the HTML.
func TestEveryPageOfTheDashboard(t *testing.T) {
	axe := storetest.Axe(t)
	inbox, smtp := startSMTP(t)
	k := startKoe(t, storetest.SQLite(t), "KOE_SMTP_URL="+smtp)
	member, _ := k.want(201, "POST", "/v1/members", `{"email":"kim@example.com","name":"Kim 山田","role":"admin"}`)["id"].(string)
	s := &staff{visitor: &visitor{browser: k.browseFor(t, 10*time.Minute), k: k, axe: axe, html: t.TempDir(), pictures: true}, member: member, prefix: "dashboard-"}
	if battery.Full() {
		s.signIn(inbox, "ja")
	}
	s.signIn(inbox, "en")
	s.follow("main button")
	for name, path := range map[string]string{"scoreboard-empty": "/dashboard", "comments-empty": "/dashboard/comments", "follow-ups-empty": "/dashboard/follow-ups"} {
		s.see(name, path)
	}
	answer, followUp := k.seedDashboard()
	for _, page := range []struct{ name, path string }{
		{"scoreboard", ""},
		{"touchpoint", "/touchpoints/support_chat?interval=week&volume_per_day=100"},
		{"comments", "/comments?touchpoint=support_chat"},
		{"tags", "/tags?touchpoint=support_chat"},
		{"response", "/responses/" + answer},
		{"follow-ups", "/follow-ups?state=all"},
		{"follow-up", "/follow-ups/" + followUp},
		{"surveys", "/surveys"},
		{"survey", "/surveys/mailed"},
		{"problem", "/nowhere"},
	} {
		s.see(page.name, "/dashboard"+page.path)
	}
	k.moreTouchpoints()
	for _, path := range []string{"", "/touchpoints/support_chat?interval=week"} {
		s.open(k.base + "/dashboard" + path)
		if n := s.sheets(); n != 1 {
			t.Errorf("/dashboard%s is %d sheets of paper", path, n)
		}
	}
	pages, err := filepath.Glob(filepath.Join(s.html, "*.html"))
	if err != nil || len(pages) < 16 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	checkHTML(t, storetest.HTMLChecker(t), pages)
}

// signIn shows the pages up to the button that signs in.
func (s *staff) signIn(inbox *inbox, locale string) {
	s.t.Helper()
	s.locale = locale
	tell(s.browser, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": locale}})
	s.open(s.k.base + "/dashboard/sign-in")
	s.inspectPage("sign-in")
	s.click("input[name=email]")
	s.types("kim@example.com")
	s.follow("main button")
	s.inspectPage("sign-in-sent")
	s.open(inbox.signInLink(s.t))
	s.inspectPage("sign-in-confirm")
}

// signInLink waits for the mail with the link.
func (b *inbox) signInLink(t *testing.T) string {
	t.Helper()
	select {
	case <-b.came:
	case <-time.After(20 * time.Second):
		t.Fatal("no mail came")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, err := io.ReadAll(quotedprintable.NewReader(b.mails[len(b.mails)-1].Body))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`http://\S+/dashboard/sign-in/\S+`).FindString(string(body))
	if link == "" {
		t.Fatalf("no link in %s", body)
	}
	return link
}

// see looks at a page of whoever is signed in.
func (s *staff) see(page, path string) {
	s.t.Helper()
	locales := []string{"en", "ja"}
	if !battery.Full() {
		locales = locales[s.turns%2:][:1]
	}
	for _, s.locale = range locales {
		s.k.want(200, "PATCH", "/v1/members/"+s.member, `{"locale":"`+s.locale+`"}`)
		s.open(s.k.base + path)
		s.inspectPage(page)
	}
}

// inspectPage looks at what the tab shows.
func (s *staff) inspectPage(page string) {
	s.t.Helper()
	if s.screens = staffScreens; !battery.Full() {
		s.screens = staffScreens[s.turns/2%len(staffScreens):][:1]
	}
	s.turns++
	s.strict(page)
	s.keep(page)
	s.onScreens(s.prefix+page, false, everyRule)
}

// sheets is how many sheets of A4 the page takes.
func (b *browser) sheets() int {
	b.t.Helper()
	pdf := tell(b, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true), PaperWidth: 8.27, PaperHeight: 11.69}).Data
	if folder := os.Getenv("KOE_TEST_SCREENSHOTS"); folder != "" {
		name := strings.NewReplacer("/", "-", "?", "-").Replace(js[string](b, "location.pathname")) + ".pdf"
		if err := os.WriteFile(filepath.Join(folder, strings.TrimPrefix(name, "-")), pdf, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	return len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1))
}

// moreTouchpoints makes it eight of them.
func (k *running) moreTouchpoints() {
	k.t.Helper()
	for i := range 7 {
		name := fmt.Sprintf("place-%d", i)
		k.want(201, "PUT", "/v1/surveys/"+name, `{"name":"`+name+`","template":"csat","touchpoint":"`+name+`","channel":"link","trigger":{"type":"manual"}}`)
		k.want(200, "POST", "/v1/surveys/"+name+"/activate", "")
		for score := 1; score <= 5; score += 2 {
			k.want(201, "POST", "/v1/responses", fmt.Sprintf(`{"survey_id":"%s","score":%d,"external_id":"%[1]s-%[2]d"}`, name, score))
		}
	}
}

// seedDashboard gives every page something to show, and says which answer has a
// follow-up.
func (k *running) seedDashboard() (answer, followUp string) {
	k.t.Helper()
	k.want(201, "PUT", "/v1/surveys/chat", `{"name":"After <b>chat</b> チャットのあと","template":"nps","touchpoint":"support_chat","channel":"link",
		"trigger":{"type":"manual"},"rules":{"follow_up":{"score":{"max":6},"owner":"kim@example.com"}},"segments":["agent"]}`)
	k.want(200, "POST", "/v1/surveys/chat/activate", "")
	k.want(201, "PUT", "/v1/surveys/mailed", `{"name":"By mail","template":"csat","touchpoint":"shop","channel":"email","trigger":{"type":"interaction","delay":"2h"},
		"rules":{"quiet_period":"14d","sample":0.9,"daily_limit":500,"condition":{"attributes.plan":["pro"]},"send_window":{"from":"09:00","to":"18:00","weekdays":[1,2,3]},"reminders":["3d"]}}`)
	k.want(200, "POST", "/v1/surveys/mailed/activate", "")
	k.want(202, "POST", "/v1/interactions", `{"touchpoint":"shop","customer":{"email":"ana@example.com"},"attributes":{"plan":"free"}}`)
	k.want(201, "POST", "/v1/tag-rules", `{"tag":"slow","keywords":["slow","遅い"]}`)
	now := time.Now().UTC()
	for i := range 40 {
		comment := []string{"Too slow, and nobody knew anything", "返事が遅い。\\nとても残念です。", "Donaudampfschifffahrtsgesellschaftskapitän", "Great help"}[i%4]
		k.want(201, "POST", "/v1/responses", fmt.Sprintf(`{"survey_id":"chat","score":%d,"comment":"%s","external_id":"e-%d","attributes":{"agent":"%s"},
			"customer":{"email":"c%d@example.com","name":"山田 花子"},"responded_at":"%s"}`, (i*7)%11, comment, i, []string{"Kim", "Lee"}[i%2], i, now.AddDate(0, 0, -i).Format(time.RFC3339)))
	}
	k.want(201, "POST", "/v1/targets", `{"name":"Chat satisfies","kind":"score","metric":"nps","touchpoint":"support_chat","at_least":30}`)
	k.want(201, "POST", "/v1/targets", `{"name":"Call back","kind":"time_to_first_touch","at_most":8,"period":"week"}`)
	k.want(201, "POST", "/v1/notes", `{"day":"`+now.AddDate(0, 0, -5).Format(time.DateOnly)+`","text":"New & better chat","touchpoint":"support_chat"}`)
	list, _ := k.want(200, "GET", "/v1/follow-ups", "")["data"].([]any)
	if len(list) == 0 {
		k.t.Fatal("no follow-up was opened")
	}
	first, _ := list[0].(map[string]any)
	response, _ := first["response"].(map[string]any)
	followUp, _ = first["id"].(string)
	answer, _ = response["id"].(string)
	k.want(201, "POST", "/v1/follow-ups/"+followUp+"/notes", `{"text":"Called; nobody answered"}`)
	return answer, followUp
}
