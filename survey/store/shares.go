package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"koe/survey"
)

// running is a fire that asks.
type running struct {
	workspace int64
	survey    survey.ID
	id        survey.ID
	due       survey.Instant
	share     *int
	asked     int
}

// AskShares lets the fires that are under way ask on, and says how many people
// had their turn. It may be cut off anywhere: nobody is asked twice by a fire.
func (s *Store) AskShares(ctx context.Context) (turns int, err error) {
	q := s.reading(ctx, Caller{})
	var list []running
	var r running
	var of, self id
	// the oldest of each workspace before the next of any: who has many holds up nobody else
	if err := q.each(`SELECT workspace_id, survey_id, id, due_at, share, asked FROM fires`+q.indexedBy("fires_running")+` WHERE state = 'running'
		ORDER BY ROW_NUMBER() OVER (PARTITION BY workspace_id ORDER BY due_at), due_at LIMIT ?`,
		[]any{schedulesAtOnce}, []any{&r.workspace, &of, &self, &r.due, &r.share, &r.asked}, func() error {
			r.survey, r.id = survey.ID(of), survey.ID(self)
			list = append(list, r)
			r.share = nil
			return nil
		}); err != nil {
		return 0, away(err)
	}
	var errs []error
	for _, r := range list {
		n, err := s.askShare(ctx, r)
		turns += n
		if err != nil { // one that cannot be read holds up no other
			errs = append(errs, fmt.Errorf("a fire of survey %s: %w", r.survey, err))
		}
	}
	return turns, errors.Join(errs...)
}

// peopleInOneGo is how many people a fire looks at before the others have their
// go, whether it is their turn or a rule holds them back; it goes on at the next
// tick. They are found at once, since finding them sorts the audience.
const peopleInOneGo = 1000

// turnsAtOnce is how many people are decided about in one transaction.
const turnsAtOnce = 50

// askShare asks the rest of a fire's share.
func (s *Store) askShare(ctx context.Context, r running) (turns int, err error) {
	q := s.reading(ctx, Caller{Workspace: r.workspace})
	place, err := s.surveyPlace(q, r.survey)
	if err != nil {
		return 0, away(err)
	}
	if place.Survey.State != survey.Active || place.Survey.Trigger.Type != survey.OnSchedule {
		return 0, s.endFire(ctx, r)
	}
	if r.share == nil {
		share, err := s.shareOf(q, place, r)
		if err != nil {
			return 0, away(err)
		}
		r.share = &share
		if err := s.write(ctx, Caller{Workspace: r.workspace}, func(q *session) error {
			_, err := q.exec(`UPDATE fires SET share = ? WHERE workspace_id = ? AND id = ? AND share IS NULL`, share, r.workspace, r.id)
			return err
		}); err != nil {
			return 0, err
		}
	}
	if r.asked >= *r.share {
		return 0, s.endFire(ctx, r)
	}
	waiting, err := s.waiting(s.reading(ctx, Caller{Workspace: r.workspace}), place, r, peopleInOneGo)
	if err != nil {
		return 0, away(err)
	}
	all := true
	for some := range slices.Chunk(waiting, turnsAtOnce) {
		did, err := s.takeTurns(ctx, r, some)
		turns += did.turns
		if err != nil || did.over {
			return turns, err
		}
		all = all && did.met == len(some)
	}
	if len(waiting) == peopleInOneGo || !all { // there may be more
		return turns, nil
	}
	return turns, s.endFire(ctx, r)
}

func (s *Store) endFire(ctx context.Context, r running) error {
	return s.write(ctx, Caller{Workspace: r.workspace}, func(q *session) error {
		_, err := q.exec(`UPDATE fires SET state = 'done' WHERE workspace_id = ? AND id = ? AND state = 'running'`, r.workspace, r.id)
		return err
	})
}

// slack is by how much a turn may come earlier than the cadence, because clocks
// change and a fire takes a moment.
func slack(every time.Duration) time.Duration { return min(every/10, 2*time.Hour) }

// shareOf counts how many people a fire asks.
func (s *Store) shareOf(q *session, place surveyPlace, r running) (int, error) {
	w, err := q.workspace(q.by.Workspace)
	if err != nil {
		return 0, err
	}
	trigger := place.Survey.Trigger
	cron, loc, err := trigger.Calendar(w)
	if err != nil {
		return 0, err
	}
	every := trigger.Every.Length()
	since := r.due.Add(slack(every) - every)
	where, args := q.audience(place.Survey)
	var audience, asked, due int
	if _, err := q.row(`SELECT COUNT(*) FROM people WHERE `+where, args, &audience); err != nil {
		return 0, err
	}
	if _, err := q.row(`SELECT COUNT(*) FROM turns WHERE workspace_id = ? AND survey_id = ? AND last_at > ?`,
		[]any{q.by.Workspace, r.survey, since}, &asked); err != nil {
		return 0, err
	}
	if _, err := q.row(`SELECT COUNT(*) FROM fires WHERE workspace_id = ? AND survey_id = ? AND due_at > ? AND due_at <= ? AND state <> 'missed'`,
		[]any{q.by.Workspace, r.survey, since, r.due}, &due); err != nil {
		return 0, err
	}
	return survey.Share(audience, asked, cron.Count(since, r.due, loc), due), nil
}

// audience is the condition that a row of people is of a schedule's audience:
// somebody with an address whose attributes match, and who is on its list where
// it goes by one.
func (q *session) audience(v survey.Survey) (string, []any) {
	t := v.Trigger
	where, args := "workspace_id = ? AND email IS NOT NULL", []any{q.by.Workspace}
	if t.Members {
		where += ` AND EXISTS (SELECT 1 FROM members m WHERE m.workspace_id = people.workspace_id AND m.survey_id = ? AND m.person_id = people.id)`
		args = append(args, v.ID)
	}
	for _, key := range slices.Sorted(maps.Keys(t.Audience)) {
		text, more := q.attributeText(strings.TrimPrefix(key, "attributes."))
		where += " AND " + text + " IN (?"
		args = append(args, more...)
		for i, v := range t.Audience[key] {
			if i > 0 {
				where += ", ?"
			}
			args = append(args, v.Text())
		}
		where += ")"
	}
	return where, args
}

// waiting are the people of an audience whose turn it is, the longest unasked
// first.
func (s *Store) waiting(q *session, place surveyPlace, r running, n int) ([]survey.ID, error) {
	where, args := q.audience(place.Survey)
	var ids []survey.ID
	var one id
	err := q.each(`SELECT p.id FROM (SELECT id, last_asked_at FROM people WHERE `+where+`) p
		LEFT JOIN turns t ON t.workspace_id = ? AND t.survey_id = ? AND t.person_id = p.id
		WHERE t.person_id IS NULL OR t.next_at <= ? ORDER BY COALESCE(t.last_at, p.last_asked_at, 0), p.id LIMIT ?`,
		append(args, q.by.Workspace, r.survey, r.due, n), []any{&one}, func() error {
			ids = append(ids, survey.ID(one))
			return nil
		})
	return ids, err
}

// took is what takeTurns did: how many had their turn, how many of the people
// were there and not held by somebody else, and whether the fire has ended with
// it, or meanwhile.
type took struct {
	turns, met int
	over       bool
}

// takeTurns decides about people whose turn it is.
func (s *Store) takeTurns(ctx context.Context, r running, people []survey.ID) (did took, err error) {
	err = s.write(ctx, Caller{Workspace: r.workspace}, func(q *session) error {
		did = took{}
		if _, err := q.counting(); err != nil { // before a person is locked, as everywhere
			return err
		}
		place, err := s.surveyPlace(q, r.survey)
		if err != nil {
			return err
		}
		w, err := q.workspace(r.workspace)
		if err != nil {
			return err
		}
		var asked, share int
		found, err := q.row(`SELECT asked, share FROM fires WHERE workspace_id = ? AND id = ? AND state = 'running'`+q.forUpdate(),
			[]any{r.workspace, r.id}, &asked, &share)
		if err != nil || !found || place.Survey.State != survey.Active {
			did.over = true
			return err
		}
		free, err := s.holdPeople(q, people, place)
		if err != nil {
			return err
		}
		did.met = len(free)
		for _, person := range free {
			if asked+did.turns >= share {
				break
			}
			mine, err := s.takeTurn(q, place, w, r, person)
			if err != nil {
				return err
			}
			if mine {
				did.turns++
			}
		}
		state := fireRunning
		if did.over = asked+did.turns >= share; did.over { // with what other processes did
			state = fireDone
		}
		return q.must(`UPDATE fires SET asked = ?, state = ? WHERE workspace_id = ? AND id = ?`, asked+did.turns, state, r.workspace, r.id)
	})
	return did, err
}

// holdPeople holds those of some people whom nobody else holds, in the order in
// which they come, and then what a survey looks at when it decides about them.
// Others may hold many at once, in an order of their own, so nobody is waited
// for.
func (s *Store) holdPeople(q *session, people []survey.ID, place surveyPlace) ([]survey.Person, error) {
	var row personRow
	held := make(map[survey.ID]survey.Person, len(people))
	keep := func() error {
		person, err := row.person()
		held[person.ID] = person
		row = personRow{}
		return err
	}
	list := make([]any, 1, len(people)+1)
	list[0] = q.by.Workspace
	for _, person := range people {
		list = append(list, person)
	}
	if err := q.each(`SELECT `+personColumns+` FROM people WHERE workspace_id = ? AND id IN (?`+strings.Repeat(", ?", len(people)-1)+`)`+q.skipLocked(),
		list, row.scan(), keep); err != nil {
		return nil, err
	}
	free, addresses := make([]survey.Person, 0, len(people)), [][]byte(nil)
	for _, id := range people {
		if person, ok := held[id]; ok {
			free, addresses = append(free, person), append(addresses, s.addressHash(q.by.Workspace, person.Email))
		}
	}
	return free, q.hold(addresses, []surveyPlace{place})
}

// takeTurn decides about one person, who is held. Somebody whom a rule holds
// back for a known time keeps their turn until then.
func (s *Store) takeTurn(q *session, place surveyPlace, w survey.Workspace, r running, person survey.Person) (bool, error) {
	told := person.Attributes
	if place.Survey.Trigger.Members {
		member, on, err := q.listMemberRow(place.Survey.ID, person.ID)
		if err != nil || !on { // taken off the list since
			return false, err
		}
		if told, err = member.over(told); err != nil {
			return false, err
		}
	}
	every := place.Survey.Trigger.Every.Length()
	mine, err := q.exec(`INSERT INTO turns (workspace_id, survey_id, person_id, last_at, next_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (workspace_id, survey_id, person_id) DO UPDATE SET last_at = excluded.last_at, next_at = excluded.next_at
		WHERE turns.next_at <= ?`, r.workspace, r.survey, person.ID, r.due, r.due.Add(every-slack(every)), r.due)
	if err != nil || mine == 0 {
		return false, err
	}
	in := survey.Interaction{ID: r.id, Touchpoint: place.Survey.Touchpoint, Attributes: told, OccurredAt: q.now, ReceivedAt: q.now}
	decision, err := s.decideHeld(q, in, place, w, &person, fromFire)
	if err != nil || decision.Verdict == survey.Scheduled || decision.Until == nil {
		return true, err
	}
	return false, q.must(`UPDATE turns SET last_at = NULL, next_at = ? WHERE workspace_id = ? AND survey_id = ? AND person_id = ?`,
		max(*decision.Until, r.due+1), r.workspace, r.survey, person.ID)
}
