package store

import (
	"context"
	"slices"

	"koe/survey"
)

// Simulate says what a survey would decide about an interaction that came in
// at an instant (now where nil), and why: word for word what RecordInteraction
// would keep. It changes nothing. Of a survey that no interaction makes ask it
// says what the rules say once the interaction stands for what does: a person's
// turn in the schedule, an answer that is followed.
func (s *Store) Simulate(ctx context.Context, by Caller, ref string, in survey.Interaction, at *survey.Instant) (survey.Decision, error) {
	q := s.reading(ctx, by)
	if at != nil {
		q.now = *at
	}
	d, err := s.simulate(q, ref, in)
	return d, away(err)
}

func (s *Store) simulate(q *session, ref string, in survey.Interaction) (survey.Decision, error) {
	place, err := s.surveyByRef(q, ref)
	if err != nil {
		return survey.Decision{}, err
	}
	if in.Touchpoint == "" {
		in.Touchpoint = place.Survey.Touchpoint
	}
	if err := in.Clean(q.now); err != nil {
		return survey.Decision{}, err
	}
	if in.Touchpoint != place.Survey.Touchpoint {
		return survey.Decision{}, survey.Errorf(survey.Invalid, "touchpoint", "the survey asks at %s", place.Survey.Touchpoint)
	}
	switch place.Survey.Trigger.Type {
	case survey.OnManual:
		return notTriggered("trigger", "its links are made by hand, and obey no rule"), nil
	case survey.OnSchedule:
		return s.simulateTurn(q, place, in)
	case survey.OnResponse:
		d, err := s.wouldDecide(q, []surveyPlace{place}, in)
		return afterAll(d, "no interaction makes this survey ask: this is what its rules say after an answer that it follows"), err
	}
	if d, told, err := s.toldBefore(q, place, in); err != nil || told {
		return d, err
	}
	places, err := s.surveysAt(q, place.TouchpointID)
	if err != nil {
		return survey.Decision{}, err
	}
	last := slices.IndexFunc(places, func(p surveyPlace) bool { return p.Survey.ID == place.Survey.ID })
	if last < 0 { // a draft, or archived
		return s.wouldDecide(q, []surveyPlace{place}, in)
	}
	return s.wouldDecide(q, places[:last+1], in)
}

// wouldDecide is what the last of some surveys would decide after the others
// had.
func (s *Store) wouldDecide(q *session, places []surveyPlace, in survey.Interaction) (last survey.Decision, err error) {
	w, err := q.workspace(q.by.Workspace)
	if err != nil {
		return last, err
	}
	person, err := s.personAsWouldBe(q, in)
	if err != nil {
		return last, err
	}
	err = s.ask(q, places, w, in, person, func(_ surveyPlace, _ survey.Interaction, d survey.Decision) error {
		last = d
		return nil
	})
	return last, err
}

// toldBefore are the first decisions, where the external id is known.
func (s *Store) toldBefore(q *session, place surveyPlace, in survey.Interaction) (d survey.Decision, told bool, err error) {
	if in.ExternalID == "" {
		return d, false, nil
	}
	id, err := s.firstTold(q, place.TouchpointID, in.ExternalID)
	if err != nil || id == nil {
		return d, false, err
	}
	first, err := s.recordedRow(q, *id)
	if err != nil {
		return d, false, err
	}
	when := "this external_id was told before, at " + first.Interaction.ReceivedAt.String()
	for _, one := range first.Decisions {
		if one.Survey != place.Survey.ID {
			continue
		}
		d = survey.Decision{Verdict: one.Verdict, Reason: one.Reason, Until: one.Until,
			Checks: []survey.Check{{Rule: "repeat", Verdict: "pass", Detail: when + ": the first decision stands"}}}
		if one.SendAt != nil {
			d.SendAt = *one.SendAt
		}
		return d, true, nil
	}
	return notTriggered("repeat", when+", and this survey was not asked then"), true, nil
}

// simulateTurn is what a schedule would decide if it came to the person at this
// instant.
func (s *Store) simulateTurn(q *session, place surveyPlace, in survey.Interaction) (survey.Decision, error) {
	const words = "no interaction makes this survey ask: this is what its rules say when its schedule comes to this person"
	in.OccurredAt = q.now
	person, err := s.personAsWouldBe(q, in)
	if err != nil {
		return survey.Decision{}, err
	}
	if place.Survey.Trigger.Members && person != nil {
		member, on, err := q.listMemberRow(place.Survey.ID, person.ID)
		if err != nil {
			return survey.Decision{}, err
		}
		if on {
			told, err := member.over(nil)
			if err != nil {
				return survey.Decision{}, err
			}
			in.Attributes = in.Attributes.Over(told)
		}
	}
	d, err := s.wouldDecide(q, []surveyPlace{place}, in)
	if err != nil || d.Reason == survey.SkipPaused || person == nil {
		return afterAll(d, words), err
	}
	var next survey.Instant
	had, err := q.row(`SELECT next_at FROM turns WHERE workspace_id = ? AND survey_id = ? AND person_id = ?`,
		[]any{q.by.Workspace, place.Survey.ID, person.ID}, &next)
	if err != nil || !had || next <= q.now {
		return afterAll(d, words), err
	}
	d = survey.Decision{Verdict: survey.Skipped, Reason: survey.SkipNotDue, Until: &next,
		Checks: []survey.Check{{Rule: "turn", Verdict: "skip", Detail: "the next turn is not before " + next.String()}}}
	return afterAll(d, words), nil
}

// afterAll puts before what the rules said that something else makes them ask.
func afterAll(d survey.Decision, words string) survey.Decision {
	d.Checks = slices.Insert(d.Checks, 0, survey.Check{Rule: "trigger", Verdict: "pass", Detail: words})
	return d
}

// notTriggered is the decision of a survey that is not asked.
func notTriggered(rule, words string) survey.Decision {
	return survey.Decision{Verdict: survey.Skipped, Reason: survey.SkipNotTriggered, Checks: []survey.Check{{Rule: rule, Verdict: "skip", Detail: words}}}
}

// personAsWouldBe is who the customer is, or would become, without making or
// changing anybody; nil where nobody is named.
func (s *Store) personAsWouldBe(q *session, in survey.Interaction) (*survey.Person, error) {
	if !in.Customer.Known() {
		return nil, nil
	}
	row, found, err := q.findPerson(in.Customer.ExternalID, in.Customer.Address())
	if err != nil {
		return nil, err
	}
	if !found {
		return &survey.Person{ID: newID(), Attributes: survey.Attributes{}}, nil
	}
	p, err := row.person()
	return &p, err
}
