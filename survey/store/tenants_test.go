package store_test

import (
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// What another workspace has set up does not exist: it is neither shown, nor
// listed, nor changed, whoever asks and however it is named.
func TestSettingsOfWorkspacesAreApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine, theirs := storetest.Default(t, s), storetest.Other(t, s, "other")
		v := aSurvey()
		v.Key = "after-chat"
		made, err := s.CreateSurvey(ctx, mine, v)
		ok(t, err)
		_, err = s.CreateTemplate(ctx, mine, aTemplate("mine"))
		ok(t, err)
		gone, _, err := s.Suppress(ctx, mine, "ana@example.com", survey.ByHand)
		ok(t, err)
		key, secret, err := s.CreateKey(ctx, mine, "mine", store.Viewer)
		ok(t, err)
		before := snapshot(t, s, mine)

		same := func(v survey.Survey) (survey.Survey, error) { return v, nil }
		for name, foreign := range map[string]func() error{
			"survey by id":       func() error { _, err := s.Survey(ctx, theirs, made.ID.String()); return err },
			"survey by key":      func() error { _, err := s.Survey(ctx, theirs, "after-chat"); return err },
			"patch by id":        func() error { _, err := s.PatchSurvey(ctx, theirs, made.ID.String(), 0, same); return err },
			"patch by key":       func() error { _, err := s.PatchSurvey(ctx, theirs, "after-chat", 0, same); return err },
			"activate by id":     func() error { _, err := s.SetSurveyState(ctx, theirs, made.ID.String(), survey.Active, 0); return err },
			"archive by key":     func() error { _, err := s.SetSurveyState(ctx, theirs, "after-chat", survey.Archived, 0); return err },
			"template":           func() error { _, err := s.Template(ctx, theirs, "mine"); return err },
			"template version":   func() error { _, err := s.TemplateVersion(ctx, theirs, "mine", 1); return err },
			"template versions":  func() error { _, _, err := s.TemplateVersions(ctx, theirs, "mine", store.Page{Limit: 1}); return err },
			"archive template":   func() error { return s.ArchiveTemplate(ctx, theirs, "mine", 0) },
			"touchpoint":         func() error { _, err := s.Touchpoint(ctx, theirs, "support_chat"); return err },
			"delete touchpoint":  func() error { return s.DeleteTouchpoint(ctx, theirs, "support_chat", 0) },
			"suppression":        func() error { _, err := s.Suppression(ctx, theirs, gone.ID); return err },
			"lift a suppression": func() error { return s.Unsuppress(ctx, theirs, gone.ID) },
			"key":                func() error { _, err := s.Key(ctx, theirs, key.ID); return err },
			"revoke a key":       func() error { return s.RevokeKey(ctx, theirs, key.ID) },
		} {
			t.Run(name, func(t *testing.T) { refused(t, foreign(), survey.NotFound, "") })
		}

		empty := snapshot(t, s, theirs)
		if empty.surveys+empty.touchpoints+empty.suppressions+empty.keys != 0 || empty.templates != len(storetest.Stock()) {
			t.Errorf("another workspace lists %+v", empty)
		}
		// the same keys are free there, and what is put there stays there
		wrong := aSurvey()
		wrong.Template = "mine"
		_, err = s.CreateSurvey(ctx, theirs, wrong)
		refused(t, err, survey.Invalid, "template")
		_, created, err := s.PutSurvey(ctx, theirs, v, 0)
		ok(t, err)
		_, created2, err := s.PutTemplate(ctx, theirs, aTemplate("mine"), 0)
		ok(t, err)
		_, created3, err := s.Suppress(ctx, theirs, "ana@example.com", survey.Bounced)
		ok(t, err)
		if !created || !created2 || !created3 {
			t.Errorf("not their own: %v %v %v", created, created2, created3)
		}
		if after := snapshot(t, s, mine); after != before {
			t.Errorf("had %+v, has %+v", before, after)
		}
		by, err := s.Authenticate(ctx, secret)
		ok(t, err)
		if by.Workspace != mine.Workspace {
			t.Errorf("the key opens workspace %d", by.Workspace)
		}
	})
}

// counts are how many of each a workspace lists, and who was changed how often.
type counts struct {
	surveys, touchpoints, templates, suppressions, keys int
	revisions, versions                                 int64
}

func snapshot(t *testing.T, s *store.Store, by store.Caller) counts {
	t.Helper()
	var c counts
	page := store.Page{Limit: 500}
	for _, v := range surveysOf(t, s, by, store.SurveyFilter{}) {
		c.surveys++
		c.revisions += v.Revision
	}
	touchpoints, _, err := s.Touchpoints(ctx, by, page)
	ok(t, err)
	templates, _, err := s.Templates(ctx, by, page)
	ok(t, err)
	for _, template := range templates {
		c.versions += int64(template.Version)
	}
	suppressions, _, err := s.Suppressions(ctx, by, "", page)
	ok(t, err)
	keys, _, err := s.Keys(ctx, by, page)
	ok(t, err)
	c.touchpoints, c.templates, c.suppressions, c.keys = len(touchpoints), len(templates), len(suppressions), len(keys)
	return c
}

func TestAuditSaysWhoDidWhat(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		by := storetest.Default(t, s)
		admin, _, err := s.CreateKey(ctx, by, "admin", store.Admin)
		ok(t, err)
		by.KeyID, by.KeyName = admin.ID, admin.Name
		v, err := s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
		_, err = s.SetSurveyState(ctx, by, v.ID.String(), survey.Active, 0)
		ok(t, err)
		_, _, err = s.PutTemplate(ctx, by, aTemplate("csat"), 0)
		ok(t, err)
		_, err = s.PatchWorkspace(ctx, by, func(w *survey.Workspace) error { w.Name = "New"; return nil })
		ok(t, err)
		_, _, err = s.Suppress(ctx, by, "ana@example.com", survey.ByHand)
		ok(t, err)
		db := raw(t, url)
		actor := "admin (" + admin.ID.String() + ")"
		for action, subject := range map[string]string{"survey.created": v.ID.String(), "survey.active": v.ID.String(),
			"template.changed": "csat", "workspace.changed": "default"} {
			got := texts(t, db, `SELECT actor || ' / ' || subject FROM audit WHERE action = '`+action+`'`)
			if len(got) != 1 || got[0] != actor+" / "+subject {
				t.Errorf("%s: %v", action, got)
			}
		}
		if leak := texts(t, db, `SELECT action FROM audit WHERE subject LIKE '%ana@%' OR detail LIKE '%ana@%' OR detail LIKE '%koe\_%' ESCAPE '\'`); len(leak) > 0 {
			t.Errorf("an address or a secret in %v", leak)
		}
	})
}
