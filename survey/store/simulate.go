package store

import (
	"context"
	"slices"

	"koe/survey"
)

// Simulate says what a survey would decide about an interaction that came in
// at an instant (now where nil), and why. It changes nothing: a person who is
// not known yet is taken as one who was never asked.
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
	w, err := q.workspace(q.by.Workspace)
	if err != nil {
		return survey.Decision{}, err
	}
	person, err := s.personAsWouldBe(q, in)
	if err != nil {
		return survey.Decision{}, err
	}
	in, history, asked, err := s.history(q, in, person)
	if err != nil {
		return survey.Decision{}, err
	}
	if err := s.fillHistory(q, &history, asked, place); err != nil {
		return survey.Decision{}, err
	}
	d := survey.Decide(place.Survey, w, in, history, q.now)
	if words, other := otherTriggers[place.Survey.Trigger.Type]; other {
		d.Checks = slices.Insert(d.Checks, 0, survey.Check{Rule: "trigger", Verdict: "pass", Detail: words})
	}
	return d, nil
}

// otherTriggers are what to know of a decision of a survey that no interaction
// makes ask.
var otherTriggers = map[survey.TriggerType]string{
	survey.OnSchedule: "no interaction makes this survey ask: this is what its rules say when its schedule comes to this person",
	survey.OnResponse: "no interaction makes this survey ask: this is what its rules say after an answer that it follows",
	survey.OnManual:   "no interaction makes this survey ask: its links are made by hand, and obey no rule",
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
		// as if it were made now; its lot in a sample is drawn when it is
		return &survey.Person{ID: newID(), Attributes: survey.Attributes{}}, nil
	}
	p, err := row.person()
	return &p, err
}
