package store

import (
	"context"
	"crypto/rand"
	"strings"

	"koe/survey"
)

// OpenLink shows a survey's anonymous way in; NotFound where it has none.
func (s *Store) OpenLink(ctx context.Context, by Caller, ref string) (survey.OpenLink, error) {
	q := s.reading(ctx, by)
	place, err := s.surveyByRef(q, ref)
	if err != nil {
		return survey.OpenLink{}, away(err)
	}
	link, found, err := q.openLink(place.Survey.ID)
	if err == nil && !found {
		err = errNoOpenLink
	}
	return link, away(err)
}

var errNoOpenLink = survey.Errorf(survey.NotFound, "", "this survey has no open link; PUT one")

func (q *session) openLink(of survey.ID) (link survey.OpenLink, found bool, err error) {
	var settings string
	found, err = q.row(`SELECT slug, settings, created_at, updated_at FROM open_links WHERE workspace_id = ? AND survey_id = ?`,
		[]any{q.by.Workspace, of}, &link.Slug, &settings, &link.CreatedAt, &link.UpdatedAt)
	if err != nil || !found {
		return link, found, err
	}
	at := link
	err = fromJSON(settings, &link)
	link.Slug, link.CreatedAt, link.UpdatedAt = at.Slug, at.CreatedAt, at.UpdatedAt
	return link, true, err
}

// PutOpenLink gives a survey its anonymous way in, or changes it. Without a
// slug it keeps the one it has, or gets one of 128 random bits. A slug that is
// taken is a Conflict, as is an archived survey. A slug that is given up opens
// nothing any more, and stays the workspace's: nobody else can have it.
func (s *Store) PutOpenLink(ctx context.Context, by Caller, ref string, link survey.OpenLink) (out survey.OpenLink, created bool, err error) {
	if err := link.Clean(); err != nil {
		return out, false, err
	}
	err = s.write(ctx, by, func(q *session) error {
		place, err := q.ownSurvey(ref, q.forChange())
		if err != nil {
			return err
		}
		if place.Survey.State == survey.Archived {
			return survey.Errorf(survey.Conflict, "", "the survey is archived; an archived survey cannot be changed")
		}
		old, found, err := q.openLink(place.Survey.ID)
		if err != nil {
			return err
		}
		out, created = link, !found
		if out.Slug == "" {
			out.Slug = old.Slug
		}
		if out.Slug == "" {
			out.Slug = strings.ToLower(rand.Text())
		}
		if out.Slug != old.Slug {
			if err := q.takeSlug(out.Slug, place.Survey.ID); err != nil {
				return err
			}
		}
		if out.CreatedAt = old.CreatedAt; !found {
			out.CreatedAt = q.now
		}
		out.UpdatedAt = q.now
		settings, err := asJSON(out)
		if err != nil {
			return err
		}
		if _, err := q.exec(`INSERT INTO open_links (workspace_id, survey_id, slug, settings, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (workspace_id, survey_id) DO UPDATE SET slug = excluded.slug, settings = excluded.settings, updated_at = excluded.updated_at`,
			by.Workspace, place.Survey.ID, out.Slug, settings, out.CreatedAt, out.UpdatedAt); err != nil {
			return err
		}
		return q.audit("open_link.changed", place.Survey.ID.String(), "")
	})
	return out, created, err
}

// takeSlug makes a slug lead to a survey.
func (q *session) takeSlug(slug string, of survey.ID) error {
	fresh, err := q.inserted(`INSERT INTO public_slugs (slug, workspace_id, survey_id, created_at) VALUES (?, ?, ?, ?)`,
		slug, q.by.Workspace, of, q.now)
	if err != nil || fresh {
		return err
	}
	n, err := q.exec(`UPDATE public_slugs SET survey_id = ? WHERE slug = ? AND workspace_id = ? AND NOT EXISTS
		(SELECT 1 FROM open_links l WHERE l.workspace_id = public_slugs.workspace_id AND l.slug = public_slugs.slug)`,
		of, slug, q.by.Workspace)
	if err == nil && n == 0 {
		err = survey.Errorf(survey.Conflict, "slug", "the slug %q is taken; choose another, or leave it out for one that nobody can guess", slug)
	}
	return err
}

// DeleteOpenLink closes a survey's anonymous way in. Answers stay.
func (s *Store) DeleteOpenLink(ctx context.Context, by Caller, ref string) error {
	return s.write(ctx, by, func(q *session) error {
		place, err := q.ownSurvey(ref, q.forChange())
		if err != nil {
			return err
		}
		n, err := q.exec(`DELETE FROM open_links WHERE workspace_id = ? AND survey_id = ?`, by.Workspace, place.Survey.ID)
		if err == nil && n == 0 {
			err = errNoOpenLink
		}
		if err != nil {
			return err
		}
		return q.audit("open_link.deleted", place.Survey.ID.String(), "")
	})
}
