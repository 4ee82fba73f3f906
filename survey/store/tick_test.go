package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store/storetest"
)

// BenchmarkTick is what a look for due mail, and for leases that have run out,
// costs where none is due and so many wait for days.
func BenchmarkTick(b *testing.B) {
	for _, database := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		for _, waiting := range []int{1000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", database.name, waiting), func(b *testing.B) {
				url := database.url(b)
				s := storetest.Open(b, url)
				by := storetest.Default(b, s)
				made, err := s.CreateSurvey(b.Context(), by, survey.Survey{Name: "chat", Template: "nps", Touchpoint: "chat", Channel: survey.Email,
					Trigger: survey.Trigger{Type: survey.OnInteraction, Delay: "5d"}})
				ok(b, err)
				_, err = s.SetSurveyState(b.Context(), by, made.ID.String(), survey.Active, 0)
				ok(b, err)
				_, err = s.RecordInteraction(b.Context(), by, chat("a@example.com"))
				ok(b, err)
				multiply(b, url, waiting)
				for b.Loop() {
					taken, err := s.TakeDue(b.Context(), 8, 8, time.Minute, func(string) survey.Instant { return 0 }, plainID)
					if err != nil || taken.Found != 0 {
						b.Fatal(taken, err)
					}
					if n, err := s.SettleLeases(b.Context(), false); err != nil || n != 0 {
						b.Fatal(n, err)
					}
				}
			})
		}
	}
}

// multiply copies the one invitation that there is until there are n.
func multiply(b *testing.B, url string, n int) {
	b.Helper()
	const others = `workspace_id, survey_id, touchpoint_id, template_id, template_version, channel, email, address_hash, domain, name, locale,
		timezone, attributes, segments, nonce, state, reason, planned_at, expires_at, mail_no, mail_state, due_at, attempt, lease_until,
		fence, held, planned_day, created_at, updated_at`
	driver, address, numbers, id, hash := "pgx", url, fmt.Sprintf(`(SELECT generate_series(2, %d) AS i)`, n), `gen_random_uuid()`, `decode(md5(i::text), 'hex')`
	if file, lite := strings.CutPrefix(url, "sqlite:"); lite {
		driver, address = "sqlite3", "file:"+file
		numbers = fmt.Sprintf(`(WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n)`, n)
		id, hash = `randomblob(16)`, `randomblob(16)`
	}
	db, err := sql.Open(driver, address)
	ok(b, err)
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(b.Context(), `INSERT INTO invitations (id, token_hash, `+others+`) SELECT `+id+`, `+hash+`, `+others+
		` FROM invitations, `+numbers+` AS numbers`)
	ok(b, err)
}
