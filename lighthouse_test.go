package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"koe/survey/store/storetest"
)

// Lighthouse finds nothing to mend. It is a large program: KOE_TEST_LIGHTHOUSE
// names it where `make lighthouse` has fetched it.
func TestLighthouse(t *testing.T) {
	program := os.Getenv("KOE_TEST_LIGHTHOUSE")
	if program == "" {
		t.Skip("Lighthouse: run make lighthouse")
	}
	k := startKoe(t, storetest.SQLite(t), "KOE_BASE_URL=")
	k.base = "http://127.0.0.1:" + k.port
	k.want(200, "PATCH", "/v1/workspace", `{"name":"株式会社ことのは","privacy_url":"https://example.com/privacy","reply_to":"hello@example.com"}`)
	k.manual("shop", "nps", `{}`)
	pages := map[string]string{"open link": k.openLink("shop", `"slug":"our-shop"`)}
	for _, locale := range pageLocales {
		pages[locale] = k.link("shop", locale, "ana") + "?score=9"
	}
	answered := k.link("shop", "en", "ana")
	k.post(answered, map[string][]string{"step": {"score"}, "score": {"3"}})
	pages["questions"] = answered
	for name, address := range pages {
		command := exec.Command(program, address, "--quiet", "--output=json", "--only-categories=accessibility",
			"--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage")
		command.Env = append(os.Environ(), "CHROME_PATH="+storetest.Chromium(t))
		var said strings.Builder
		command.Stderr = &said
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, said.String())
		}
		var report struct {
			Categories struct{ Accessibility struct{ Score float64 } }
			Audits     map[string]struct {
				Title string
				Score *float64
			}
		}
		if err := json.Unmarshal(out, &report); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.0f of 100", name, 100*report.Categories.Accessibility.Score)
		for id, audit := range report.Audits {
			if audit.Score != nil && *audit.Score < 1 {
				t.Errorf("%s: %s: %s", name, id, audit.Title)
			}
		}
		if report.Categories.Accessibility.Score != 1 {
			t.Errorf("%s: not 100", name)
		}
	}
}
