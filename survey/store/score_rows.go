package store

import (
	"strconv"
	"strings"

	"koe/survey"
)

// fromRows looks at answer by answer: for what no index tells.
func (n *counter) fromRows(cut spanCut, pieces []int, groupBy string, counts pieceCounts) error {
	key, byAnswer := strings.CutPrefix(groupBy, byChoice)
	prepare := n.loadValues
	if byAnswer {
		prepare = func(string) error { return n.loadTemplates() }
	}
	if err := prepare(groupBy); err != nil {
		return err
	}
	groups := func(r responseRow) (list []string, err error) {
		switch {
		case byAnswer:
			return n.chosen(r, key)
		case groupBy == ByTag:
			return list, fromJSON(r.Tags, &list)
		}
		group, err := n.groupOfRow(groupBy, r)
		return []string{group}, err
	}
	for _, i := range pieces {
		err := n.eachRow(cut.all[i], groupBy == ByTag, func(r responseRow) error {
			of, err := groups(r)
			for _, group := range of {
				h := counts.at(group, i, len(cut.all))
				sum := h[r.MeasureID]
				sum[r.Score]++
				h[r.MeasureID] = sum
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadValues reads which values of a segment are told apart, before any row is
// read: see Store.capped.
func (n *counter) loadValues(groupBy string) error {
	name, is := strings.CutPrefix(groupBy, bySegment)
	if !is || n.values != nil {
		return nil
	}
	n.values = map[id]map[string]bool{}
	var of id
	var value string
	return n.each(`SELECT survey_id, value FROM segment_values WHERE workspace_id = ? AND segment = ?`, []any{n.by.Workspace, name},
		[]any{&of, &value}, func() error {
			if n.values[of] == nil {
				n.values[of] = map[string]bool{}
			}
			n.values[of][value] = true
			return nil
		})
}

// cappedGroup is a value as a group. While a segment is being counted, values
// that are new are told apart as long as there is room, as they will be.
func (n *counter) cappedGroup(of id, value string) string {
	known := n.values[of]
	switch {
	case value == "" || known[value]:
		return value
	case len(known) >= maxSegmentValues:
		return otherValue
	case known == nil:
		known = map[string]bool{}
		n.values[of] = known
	}
	known[value] = true
	return value
}

func (n *counter) groupOfRow(groupBy string, r responseRow) (string, error) {
	var attributes survey.Attributes
	if name, is := strings.CutPrefix(groupBy, bySegment); is && n.scope.declares(r.SurveyID, name) {
		if err := fromJSON(r.Attributes, &attributes); err != nil {
			return "", err
		}
	}
	v := stratum{Survey: r.SurveyID, Touchpoint: r.TouchpointID, Locale: r.Locale, Channel: r.Channel}
	return groupOf(groupBy, v, func(name string) string {
		return n.cappedGroup(r.SurveyID, survey.SegmentValue(attributes[name].Text()))
	}), nil
}

// chosen are the options that a response chose of a question, or "" alone.
func (n *counter) chosen(r responseRow, key string) ([]string, error) {
	var options []string
	err := n.eachAnswer(r, func(dimension, value string) {
		if dimension == byChoice+key {
			options = append(options, value)
		}
	})
	if len(options) == 0 {
		options = []string{""}
	}
	return options, err
}

// loadTemplates reads every template before any row is read: while rows are
// open, PostgreSQL's connection takes no other query.
func (n *counter) loadTemplates() (err error) {
	if n.templates == nil {
		n.templates, err = n.store.allTemplates(n.session)
	}
	return err
}

func (n *counter) eachAnswer(r responseRow, do func(dimension, value string)) error {
	answers, err := answersOf(r.Answers)
	if err == nil {
		eachAnswer(n.templates[templateRef{n.by.Workspace, survey.ID(r.TemplateID), r.TemplateVersion}], answers, do)
	}
	return err
}

// eachRow calls do with what a count needs of each response of a piece, or of
// each that has a tag.
func (n *counter) eachRow(p piece, tagged bool, do func(responseRow) error) error {
	where, args := n.places()
	where, args = where+" AND responded_at >= ? AND responded_at < ? AND excluded_reason IS NULL", append(args, p.from, p.to)
	where, args = n.narrowed(where, args)
	if n.scope.Tag != "" || tagged {
		where += " AND tags <> '[]'" // as its index says
	}
	if n.scope.Tag != "" {
		n.textConditions(ResponseFilter{Tag: n.scope.Tag}, func(condition string, values ...any) {
			where, args = where+" AND "+condition, append(args, values...)
		})
	}
	var r responseRow
	return n.each(`SELECT survey_id, touchpoint_id, measure_id, template_id, template_version, score, answers, locale, channel, attributes, tags
		FROM responses WHERE `+where, args, []any{&r.SurveyID, &r.TouchpointID, &r.MeasureID, &r.TemplateID, &r.TemplateVersion,
		&r.Score, &r.Answers, &r.Locale, &r.Channel, &r.Attributes, &r.Tags}, func() error { return do(r) })
}

// narrowed adds the scope's locale, channel and segments to a condition on
// responses or invitations. A segment is an attribute where the survey declares
// it now; without a value is who has none, or whose survey declares none.
func (n *counter) narrowed(where string, args []any) (string, []any) {
	if n.scope.Locale != nil {
		where, args = where+" AND locale = ?", append(args, *n.scope.Locale)
	}
	if n.scope.Channel != nil {
		where, args = where+" AND channel = ?", append(args, *n.scope.Channel)
	}
	if condition, values := n.segmentSeen(); condition != "" {
		where, args = where+" AND "+condition, append(args, values...)
	}
	for name, value := range n.scope.Attributes {
		text, at := n.attributeText(name)
		var declaring []any
		for _, v := range n.scope.surveys {
			if n.scope.declares(v.ID, name) {
				declaring = append(declaring, v.ID)
			}
		}
		is := "survey_id IN (" + marks(len(declaring)) + ")"
		if value == "" {
			where += " AND (NOT " + is + " OR COALESCE(" + text + ", '') = '')"
			args = append(append(args, declaring...), at...)
			continue
		}
		where += " AND " + is + " AND SUBSTR(" + text + ", 1, " + strconv.Itoa(survey.SegmentRunes) + ") = ?"
		args = append(append(append(args, declaring...), at...), survey.SegmentValue(value))
	}
	return where, args
}
