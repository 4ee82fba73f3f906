package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"koe/survey"
)

// rowCheck finds rows that contradict others: the query selects their ids, and
// each ? in it is the workspace.
type rowCheck struct{ what, query string }

// namesRows is how many rows a fault names.
const namesRows = 3

// between checks what rows say of each other.
func (v *verifier) between() error {
	held := v.truth(true)
	for _, check := range slices.Concat(v.answerChecks(), invitationChecks(held), originChecks(), scheduleChecks(), outboxChecks(), targetChecks(), followUpChecks(), digestChecks()) {
		n, named := 0, []string{}
		var one id
		if err := v.each(check.query, slices.Repeat([]any{v.by.Workspace}, strings.Count(check.query, "?")), []any{&one}, func() error {
			if n++; n <= namesRows {
				named = append(named, survey.ID(one).String())
			}
			return nil
		}); err != nil {
			return fmt.Errorf("look whether %s: %w", check.what, err)
		}
		if n > 0 {
			v.out.fault("workspace %d: %s (%d times, such as %s)", v.by.Workspace, check.what, n, strings.Join(named, ", "))
		}
	}
	return nil
}

// days counts anew how many invitations are planned for each day of a survey:
// those that a decision led to, less those that ended before they went out.
func (v *verifier) days() error {
	var of id
	var day int64
	var n int
	into := []any{&of, &day, &n}
	want, have := map[surveyDay]int{}, map[surveyDay]int{}
	if err := v.each(`SELECT v.survey_id, v.planned_day, COUNT(*) FROM decisions d
		JOIN invitations v ON v.workspace_id = d.workspace_id AND v.id = d.invitation_id
		WHERE d.workspace_id = ? AND (v.sent_at IS NOT NULL OR v.state NOT IN ('failed', 'expired', 'cancelled', 'suppressed'))
		GROUP BY v.survey_id, v.planned_day`, []any{v.by.Workspace}, into, func() error {
		want[surveyDay{v.by.Workspace, survey.ID(of), survey.Day(day)}] = n
		return nil
	}); err != nil {
		return err
	}
	if err := v.each(`SELECT survey_id, day, planned FROM survey_days WHERE workspace_id = ?`, []any{v.by.Workspace}, into, func() error {
		have[surveyDay{v.by.Workspace, survey.ID(of), survey.Day(day)}] = n
		return nil
	}); err != nil {
		return err
	}
	all := maps.Clone(have)
	maps.Copy(all, want)
	for _, on := range slices.SortedFunc(maps.Keys(all), compareDays) {
		if have[on] != want[on] {
			v.out.fault("workspace %d, survey %s, %s: %d invitations are counted as planned, the rows say %d",
				v.by.Workspace, on.survey, on.day, have[on], want[on])
		}
	}
	return nil
}

func (v *verifier) answerChecks() []rowCheck {
	each := `json_each(r.attributes) a`
	if v.postgres {
		each = `json_object_keys(r.attributes::json) a(key)`
	}
	return []rowCheck{
		{"a response's invitation is not answered, or is another survey's", `SELECT r.id FROM responses r JOIN invitations v
			ON v.workspace_id = r.workspace_id AND v.id = r.invitation_id
			WHERE r.workspace_id = ? AND (v.state <> 'answered' OR v.survey_id <> r.survey_id)`},
		{"a response names an invitation that is not kept", `SELECT r.id FROM responses r WHERE r.workspace_id = ? AND r.invitation_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM invitations v WHERE v.workspace_id = r.workspace_id AND v.id = r.invitation_id)`},
		{"a response names a person who is not kept", `SELECT r.id FROM responses r WHERE r.workspace_id = ? AND r.person_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM people p WHERE p.workspace_id = r.workspace_id AND p.id = r.person_id)`},
		{"an answered invitation has no response, and too few were deleted", `SELECT v.id FROM invitations v WHERE v.workspace_id = ? AND v.state = 'answered'
			AND NOT EXISTS (SELECT 1 FROM responses r WHERE r.workspace_id = v.workspace_id AND r.invitation_id = v.id)
			ORDER BY v.id LIMIT 1000000000 OFFSET (SELECT COUNT(*) FROM events
			WHERE workspace_id = ? AND subject_type = 'response' AND type = 'deleted')`},
		{"a survey's response has an attribute that no export has a column for", `SELECT h.survey_id FROM
			(SELECT DISTINCT r.survey_id, a.key FROM responses r, ` + each + ` WHERE r.workspace_id = ? AND r.attributes <> '{}') h
			WHERE NOT EXISTS (SELECT 1 FROM attribute_names n WHERE n.workspace_id = ? AND n.survey_id = h.survey_id AND n.name = h.key)`},
		{"a survey's response answers a version that no export has columns for", `SELECT h.survey_id FROM
			(SELECT DISTINCT survey_id, template_id, template_version FROM responses WHERE workspace_id = ?) h
			WHERE NOT EXISTS (SELECT 1 FROM answered_versions n WHERE n.workspace_id = ? AND n.survey_id = h.survey_id
				AND n.template_id = h.template_id AND n.template_version = h.template_version)`},
	}
}

// invitationChecks are about an invitation and its mail. A mail to an address
// that was suppressed before counts only a day later: clocks are set back, and
// differ from machine to machine.
func invitationChecks(held string) []rowCheck {
	const day = "86400000"
	return []rowCheck{
		{"an invitation and its mail contradict each other", `SELECT id FROM invitations WHERE workspace_id = ? AND NOT (
			state = 'scheduled' AND mail_state IN ('waiting', 'claimed') OR state = 'sending' AND mail_state = 'sending'
			OR state IN ('sent', 'uncertain') AND mail_state IN ('none', 'waiting', 'claimed', 'sending')
			OR state = 'answered' AND mail_state IN ('none', 'sending')
			OR state IN ('failed', 'expired', 'cancelled', 'suppressed') AND mail_state = 'none')`},
		{"an invitation by link has a mail", `SELECT id FROM invitations WHERE workspace_id = ? AND channel = 'link' AND mail_state <> 'none'`},
		{"a mail is claimed without a lease", `SELECT id FROM invitations
			WHERE workspace_id = ? AND mail_state IN ('claimed', 'sending') AND (lease_until <= 0 OR fence <= 0)`},
		{"a mail is held, and nothing holds it", `SELECT v.id FROM invitations v JOIN surveys s ON s.workspace_id = v.workspace_id AND s.id = v.survey_id
			WHERE v.workspace_id = ? AND v.mail_state = 'waiting' AND v.held = ` + held + ` AND s.state <> 'paused'
			AND NOT EXISTS (SELECT 1 FROM workspaces w WHERE w.id = v.workspace_id AND w.sending_paused_at IS NOT NULL)`},
		{"an answered invitation has no instant or no cohort", `SELECT id FROM invitations
			WHERE workspace_id = ? AND state = 'answered' AND (answered_at IS NULL OR cohort_at IS NULL)`},
		{"an invitation says when it was answered, and is not", `SELECT id FROM invitations
			WHERE workspace_id = ? AND state <> 'answered' AND answered_at IS NOT NULL`},
		{"an invitation went out and does not say when", `SELECT id FROM invitations
			WHERE workspace_id = ? AND state IN ('sent', 'uncertain') AND (sent_at IS NULL OR cohort_at IS NULL)`},
		{"a mail went out to an address that was suppressed", `SELECT v.id FROM suppressions s
			JOIN invitations v ON v.workspace_id = s.workspace_id AND v.address_hash = s.address_hash
			JOIN events e ON e.workspace_id = v.workspace_id AND e.subject_id = v.id AND e.type = 'sending'
			WHERE s.workspace_id = ? AND e.at > s.created_at + ` + day},
		{"a mail was planned for an address that was suppressed", `SELECT v.id FROM suppressions s
			JOIN invitations v ON v.workspace_id = s.workspace_id AND v.address_hash = s.address_hash
			WHERE s.workspace_id = ? AND v.channel = 'email' AND v.created_at > s.created_at + ` + day},
		{"an invitation names a person who is not kept", `SELECT v.id FROM invitations v WHERE v.workspace_id = ? AND v.person_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM people p WHERE p.workspace_id = v.workspace_id AND p.id = v.person_id)`},
		{"an invitation's template is not kept", `SELECT v.id FROM invitations v WHERE v.workspace_id = ? AND NOT EXISTS (SELECT 1 FROM template_versions t
			WHERE t.workspace_id = v.workspace_id AND t.template_id = v.template_id AND t.version = v.template_version)`},
	}
}

// originChecks are about what invitations come of.
func originChecks() []rowCheck {
	return []rowCheck{
		{"a decision names an invitation that is not kept, or another survey's", `SELECT d.id FROM decisions d
			LEFT JOIN invitations v ON v.workspace_id = d.workspace_id AND v.id = d.invitation_id
			WHERE d.workspace_id = ? AND d.invitation_id IS NOT NULL AND (v.id IS NULL OR v.survey_id <> d.survey_id)`},
		{"a decision plans and names no invitation, or the other way round", `SELECT id FROM decisions
			WHERE workspace_id = ? AND (verdict = 'scheduled') <> (invitation_id IS NOT NULL)`},
		{"two decisions led to one invitation", `SELECT invitation_id FROM decisions
			WHERE workspace_id = ? AND invitation_id IS NOT NULL GROUP BY invitation_id HAVING COUNT(*) > 1`},
		{"a survey decided twice about one interaction", `SELECT source_id FROM decisions WHERE workspace_id = ? AND source_type = 'interaction'
			GROUP BY source_id, survey_id HAVING COUNT(*) > 1`},
		{"a survey follows one response twice", `SELECT d.source_id FROM decisions d
			LEFT JOIN invitations v ON v.workspace_id = d.workspace_id AND v.id = d.invitation_id
			WHERE d.workspace_id = ? AND d.source_type = 'response' AND (v.reason IS NULL OR v.reason <> 'answer_changed')
			GROUP BY d.source_id, d.survey_id HAVING COUNT(*) > 1`},
		{"a decision is about an interaction or a fire that is not kept", `SELECT d.id FROM decisions d WHERE d.workspace_id = ?
			AND (d.source_type = 'interaction' AND NOT EXISTS (SELECT 1 FROM interactions i WHERE i.workspace_id = d.workspace_id AND i.id = d.source_id)
			OR d.source_type = 'fire' AND NOT EXISTS (SELECT 1 FROM fires f WHERE f.workspace_id = d.workspace_id AND f.id = d.source_id))`},
		{"a decision names a person who is not kept", `SELECT d.id FROM decisions d WHERE d.workspace_id = ? AND d.person_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM people p WHERE p.workspace_id = d.workspace_id AND p.id = d.person_id)`},
		{"a source recorded an interaction that is not kept", `SELECT d.id FROM source_deliveries d WHERE d.workspace_id = ? AND d.outcome IN ('recorded', 'repeated')
			AND NOT EXISTS (SELECT 1 FROM interactions i WHERE i.workspace_id = d.workspace_id AND i.id = d.interaction_id)`},
		{"an interaction names a person who is not kept", `SELECT i.id FROM interactions i WHERE i.workspace_id = ? AND i.person_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM people p WHERE p.workspace_id = i.workspace_id AND p.id = i.person_id)`},
	}
}

func scheduleChecks() []rowCheck {
	return []rowCheck{
		{"an active schedule does not say when it fires next", `SELECT s.id FROM surveys s WHERE s.workspace_id = ?
			AND s.trigger_type = 'schedule' AND s.state = 'active'
			AND NOT EXISTS (SELECT 1 FROM schedules f WHERE f.workspace_id = s.workspace_id AND f.survey_id = s.id)`},
		{"a survey is to fire that is no active schedule", `SELECT f.survey_id FROM schedules f
			JOIN surveys s ON s.workspace_id = f.workspace_id AND s.id = f.survey_id
			WHERE f.workspace_id = ? AND NOT (s.trigger_type = 'schedule' AND s.state = 'active')`},
		{"a fire is in no known state, or at no time of a day", `SELECT id FROM fires WHERE workspace_id = ?
			AND (state NOT IN ('running', 'done', 'missed') OR local_time NOT BETWEEN 0 AND 1439 OR id IS NULL)`},
		{"two fires have one id", `SELECT id FROM fires WHERE workspace_id = ? GROUP BY id HAVING COUNT(*) > 1`},
		{"a fire asked more than its share, or though it was missed", `SELECT id FROM fires WHERE workspace_id = ?
			AND (asked < 0 OR share < 0 OR asked > COALESCE(share, 0) OR state = 'missed' AND share IS NOT NULL)`},
		{"a fire counts more turns than it decided about", `SELECT f.id FROM fires f WHERE f.workspace_id = ? AND f.asked >
			(SELECT COUNT(*) FROM decisions d WHERE d.workspace_id = f.workspace_id AND d.source_id = f.id)`},
		{"a fire asked somebody twice", `SELECT source_id FROM decisions WHERE workspace_id = ? AND source_type = 'fire'
			AND verdict = 'scheduled' AND person_id IS NOT NULL GROUP BY source_id, person_id HAVING COUNT(*) > 1`},
		{"a turn is a person's who is not kept", `SELECT t.person_id FROM turns t WHERE t.workspace_id = ?
			AND NOT EXISTS (SELECT 1 FROM people p WHERE p.workspace_id = t.workspace_id AND p.id = t.person_id)`},
		{"a turn is a survey's that is not kept, or comes again before it was", `SELECT t.person_id FROM turns t WHERE t.workspace_id = ?
			AND (t.last_at >= t.next_at OR NOT EXISTS (SELECT 1 FROM surveys s WHERE s.workspace_id = t.workspace_id AND s.id = t.survey_id))`},
	}
}

// outboxChecks are about webhooks and what is sent to them. An event may stay
// behind for a while where its webhook is deleted in the same instant.
func outboxChecks() []rowCheck {
	return []rowCheck{
		{"a webhook's state and its reason contradict each other", `SELECT id FROM webhooks WHERE workspace_id = ?
			AND NOT (state = 'active' AND paused_reason = '' OR state = 'paused' AND paused_reason <> '')`},
		{"a delivery is of no known kind or state", `SELECT id FROM outbox WHERE workspace_id = ? AND NOT (
			state IN ('waiting', 'claimed', 'delivered', 'failed', 'skipped') AND event <> '' AND attempt >= 0
			AND (kind = 'webhook' AND webhook_id IS NOT NULL OR kind = 'notice' AND webhook_id IS NULL AND destination <> ''))`},
		{"a delivery is claimed without a lease", `SELECT id FROM outbox WHERE workspace_id = ? AND state = 'claimed' AND fence <= 0`},
		{"a delivery has ended and was not tried, or was taken by no answer", `SELECT id FROM outbox WHERE workspace_id = ?
			AND state IN ('delivered', 'failed') AND (attempt < 1 OR attempted_at IS NULL OR state = 'delivered' AND status NOT BETWEEN 200 AND 299)`},
		{"a delivery is a webhook's that is not kept", `SELECT o.id FROM outbox o WHERE o.workspace_id = ? AND o.webhook_id IS NOT NULL AND o.state <> 'waiting'
			AND NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.workspace_id = o.workspace_id AND w.id = o.webhook_id)`},
		{"a delivery is about an invitation that is not kept", `SELECT o.id FROM outbox o WHERE o.workspace_id = ? AND o.event LIKE 'invitation.%'
			AND NOT EXISTS (SELECT 1 FROM invitations v WHERE v.workspace_id = o.workspace_id AND v.id = o.subject_id)`},
		{"a delivery is about a response that is not kept, nor was deleted", `SELECT o.id FROM outbox o WHERE o.workspace_id = ? AND o.event LIKE 'response.%'
			AND NOT EXISTS (SELECT 1 FROM responses r WHERE r.workspace_id = o.workspace_id AND r.id = o.subject_id)
			AND NOT EXISTS (SELECT 1 FROM events e WHERE e.workspace_id = o.workspace_id AND e.subject_id = o.subject_id AND e.type = 'deleted')`},
		{"a delivery names a person who is not kept", `SELECT o.id FROM outbox o WHERE o.workspace_id = ? AND o.person_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM people p WHERE p.workspace_id = o.workspace_id AND p.id = o.person_id)`},
	}
}
