package store

import (
	"slices"

	"koe/survey"
)

// follower is a survey that asks after the answers of another.
type follower struct {
	survey  survey.ID
	follows string // id or key
}

// checkFollows is Invalid where a survey is to follow one that does not exist,
// or itself, or answers that nobody is asked for.
func (q *session) checkFollows(v survey.Survey) error {
	if v.Trigger.Type != survey.OnResponse {
		return nil
	}
	place, err := q.ownSurvey(v.Trigger.Survey, "")
	if isNotFound(err) {
		return survey.Errorf(survey.Invalid, "trigger.survey", "there is no survey %q", v.Trigger.Survey)
	}
	if err != nil {
		return err
	}
	if place.Survey.ID == v.ID || v.Key != "" && place.Survey.Key == v.Key {
		return survey.Errorf(survey.Invalid, "trigger.survey", "a survey cannot follow itself")
	}
	version := place.Survey.TemplateVersion
	if version == 0 { // a draft
		if version, err = q.newestVersion(place.TemplateID); err != nil {
			return err
		}
	}
	t, err := q.version(place.TemplateID, version)
	if err != nil {
		return err
	}
	var p survey.Problems
	v.Trigger.CheckWhen(&p, t)
	return p.Err()
}

// checkFollowed is a Conflict where a survey follows another by a key that is
// to change: it would follow nobody, or whoever takes that key next.
func (q *session) checkFollowed(key string) error {
	followers, err := q.followers()
	if err != nil {
		return err
	}
	for _, f := range followers {
		if f.follows == key {
			return survey.Errorf(survey.Conflict, "key", "the survey %s follows this one by its key; let it name the id first", f.survey)
		}
	}
	return nil
}

// followers are those of the session's workspace that ask, or would if they
// were not paused.
func (q *session) followers() ([]follower, error) {
	if known, ok := q.shared.following[q.by.Workspace]; ok {
		return known, nil
	}
	list := []follower{}
	var of id
	var body string
	if err := q.each(`SELECT id, trigger_body FROM surveys WHERE workspace_id = ? AND trigger_type = 'response' AND state IN ('active', 'paused')
		ORDER BY created_at, id`, []any{q.by.Workspace}, []any{&of, &body}, func() error {
		var t survey.Trigger
		if err := fromJSON(body, &t); err != nil {
			return err
		}
		list = append(list, follower{survey.ID(of), t.Survey})
		return nil
	}); err != nil {
		return nil, err
	}
	if q.shared.following == nil {
		q.shared.following = map[int64][]follower{}
	}
	q.shared.following[q.by.Workspace] = list
	return list, nil
}

// followOn lets the surveys that follow a response decide about it, in its
// transaction: what matches is planned once, and what does not match any more
// and was not sent is called off.
func (s *Store) followOn(q *session, r responseRow) error {
	list, err := q.followers()
	if err != nil || len(list) == 0 {
		return err
	}
	asked, err := s.surveyPlace(q, survey.ID(r.SurveyID))
	if err != nil {
		return err
	}
	answers, err := answersOf(r.Answers)
	if err != nil {
		return err
	}
	var matching []surveyPlace
	var ending []followed
	for _, f := range list { // first of all what is called off: invitations are locked before what decisions hold
		if f.follows != asked.Survey.ID.String() && f.follows != asked.Survey.Key {
			continue
		}
		place, err := s.surveyPlace(q, f.survey)
		if err != nil {
			return err
		}
		if place.Survey.Trigger.Follows(r.Score, answers) {
			matching = append(matching, place)
			continue
		}
		before, err := q.followed(&f.survey, r.ID)
		if err != nil {
			return err
		}
		ending = append(ending, before...)
	}
	if err := q.endFollowed(ending, endAnswerChanged); err != nil {
		return err
	}
	return s.follow(q, matching, r)
}

// followed is an invitation that a response led to.
type followed struct {
	Verdict      string
	Reason       string
	InvitationID id
	State        *string
	Ended        *string // why
}

// followed are the decisions of one survey, or of all, after a response.
func (q *session) followed(by *survey.ID, response id) ([]followed, error) {
	where, args := "", []any{q.by.Workspace, response, fromResponse}
	if by != nil {
		where, args = " AND d.survey_id = ?", append(args, *by)
	}
	var list []followed
	err := q.list(&list, `SELECT d.verdict, d.reason, d.invitation_id, v.state, v.reason AS ended FROM decisions d`+q.indexedBy("decisions_source_id")+`
		LEFT JOIN invitations v ON v.workspace_id = d.workspace_id AND v.id = d.invitation_id
		WHERE d.workspace_id = ? AND d.source_id = ? AND d.source_type = ?`+where, args...)
	return list, err
}

const endAnswerChanged = "answer_changed"

// follow lets surveys decide about a response that matches, each once.
func (s *Store) follow(q *session, matching []surveyPlace, r responseRow) error {
	var asking []surveyPlace
	for _, place := range matching {
		before, err := q.followed(&place.Survey.ID, r.ID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(before, func(d followed) bool { return d.Ended == nil || *d.Ended != endAnswerChanged }) {
			asking = append(asking, place)
		}
	}
	if len(asking) == 0 {
		return nil
	}
	w, err := q.workspace(q.by.Workspace)
	if err != nil {
		return err
	}
	in := survey.Interaction{ID: survey.ID(r.ID), OccurredAt: survey.Instant(r.RespondedAt), ReceivedAt: q.now}
	in.Customer.Locale = r.Locale
	if err := fromJSON(r.Attributes, &in.Attributes); err != nil {
		return err
	}
	person, err := q.whoAnswered(r)
	if err != nil {
		return err
	}
	if err := q.hold([][]byte{s.hashOf(q, in, person)}, asking); err != nil {
		return err
	}
	for _, place := range asking {
		in.Touchpoint = place.Survey.Touchpoint
		if _, err := s.decideHeld(q, in, place, w, person, fromResponse); err != nil {
			return err
		}
	}
	return nil
}

// whoAnswered is nil where nobody is known to have answered.
func (q *session) whoAnswered(r responseRow) (*survey.Person, error) {
	who := r.PersonID.orNil()
	if who == nil {
		return nil, nil
	}
	var row personRow
	found, err := q.row(`SELECT `+personColumns+` FROM people WHERE workspace_id = ? AND id = ?`, []any{q.by.Workspace, *who}, row.scan()...)
	if err != nil || !found {
		return nil, err
	}
	person, err := row.person()
	return &person, err
}

// unfollow calls off what surveys have planned after a response.
func (q *session) unfollow(response id, why string) error {
	list, err := q.followed(nil, response)
	if err != nil {
		return err
	}
	return q.endFollowed(list, why)
}

// endFollowed calls off what is still planned of them.
func (q *session) endFollowed(list []followed, why string) error {
	slices.SortFunc(list, func(a, b followed) int { return slices.Compare(a.InvitationID[:], b.InvitationID[:]) })
	for _, d := range list {
		if d.State == nil || *d.State != string(survey.InvitationScheduled) {
			continue
		}
		row, err := q.invitationRow(survey.ID(d.InvitationID), q.forUpdate())
		if err != nil {
			return err
		}
		if row.State != string(survey.InvitationScheduled) {
			continue
		}
		if err := q.endInvitation(row, survey.InvitationCancelled, why, ""); err != nil {
			return err
		}
	}
	return nil
}
