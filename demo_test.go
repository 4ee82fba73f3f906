package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
)

// get fetches a page or an answer of the API.
func get(t *testing.T, url, key string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s, %v", url, res.Status, body, err)
	}
	return string(body)
}

func TestDemoShowsAYearAndIsGoneAfterwards(t *testing.T) {
	temp := t.TempDir()
	p := launch(t, t.TempDir(), []string{"TMPDIR=" + temp, "KOE_TIMEZONE=UTC", "KOE_SMTP_URL=smtp://127.0.0.1:1?tls=none"}, "demo")
	base := p.serving()
	key := regexp.MustCompile(`koe_[A-Za-z0-9_-]+`).FindString(p.read(p.out))

	var scores struct {
		Total struct {
			Responses int
			Score     float64
		}
	}
	for metric, between := range map[string][2]float64{"nps": {30, 65}, "csat": {60, 90}, "ces": {4, 6}} {
		if err := json.Unmarshal([]byte(get(t, base+"/v1/scores?metric="+metric, key)), &scores); err != nil {
			t.Fatal(err)
		}
		if got := scores.Total; got.Responses < 1000 || got.Score < between[0] || got.Score > between[1] {
			t.Errorf("%s: %+v", metric, got)
		}
	}
	for _, hint := range regexp.MustCompile(`'(http[^']+)'`).FindAllStringSubmatch(p.read(p.out), -1) {
		if answer := get(t, hint[1], key); !strings.Contains(answer, `"score"`) {
			t.Errorf("%s: %s", hint[1], answer)
		}
	}
	if list := get(t, base+"/v1/targets", key); !strings.Contains(list, `"state":"met"`) || strings.Contains(list, `"judged":null`) {
		t.Errorf("the targets are not judged: %s", list)
	}
	var followUps survey.FollowUpSummary
	if err := json.Unmarshal([]byte(get(t, base+"/v1/follow-ups/summary", key)), &followUps); err != nil {
		t.Fatal(err)
	}
	if s, word := followUps.States, followUps.Confirmed; s[survey.FollowUpOpen] < 2 || s[survey.FollowUpInProgress] == 0 || s[survey.FollowUpResolved] < 50 ||
		followUps.Overdue == 0 || followUps.Unowned > 0 || word.Confirmed.Count < 10 || word.Reopened.Count == 0 {
		t.Errorf("follow-ups: %+v", followUps)
	}
	for page, says := range map[string]string{"tags?metric=csat": `"tag":"late"`, "notes": "New checkout", "members": "hana.sato@example.com"} {
		if list := get(t, base+"/v1/"+page, key); !strings.Contains(list, says) {
			t.Errorf("%s: no %s in %.300s", page, says, list)
		}
	}
	if list := get(t, base+"/v1/invitations?state=scheduled", key); !strings.Contains(list, "yuko.kimura@example.com") {
		t.Errorf("nothing is scheduled: %s", list)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		box := get(t, base+"/mailbox", "")
		if strings.Contains(box, "juergen.weiss@example.com") && strings.Contains(box, "kenta.tanaka@example.com") && strings.Contains(box, "okafor@example.com") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no mail in the mailbox: %s", box)
		}
	}

	p.stop()
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDemoKeepsItsDatabaseOnlyInANewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "year.db")
	kept := launch(t, t.TempDir(), []string{"KOE_TIMEZONE=Asia/Tokyo"}, "demo", "--keep", path)
	kept.serving()
	kept.stop()
	c := Config{DatabaseURL: "sqlite:" + path, Timezone: "UTC"}
	s, err := openStore(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	checked, err := s.Verify(t.Context())
	if err != nil || len(checked.Faults) > 0 || checked.Responses < 10_000 {
		t.Errorf("%+v, %v", checked, err)
	}

	again := launch(t, t.TempDir(), nil, "demo", "--keep", path)
	if code, _ := again.ended(); code != 1 || !strings.HasPrefix(again.read(again.log), "koe: --keep: "+path+" exists already") {
		t.Errorf("over an existing file: %d, %q", code, again.read(again.log))
	}
}

// TestDemoOfAnInterruptedStart is somebody who changes their mind at once.
func TestDemoOfAnInterruptedStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := openStore(ctx, Config{DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "koe.db"), Timezone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	time.AfterFunc(100*time.Millisecond, cancel)
	start := time.Now()
	if err := fillDemo(ctx, s, 1); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("filled on for %s: %v", time.Since(start), err)
	}
	if _, _, err := s.Keys(context.Background(), store.Caller{Workspace: 1, Role: store.Admin}, store.Page{Limit: 1}); err != nil {
		t.Error(err)
	}
}
