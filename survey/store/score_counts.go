package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// counter counts the answers of a scope in pieces of time, in the cheapest way
// that is exact.
type counter struct {
	*session
	store    *Store
	calendar calendar
	scope    *scope
	counted  bool // some answers were counted rather than taken from tallies

	templates map[templateRef]survey.Template
	values    map[id]map[string]bool // of the segment that is grouped by, those that are told apart
}

func (s *Store) counterOf(q *session, f ScoreFilter, groupBy string) (*counter, error) {
	c, err := q.calendar("")
	if err != nil {
		return nil, err
	}
	scope, err := s.scopeOf(q, f, groupBy)
	return &counter{session: q, store: s, calendar: c, scope: scope}, err
}

// source is what Counted calls it.
func (n *counter) source() string {
	if n.counted {
		return "rows"
	}
	return "tallies"
}

// count counts every piece, split by a group or not ("").
func (n *counter) count(cut spanCut, groupBy string) (pieceCounts, error) {
	counts := pieceCounts{}
	if len(n.scope.measures) == 0 {
		return counts, nil
	}
	tallied := n.scope.tallied(groupBy) && !n.calendar.rebuild.running()
	var rest []int // the pieces that tallies do not answer
	for i, p := range cut.all {
		if !p.empty() && (!tallied || !p.days) {
			rest = append(rest, i)
		}
	}
	if tallied {
		if err := n.fromTallies(cut, groupBy, counts); err != nil {
			return nil, err
		}
	}
	if len(rest) == 0 {
		return counts, nil
	}
	n.counted = true
	stale, err := n.stale(groupBy)
	if err != nil {
		return nil, err
	}
	if stale || n.scope.Tag != "" || n.scope.uncapped || groupBy == ByTag || strings.HasPrefix(groupBy, byChoice) {
		return counts, n.fromRows(cut, rest, groupBy, counts)
	}
	return counts, n.fromIndex(cut, rest, groupBy, counts)
}

// stale is true where strata do not tell what is asked: while segments are
// being counted anew, or answers of an older koe have none yet.
func (n *counter) stale(groupBy string) (bool, error) {
	if !n.calendar.rebuild.running() || !n.calendar.rebuild.segments {
		return false, nil
	}
	if n.scope.split || len(n.scope.Attributes) > 0 || strings.HasPrefix(groupBy, bySegment) {
		return true, nil
	}
	var one int
	return n.row(`SELECT 1 FROM responses WHERE workspace_id = ? AND stratum_id = 0 AND excluded_reason IS NULL LIMIT 1`,
		[]any{n.by.Workspace}, &one)
}

// fromIndex counts by strata: which strata belong to the scope is settled here,
// how many answers each has of each score is read off an index.
func (n *counter) fromIndex(cut spanCut, pieces []int, groupBy string, counts pieceCounts) error {
	strata, err := n.strata(groupBy)
	if err != nil || len(strata) == 0 {
		return err
	}
	add := func(of int64, piece, score int, count int64) {
		if v, wanted := strata[of]; wanted {
			h := counts.at(v.group, piece, len(cut.all))
			sum := h[v.measure]
			sum[score] += count
			h[v.measure] = sum
		}
	}
	switch {
	case n.postgres:
		return n.sort(strata, cut, pieces, add)
	case len(strata)*len(pieces) <= maxSeeks:
		return n.seek(strata, cut, pieces, add)
	}
	for _, i := range pieces { // of many strata: all of a piece, those of others too
		if err := n.scan(cut.all[i], i, add); err != nil {
			return err
		}
	}
	return nil
}

// maxSeeks is up to how many strata times pieces looking each up is faster than
// reading everything in between.
const maxSeeks = 200000

// countedStratum is what a stratum is counted as.
type countedStratum struct {
	group   string
	measure int64
}

func (n *counter) strata(groupBy string) (map[int64]countedStratum, error) {
	where, args := n.places()
	out := map[int64]countedStratum{}
	var one int64
	var v stratum
	err := n.each(`SELECT id, survey_id, touchpoint_id, measure_id, locale, channel, segments FROM strata WHERE `+where, args,
		[]any{&one, &v.Survey, &v.Touchpoint, &v.Measure, &v.Locale, &v.Channel, &v.Segments}, func() error {
			if n.scope.Locale != nil && v.Locale != *n.scope.Locale || n.scope.Channel != nil && v.Channel != *n.scope.Channel {
				return nil
			}
			segments := map[string]string{}
			if v.Segments != "{}" {
				if err := json.Unmarshal([]byte(v.Segments), &segments); err != nil {
					return err
				}
			}
			if !n.by.Scope.seesSegments(segments) {
				return nil
			}
			for name, value := range n.scope.Attributes {
				if segments[name] != survey.SegmentValue(value) {
					return nil
				}
			}
			out[one] = countedStratum{groupOf(groupBy, v, func(name string) string { return segments[name] }), v.Measure}
			return nil
		})
	return out, err
}

// groupOf is the group that a stratum belongs to.
func groupOf(groupBy string, v stratum, segment func(name string) string) string {
	switch groupBy {
	case ByTouchpoint:
		return survey.ID(v.Touchpoint).String()
	case BySurvey:
		return survey.ID(v.Survey).String()
	case ByLocale:
		return v.Locale
	case ByChannel:
		return v.Channel
	}
	if name, is := strings.CutPrefix(groupBy, bySegment); is {
		return segment(name)
	}
	return ""
}

// places narrows by workspace, measure, touchpoint and survey.
func (n *counter) places() (string, []any) {
	where, args := "workspace_id = ? AND measure_id IN ("+marks(len(n.scope.measures))+")", []any{n.by.Workspace}
	for _, measure := range n.scope.measures {
		args = append(args, measure)
	}
	if n.scope.touchpoint != nil {
		where, args = where+" AND touchpoint_id = ?", append(args, *n.scope.touchpoint)
	}
	if n.scope.one != nil {
		where, args = where+" AND survey_id = ?", append(args, *n.scope.one)
	}
	return n.scope.withinScope(n.by, where, args)
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// seek looks every stratum and piece up in SQLite's index, and adds up each
// point of the scale there.
func (n *counter) seek(strata map[int64]countedStratum, cut spanCut, pieces []int, add func(of int64, piece, score int, count int64)) error {
	list, ids, err := n.idList(strata)
	if err != nil {
		return err
	}
	borders := make([][3]int64, len(pieces))
	for i, at := range pieces {
		borders[i] = [3]int64{int64(at), int64(cut.all[at].from), int64(cut.all[at].to)}
	}
	text, err := asJSON(borders)
	if err != nil {
		return err
	}
	var of int64
	var piece int
	var sums string
	// left to itself SQLite takes the index that begins with the time, and reads
	// a whole piece for every stratum
	return n.each(`WITH s AS MATERIALIZED (`+list+`),
		p AS MATERIALIZED (SELECT value ->> 0 AS piece, value ->> 1 AS since, value ->> 2 AS until FROM json_each(?))
		SELECT s.id, p.piece, (SELECT `+n.pointSums()+` FROM responses r INDEXED BY responses_stratum_id
			WHERE r.workspace_id = ? AND r.stratum_id = s.id AND r.excluded_reason IS NULL
			AND r.responded_at >= p.since AND r.responded_at < p.until) FROM s, p`,
		[]any{ids, text, n.by.Workspace}, []any{&of, &piece, &sums},
		func() error {
			for score, sum := range strings.Fields(sums) {
				count, err := strconv.ParseInt(sum, 10, 64)
				if err != nil {
					return err
				}
				if count > 0 {
					add(of, piece, score, count)
				}
			}
			return nil
		})
}

// pointSums is how many answers gave 0, 1 … up to the longest scale of the
// scope, as one text.
func (n *counter) pointSums() string {
	longest := 0
	for _, measure := range n.scope.measures {
		longest = max(longest, measureOf(measure).Max)
	}
	format, sums := "", ""
	for point := range longest + 1 {
		format += " %d"
		sums += ", SUM(r.score = " + strconv.Itoa(point) + ")"
	}
	return "PRINTF('" + format + "'" + sums + ")"
}

// sort lets PostgreSQL, which groups by hashing, sort all answers of the strata
// into the pieces.
func (n *counter) sort(strata map[int64]countedStratum, cut spanCut, pieces []int, add func(of int64, piece, score int, count int64)) error {
	starts := map[survey.Instant]int{}
	var borders []survey.Instant
	for _, i := range pieces {
		starts[cut.all[i].from] = i
		borders = append(borders, cut.all[i].from, cut.all[i].to)
	}
	slices.Sort(borders)
	borders = slices.Compact(borders)
	var of, count int64
	var bucket, score int
	return n.each(`SELECT stratum_id, WIDTH_BUCKET(responded_at, CAST(? AS bigint[])), score, COUNT(*) FROM responses
		WHERE workspace_id = ? AND stratum_id = ANY (CAST(? AS bigint[])) AND excluded_reason IS NULL
		AND responded_at >= ? AND responded_at < ? GROUP BY 1, 2, 3`,
		[]any{bigints(borders), n.by.Workspace, bigints(slices.Sorted(maps.Keys(strata))), borders[0], borders[len(borders)-1]},
		[]any{&of, &bucket, &score, &count}, func() error {
			if piece, wanted := starts[borders[bucket-1]]; wanted {
				add(of, piece, score, count)
			}
			return nil
		})
}

// bigints is PostgreSQL's way to write an array.
func bigints[T ~int64](list []T) string {
	text := []byte{'{'}
	for i, v := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(v), 10)
	}
	return string(append(text, '}'))
}

// idList is a query for the ids of strata, and its argument.
func (n *counter) idList(strata map[int64]countedStratum) (query, ids string, err error) {
	query = `SELECT value AS id FROM json_each(?)`
	if n.postgres {
		query = `SELECT CAST(value AS bigint) AS id FROM json_array_elements_text(CAST(? AS json))`
	}
	ids, err = asJSON(slices.Sorted(maps.Keys(strata)))
	return query, ids, err
}

// scan reads a whole piece off an index.
func (n *counter) scan(p piece, at int, add func(of int64, piece, score int, count int64)) error {
	var of, count int64
	var score int
	return n.each(`SELECT stratum_id, score, COUNT(*) FROM responses WHERE workspace_id = ? AND responded_at >= ? AND responded_at < ?
		AND excluded_reason IS NULL GROUP BY stratum_id, score`, []any{n.by.Workspace, p.from, p.to}, []any{&of, &score, &count},
		func() error { add(of, at, score, count); return nil })
}

// attributeText is an attribute's value as its words, NULL where there is none.
func (q *session) attributeText(name string) (expression string, args []any) {
	if q.postgres {
		return `(CAST(attributes AS json) ->> ?)`, []any{name}
	}
	at := `$."` + name + `"` // an attribute's name has no quotes
	return `CASE json_type(attributes, ?) WHEN 'text' THEN json_extract(attributes, ?) ELSE attributes -> ? END`, []any{at, at, at}
}

// histogramScan is the eleven counts of a tally's row.
type histogramScan struct{ scoring.Histogram }

// into are the places of c0 to c10.
func (h *histogramScan) into() []any {
	places := make([]any, len(h.Histogram))
	for i := range h.Histogram {
		places[i] = &h.Histogram[i]
	}
	return places
}
