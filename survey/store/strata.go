package store

import (
	"crypto/sha256"
	"encoding/binary"
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

// keepStratum makes sure that the stratum has its row. c is the calendar that
// the transaction counts by.
func (s *Store) keepStratum(q *session, c calendar, v stratum) (int64, error) {
	key := v.id()
	known := seenRow{c.newest(), stratumSeen{q.by.Workspace, key}}
	if s.seen.has(known) {
		return key, nil
	}
	_, err := q.exec(`INSERT INTO strata (workspace_id, id, survey_id, touchpoint_id, measure_id, locale, channel, segments)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		q.by.Workspace, key, v.Survey, v.Touchpoint, v.Measure, v.Locale, v.Channel, v.Segments)
	q.learned = append(q.learned, known)
	return key, err
}

// stratumOf is the stratum of a response that is counted by these segments.
func (s *Store) stratumOf(q *session, c calendar, r responseRow, segments map[string]string) (int64, error) {
	text := "{}"
	if len(segments) > 0 {
		var err error
		if text, err = asJSON(segments); err != nil {
			return 0, err
		}
	}
	return s.keepStratum(q, c, stratum{r.SurveyID, r.TouchpointID, r.MeasureID, r.Locale, r.Channel, text})
}

// maxSegmentValues is how many values of a survey's segment are told apart.
const maxSegmentValues = 500

// otherValue is what values beyond the cap are counted as.
const otherValue = "other"

// capped are the values that a survey's answers are counted by: a value that
// is new is registered while there is room, else it is "other". What a value
// became once it stays, while the segment is declared.
func (s *Store) capped(q *session, c calendar, of survey.ID, segments map[string]string) (map[string]string, error) {
	if len(segments) == 0 {
		return segments, nil
	}
	out := make(map[string]string, len(segments))
	for name, value := range segments {
		known := segmentValue{q.by.Workspace, of, name, value}
		if s.seen.has(seenRow{c.newest(), known}) {
			out[name] = value
			continue
		}
		registered, err := q.registerValue(known)
		if err != nil {
			return nil, err
		}
		out[name] = otherValue
		if registered {
			out[name] = value
			q.learned = append(q.learned, seenRow{c.newest(), known})
		}
	}
	return out, nil
}

func (q *session) registerValue(v segmentValue) (bool, error) {
	var one int64
	key := []any{v.workspace, v.survey, v.segment, v.value}
	found, err := q.row(`SELECT 1 FROM segment_values WHERE workspace_id = ? AND survey_id = ? AND segment = ? AND value = ?`, key, &one)
	if err != nil || found {
		return found, err
	}
	if _, err := q.row(`SELECT COUNT(*) FROM segment_values WHERE workspace_id = ? AND survey_id = ? AND segment = ?`,
		[]any{v.workspace, v.survey, v.segment}, &one); err != nil || one >= maxSegmentValues {
		return false, err
	}
	_, err = q.exec(`INSERT INTO segment_values (workspace_id, survey_id, segment, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		v.workspace, v.survey, v.segment, v.value)
	return true, err
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

// seenRow is a stratum or a segment value in the newest generation of its
// workspace. What is of a segment that is no longer declared is deleted, by any
// replica; it is needed again only once the segment is declared again, and then
// the generation is another one, in which nothing was seen.
type seenRow struct {
	generation int64
	row        any
}

// seen remembers rows that are there, and stay while their generation is the
// newest. A transaction adds what it learned once it is committed.
type seen struct {
	mu   sync.RWMutex
	rows map[seenRow]struct{}
}

// maxSeen bounds the memory; past it everything is looked up anew.
const maxSeen = 20000

func (s *seen) has(row seenRow) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.rows[row]
	return ok
}

func (s *seen) add(rows []seenRow) {
	if len(rows) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil || len(s.rows) > maxSeen {
		s.rows = map[seenRow]struct{}{}
	}
	for _, row := range rows {
		s.rows[row] = struct{}{}
	}
}
