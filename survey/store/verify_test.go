package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// inTheMiddle is a store in which a bit of everything is under way.
func inTheMiddle(t *testing.T, s *store.Store, clock *storetest.Clock) {
	t.Helper()
	by := storetest.Default(t, s)
	aWebhook(t, s, by)
	customers(t, s, by, 0, 30)
	daily(t, s, by, nil)
	mustSurvey(t, s, by, "desk", func(v *survey.Survey) { byLink(v); v.Key, v.Rules.QuietPeriod = "desk", "0s" })
	mustSurvey(t, s, by, "after", func(v *survey.Survey) {
		v.Trigger = survey.Trigger{Type: survey.OnResponse, Survey: "desk", When: survey.When{"score": {Max: pointer(6)}}, Delay: "60d"}
		v.Rules.QuietPeriod = "0s"
	})
	mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod, v.Rules.DailyLimit = "0s", pointer(100) })
	for i := range 3 {
		d := only(t, record(t, s, by, survey.Interaction{Touchpoint: "desk", Customer: survey.Customer{Email: pointer(fmt.Sprintf("d%d@example.com", i))}}))
		if i < 2 {
			_, err := s.Answer(ctx, d.Token, storetest.Says(store.Reply{Score: pointer(3), Answers: survey.Answers{"reason": "遅い"}}))
			ok(t, err)
		}
	}
	clock.Set(t, "2026-11-23T00:00:00Z")
	if n := turned(t, s); n == 0 {
		t.Fatal("the schedule asked nobody")
	}
	for i := range 8 {
		record(t, s, by, chat(fmt.Sprintf("p%d@example.com", i)))
	}
	claims, err := s.ClaimDue(ctx, 7, lease)
	ok(t, err)
	mails, err := s.StartSending(ctx, claims[:5], plainID)
	ok(t, err)
	if len(mails) != 5 {
		t.Fatalf("%d mails go out", len(mails))
	}
	ok(t, s.Sent(ctx, claims[:2]...))
	ok(t, s.Fail(ctx, claims[2], "550 no"))
	ok(t, s.Uncertain(ctx, claims[3], "cut off"))
	_, _, err = s.Suppress(ctx, by, "nobody@example.com", survey.ByHand)
	ok(t, err)
	deliveries, err := s.ClaimDeliveries(ctx, 4, 4, nil, time.Minute)
	ok(t, err)
	for i, status := range []int{200, 204, 410} {
		_, err := s.NoteDelivery(ctx, deliveries[i], store.Tried{Status: status})
		ok(t, err)
	}
}

// harm is done to a table, by SQL, and found by the words.
type harm struct{ table, sql, found string }

var rowHarms = []harm{
	{"invitations", `UPDATE invitations SET state = 'sent', answered_at = NULL WHERE state = 'answered'`, "a response's invitation is not answered"},
	{"responses", `UPDATE responses SET invitation_id = id WHERE invitation_id IS NOT NULL`, "a response names an invitation that is not kept"},
	{"responses", `UPDATE responses SET person_id = id`, "a response names a person who is not kept"},
	{"responses", `DELETE FROM responses`, "an answered invitation has no response"},
	{"answered_versions", `DELETE FROM answered_versions`, "answers a version that no export has columns for"},

	{"invitations", `UPDATE invitations SET mail_state = 'none' WHERE state = 'scheduled'`, "an invitation and its mail contradict each other"},
	{"invitations", `UPDATE invitations SET mail_state = 'claimed' WHERE state = 'sending'`, "an invitation and its mail contradict each other"},
	{"invitations", `UPDATE invitations SET mail_state = 'waiting' WHERE state = 'failed'`, "an invitation and its mail contradict each other"},
	{"invitations", `UPDATE invitations SET state = 'lost' WHERE state = 'sent'`, "an invitation and its mail contradict each other"},
	{"invitations", `UPDATE invitations SET mail_state = 'waiting' WHERE channel = 'link' AND state = 'sent'`, "an invitation by link has a mail"},
	{"invitations", `UPDATE invitations SET lease_until = 0 WHERE mail_state = 'claimed'`, "a mail is claimed without a lease"},
	{"invitations", `UPDATE invitations SET held = TRUE WHERE mail_state = 'waiting'`, "a mail is held, and nothing holds it"},
	{"invitations", `UPDATE invitations SET answered_at = NULL WHERE state = 'answered'`, "an answered invitation has no instant or no cohort"},
	{"invitations", `UPDATE invitations SET answered_at = 1 WHERE state = 'sent'`, "says when it was answered, and is not"},
	{"invitations", `UPDATE invitations SET sent_at = NULL WHERE state = 'uncertain'`, "went out and does not say when"},
	{"suppressions", `UPDATE suppressions SET created_at = 0, address_hash = (SELECT address_hash FROM invitations WHERE state = 'sent' AND channel = 'email' LIMIT 1)`,
		"a mail went out to an address that was suppressed"},
	{"suppressions", `UPDATE suppressions SET created_at = 0, address_hash = (SELECT address_hash FROM invitations WHERE state = 'scheduled' LIMIT 1)`,
		"a mail was planned for an address that was suppressed"},
	{"invitations", `UPDATE invitations SET person_id = id WHERE state = 'sent'`, "an invitation names a person who is not kept"},
	{"invitations", `UPDATE invitations SET template_version = 9`, "an invitation's template is not kept"},
	{"invitations", `UPDATE invitations SET planned_day = planned_day + 1 WHERE state = 'failed'`, ""},
	{"invitations", `UPDATE invitations SET planned_day = planned_day + 1 WHERE state = 'uncertain'`, "invitations are counted as planned, the rows say"},
	{"survey_days", `UPDATE survey_days SET planned = planned + 1`, "invitations are counted as planned, the rows say"},
	{"survey_days", `DELETE FROM survey_days`, "0 invitations are counted as planned, the rows say"},

	{"invitations", `DELETE FROM invitations WHERE state = 'scheduled'`, "a decision names an invitation that is not kept"},
	{"decisions", `UPDATE decisions SET verdict = 'skipped' WHERE invitation_id IS NOT NULL`, "a decision plans and names no invitation"},
	{"decisions", `UPDATE decisions SET invitation_id = (SELECT id FROM invitations WHERE state = 'failed')`, "two decisions led to one invitation"},
	{"decisions", `UPDATE decisions SET source_id = (SELECT id FROM interactions LIMIT 1) WHERE source_type = 'interaction'`, "a survey decided twice about one interaction"},
	{"decisions", `UPDATE decisions SET source_id = (SELECT id FROM responses LIMIT 1) WHERE source_type = 'response'`, "a survey follows one response twice"},
	{"interactions", `DELETE FROM interactions`, "a decision is about an interaction or a fire that is not kept"},
	{"people", `DELETE FROM people`, "a decision names a person who is not kept"},
	{"interactions", `UPDATE interactions SET person_id = id`, "an interaction names a person who is not kept"},

	{"schedules", `DELETE FROM schedules`, "an active schedule does not say when it fires next"},
	{"schedules", `INSERT INTO schedules SELECT workspace_id, id, 1 FROM surveys WHERE trigger_type <> 'schedule'`, "a survey is to fire that is no active schedule"},
	{"fires", `UPDATE fires SET state = 'lost'`, "a fire is in no known state"},
	{"fires", `INSERT INTO fires (workspace_id, survey_id, local_date, local_time, due_at, state, asked, created_at, id)
		SELECT workspace_id, survey_id, local_date, local_time + 1, due_at, state, 0, created_at, id FROM fires`, "two fires have one id"},
	{"fires", `UPDATE fires SET share = asked - 1`, "a fire asked more than its share"},
	{"fires", `UPDATE fires SET state = 'missed'`, "or though it was missed"},
	{"fires", `UPDATE fires SET asked = 1000, share = 1000`, "a fire counts more turns than it decided about"},
	{"fires", `DELETE FROM fires`, "a decision is about an interaction or a fire that is not kept"},
	{"decisions", `UPDATE decisions SET person_id = (SELECT person_id FROM turns LIMIT 1) WHERE source_type = 'fire'`, "a fire asked somebody twice"},
	{"turns", `UPDATE turns SET person_id = survey_id WHERE person_id = (SELECT person_id FROM turns LIMIT 1)`, "a turn is a person's who is not kept"},
	{"turns", `UPDATE turns SET last_at = next_at`, "comes again before it was"},

	{"webhooks", `UPDATE webhooks SET paused_reason = ''`, "a webhook's state and its reason contradict each other"},
	{"webhooks", `DELETE FROM webhooks`, "a delivery is a webhook's that is not kept"},
	{"outbox", `UPDATE outbox SET state = 'lost' WHERE state = 'waiting'`, "a delivery is of no known kind or state"},
	{"outbox", `UPDATE outbox SET kind = 'pigeon'`, "a delivery is of no known kind or state"},
	{"outbox", `UPDATE outbox SET fence = 0 WHERE state = 'claimed'`, "a delivery is claimed without a lease"},
	{"outbox", `UPDATE outbox SET status = 500 WHERE state = 'delivered'`, "was taken by no answer"},
	{"outbox", `UPDATE outbox SET attempt = 0 WHERE state = 'failed'`, "a delivery has ended and was not tried"},
	{"outbox", `UPDATE outbox SET subject_id = id WHERE event = 'invitation.sent'`, "a delivery is about an invitation that is not kept"},
	{"outbox", `UPDATE outbox SET subject_id = id WHERE event = 'response.created'`, "a delivery is about a response that is not kept"},
	{"outbox", `UPDATE outbox SET person_id = id`, "a delivery names a person who is not kept"},
}

// TestVerifyFindsRowsThatContradict breaks rows by SQL, table by table, and
// wants verify to name what is wrong; where the words are "" it is nothing.
func TestVerifyFindsRowsThatContradict(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock.Set(t, "2026-11-22T09:00:00Z")
		s := storetest.Open(t, url, clock.Use)
		inTheMiddle(t, s, clock)
		verified(t, s)
		db := raw(t, url)
		for _, h := range rowHarms {
			mend := harmed(t, db, h)
			faults := must(s.Verify(ctx)).Faults
			if found := slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, h.found) }); found != (h.found != "") {
				t.Errorf("%s: verify says %q, want %q", h.sql, faults, h.found)
			}
			mend()
		}
		verified(t, s)
	})
}

// harmed does harm to a table; what it returns puts back what was there.
func harmed(t *testing.T, db *sql.DB, h harm) (mend func()) {
	t.Helper()
	do := func(statement string) int64 {
		t.Helper()
		result, err := db.Exec(statement)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		n, err := result.RowsAffected()
		ok(t, err)
		return n
	}
	do(`CREATE TABLE kept AS SELECT * FROM ` + h.table)
	if do(h.sql) == 0 {
		t.Errorf("%s: nothing was changed", h.sql)
	}
	return func() {
		do(`DELETE FROM ` + h.table)
		do(`INSERT INTO ` + h.table + ` SELECT * FROM kept`)
		do(`DROP TABLE kept`)
	}
}
