package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"sync"

	"koe/survey"
)

// A stratum is what reports tell answers apart by, once per combination: the
// survey at its touchpoint, what it measures, the locale, the channel and the
// values of the declared segments. Its id is a hash of the rest: it is
// computed, not looked up, and the same everywhere.
type stratum struct {
	Survey     id
	Touchpoint id
	Measure    int64
	Locale     string
	Channel    string
	Segments   string // JSON, with values beyond the cap as "other"
}

// id is never 0, which says "not known yet".
func (v stratum) id() int64 {
	text := make([]byte, 0, 128)
	text = append(text, v.Survey[:]...)
	text = append(text, v.Touchpoint[:]...)
	text = binary.BigEndian.AppendUint64(text, uint64(v.Measure))
	for _, s := range []string{v.Locale, v.Channel, v.Segments} {
		text = binary.BigEndian.AppendUint32(text, uint32(len(s)))
		text = append(text, s...)
	}
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:8])>>1 | 1)
}

// keepStratum makes sure that the stratum has its row.
func (s *Store) keepStratum(q *session, v stratum) (int64, error) {
	key := v.id()
	if s.seen.has(stratumSeen{q.by.Workspace, key}) {
		return key, nil
	}
	_, err := q.exec(`INSERT INTO strata (workspace_id, id, survey_id, touchpoint_id, measure_id, locale, channel, segments)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		q.by.Workspace, key, v.Survey, v.Touchpoint, v.Measure, v.Locale, v.Channel, v.Segments)
	q.learned = append(q.learned, stratumSeen{q.by.Workspace, key})
	return key, err
}

// stratumOf is the id of the stratum of a response that is counted by these
// segments; it has its row.
func (s *Store) stratumOf(q *session, r responseRow, segments map[string]string) (int64, error) {
	v, err := r.stratum(segments)
	if err != nil {
		return 0, err
	}
	return s.keepStratum(q, v)
}

func (r responseRow) stratum(segments map[string]string) (v stratum, err error) {
	text := "{}"
	if len(segments) > 0 {
		text, err = asJSON(segments)
	}
	return stratum{r.SurveyID, r.TouchpointID, r.MeasureID, r.Locale, r.Channel, text}, err
}

// maxSegmentValues is how many values of a survey's segment are told apart.
const maxSegmentValues = 500

// otherValue is what values beyond the cap are counted as.
const otherValue = "other"

// capped are the values that a survey's answers are counted by: a value that
// is new is registered while there is room, else it is "other". What a value
// became once it stays.
func (s *Store) capped(q *session, of survey.ID, segments map[string]string) (map[string]string, error) {
	if len(segments) == 0 {
		return segments, nil
	}
	out := make(map[string]string, len(segments))
	for name, value := range segments {
		var err error
		if out[name], err = s.cappedValue(q, segmentValue{q.by.Workspace, of, name, value}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cappedValue is what one value is counted as.
func (s *Store) cappedValue(q *session, v segmentValue) (string, error) {
	if s.seen.has(v) {
		return v.value, nil
	}
	registered, err := q.registerValue(v)
	if err != nil || !registered {
		return otherValue, err
	}
	q.learned = append(q.learned, v)
	return v.value, nil
}

// registerValue says whether a value is told apart, and makes it so while there
// is room. Whoever finds none sees all that are; whoever finds some waits until
// nobody else may be taking it, so that all agree on which are the last.
func (q *session) registerValue(v segmentValue) (bool, error) {
	known, room, err := q.lookUpValue(v)
	if err == nil && q.postgres && !known && room {
		if err = q.lockValues(v.survey); err == nil {
			known, room, err = q.lookUpValue(v)
		}
	}
	if err != nil || known || !room {
		return known, err
	}
	_, err = q.exec(`INSERT INTO segment_values (workspace_id, survey_id, segment, value) VALUES (?, ?, ?, ?)`,
		v.workspace, v.survey, v.segment, v.value)
	return true, err
}

// lookUpValue says whether a value is registered, and whether there is room for
// one that is not.
func (q *session) lookUpValue(v segmentValue) (known, room bool, err error) {
	const of = ` FROM segment_values WHERE workspace_id = ? AND survey_id = ? AND segment = ?`
	var one, all int64
	known, err = q.row(`SELECT 1`+of+` AND value = ?`, []any{v.workspace, v.survey, v.segment, v.value}, &one)
	if err != nil || known {
		return known, false, err
	}
	// again, for it may be there by now: both counts are of the same instant
	_, err = q.row(`SELECT COUNT(*), COUNT(CASE WHEN value = ? THEN 1 END)`+of,
		[]any{v.value, v.workspace, v.survey, v.segment}, &all, &one)
	return one > 0, all < maxSegmentValues, err
}

// lockValues keeps others from registering values of a survey until the
// transaction ends. It is no row's lock: those of surveys are held by others
// who then ask for invitations.
func (q *session) lockValues(of survey.ID) error {
	_, err := q.exec(`SELECT pg_advisory_xact_lock(?)`, int64(binary.BigEndian.Uint64(of[8:])))
	return err
}

type stratumSeen struct {
	workspace int64
	stratum   int64
}

type segmentValue struct {
	workspace int64
	survey    survey.ID
	segment   string
	value     string
}

func compareValues(a, b segmentValue) int {
	return cmp.Or(strings.Compare(a.segment, b.segment), strings.Compare(a.value, b.value))
}

// seen remembers rows that are there and stay: strata and segment values. A
// transaction adds what it learned once it is committed.
type seen struct {
	mu   sync.RWMutex
	rows map[any]struct{}
}

// maxSeen bounds the memory; past it everything is looked up anew.
const maxSeen = 20000

func (s *seen) has(row any) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.rows[row]
	return ok
}

func (s *seen) add(rows []any) {
	if len(rows) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil || len(s.rows) > maxSeen {
		s.rows = map[any]struct{}{}
	}
	for _, row := range rows {
		s.rows[row] = struct{}{}
	}
}
