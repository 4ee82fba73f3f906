package store

import (
	"bytes"
	"encoding/binary"
	"slices"

	"koe/survey"
)

// The source_type of a decision: what it was made after.
const (
	fromInteraction = "interaction"
	fromFire        = "fire"     // of a schedule
	fromResponse    = "response" // that the survey follows
)

// decide asks every survey of the touchpoint, the older first, and keeps what
// each said. What the surveys look at is held: see record.
func (s *Store) decide(q *session, o occurrence) (Recorded, error) {
	out := Recorded{Interaction: o.in, Decisions: []Decided{}}
	if o.person != nil {
		out.Person = &o.person.ID
	}
	if len(o.surveys) == 0 {
		return out, nil
	}
	w, err := q.workspace(q.by.Workspace)
	if err != nil {
		return Recorded{}, err
	}
	err = s.ask(q, o.surveys, w, o.in, o.person, func(place surveyPlace, in survey.Interaction, d survey.Decision) error {
		one, err := s.keepDecision(q, d, place, in, o.person, fromInteraction)
		out.Decisions = append(out.Decisions, one)
		return err
	})
	return out, err
}

// ask lets surveys decide one after the other: whom one asks has been asked
// when the next decides. keep is given each decision, and the interaction
// filled up from the person's record.
func (s *Store) ask(q *session, places []surveyPlace, w survey.Workspace, in survey.Interaction, person *survey.Person,
	keep func(surveyPlace, survey.Interaction, survey.Decision) error) error {
	in, history, asked, err := s.history(q, in, person)
	if err != nil {
		return err
	}
	for _, place := range places {
		if err := s.fillHistory(q, &history, asked, place); err != nil {
			return err
		}
		if history.KeyFull, err = s.keyFull(q); err != nil {
			return err
		}
		d := survey.Decide(place.Survey, w, in, history, q.now)
		if d.Verdict == survey.Scheduled {
			asked[place.Survey.ID] = append(asked[place.Survey.ID], d.SendAt)
		}
		if err := keep(place, in, d); err != nil {
			return err
		}
	}
	return nil
}

// decideOne asks one survey after something else than an interaction, which in
// stands for, and keeps what it said.
func (s *Store) decideOne(q *session, in survey.Interaction, place surveyPlace, w survey.Workspace, person *survey.Person, source string) (Decided, error) {
	if err := q.hold([][]byte{s.hashOf(q, in, person)}, []surveyPlace{place}); err != nil {
		return Decided{}, err
	}
	return s.decideHeld(q, in, place, w, person, source)
}

// decideHeld is decideOne where what the survey looks at is held.
func (s *Store) decideHeld(q *session, in survey.Interaction, place surveyPlace, w survey.Workspace, person *survey.Person, source string) (Decided, error) {
	var out Decided
	err := s.ask(q, []surveyPlace{place}, w, in, person, func(place surveyPlace, in survey.Interaction, d survey.Decision) (err error) {
		out, err = s.keepDecision(q, d, place, in, person, source)
		return err
	})
	return out, err
}

// hashOf is the hash of the address that an interaction is about; nil where
// there is none.
func (s *Store) hashOf(q *session, in survey.Interaction, person *survey.Person) []byte {
	if person == nil {
		return nil
	}
	return s.addressHash(q.by.Workspace, fillCustomer(in.Customer, *person).Address())
}

// hold keeps others from deciding about the same addresses until the
// transaction ends, for several people may share one and the quiet period is
// the address's too, and then from taking the last place of a day under a daily
// limit. A hash may be nil. SQLite has one writer, so there is nothing to hold.
func (q *session) hold(addresses [][]byte, surveys []surveyPlace) error {
	if !q.postgres {
		return nil
	}
	addresses = slices.DeleteFunc(addresses, func(hash []byte) bool { return hash == nil })
	slices.SortFunc(addresses, bytes.Compare)
	if err := q.lockHashes(slices.CompactFunc(addresses, bytes.Equal)...); err != nil {
		return err
	}
	var limited []survey.ID
	for _, place := range surveys {
		if place.Survey.Rules.DailyLimit != nil {
			limited = append(limited, place.Survey.ID)
		}
	}
	if len(limited) > 0 { // who holds a limit does not wait for the calendar either
		if _, err := q.counting(); err != nil {
			return err
		}
	}
	return q.lockLimits(limited)
}

// limitLock tells the locks of daily limits from those of values, see lockValues.
const limitLock = 0x6c696d6974

// lockLimits keeps others from counting on the daily limits of surveys until
// the transaction ends. They are no rows' locks: those of surveys are held by
// others who then ask for invitations. Who holds limits asks for no person,
// invitation or address any more.
func (q *session) lockLimits(of []survey.ID) error {
	if !q.postgres {
		return nil
	}
	slices.SortFunc(of, func(a, b survey.ID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range slices.Compact(of) {
		if err := q.later(`SELECT pg_advisory_xact_lock(?)`, int64(binary.BigEndian.Uint64(id[8:])^limitLock)); err != nil {
			return err
		}
	}
	return nil
}

// lockHashes holds addresses until the transaction ends. They come sorted, so
// that two transactions never wait for each other crosswise.
func (q *session) lockHashes(hashes ...[]byte) error {
	for locked := 0; locked < len(hashes); { // some may be erased between the two
		if _, err := q.exec(`INSERT INTO addresses (workspace_id, address_hash) SELECT ?::bigint, h FROM unnest(?::bytea[]) AS h
			ON CONFLICT DO NOTHING`, q.by.Workspace, hashes); err != nil {
			return err
		}
		var one int
		locked = 0
		if err := q.each(`SELECT 1 FROM addresses WHERE workspace_id = ? AND address_hash = ANY(?::bytea[]) ORDER BY address_hash FOR UPDATE`,
			[]any{q.by.Workspace, hashes}, []any{&one}, func() error { locked++; return nil }); err != nil {
			return err
		}
	}
	return nil
}

// tryHashes holds those addresses that nobody else holds until the transaction
// ends, and notes the others. It waits for none, but for one that was never
// held before and just now is by somebody else.
func (q *session) tryHashes(hashes [][]byte, busy map[addressOf]bool) error {
	free := make(map[string]bool, len(hashes))
	var hash []byte
	note := func() error { free[string(hash)] = true; return nil }
	if err := q.each(`SELECT address_hash FROM addresses WHERE workspace_id = ? AND address_hash = ANY(?::bytea[]) FOR UPDATE SKIP LOCKED`,
		[]any{q.by.Workspace, hashes}, []any{&hash}, note); err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(hashes), func(hash []byte) bool { return free[string(hash)] })
	if len(left) == 0 {
		return nil
	}
	if err := q.each(`INSERT INTO addresses (workspace_id, address_hash) SELECT ?::bigint, h FROM unnest(?::bytea[]) AS h
		ON CONFLICT DO NOTHING RETURNING address_hash`, []any{q.by.Workspace, left}, []any{&hash}, note); err != nil {
		return err
	}
	q.wrote = true
	for _, hash := range left {
		if !free[string(hash)] {
			busy[addressOf{q.by.Workspace, string(hash)}] = true
		}
	}
	return nil
}

// history is what is known of a person before any survey is asked: the
// interaction filled up from the person's record, and when each survey asked
// last.
func (s *Store) history(q *session, in survey.Interaction, person *survey.Person) (survey.Interaction, survey.History, askedAt, error) {
	history := survey.History{}
	asked := askedAt{}
	if person == nil {
		return in, history, asked, nil
	}
	in.Customer = fillCustomer(in.Customer, *person)
	history.Known, history.Timezone = person.Attributes, in.Customer.Timezone
	address := in.Customer.Address()
	var err error
	if address != "" {
		if history.Suppressed, err = s.suppressed(q, address); err != nil {
			return in, history, nil, err
		}
	}
	if asked, err = s.asked(q, person.ID, address); err != nil {
		return in, history, nil, err
	}
	last, err := q.lastAsked(*person, address)
	if last != nil {
		asked[survey.ID{}] = []survey.Instant{*last}
	}
	return in, history, asked, err
}

// lastAsked is when another tool asked last: the person, or somebody else who
// has the address; nil for never.
func (q *session) lastAsked(person survey.Person, address string) (*survey.Instant, error) {
	if address == "" {
		return person.LastAskedAt, nil
	}
	var there *int64
	_, err := q.row(`SELECT max(last_asked_at) FROM people`+q.indexedBy("people_email")+` WHERE workspace_id = ? AND email = ?`, []any{q.by.Workspace, address}, &there)
	if there == nil || person.LastAskedAt != nil && *person.LastAskedAt > survey.Instant(*there) {
		return person.LastAskedAt, err
	}
	return (*survey.Instant)(there), err
}

// fillCustomer adds what koe knows of a person and the request did not say.
func fillCustomer(c survey.Customer, p survey.Person) survey.Customer {
	if c.Email == nil && p.Email != "" {
		c.Email = &p.Email
	}
	fill := func(field *string, known string) {
		if *field == "" {
			*field = known
		}
	}
	fill(&c.ExternalID, p.ExternalID)
	fill(&c.Name, p.Name)
	fill(&c.Locale, p.Locale)
	fill(&c.Timezone, p.Timezone)
	return c
}

// askedAt are the instants for which each survey asked, or plans to ask, this
// person or address: of a mail that went out late, when it did. What was called
// off or never went out does not count. The zero id stands for another tool,
// before koe.
type askedAt map[survey.ID][]survey.Instant

// asked reads them, the newest first, as far back as a quiet period can reach.
func (s *Store) asked(q *session, person survey.ID, address string) (askedAt, error) {
	asked := askedAt{}
	var rows []struct {
		SurveyID id
		AskedAt  int64
	}
	const query = `SELECT survey_id, CASE WHEN sent_at > planned_at THEN sent_at ELSE planned_at END AS asked_at FROM invitations WHERE workspace_id = ? AND `
	const counts = ` AND state NOT IN ('cancelled', 'suppressed', 'failed') ORDER BY planned_at DESC LIMIT 200`
	if err := q.list(&rows, query+`person_id = ?`+counts, q.by.Workspace, person); err != nil {
		return nil, err
	}
	if address != "" {
		hash := s.addressHash(q.by.Workspace, address)
		byAddress := rows[len(rows):]
		if err := q.list(&byAddress, query+`address_hash = ?`+counts, q.by.Workspace, hash); err != nil {
			return nil, err
		}
		rows = append(rows, byAddress...)
	}
	for _, row := range rows {
		of := survey.ID(row.SurveyID)
		asked[of] = append(asked[of], survey.Instant(row.AskedAt))
	}
	return asked, nil
}

// fillHistory adds what differs from survey to survey.
func (s *Store) fillHistory(q *session, h *survey.History, asked askedAt, place surveyPlace) error {
	// what another tool asked may have been this survey
	h.AskedAny, h.AskedHere, h.Planned = nil, slices.Concat(asked[place.Survey.ID], asked[survey.ID{}]), nil
	for _, at := range asked {
		h.AskedAny = append(h.AskedAny, at...)
	}
	if place.Survey.Rules.DailyLimit == nil {
		return nil
	}
	var err error
	h.Planned, err = q.plannedFrom(place.Survey.ID, survey.Day(int64(q.now)/86_400_000-1))
	return err
}

// keepDecision writes a decision, and the invitation where there is one.
func (s *Store) keepDecision(q *session, d survey.Decision, place surveyPlace, in survey.Interaction,
	person *survey.Person, source string) (Decided, error) {
	out := Decided{Survey: place.Survey.ID, Verdict: d.Verdict, Reason: d.Reason, Until: d.Until}
	var personID *survey.ID
	if person != nil {
		personID = &person.ID
	}
	if d.Verdict == survey.Scheduled {
		var interaction *survey.ID
		if source == fromInteraction {
			interaction = &in.ID
		}
		made, err := s.invite(q, invite{place: place, person: person, customer: in.Customer, planned: true,
			attributes: place.attributes(in.Attributes, person), interaction: interaction,
			sendAt: d.SendAt, expiresAt: d.ExpiresAt, waits: d.Waits, day: d.Day})
		if err != nil {
			return out, err
		}
		out.Invitation, out.SendAt = &made.id, &d.SendAt
		if place.Survey.Channel == survey.Email && s.mailsPerKey > 0 && !q.by.KeyID.IsZero() {
			q.key.here++
		}
		if place.Survey.Channel == survey.LinkOnly {
			out.Token = made.token
		}
	}
	_, err := q.exec(insertDecision,
		q.by.Workspace, newID(), place.Survey.ID, personID, source, in.ID, string(d.Verdict), string(d.Reason),
		d.Until, out.Invitation, q.now)
	return out, err
}

// attributes of an invitation are the interaction's own, and of the person's
// record only the segments that the survey declares.
func (p surveyPlace) attributes(own survey.Attributes, person *survey.Person) survey.Attributes {
	if person == nil {
		return own
	}
	return own.Over(person.Attributes.Only(p.Survey.Segments))
}

// decisionsOf reads the decisions after an interaction as they were first
// made, links included.
func (s *Store) decisionsOf(q *session, source survey.ID) ([]Decided, error) {
	var rows []struct {
		SurveyID     id
		Verdict      string
		Reason       string
		UntilAt      *int64
		InvitationID id
		PlannedAt    *int64
		Channel      *string
		Nonce        []byte
	}
	if err := q.list(&rows, `SELECT d.survey_id, d.verdict, d.reason, d.until_at, d.invitation_id, v.planned_at, v.channel, v.nonce
		FROM decisions d`+q.indexedBy("decisions_source_id")+` LEFT JOIN invitations v ON v.workspace_id = d.workspace_id AND v.id = d.invitation_id
		WHERE d.workspace_id = ? AND d.source_id = ? ORDER BY d.id`, q.by.Workspace, source); err != nil {
		return nil, err
	}
	out := make([]Decided, len(rows))
	for i, row := range rows {
		out[i] = Decided{Survey: survey.ID(row.SurveyID), Verdict: survey.Verdict(row.Verdict), Reason: survey.Reason(row.Reason),
			Until: (*survey.Instant)(row.UntilAt), Invitation: row.InvitationID.orNil(), SendAt: (*survey.Instant)(row.PlannedAt)}
		if row.Channel != nil && *row.Channel == string(survey.LinkOnly) {
			out[i].Token = s.token(q.by.Workspace, row.Nonce)
		}
	}
	return out, nil
}
