package store

import (
	"context"
	"errors"
	"slices"
	"sync"

	"koe/survey"
)

// tagger is a rule, ready to be asked.
type tagger struct {
	rule       id
	tag        string
	touchpoint id // zero for every touchpoint
	keywords   survey.Keywords
}

// taggers keeps the rules of workspaces, by the id that a workspace's rules
// have until they change: no entry is ever wrong.
type taggers struct {
	mu   sync.RWMutex
	sets map[id][]tagger
}

func (t *taggers) of(rules id) ([]tagger, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list, known := t.sets[rules]
	return list, known
}

func (t *taggers) keep(rules id, list []tagger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sets == nil || len(t.sets) >= maxParsed {
		t.sets = map[id][]tagger{}
	}
	t.sets[rules] = list
}

// taggersOf are the rules that a calendar names, the oldest first.
func (s *Store) taggersOf(q *session, c calendar) ([]tagger, error) {
	if c.tagRules == (id{}) {
		return nil, nil
	}
	if known, ok := s.taggers.of(c.tagRules); ok {
		return known, nil
	}
	var rows []tagRuleRow
	if err := q.list(&rows, `SELECT `+tagRuleColumns+` FROM tag_rules WHERE workspace_id = ? ORDER BY id`, q.by.Workspace); err != nil {
		return nil, err
	}
	list := make([]tagger, len(rows))
	for i, row := range rows {
		var words []string
		if err := fromJSON(row.Keywords, &words); err != nil {
			return nil, err
		}
		list[i] = tagger{row.ID, row.Tag, row.TouchpointID, survey.NewKeywords(words)}
	}
	if q.tx { // else it may be of other rules than the calendar
		s.taggers.keep(c.tagRules, list)
	}
	return list, nil
}

// matching are those of the rules that match a comment at a touchpoint.
func matching(rules []tagger, touchpoint id, comment string) []tagger {
	if comment == "" || len(rules) == 0 {
		return nil
	}
	var out []tagger
	folded := survey.Fold(comment)
	for _, rule := range rules {
		if (rule.touchpoint == id{} || rule.touchpoint == touchpoint) && rule.keywords.Match(folded) {
			out = append(out, rule)
		}
	}
	return out
}

func tagsOf(rules []tagger) []string {
	var tags []string
	for _, rule := range rules {
		if !slices.Contains(tags, rule.tag) {
			tags = append(tags, rule.tag)
		}
	}
	return tags
}

// tagNew is tagByRules of a response that is not kept yet: what a rule of
// another koe put there and none here would is taken as put there by hand.
func (s *Store) tagNew(q *session, c calendar, r *responseRow) error {
	if c.tagRules == (id{}) || r.Comment == "" {
		r.RuleTags = "[]"
		return nil
	}
	rules, err := s.taggersOf(q, c)
	if err != nil {
		return err
	}
	given := tagsOf(matching(rules, r.TouchpointID, r.Comment))
	if r.RuleTags == "[]" || len(given) == 0 {
		r.RuleTags = "[]"
		return r.retag(given)
	}
	var tags, byRule, refused []string
	if err := r.readTags(&tags, &byRule, &refused); err != nil {
		return err
	}
	byRule = slices.DeleteFunc(byRule, func(tag string) bool { return !slices.Contains(given, tag) || !slices.Contains(tags, tag) })
	if err := r.setTags(tags, byRule, nil); err != nil {
		return err
	}
	return r.retag(given)
}

// tagByRules gives a response the tags of the rules that match its comment, and
// takes away those that rules gave before. What hands did stays.
func (s *Store) tagByRules(q *session, c calendar, r *responseRow) error {
	rules, err := s.taggersOf(q, c)
	if err != nil {
		return err
	}
	return r.retag(tagsOf(matching(rules, r.TouchpointID, r.Comment)))
}

// retag makes given the tags of a response that are by rule, as far as nobody
// put them there or took them away by hand and there is room.
func (r *responseRow) retag(given []string) error {
	if len(given) == 0 && r.RuleTags == "[]" {
		return nil
	}
	var tags, byRule, refused []string
	if err := r.readTags(&tags, &byRule, &refused); err != nil {
		return err
	}
	byHand := slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return slices.Contains(byRule, tag) })
	var now []string
	for _, tag := range given {
		if !slices.Contains(byHand, tag) && !slices.Contains(refused, tag) && len(byHand)+len(now) < survey.MaxTags {
			now = append(now, tag)
		}
	}
	if sameTags(now, byRule) {
		return nil
	}
	all := slices.DeleteFunc(tags, func(tag string) bool { return !slices.Contains(byHand, tag) && !slices.Contains(now, tag) })
	for _, tag := range now {
		if !slices.Contains(all, tag) {
			all = append(all, tag)
		}
	}
	return r.setTags(all, now, refused)
}

func sameTags(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(tag string) bool { return !slices.Contains(b, tag) })
}

func (r *responseRow) readTags(tags, byRule, refused *[]string) error {
	return errors.Join(fromJSON(r.Tags, tags), fromJSON(r.RuleTags, byRule), fromJSON(r.RefusedTags, refused))
}

func (r *responseRow) setTags(tags, byRule, refused []string) (err error) {
	for _, one := range []struct {
		into *string
		list []string
	}{{&r.Tags, tags}, {&r.RuleTags, byRule}, {&r.RefusedTags, refused}} {
		if *one.into = "[]"; len(one.list) > 0 {
			if *one.into, err = asJSON(one.list); err != nil {
				return err
			}
		}
	}
	return nil
}

// tagByHand gives a response the tags that an editor wants. What a rule put
// there and the editor left stays the rule's; what the editor took away and a
// rule would give is refused until the comment changes.
func (s *Store) tagByHand(q *session, r *responseRow, before survey.Response, wanted []string) error {
	c, err := q.counting()
	if err != nil {
		return err
	}
	rules, err := s.taggersOf(q, c)
	if err != nil {
		return err
	}
	var tags, byRule, refused []string
	if err := r.readTags(&tags, &byRule, &refused); err != nil {
		return err
	}
	given := tagsOf(matching(rules, r.TouchpointID, before.Comment))
	refused = slices.DeleteFunc(given, func(tag string) bool {
		return slices.Contains(wanted, tag) || !slices.Contains(tags, tag) && !slices.Contains(refused, tag)
	})
	byRule = slices.DeleteFunc(byRule, func(tag string) bool { return !slices.Contains(wanted, tag) })
	return r.setTags(wanted, byRule, refused)
}

// taggedAtOnce is how many comments are looked at in one transaction: few, so
// that answers never wait long.
const taggedAtOnce = 250

// ApplyTagRules looks at the next comments of a workspace whose rules changed,
// the oldest first, and says whether there is more to do. It goes on where it
// was cut off; several processes may call it.
func (s *Store) ApplyTagRules(ctx context.Context) (more bool, err error) {
	var workspace int64
	found, err := s.reading(ctx, Caller{}).row(`SELECT workspace_id FROM tag_passes ORDER BY workspace_id LIMIT 1`, nil, &workspace)
	if err != nil || !found {
		return false, away(err)
	}
	err = s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
		c, err := q.counting() // first: until the end nobody changes a rule
		if err != nil {
			return err
		}
		var at int64
		var last id
		found, err := q.row(`SELECT responded_at, response_id FROM tag_passes WHERE workspace_id = ?`+q.forUpdate(), []any{workspace}, &at, &last)
		if err != nil || !found {
			return err
		}
		rules, err := s.taggersOf(q, c)
		if err != nil {
			return err
		}
		rows, err := q.commented(at, last)
		if err != nil {
			return err
		}
		if err := q.retagRows(rules, rows); err != nil {
			return err
		}
		if len(rows) < taggedAtOnce {
			if _, err := q.exec(`DELETE FROM tag_passes WHERE workspace_id = ?`, workspace); err != nil {
				return err
			}
			_, err := q.exec(`UPDATE tag_rules SET applied = ? WHERE workspace_id = ?`, true, workspace)
			return err
		}
		end := rows[len(rows)-1]
		return q.must(`UPDATE tag_passes SET responded_at = ?, response_id = ? WHERE workspace_id = ?`, end.RespondedAt, end.ID, workspace)
	})
	return err == nil, err
}

const taggedColumns = `id, touchpoint_id, comment, tags, rule_tags, refused_tags, responded_at`

// commented are the next answers with a comment.
func (q *session) commented(at int64, last id) (rows []responseRow, err error) {
	err = q.list(&rows, `SELECT `+taggedColumns+` FROM responses`+q.indexedBy("responses_commented")+` WHERE workspace_id = ? AND comment <> ''
		AND (responded_at, id) > (?, ?) ORDER BY responded_at, id LIMIT ?`, q.by.Workspace, at, last, taggedAtOnce)
	return rows, err
}

// retagRows tags answers anew and counts the matches of the rules that are being
// applied.
func (q *session) retagRows(rules []tagger, rows []responseRow) error {
	matched := map[id]int64{}
	var changed []survey.ID
	for _, r := range rows {
		matches := matching(rules, r.TouchpointID, r.Comment)
		for _, rule := range matches {
			matched[rule.rule]++
		}
		was := r.RuleTags
		if err := r.retag(tagsOf(matches)); err != nil {
			return err
		}
		if r.RuleTags != was {
			changed = append(changed, survey.ID(r.ID))
		}
	}
	for _, rule := range rules {
		if n := matched[rule.rule]; n > 0 {
			if _, err := q.exec(`UPDATE tag_rules SET matched = matched + ? WHERE workspace_id = ? AND id = ? AND applied = ?`,
				n, q.by.Workspace, rule.rule, false); err != nil {
				return err
			}
		}
	}
	if len(changed) == 0 {
		return nil
	}
	var locked []responseRow // by id, as everybody locks them
	if err := q.list(&locked, `SELECT `+taggedColumns+` FROM responses WHERE workspace_id = ? AND id IN ? ORDER BY id`+q.forUpdate(),
		q.by.Workspace, q.idList(changed)); err != nil {
		return err
	}
	for _, r := range locked {
		if r.Comment == "" { // erased meanwhile: its tags stay
			continue
		}
		if err := r.retag(tagsOf(matching(rules, r.TouchpointID, r.Comment))); err != nil {
			return err
		}
		if err := q.must(`UPDATE responses SET tags = ?, rule_tags = ? WHERE workspace_id = ? AND id = ?`, r.Tags, r.RuleTags, q.by.Workspace, r.ID); err != nil {
			return err
		}
	}
	return nil
}
