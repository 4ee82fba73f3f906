package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"koe/scoring"
	"koe/survey"
)

// Checked is what Verify looked at, and what it found wrong: one line a
// difference, at most maxFaults of them.
type Checked struct {
	Workspaces, Responses, Invitations, Tallies int64
	Faults                                      []string
	More                                        int64 // faults beyond those listed
}

const maxFaults = 1000

func (c *Checked) fault(format string, args ...any) {
	if len(c.Faults) == maxFaults {
		c.More++
		return
	}
	c.Faults = append(c.Faults, fmt.Sprintf(format, args...))
}

// Verify recomputes every tally of every workspace from the rows and checks
// what must hold between rows. Generations that are being counted are finished
// first. It reads a snapshot, so it may run beside writers; each workspace is
// held in memory as its tallies are.
func (s *Store) Verify(ctx context.Context) (Checked, error) {
	var out Checked
	for more := true; more; {
		var err error
		if more, err = s.Rebuild(ctx); err != nil {
			return out, err
		}
	}
	for more := true; more; {
		var err error
		if more, err = s.ApplyTagRules(ctx); err != nil {
			return out, err
		}
	}
	err := s.snapshot(ctx, Caller{}, func(q *session) error {
		var workspaces []int64
		if err := q.list(&workspaces, `SELECT id FROM workspaces ORDER BY id`); err != nil {
			return err
		}
		for _, one := range workspaces {
			q.by.Workspace = one
			out.Workspaces++
			if err := s.verifyWorkspace(q, &out); err != nil {
				return err
			}
		}
		return q.verifyFile(&out)
	})
	return out, away(err)
}

// verifyFile asks SQLite whether its file is whole.
func (q *session) verifyFile(out *Checked) error {
	if q.postgres {
		return nil
	}
	var said string
	return q.each(`PRAGMA quick_check`, nil, []any{&said}, func() error {
		if said != "ok" {
			out.fault("the database file: %s", said)
		}
		return nil
	})
}

func (s *Store) verifyWorkspace(q *session, out *Checked) error {
	c, err := q.calendar("")
	if err != nil {
		return err
	}
	if c.rebuild.running() { // somebody has begun one since
		out.fault("workspace %d: its tallies are being counted anew; verify again", q.by.Workspace)
		return nil
	}
	v := &verifier{session: q, store: s, out: out, calendar: c, values: map[segmentValue]bool{}, strata: map[int64]bool{}}
	return errors.Join(v.load(), v.responses(), v.invitations(), v.days(), v.between(), v.members())
}

// verifier recounts one workspace.
type verifier struct {
	*session
	store     *Store
	out       *Checked
	calendar  calendar
	values    map[segmentValue]bool
	strata    map[int64]bool
	templates map[templateRef]survey.Template
	rules     []tagger
	tagging   bool // answers are being tagged anew
}

// load reads templates, segment values and strata first: while rows are read,
// PostgreSQL's connection takes no other query.
func (v *verifier) load() error {
	var err error
	if v.templates, err = v.store.allTemplates(v.session); err != nil {
		return err
	}
	value := segmentValue{workspace: v.by.Workspace}
	var of id
	if err := v.each(`SELECT survey_id, segment, value FROM segment_values WHERE workspace_id = ?`, []any{v.by.Workspace},
		[]any{&of, &value.segment, &value.value}, func() error {
			value.survey = survey.ID(of)
			v.values[value] = true
			return nil
		}); err != nil {
		return err
	}
	if v.rules, err = v.store.taggersOf(v.session, v.calendar); err != nil {
		return err
	}
	var one int
	if v.tagging, err = v.row(`SELECT 1 FROM tag_passes WHERE workspace_id = ?`, []any{v.by.Workspace}, &one); err != nil {
		return err
	}
	var stratum int64
	return v.each(`SELECT id FROM strata WHERE workspace_id = ?`, []any{v.by.Workspace}, []any{&stratum}, func() error {
		v.strata[stratum] = true
		return nil
	})
}

// capped is what Store.capped made of segments.
func (v *verifier) capped(of id, text string) (map[string]string, error) {
	segments := map[string]string{}
	if err := fromJSON(text, &segments); err != nil {
		return nil, err
	}
	for name, value := range segments {
		if !v.values[segmentValue{v.by.Workspace, survey.ID(of), name, value}] {
			segments[name] = otherValue
		}
	}
	return segments, nil
}

func (v *verifier) responses() error {
	rows := &session{ctx: v.ctx} // collects the moves
	want := tallyMoves{}
	var r responseRow
	r.WorkspaceID = v.by.Workspace
	err := v.each(`SELECT id, survey_id, touchpoint_id, measure_id, template_id, template_version, score, answers, locale, channel,
		segments, excluded_reason, responded_at, stratum_id, comment, tags, rule_tags, refused_tags FROM responses WHERE workspace_id = ?`, []any{v.by.Workspace},
		[]any{&r.ID, &r.SurveyID, &r.TouchpointID, &r.MeasureID, &r.TemplateID, &r.TemplateVersion, &r.Score, &r.Answers, &r.Locale, &r.Channel,
			&r.Segments, &r.ExcludedReason, &r.RespondedAt, &r.StratumID, &r.Comment, &r.Tags, &r.RuleTags, &r.RefusedTags}, func() error {
			v.out.Responses++
			if err := v.response(rows, r); err != nil {
				return err
			}
			want.add(rows.moves)
			rows.moves = rows.moves[:0]
			return nil
		})
	if err != nil {
		return err
	}
	return v.compareTallies(want)
}

// response counts one response, and checks what it says of itself.
func (v *verifier) response(rows *session, r responseRow) error {
	t, known := v.templates[templateRef{v.by.Workspace, survey.ID(r.TemplateID), r.TemplateVersion}]
	if !known {
		v.out.fault("response %s: its template is not kept", survey.ID(r.ID))
		return nil
	}
	if m := t.Measure(); measureID(m) != r.MeasureID || !m.Contains(r.Score) {
		v.out.fault("response %s: %d is no answer to %s version %d", survey.ID(r.ID), r.Score, t.Key, r.TemplateVersion)
		return nil
	}
	answers, err := answersOf(r.Answers)
	if err != nil {
		return err
	}
	segments, err := v.capped(r.SurveyID, r.Segments)
	if err != nil {
		return err
	}
	text, err := asJSON(segments)
	if err != nil {
		return err
	}
	stratum := stratum{r.SurveyID, r.TouchpointID, r.MeasureID, r.Locale, r.Channel, text}.id()
	if stratum != r.StratumID || !v.strata[stratum] {
		v.out.fault("response %s: its stratum is %d instead of %d, or is not kept", survey.ID(r.ID), r.StratumID, stratum)
	}
	rows.countAs(v.calendar, r, segments, t, answers, 1)
	return v.tagged(r)
}

// tagged checks that a response has the tags of the rules that match it, and
// none of another. Where nothing is left of its comment its tags stay.
func (v *verifier) tagged(r responseRow) error {
	var tags, byRule, refused []string
	if err := r.readTags(&tags, &byRule, &refused); err != nil {
		return err
	}
	for _, tag := range byRule {
		if !slices.Contains(tags, tag) {
			v.out.fault("response %s: a rule put a tag on it that it does not have", survey.ID(r.ID))
		}
	}
	if v.tagging || r.Comment == "" {
		return nil
	}
	anew := r
	if err := anew.retag(tagsOf(matching(v.rules, r.TouchpointID, r.Comment))); err != nil {
		return err
	}
	if anew.RuleTags != r.RuleTags {
		v.out.fault("response %s: its tags are not those that the rules give it", survey.ID(r.ID))
	}
	return nil
}

func (v *verifier) compareTallies(want tallyMoves) error {
	row := tallyRow{workspace: v.by.Workspace, generation: v.calendar.generation}
	var touchpoint, of id
	var h histogramScan
	into := append([]any{&row.dimension, &row.value, &row.measure, &touchpoint, &of, &row.day}, h.into()...)
	have := tallyMoves{}
	for _, table := range []string{"tallies", "tally_deltas"} {
		if err := v.each(`SELECT dimension, value, measure_id, touchpoint_id, survey_id, day, `+tallyCounts+` FROM `+table+`
			WHERE workspace_id = ? AND generation = ?`, []any{v.by.Workspace, v.calendar.generation}, into, func() error {
			row.touchpoint, row.survey = survey.ID(touchpoint), survey.ID(of)
			have[row] = have[row].Add(h.Histogram)
			return nil
		}); err != nil {
			return err
		}
	}
	for _, row := range slices.SortedFunc(maps.Keys(want), compareTallyRows) {
		v.out.Tallies++
		if have[row] != want[row] {
			v.out.fault("%s: counted %v, the answers say %v", row, have[row], want[row])
		}
	}
	for _, row := range slices.SortedFunc(maps.Keys(have), compareTallyRows) {
		if _, wanted := want[row]; !wanted && have[row] != (scoring.Histogram{}) {
			v.out.fault("%s: counted %v, there are no answers", row, have[row])
		}
	}
	return nil
}

// String names the row without its values, which may be personal.
func (r tallyRow) String() string {
	return fmt.Sprintf("workspace %d, survey %s, touchpoint %s, %s, by %q", r.workspace, r.survey, r.touchpoint, r.day, r.dimension)
}

func (v *verifier) invitations() error {
	rows := &session{ctx: v.ctx}
	var r invitationRow
	r.WorkspaceID = v.by.Workspace
	if err := v.each(`SELECT id, survey_id, touchpoint_id, locale, channel, segments, state, opened_at, bounced_at, cohort_at, commented
		FROM invitations WHERE workspace_id = ? AND cohort_at IS NOT NULL`, []any{v.by.Workspace},
		[]any{&r.ID, &r.SurveyID, &r.TouchpointID, &r.Locale, &r.Channel, &r.Segments, &r.State, &r.OpenedAt, &r.BouncedAt, &r.CohortAt, &r.Commented},
		func() error {
			v.out.Invitations++
			segments, err := v.capped(r.SurveyID, r.Segments)
			if err == nil {
				rows.countInvitationAs(v.calendar, r, segments, r.cohort())
			}
			return err
		}); err != nil {
		return err
	}
	row := cohortRow{workspace: v.by.Workspace, generation: v.calendar.generation}
	var touchpoint, of id
	var by cohort
	have := cohortMoves{}
	for _, table := range []string{"invitation_tallies", "invitation_tally_deltas"} {
		if err := v.each(`SELECT dimension, value, touchpoint_id, survey_id, day, sent, bounced, opened, answered, commented FROM `+table+`
			WHERE workspace_id = ? AND generation = ?`, []any{v.by.Workspace, v.calendar.generation},
			append([]any{&row.dimension, &row.value, &touchpoint, &of, &row.day}, by.into()...), func() error {
				row.touchpoint, row.survey = survey.ID(touchpoint), survey.ID(of)
				have.add(row, by)
				return nil
			}); err != nil {
			return err
		}
	}
	for _, row := range slices.SortedFunc(maps.Keys(rows.cohorts), compareCohortRows) {
		v.out.Tallies++
		if have[row] != rows.cohorts[row] {
			v.out.fault("invitations of %s: counted %+v, they say %+v", row.tally(), have[row], rows.cohorts[row])
		}
	}
	for _, row := range slices.SortedFunc(maps.Keys(have), compareCohortRows) {
		if _, wanted := rows.cohorts[row]; !wanted && have[row] != (cohort{}) {
			v.out.fault("invitations of %s: counted %+v, there are none", row.tally(), have[row])
		}
	}
	return nil
}
