package store

import (
	"context"

	"koe/survey"
)

// TemplateRecord is a template as one of its versions. CreatedAt is when the
// template was made, UpdatedAt when this version was.
type TemplateRecord struct {
	survey.Template
	Version    int             `json:"version"`
	CreatedAt  survey.Instant  `json:"created_at"`
	UpdatedAt  survey.Instant  `json:"updated_at"`
	ArchivedAt *survey.Instant `json:"archived_at"`
}

type templateRow struct {
	ID         id
	Key        string
	Version    int
	MeasureID  int64
	Body       string
	CreatedAt  int64
	UpdatedAt  int64
	ArchivedAt *int64
}

// templateQuery reads templates with one version each; which is for the tail
// to say.
const templateQuery = `SELECT t.id, t.key, v.version, v.measure_id, v.body, t.created_at, v.created_at AS updated_at, t.archived_at
	FROM templates t JOIN template_versions v ON v.workspace_id = t.workspace_id AND v.template_id = t.id`

func (r templateRow) record() (TemplateRecord, error) {
	record := TemplateRecord{Version: r.Version, CreatedAt: survey.Instant(r.CreatedAt),
		UpdatedAt: survey.Instant(r.UpdatedAt), ArchivedAt: (*survey.Instant)(r.ArchivedAt)}
	return record, fromJSON(r.Body, &record.Template)
}

// CreateTemplate keeps a template as version 1. A key that is taken, also by
// an archived template, is a Conflict.
func (s *Store) CreateTemplate(ctx context.Context, by Caller, t survey.Template) (TemplateRecord, error) {
	if err := t.Clean(); err != nil {
		return TemplateRecord{}, err
	}
	var record TemplateRecord
	err := s.write(ctx, by, func(q *session) error {
		made, err := q.insertTemplate(t)
		if err != nil {
			return err
		}
		row, err := q.templateRow(t.Key, "")
		if err != nil {
			return err
		}
		if !made && row.ArchivedAt != nil {
			return survey.Errorf(survey.Conflict, "key", "there is an archived template %q; PUT brings it back", t.Key)
		}
		if !made {
			return survey.Errorf(survey.Conflict, "key", "there is a template %q already; PUT makes a new version", t.Key)
		}
		q.resource = t.Key
		record, err = row.record()
		return err
	})
	return record, err
}

// PutTemplate makes a template, or a new version of it; the words of the
// newest version again change nothing. An archived template comes back.
// ifMatch, where not 0, must be the newest version's number, else the write is
// Stale.
func (s *Store) PutTemplate(ctx context.Context, by Caller, t survey.Template, ifMatch int64) (record TemplateRecord, created bool, err error) {
	if err := t.Clean(); err != nil {
		return TemplateRecord{}, false, err
	}
	err = s.write(ctx, by, func(q *session) error {
		created = false
		if ifMatch == 0 {
			var err error
			if created, err = q.insertTemplate(t); err != nil {
				return err
			}
		}
		if !created {
			row, err := q.templateRow(t.Key, q.forChange())
			if err := checkMatch(ifMatch, int64(row.Version), err); err != nil {
				return err
			}
			if err := q.renewTemplate(row, t); err != nil {
				return err
			}
		}
		row, err := q.templateRow(t.Key, "")
		if err != nil {
			return err
		}
		record, err = row.record()
		return err
	})
	return record, created, err
}

// insertTemplate keeps version 1; false where the key is taken.
func (q *session) insertTemplate(t survey.Template) (bool, error) {
	made := newID()
	n, err := q.exec(`INSERT INTO templates (workspace_id, id, key, name, metric, version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT DO NOTHING`,
		q.by.Workspace, made, t.Key, t.Name, string(t.Metric), q.now, q.now)
	if err != nil || n == 0 {
		return false, err
	}
	if err := q.insertVersion(made, 1, t); err != nil {
		return false, err
	}
	return true, q.audit("template.created", t.Key, "")
}

// renewTemplate writes the next version, where the words differ.
func (q *session) renewTemplate(row templateRow, t survey.Template) error {
	body, err := asJSON(t)
	if err != nil {
		return err
	}
	version := row.Version
	if body != row.Body {
		version++
		if err := q.insertVersion(survey.ID(row.ID), version, t); err != nil {
			return err
		}
	} else if row.ArchivedAt == nil {
		return nil
	}
	if err := q.must(`UPDATE templates SET name = ?, metric = ?, version = ?, updated_at = ?, archived_at = NULL
		WHERE workspace_id = ? AND id = ?`, t.Name, string(t.Metric), version, q.now, q.by.Workspace, row.ID); err != nil {
		return err
	}
	return q.audit("template.changed", t.Key, "")
}

func (q *session) insertVersion(template survey.ID, version int, t survey.Template) error {
	measure, err := q.keepMeasure(t.Measure())
	if err != nil {
		return err
	}
	body, err := asJSON(t)
	if err != nil {
		return err
	}
	return q.must(`INSERT INTO template_versions (workspace_id, template_id, version, measure_id, body, created_at)
		VALUES (?, ?, ?, ?, ?, ?)`, q.by.Workspace, template, version, measure, body, q.now)
}

var errNoTemplate = survey.Errorf(survey.NotFound, "", "there is no such template")

// templateRow loads the newest version.
func (q *session) templateRow(key, lock string) (templateRow, error) {
	if lock != "" { // the template alone, before its versions are read
		var one int
		found, err := q.row(`SELECT 1 FROM templates WHERE workspace_id = ? AND key = ?`+lock, []any{q.by.Workspace, key}, &one)
		if err == nil && !found {
			err = errNoTemplate
		}
		if err != nil {
			return templateRow{}, err
		}
	}
	var row templateRow
	found, err := q.find(&row, templateQuery+` AND v.version = t.version WHERE t.workspace_id = ? AND t.key = ?`,
		q.by.Workspace, key)
	if err == nil && !found {
		err = errNoTemplate
	}
	return row, err
}

// Template shows the newest version, also of an archived template.
func (s *Store) Template(ctx context.Context, by Caller, key string) (TemplateRecord, error) {
	row, err := s.reading(ctx, by).templateRow(key, "")
	if err != nil {
		return TemplateRecord{}, away(err)
	}
	return row.record()
}

// TemplateVersion shows one version.
func (s *Store) TemplateVersion(ctx context.Context, by Caller, key string, version int) (TemplateRecord, error) {
	var row templateRow
	found, err := s.reading(ctx, by).find(&row, templateQuery+` WHERE t.workspace_id = ? AND t.key = ? AND v.version = ?`,
		by.Workspace, key, version)
	if err != nil {
		return TemplateRecord{}, away(err)
	}
	if !found {
		return TemplateRecord{}, survey.Errorf(survey.NotFound, "", "there is no such version of a template")
	}
	return row.record()
}

// TemplateVersions lists the versions of a template, the newest first.
func (s *Store) TemplateVersions(ctx context.Context, by Caller, key string, page Page) ([]TemplateRecord, string, error) {
	q := s.reading(ctx, by)
	if _, err := q.templateRow(key, ""); err != nil {
		return nil, "", away(err)
	}
	var rows []templateRow
	next, err := s.page(q, "versions of "+key, nil, page, descending("v.version"),
		[]string{"t.workspace_id = ?", "t.key = ?"}, []any{by.Workspace, key},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, templateQuery+tail, args...)
			return len(rows), err
		}, func(i int) cursor { return cursor{Number: int64(rows[i].Version)} })
	if err != nil {
		return nil, "", away(err)
	}
	return templateRecords(rows[:min(len(rows), page.Limit)], next)
}

// Templates lists the newest versions in the order of the keys, without what
// is archived.
func (s *Store) Templates(ctx context.Context, by Caller, page Page) ([]TemplateRecord, string, error) {
	q := s.reading(ctx, by)
	var rows []templateRow
	next, err := s.byKey(q, "templates", page, "t.key",
		[]string{"t.workspace_id = ?", "v.version = t.version", "t.archived_at IS NULL"}, []any{by.Workspace},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, templateQuery+tail, args...)
			return len(rows), err
		}, func(i int) string { return rows[i].Key })
	if err != nil {
		return nil, "", away(err)
	}
	return templateRecords(rows[:min(len(rows), page.Limit)], next)
}

func templateRecords(rows []templateRow, next string) ([]TemplateRecord, string, error) {
	list := make([]TemplateRecord, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = row.record(); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// ArchiveTemplate takes a template off the list; its versions and answers
// stay. While an active or paused survey asks it, that is a Conflict. ifMatch
// is as for PutTemplate.
func (s *Store) ArchiveTemplate(ctx context.Context, by Caller, key string, ifMatch int64) error {
	return s.write(ctx, by, func(q *session) error {
		row, err := q.templateRow(key, q.forChange()) // the lock keeps new surveys away
		if err := checkMatch(ifMatch, int64(row.Version), err); err != nil {
			return err
		}
		var name string
		used, err := q.row(`SELECT name FROM surveys WHERE workspace_id = ? AND template_id = ?
			AND state IN ('active', 'paused') LIMIT 1`, []any{by.Workspace, row.ID}, &name)
		if err != nil {
			return err
		}
		if used {
			return survey.Errorf(survey.Conflict, "", "the survey %q asks this template; archive the survey first", name)
		}
		if row.ArchivedAt != nil {
			return nil
		}
		if err := q.must(`UPDATE templates SET archived_at = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
			q.now, q.now, by.Workspace, row.ID); err != nil {
			return err
		}
		return q.audit("template.archived", key, "")
	})
}

// newestVersion is the number of a template's newest version.
func (q *session) newestVersion(template survey.ID) (int, error) {
	var version int
	found, err := q.row(`SELECT version FROM templates WHERE workspace_id = ? AND id = ?`, []any{q.by.Workspace, template}, &version)
	if err == nil && !found {
		err = errNoTemplate
	}
	return version, err
}

// templateVersion is a version as it was asked, with key and name of then. It
// is shared: nobody may change what it points to.
func (s *Store) templateVersion(q *session, template survey.ID, version int) (survey.Template, error) {
	ref := templateRef{q.by.Workspace, template, version}
	if t, ok := s.parsed.template(ref); ok {
		return t, nil
	}
	t, err := q.version(template, version)
	if err == nil {
		s.parsed.keepTemplate(ref, t)
	}
	return t, err
}

// version reads a template's version from the database.
func (q *session) version(template survey.ID, version int) (t survey.Template, err error) {
	var body string
	found, err := q.row(`SELECT body FROM template_versions WHERE workspace_id = ? AND template_id = ? AND version = ?`,
		[]any{q.by.Workspace, template, version}, &body)
	if err == nil && !found {
		err = errNoTemplate
	}
	if err == nil {
		err = fromJSON(body, &t)
	}
	return t, err
}
