package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

// weather is a database with a way to take it away and to bring it back.
type weather struct {
	database, through string // its own address, and the one that koe is given
	takeAway          func(p *process) error
	bringBack         func(p *process) error
}

var weathers = map[string]func(t *testing.T) weather{
	"PostgreSQL that is away": func(t *testing.T) weather {
		database := storetest.Postgres(t)
		gate, through := storetest.Behind(t, database)
		return weather{database, through, func(*process) error { gate.Shut(); return nil }, func(*process) error { gate.Open(); return nil }}
	},
	"an SQLite file that another process has locked": func(t *testing.T) weather {
		database := storetest.SQLite(t)
		db, err := sql.Open("sqlite3", "file:"+strings.TrimPrefix(database, "sqlite:")+"?_busy_timeout=10000")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(1)
		statement := func(sql string) func(*process) error {
			return func(*process) error { _, err := db.Exec(sql); return err }
		}
		return weather{database, database, statement("BEGIN EXCLUSIVE"), statement("ROLLBACK")}
	},
	"a disk that is full": func(t *testing.T) weather {
		limit, database := storetest.FileSizeLimit(t), storetest.SQLite(t)
		return weather{database, database, func(p *process) error { return limit(p.cmd.Process.Pid, 4096) },
			func(p *process) error { return limit(p.cmd.Process.Pid, -1) }}
	},
}

// TestBadWeather takes the database away in the middle of sending. Nothing is
// said to be stored that is not, what a respondent typed is kept in the page,
// and koe goes on by itself once it is back: each mail goes out once.
func TestBadWeather(t *testing.T) {
	away := 7 * time.Second // past the five that a writer waits for SQLite's lock, and several leases
	if battery.Full() {
		away = time.Minute
	}
	for name, is := range weathers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := is(t)
			begun := time.Now()
			b := newBattle(t, w.database, 150, 10*time.Millisecond)
			p, c := b.serving(w.through)
			link := c.link(t)
			b.until("some mails came", func() bool { return b.sink.taken.Load() >= 30 })
			if err := w.takeAway(p); err != nil {
				t.Fatal(err)
			}
			back := time.Now().Add(away)
			c.all(t, link, 503, 503, 503)
			time.Sleep(time.Until(back))
			came := b.sink.taken.Load()
			if err := w.bringBack(p); err != nil {
				t.Fatal(err)
			}
			if came >= int64(b.size) {
				t.Error("all had gone out before the database was back: this proves nothing")
			}
			within(t, "koe is ready again", func() bool { code, _, _ := c.get("/readyz"); return code == http.StatusOK })
			c.all(t, link, 202, 201, 200)
			b.size++ // the interaction
			b.over()
			p.stop()
			b.outcome(name, begun, 0, 0)
		})
	}
}

// serving starts a koe that sends and answers, and returns somebody who calls it.
func (b *battle) serving(database string) (*process, client) {
	b.t.Helper()
	free := listenAnywhere(b.t)
	address := free.Addr().String()
	_ = free.Close()
	c := client{"http://" + address, "koe_key-of-the-weather-test"}
	p := launch(b.t, b.t.TempDir(), []string{"KOE_DATABASE_URL=" + database, "KOE_SECRET=" + longEnough, "KOE_SMTP_URL=" + b.sink.url,
		"KOE_LISTEN=" + address, "KOE_BASE_URL=https://" + publicHost, "KOE_ADMIN_KEY=" + c.key, "KOE_MAIL_FROM=koe@koe.example",
		"KOE_MAIL_LEASE=1s", "KOE_MAIL_PER_SECOND=50", "KOE_TIMEZONE=UTC"}, "serve")
	b.until("koe serves", func() bool { return strings.Contains(p.read(p.log), "koe serves") })
	return p, c
}

// client is somebody who calls koe.
type client struct{ base, key string }

func (c client) do(method, path, media, body string) (int, http.Header, string) {
	request, err := http.NewRequestWithContext(context.Background(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err.Error()
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	if body != "" {
		request.Header.Set("Content-Type", media)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, nil, err.Error()
	}
	return answer.StatusCode, answer.Header, string(text)
}

func (c client) get(path string) (int, http.Header, string) { return c.do("GET", path, "", "") }

// link makes a survey by link, key "poster", and the path of a personal link.
func (c client) link(t *testing.T) string {
	t.Helper()
	const media = "application/json"
	for _, step := range [][3]string{
		{"PUT", "/v1/surveys/poster", `{"name":"Poster","template":"nps","touchpoint":"till","channel":"link","trigger":{"type":"manual"}}`},
		{"POST", "/v1/surveys/poster/activate", ""},
		{"POST", "/v1/surveys/poster/links", `{"links":[{"customer":{"external_id":"c-1"}}]}`},
	} {
		code, _, text := c.do(step[0], step[1], media, step[2])
		if code < 200 || code > 299 {
			t.Fatalf("%s %s: %d %s", step[0], step[1], code, text)
		}
		if _, found, ok := strings.Cut(text, "https://"+publicHost+"/s/"); ok {
			token, _, _ := strings.Cut(found, `"`)
			return "/s/" + token
		}
	}
	t.Fatal("no link was made")
	return ""
}

// all tells of an interaction, posts an answer that was taken elsewhere and
// answers a link, all at once, and wants these statuses.
func (c client) all(t *testing.T, link string, interaction, response, page int) {
	t.Helper()
	const typed = "遅い <b>& late"
	var wait sync.WaitGroup
	want := func(status int, path, media, body string) {
		wait.Go(func() {
			code, header, text := c.do("POST", path, media, body)
			if code != status {
				t.Errorf("%s: %d, want %d: %.300s", path, code, status, text)
			}
			if status == http.StatusServiceUnavailable && header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", path)
			}
			if path == link && status != http.StatusOK {
				for _, kept := range []string{`name="score" value="6"`, `name="q_improve"`, "遅い &lt;b&gt;&amp; late"} {
					if !strings.Contains(text, kept) {
						t.Errorf("the page has not kept %s:\n%s", kept, text)
					}
				}
			}
		})
	}
	want(interaction, "/v1/interactions", "application/json", `{"touchpoint":"chat","external_id":"e-1","customer":{"email":"late@example.com"}}`)
	want(response, "/v1/responses", "application/json", `{"survey_id":"poster","score":9,"external_id":"r-1"}`)
	want(page, link, "application/x-www-form-urlencoded", url.Values{"score": {"6"}, "q_improve": {typed}}.Encode())
	wait.Wait()
	if page != http.StatusOK {
		return
	}
	code, _, text := c.get("/v1/responses?survey=poster")
	if n := strings.Count(text, `"score":`); code != http.StatusOK || n != 2 {
		t.Errorf("%d answers are kept, want 2: %d %s", n, code, fmt.Sprintf("%.500s", text))
	}
}
