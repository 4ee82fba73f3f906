package store

import (
	"maps"
	"slices"
	"strings"

	"koe/survey"
)

// occurrence is an interaction that is kept and whose customer is known, before
// any survey is asked.
type occurrence struct {
	in         survey.Interaction
	touchpoint survey.ID
	person     *survey.Person
	surveys    []surveyPlace // that decide about it
	first      *survey.ID    // the interaction that it repeats; nil where it is new
}

// record keeps interactions and lets the surveys decide about them. What is
// refused is told in its outcome; an error spoils all.
//
// What others may wait for is locked in one order, each kind for all
// interactions before the next, so that two never wait for each other
// crosswise: the people, their addresses, daily limits.
func (s *Store) record(q *session, items []Item) ([]Outcome, error) {
	out := make([]Outcome, len(items))
	met := make([]occurrence, len(items))
	surveys := map[survey.ID][]surveyPlace{}
	if q.postgres { // before a person is locked, as everywhere
		if _, err := q.counting(); err != nil {
			return nil, err
		}
	}
	order, err := q.inLockOrder(named(items))
	if err != nil {
		return nil, err
	}
	for _, i := range order {
		if out[i].Err = items[i].Err; out[i].Err == nil {
			met[i], out[i].Err = s.meet(q, items[i].Interaction, surveys)
		}
		if out[i].Err != nil && !isRefusal(out[i].Err) {
			return nil, out[i].Err
		}
	}
	if err := s.holdOccurrences(q, met); err != nil {
		return nil, err
	}
	for i := range out { // as they came: all is held
		if out[i].Err == nil && met[i].first == nil {
			if out[i].Recorded, err = s.decide(q, met[i]); err != nil {
				return nil, err
			}
		}
	}
	for i := range out { // repeats, perhaps of one that was just decided
		if out[i].Err == nil && met[i].first != nil {
			if out[i].Recorded, err = s.recordedRow(q, *met[i].first); err != nil {
				return nil, err
			}
			out[i].Repeat = true
		}
	}
	return out, nil
}

// named are the customers of a batch in the form that koe keeps, nobody where
// meet will refuse the item. Where two items tell of the same interaction the
// second goes with the first: the one that came first is kept.
func named(items []Item) []survey.Customer {
	customers := make([]survey.Customer, len(items))
	told := map[[2]string]int{}
	for i, item := range items {
		c, unsaid := item.Interaction.Customer, survey.Problems{}
		if c.Clean(&unsaid, ""); item.Err == nil && unsaid.Err() == nil {
			customers[i] = c
		}
		if it := [2]string{item.Interaction.Touchpoint, strings.TrimSpace(item.Interaction.ExternalID)}; it[1] != "" {
			if first, twice := told[it]; twice {
				customers[i] = customers[first]
			} else {
				told[it] = i
			}
		}
	}
	return customers
}

// inLockOrder is the order in which customers are looked up: as they came, or
// on PostgreSQL by person, whether the external id names them or the address, so
// that two batches never wait for each other's people crosswise. One person's
// stay in their order.
func (q *session) inLockOrder(customers []survey.Customer) ([]int, error) {
	order := make([]int, len(customers))
	for i := range order {
		order[i] = i
	}
	if !q.postgres || len(customers) < 2 {
		return order, nil
	}
	who := make([]string, len(customers))
	ids := map[string]string{}  // of addresses, as this batch tells or koe knows
	alone := map[string][]int{} // addresses that come without an id
	for i, c := range customers {
		switch address := c.Address(); {
		case c.ExternalID != "":
			if who[i] = c.ExternalID; address != "" && ids[address] == "" {
				ids[address] = c.ExternalID
			}
		case address != "":
			alone[address] = append(alone[address], i)
		}
	}
	var address, externalID string
	if err := q.each(`SELECT e, x FROM (SELECT e, (SELECT p.external_id FROM people p WHERE p.workspace_id = ? AND p.email = e
		ORDER BY p.external_id IS NOT NULL, p.id LIMIT 1) AS x FROM unnest(?::text[]) AS e) AS named WHERE x IS NOT NULL`,
		[]any{q.by.Workspace, slices.Collect(maps.Keys(alone))}, []any{&address, &externalID}, func() error {
			ids[address] = externalID
			return nil
		}); err != nil {
		return nil, err
	}
	for address, list := range alone {
		for _, i := range list {
			if who[i] = ids[address]; who[i] == "" {
				who[i] = byAddress + address
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(who[a], who[b]) })
	return order, nil
}

// byAddress begins what stands for an address; no external id begins so.
const byAddress = "\x00"

// meet keeps an interaction and finds, or makes, who had it. surveys remembers
// those of each touchpoint.
func (s *Store) meet(q *session, in survey.Interaction, surveys map[survey.ID][]surveyPlace) (occurrence, error) {
	if err := in.Clean(q.now); err != nil {
		return occurrence{}, err
	}
	touchpoint, known, err := q.touchpointID(in.Touchpoint)
	if err != nil {
		return occurrence{}, err
	}
	if !known {
		return occurrence{}, survey.Errorf(survey.Invalid, "touchpoint",
			"there is no touchpoint %q; create it, or a survey that names it, first", in.Touchpoint)
	}
	if in.ExternalID != "" {
		if first, err := s.firstTold(q, touchpoint, in.ExternalID); err != nil || first != nil {
			return occurrence{first: first}, err
		}
	}
	in.ID, in.ReceivedAt = newID(), q.now
	o := occurrence{in: in, touchpoint: touchpoint}
	if in.Customer.Known() {
		p, err := q.person(in.Customer, in.Attributes, q.now)
		if err != nil {
			return occurrence{}, err
		}
		o.person = &p
	}
	inserted, err := q.insertInteraction(in, touchpoint, o.person)
	if err != nil {
		return occurrence{}, err
	}
	if !inserted { // a twin was faster
		first, err := s.firstTold(q, touchpoint, in.ExternalID)
		if err == nil && first == nil {
			err = errTwin
		}
		return occurrence{first: first}, err
	}
	o.surveys, err = once(surveys, touchpoint, func() ([]surveyPlace, error) { return s.surveysAt(q, touchpoint) })
	return o, err
}

// holdOccurrences is hold for all that surveys are asked about.
func (s *Store) holdOccurrences(q *session, met []occurrence) error {
	if !q.postgres {
		return nil
	}
	var addresses [][]byte
	var surveys []surveyPlace
	for _, o := range met {
		if len(o.surveys) > 0 {
			addresses, surveys = append(addresses, s.hashOf(q, o.in, o.person)), append(surveys, o.surveys...)
		}
	}
	return q.hold(addresses, surveys)
}

// firstTold is the interaction that told an external id at a touchpoint first;
// nil where it is new.
func (s *Store) firstTold(q *session, touchpoint survey.ID, externalID string) (*survey.ID, error) {
	var first id
	const query = `SELECT id FROM interactions WHERE workspace_id = ? AND touchpoint_id = ? AND external_id = ?`
	_, err := q.row(query+` UNION ALL `+query, []any{q.by.Workspace, touchpoint, externalID,
		q.by.Workspace, touchpoint, s.former(q.by.Workspace, touchpoint, externalID)}, &first) // the second of somebody who was erased
	return first.orNil(), err
}

// insertInteraction is false where the external id is taken.
func (q *session) insertInteraction(in survey.Interaction, touchpoint survey.ID, person *survey.Person) (bool, error) {
	customer, err := asJSON(in.Customer)
	if err != nil {
		return false, err
	}
	attributes, err := asJSON(in.Attributes)
	if err != nil {
		return false, err
	}
	warnings, err := asJSON(in.Warnings)
	if err != nil {
		return false, err
	}
	var personID *survey.ID
	if person != nil {
		personID = &person.ID
	}
	n, err := q.exec(`INSERT INTO interactions (workspace_id, id, key_id, touchpoint_id, external_id, person_id, customer,
		attributes, warnings, occurred_at, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		q.by.Workspace, in.ID, q.by.KeyID, touchpoint, orNull(in.ExternalID), personID, customer,
		attributes, warnings, in.OccurredAt, in.ReceivedAt)
	return n == 1, err
}
