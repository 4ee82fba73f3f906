package store

import (
	"encoding/json"
	"maps"
	"slices"

	"koe/survey"
)

// A survey's answers have the columns of an export from a register that grows
// with them: to look for names in every answer would take longer than the
// export itself.

// attributeSeen is a name that an answer to a survey brought along.
type attributeSeen struct {
	workspace int64
	survey    id
	name      string
}

// versionSeen is a template's version that somebody answered.
type versionSeen struct {
	workspace int64
	survey    id
	template  id
	version   int
}

// registerColumns makes sure that an export has a column for everything that a
// response holds.
func (s *Store) registerColumns(q *session, c calendar, r responseRow) error {
	if err := s.registerVersion(q, c, r); err != nil || r.Attributes == "{}" {
		return err
	}
	var names map[string]json.RawMessage
	if err := fromJSON(r.Attributes, &names); err != nil {
		return err
	}
	return s.registerNames(q, c, r.SurveyID, slices.Sorted(maps.Keys(names)))
}

func (s *Store) registerVersion(q *session, c calendar, r responseRow) error {
	known := seenRow{c.newest(), versionSeen{r.WorkspaceID, r.SurveyID, r.TemplateID, r.TemplateVersion}}
	if s.seen.has(known) {
		return nil
	}
	q.learned = append(q.learned, known)
	_, err := q.exec(`INSERT INTO answered_versions (workspace_id, survey_id, template_id, template_version) VALUES (?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, r.WorkspaceID, r.SurveyID, r.TemplateID, r.TemplateVersion)
	return err
}

// registerNames takes names in order, so that two writers never wait for each
// other's crosswise.
func (s *Store) registerNames(q *session, c calendar, of id, names []string) error {
	for _, name := range names {
		known := seenRow{c.newest(), attributeSeen{q.by.Workspace, of, name}}
		if s.seen.has(known) {
			continue
		}
		q.learned = append(q.learned, known)
		if _, err := q.exec(`INSERT INTO attribute_names (workspace_id, survey_id, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			q.by.Workspace, of, name); err != nil {
			return err
		}
	}
	return nil
}

// ExportedNames are what the columns of an export are called after: the
// attributes that the responses have, and the keys of the questions that they
// may answer, each in order.
type ExportedNames struct {
	Attributes []string
	Questions  []string
}

// maxAttributeColumns keeps a table that can be opened, and imported again.
const maxAttributeColumns = 900

// columnsOf names the columns of an export of one survey, or of all.
func (s *Store) columnsOf(q *session, one *survey.ID) (names ExportedNames, err error) {
	where, args := "workspace_id = ?", []any{q.by.Workspace}
	if one != nil {
		where, args = where+" AND survey_id = ?", append(args, *one)
	}
	if err := q.list(&names.Attributes, `SELECT DISTINCT name FROM attribute_names WHERE `+where, args...); err != nil {
		return names, err
	}
	slices.Sort(names.Attributes) // as bytes, whatever the database's order is
	asked := map[versionSeen]struct{}{}
	var v versionSeen
	if err := q.each(`SELECT DISTINCT template_id, template_version FROM answered_versions WHERE `+where, args,
		[]any{&v.template, &v.version}, func() error {
			asked[v] = struct{}{}
			return nil
		}); err != nil {
		return names, err
	}
	names.Questions, err = s.questionKeys(q, asked)
	return names, err
}

// columnsSeen names the columns of an export for whoever is limited. The
// register tells surveys apart, not what a member reads of them, so every answer
// that they read is looked at.
func (s *Store) columnsSeen(q *session, f ResponseFilter) (names ExportedNames, err error) {
	where, args, err := s.responseConditions(q, f)
	if err != nil {
		return names, err
	}
	asked, named := map[versionSeen]struct{}{}, map[string]struct{}{}
	if err := q.eachPage(where, args, func(rows []responseRow) error {
		for _, r := range rows {
			asked[versionSeen{template: r.TemplateID, version: r.TemplateVersion}] = struct{}{}
			var attributes map[string]json.RawMessage
			if err := fromJSON(r.Attributes, &attributes); err != nil {
				return err
			}
			for name := range attributes {
				named[name] = struct{}{}
			}
		}
		return nil
	}); err != nil {
		return names, err
	}
	names.Attributes = slices.Sorted(maps.Keys(named))
	names.Questions, err = s.questionKeys(q, asked)
	return names, err
}

// questionKeys are the keys of the questions beside the score that versions ask.
func (s *Store) questionKeys(q *session, asked map[versionSeen]struct{}) ([]string, error) {
	keys := map[string]struct{}{}
	for v := range asked {
		template, err := s.templateVersion(q, survey.ID(v.template), v.version)
		if err != nil {
			return nil, err
		}
		for _, question := range template.Questions {
			if question.Type != survey.ScoreQuestion {
				keys[question.Key] = struct{}{}
			}
		}
	}
	return slices.Sorted(maps.Keys(keys)), nil
}
