package store

import (
	"slices"

	"koe/survey"
)

// enoughOpen is up to how many open follow-ups of a member are counted: whoever
// has more is as busy as anybody.
const enoughOpen = 200

func (q *session) memberByAddress(address string) (survey.Member, bool, error) {
	var row workspaceMemberRow
	found, err := q.find(&row, `SELECT `+workspaceMemberColumns+` FROM workspace_members WHERE workspace_id = ? AND email = ?`, q.by.Workspace, address)
	if err != nil || !found {
		return survey.Member{}, false, err
	}
	m, err := row.member()
	return m, true, err
}

// holdChoices has those wait for each other who choose an owner, or change who
// can be chosen; it comes before any member is locked.
func (q *session) holdChoices() error {
	var one id
	_, err := q.row(`SELECT id FROM workspace_members WHERE workspace_id = ? ORDER BY id LIMIT 1`+q.forChange(), []any{q.by.Workspace}, &one)
	return err
}

// chooseOwner finds who gets back to a customer, and holds them: they are not
// removed until the transaction ends. Choices wait for each other, so that two
// at once are not given to the same member.
func (q *session) chooseOwner(rule survey.FollowUpRule, touchpoint string, of survey.Attributes) (survey.Member, bool, error) {
	if err := q.holdChoices(); err != nil {
		return survey.Member{}, false, err
	}
	var one id
	candidates, err := q.candidates(touchpoint, of)
	if err != nil {
		return survey.Member{}, false, err
	}
	for {
		owner, found := rule.ChooseOwner(touchpoint, of, candidates)
		if !found {
			return owner, false, nil
		}
		if held, err := q.row(`SELECT id FROM workspace_members WHERE workspace_id = ? AND id = ?`+q.forChange(), []any{q.by.Workspace, owner.ID}, &one); err != nil || held {
			return owner, held, err
		}
		candidates = slices.DeleteFunc(candidates, func(c survey.Candidate) bool { return c.ID == owner.ID }) // removed a moment ago
	}
}

type candidateRow struct {
	Member workspaceMemberRow `gorm:"embedded"`
	Open   int
	LastAt int64
}

// candidates are the members who may own a follow-up, with what they have.
func (q *session) candidates(touchpoint string, of survey.Attributes) ([]survey.Candidate, error) {
	var rows []candidateRow
	const theirs = ` WHERE f.workspace_id = m.workspace_id AND f.owner_id = m.id AND f.owner_id IS NOT NULL`
	if err := q.list(&rows, `SELECT `+workspaceMemberColumns+`,
		(SELECT COUNT(*) FROM (SELECT 1 FROM follow_ups f`+q.indexedBy("follow_ups_owner_id_due_at")+theirs+` AND f.state <> 'resolved' LIMIT ?) AS part) AS open,
		COALESCE((SELECT MAX(f.assigned_at) FROM follow_ups f`+q.indexedBy("follow_ups_owner_id")+theirs+`), 0) AS last_at
		FROM workspace_members m WHERE m.workspace_id = ? AND m.role IN ('editor', 'admin') ORDER BY m.id`, enoughOpen, q.by.Workspace); err != nil {
		return nil, err
	}
	list := make([]survey.Candidate, 0, len(rows))
	for _, row := range rows {
		m, err := row.Member.member()
		if err != nil {
			return nil, err
		}
		if m.MayOwn(touchpoint, of) {
			list = append(list, survey.Candidate{Member: m, Open: row.Open, LastAt: survey.Instant(row.LastAt)})
		}
	}
	return list, nil
}

// checkFollowUpRule is Invalid where nobody could ever be given what a survey's
// rule opens.
func (q *session) checkFollowUpRule(place surveyPlace) error {
	rule := place.Survey.Rules.FollowUp
	if rule == nil {
		return nil
	}
	version := place.Survey.TemplateVersion
	if version == 0 { // a draft
		var err error
		if version, err = q.newestVersion(place.TemplateID); err != nil {
			return err
		}
	}
	t, err := q.version(place.TemplateID, version)
	if err != nil {
		return err
	}
	var p survey.Problems
	rule.CheckScale(&p, t)
	if address := rule.OwnerAddress(); address != "" {
		m, found, err := q.memberByAddress(address)
		switch {
		case err != nil:
			return err
		case !found:
			p.Add("rules.follow_up.owner", "unknown", "%s is no member of this workspace; add them under /v1/members first", address)
		case m.Role != survey.Editor && m.Role != survey.Admin:
			p.Add("rules.follow_up.owner", "role", "%s is a viewer and could change nothing; make them an editor first", address)
		case len(m.Touchpoints) > 0 && !slices.Contains(m.Touchpoints, place.Survey.Touchpoint):
			p.Add("rules.follow_up.owner", "scope", "%s does not see the touchpoint %s", address, place.Survey.Touchpoint)
		}
	}
	return p.Err()
}

// reassign gives what a member has not resolved to others: all of it where they
// are gone, else what they may not see or change any more.
func (s *Store) reassign(q *session, m survey.Member, gone bool) error {
	var rows []followUpRow
	if err := q.list(&rows, `SELECT `+followUpColumns+` FROM follow_ups`+q.indexedBy("follow_ups_owner_id_due_at")+` WHERE workspace_id = ? AND owner_id = ?
		AND owner_id IS NOT NULL AND state <> 'resolved' ORDER BY due_at`+q.forUpdate(), q.by.Workspace, m.ID); err != nil {
		return err
	}
	for _, row := range rows {
		place, attributes, err := s.aboutFollowUp(q, row)
		if err != nil {
			return err
		}
		if !gone && m.MayOwn(place.Survey.Touchpoint, attributes) {
			continue
		}
		row.OwnerID, row.AssignedAt = id{}, nil
		if err := q.giveOwner(&row, place, attributes); err != nil {
			return err
		}
		if err := q.saveFollowUp(row); err != nil {
			return err
		}
	}
	if !gone {
		return nil
	}
	_, err := q.exec(`UPDATE follow_ups`+q.indexedBy("follow_ups_owner_id")+` SET owner_id = NULL WHERE workspace_id = ? AND owner_id = ? AND owner_id IS NOT NULL`,
		q.by.Workspace, m.ID)
	return err
}

// aboutFollowUp is the survey of a follow-up, at the touchpoint of the answer, and
// what the answer says of itself: the survey may ask elsewhere by now.
func (s *Store) aboutFollowUp(q *session, row followUpRow) (place surveyPlace, attributes survey.Attributes, err error) {
	if place, err = s.surveyPlace(q, survey.ID(row.SurveyID)); err != nil {
		return place, nil, err
	}
	if place.Survey.Touchpoint, err = q.touchpointKey(survey.ID(row.TouchpointID)); err != nil {
		return place, nil, err
	}
	var text string
	if _, err = q.row(`SELECT attributes FROM responses WHERE workspace_id = ? AND id = ?`, []any{q.by.Workspace, row.ResponseID}, &text); err != nil || text == "" {
		return place, nil, err
	}
	return place, attributes, fromJSON(text, &attributes)
}

// giveOwner gives what nobody owns to somebody, and mails them; where there is
// nobody it is escalated at once.
func (q *session) giveOwner(row *followUpRow, place surveyPlace, attributes survey.Attributes) error {
	rule := ruleOf(place.Survey)
	owner, found, err := q.chooseOwner(rule, place.Survey.Touchpoint, attributes)
	if err != nil {
		return err
	}
	f := row.followUp()
	if found {
		f.Owner, row.OwnerID, row.AssignedAt = &owner, id(owner.ID), (*int64)(&q.now)
	}
	row.take(f, rule, q.now)
	if !found {
		return q.event(aboutFollowUp, survey.ID(row.ID), "unowned", "", "")
	}
	return q.tellOwner(row, owner, true)
}
