package store_test

import (
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// smallTables hold few rows in every installation: what somebody has set up, and
// what PostgreSQL alone uses. smallIndexes are of rows that something is done
// with at this moment.
var smallTables = []string{"workspaces", "touchpoints", "surveys", "templates", "template_versions", "measures", "webhooks", "api_keys", "open_links",
	"public_slugs", "sources", "schedules", "tally_deltas", "invitation_tally_deltas", "workspace_members", "key_days"}

var smallIndexes = regexp.MustCompile(`INDEX (invitations_lease_until|outbox_lease_until|fires_running)\b`)

var (
	planStep  = regexp.MustCompile(`^(SCAN|SEARCH) (\S+)(?: USING (.*))?$`)
	tableName = regexp.MustCompile(`(?i)(?:FROM|JOIN|UPDATE|INTO)\s+([a-z_]+)(?:\s+(?:AS\s+)?([a-z]\w*))?`)
	wholeOne  = regexp.MustCompile(`\(workspace_id=\?\)$`)
	// everyOutcome reads all mail ever sent, by an index that has it by outcome.
	everyOutcome = regexp.MustCompile(`INDEX invitations_(survey_)?outcome \(.*\boutcome>`)
)

// walks names the steps of SQLite's plan that read all of a large table, or all
// that a workspace has in one.
func walks(t *testing.T, db *sql.DB, statement string) (steps []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+statement, make([]any, strings.Count(statement, "?"))...)
	if err != nil {
		t.Fatalf("%v: %s", err, statement)
	}
	defer func() { _ = rows.Close() }()
	tables := map[string]string{}
	for _, found := range tableName.FindAllStringSubmatch(statement, -1) {
		tables[found[1]], tables[found[2]] = found[1], found[1]
	}
	for rows.Next() {
		var id, parent, unused int
		var detail string
		ok(t, rows.Scan(&id, &parent, &unused, &detail))
		step := planStep.FindStringSubmatch(detail)
		if step == nil {
			continue
		}
		table, is := tables[step[2]]
		if !is || slices.Contains(smallTables, table) || smallIndexes.MatchString(step[3]) {
			continue // a subquery, or a table that stays small
		}
		if step[1] == "SCAN" || wholeOne.MatchString(step[3]) || everyOutcome.MatchString(step[3]) {
			steps = append(steps, detail)
		}
	}
	ok(t, rows.Err())
	return steps
}

// TestNoHotStatementWalksATable: SQLite answers each statement of what happens
// all the time by an index that leads to what is asked for.
func TestNoHotStatementWalksATable(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	url := storetest.SQLite(t)
	s := storetest.Open(t, url, clock.Use, func(o *store.Options) { o.MailsADay, o.MailsPerKey = 50, 1000 })
	by := storetest.Default(t, s)
	limit := 100
	mustSurvey(t, s, by, "chat", func(v *survey.Survey) {
		v.Key, v.Segments, v.Rules.DailyLimit, v.Rules.Reminders = "chat", []string{"plan"}, &limit, []survey.Duration{"3d"}
		v.Rules.Condition = survey.Condition{"attributes.plan": {survey.TextValue("pro")}}
	})
	mustSurvey(t, s, by, "after", func(v *survey.Survey) { v.Trigger = survey.Trigger{Type: survey.OnResponse, Survey: "chat"} })
	daily(t, s, by, func(v *survey.Survey) { v.Rules.QuietPeriod = "0s" })
	_, _, err := s.CreateWebhook(ctx, by, survey.Webhook{URL: "https://example.com/koe", Events: survey.Events()})
	ok(t, err)
	heard, err := s.Heard(func() { hotPaths(t, s, by, clock) })
	ok(t, err)
	if len(heard) < 60 {
		t.Errorf("%d statements were heard", len(heard))
	}
	db := raw(t, url)
	for _, statement := range heard {
		if verb, _, _ := strings.Cut(strings.TrimSpace(statement), " "); !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}, verb) {
			continue
		}
		for _, step := range walks(t, db, statement) {
			t.Errorf("%s: %s", step, statement)
		}
	}
	if len(walks(t, db, `SELECT 1 FROM invitations i INDEXED BY invitations_outcome WHERE i.workspace_id = ? AND i.outcome IS NOT NULL AND i.outcome_at >= ?`)) == 0 {
		t.Error("a walk of all outcomes is not seen")
	}
	if len(walks(t, db, `SELECT 1 FROM invitations i WHERE i.locale = ?`)) == 0 || len(walks(t, db, `SELECT 1 FROM people WHERE workspace_id = ? AND name = ?`)) == 0 {
		t.Error("a walk is not seen")
	}
}

// hotPaths does what koe does all the time.
func hotPaths(t *testing.T, s *store.Store, by store.Caller, clock *storetest.Clock) {
	t.Helper()
	pro := survey.Attributes{"plan": survey.TextValue("pro")}
	ask := func(address string) store.Decided {
		in := chat(address)
		in.Attributes = pro
		return only(t, record(t, s, by, in))
	}
	for _, address := range []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"} {
		ask(address)
		ask(address)
	}
	for range 2 {
		own := chat("e@example.com")
		own.ExternalID, own.Customer.ExternalID, own.Attributes = "t-1", "own-1", pro
		record(t, s, by, own)
		own.ExternalID, own.Customer.Email = "t-2", nil
		record(t, s, by, own)
	}
	taken, err := s.TakeDue(ctx, 2, 2, lease, atOnceTo, plainID)
	ok(t, err)
	for _, m := range taken.Mails {
		ok(t, s.Sent(ctx, m.Claim))
		_, err := s.Open(ctx, m.Token)
		ok(t, err)
		_, err = s.Answer(ctx, m.Token, storetest.Says(store.Reply{Score: pointer(3), Complete: true}))
		ok(t, err)
		ok(t, s.Unsubscribe(ctx, m.Token))
	}
	begun := func() store.Claim {
		claims, err := s.ClaimDue(ctx, 1, lease)
		ok(t, err)
		mails, err := s.StartSending(ctx, claims, plainID)
		if ok(t, err); len(mails) != 1 {
			t.Fatalf("%d mails", len(mails))
		}
		return mails[0].Claim
	}
	ok(t, s.Retry(ctx, begun(), "450 later"))
	ok(t, s.Fail(ctx, begun(), "550 no"))
	_, _, err = s.Suppress(ctx, by, "c@example.com", survey.Unsubscribed)
	ok(t, err)
	clock.Advance(24 * time.Hour)
	turned(t, s)
	claims, err := s.ClaimDue(ctx, 10, lease)
	ok(t, err)
	_, err = s.Extend(ctx, lease, claims...)
	ok(t, err)
	clock.Advance(time.Hour)
	_, err = s.SettleLeases(ctx, false)
	ok(t, err)
	_, err = s.Sweep(ctx)
	ok(t, err)
	rebuilt(t, s)
	deliveries, err := s.ClaimDeliveries(ctx, 10, 10, nil, lease)
	ok(t, err)
	for _, d := range deliveries {
		_, err := s.SubjectOf(ctx, d)
		ok(t, err)
		_, err = s.NoteDelivery(ctx, d, store.Tried{Status: 410})
		ok(t, err)
	}
	readers(t, s, by, "reader@example.com")
	_, _, err = s.CreateResponse(ctx, by, store.NewResponse{Survey: "chat", Score: pointer(1)})
	ok(t, err)
	clock.Advance(24 * time.Hour)
	for _, one := range must(s.DueDigests(ctx, 10)) {
		ok(t, s.QueueDigest(ctx, one))
	}
	notices, err := s.ClaimNotices(ctx, 10, lease)
	ok(t, err)
	written := 0
	for _, d := range notices {
		if d.Event == survey.EventDigest {
			written += len(must(s.DigestMail(ctx, d)).Counted.Groups)
		}
		_, err := s.NoteDelivery(ctx, d, store.Tried{Status: 200})
		ok(t, err)
	}
	if len(deliveries) == 0 || written == 0 {
		t.Error("no event was delivered, or no digest written")
	}
	_, err = s.SettleDeliveries(ctx, false)
	ok(t, err)
	_, _, err = s.CreateResponse(ctx, by, store.NewResponse{Survey: "chat", Score: pointer(9), Attributes: pro})
	ok(t, err)
	for _, of := range []string{"", "chat"} {
		_, err := s.OutboxSummary(ctx, by, of)
		ok(t, err)
	}
	_, _, err = s.MailTotals(ctx)
	ok(t, err)
}
