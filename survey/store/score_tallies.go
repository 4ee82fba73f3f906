package store

import (
	"slices"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// fewPieces is up to how many pieces one sum each is cheaper than all days one
// by one.
const fewPieces = 3

// fromTallies adds up the pieces of whole days.
func (n *counter) fromTallies(cut spanCut, groupBy string, counts pieceCounts) error {
	days := make([]int, 0, len(cut.all))
	for i, p := range cut.all {
		if !p.empty() && p.days {
			days = append(days, i)
		}
	}
	dimension, value, _ := n.scope.segmentDimension()
	if groupBy == "" && len(days) > fewPieces {
		return n.dayByDay(cut, days, dimension, value, counts)
	}
	for _, i := range days {
		if err := n.piece(cut, i, dimension, value, groupBy, counts); err != nil {
			return err
		}
	}
	return nil
}

// piece sums one piece of whole days, split by a group.
func (n *counter) piece(cut spanCut, i int, dimension, value, groupBy string, counts pieceCounts) error {
	add := func(group string, measure int64, h scoring.Histogram) {
		at := counts.at(group, i, len(cut.all))
		at[measure] = at[measure].Add(h)
	}
	p := cut.all[i]
	switch groupBy {
	case "":
		return n.sums("''", dimension, &value, p, func(_ string, m int64, h scoring.Histogram) { add("", m, h) })
	case ByTouchpoint, BySurvey:
		return n.sums(groupBy+"_id", dimension, &value, p, add)
	}
	if groupBy == ByLocale || groupBy == ByChannel { // every answer has one
		return n.sums("value", groupBy, nil, p, add)
	}
	if err := n.sums("value", groupBy, nil, p, func(value string, m int64, h scoring.Histogram) {
		if value != "" { // counted below, with those that have none
			add(value, m, h)
		}
	}); err != nil {
		return err
	}
	// what is left over has no value: all answers, less those that have one
	if err := n.sums("''", "", &value, p, func(_ string, m int64, h scoring.Histogram) { add("", m, h) }); err != nil {
		return err
	}
	if key, is := strings.CutPrefix(groupBy, byChoice); is {
		return n.sums("''", byAnswered, &key, p, func(_ string, m int64, h scoring.Histogram) {
			add("", m, scoring.Histogram{}.Sub(h))
		})
	}
	for group := range counts {
		if group == "" {
			continue
		}
		for measure, h := range counts.at(group, i, len(cut.all)) {
			add("", measure, scoring.Histogram{}.Sub(h))
		}
	}
	return nil
}

// sums adds up the tallies of a dimension over whole days, per measure and what
// column tells apart. A nil value is every value.
func (n *counter) sums(column, dimension string, value *string, p piece, do func(group string, measure int64, h scoring.Histogram)) error {
	group := " GROUP BY measure_id"
	if column != "''" {
		group += ", " + column
	}
	var measure int64
	var h histogramScan
	if strings.HasSuffix(column, "_id") {
		var place id
		return n.eachTally(`measure_id, `+column, group, dimension, value, p, append([]any{&measure, &place}, h.into()...),
			func() { do(survey.ID(place).String(), measure, h.Histogram) })
	}
	var text string
	return n.eachTally(`measure_id, `+column, group, dimension, value, p, append([]any{&measure, &text}, h.into()...),
		func() { do(text, measure, h.Histogram) })
}

// dayByDay reads all days between the first and the last piece at once.
func (n *counter) dayByDay(cut spanCut, days []int, dimension, value string, counts pieceCounts) error {
	whole := piece{first: cut.all[days[0]].first, after: cut.all[days[len(days)-1]].after}
	var measure int64
	var day survey.Day
	var h histogramScan
	return n.eachTally(`measure_id, day`, ` GROUP BY measure_id, day`, dimension, &value, whole,
		append([]any{&measure, &day}, h.into()...), func() {
			at, found := slices.BinarySearchFunc(days, day, func(i int, day survey.Day) int {
				switch p := cut.all[i]; {
				case day < p.first:
					return 1
				case day >= p.after:
					return -1
				}
				return 0
			})
			if found {
				sums := counts.at("", days[at], len(cut.all))
				sums[measure] = sums[measure].Add(h.Histogram)
			}
		})
}

const sumCounts = `SUM(c0), SUM(c1), SUM(c2), SUM(c3), SUM(c4), SUM(c5), SUM(c6), SUM(c7), SUM(c8), SUM(c9), SUM(c10)`

// eachTally reads sums of the current generation; on PostgreSQL with the deltas
// that are not folded in yet, in the same statement.
func (n *counter) eachTally(columns, group, dimension string, value *string, p piece, into []any, do func()) error {
	where, args := n.places()
	where, args = where+" AND generation = ? AND dimension = ? AND day >= ? AND day < ?",
		append(args, n.calendar.generation, dimension, p.first, p.after)
	if value != nil {
		where, args = where+" AND value = ?", append(args, *value)
	}
	query := `SELECT ` + columns + `, ` + sumCounts + ` FROM tallies WHERE ` + where + group
	if n.postgres {
		query += ` UNION ALL SELECT ` + columns + `, ` + sumCounts + ` FROM tally_deltas WHERE ` + where + group
		args = append(slices.Clone(args), args...)
	}
	return n.each(query, args, into, func() error { do(); return nil })
}
