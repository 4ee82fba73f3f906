package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// aTemplate is a template that Clean accepts, its own to change.
func aTemplate(key string) survey.Template {
	t := storetest.Stock()[1]
	t.Key, t.Name = key, "満足度 😀"
	return t
}

func TestTemplateVersions(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		made, err := s.CreateTemplate(ctx, by, aTemplate("mine"))
		ok(t, err)
		if made.Version != 1 || made.Key != "mine" || made.CreatedAt != clock.Instant() || made.UpdatedAt != clock.Instant() || made.ArchivedAt != nil {
			t.Errorf("made %+v", made)
		}
		want := aTemplate("mine")
		ok(t, want.Clean())
		if diff := cmp.Diff(want, made.Template); diff != "" {
			t.Errorf("another template came back (-want +got):\n%s", diff)
		}

		same, created, err := s.PutTemplate(ctx, by, aTemplate("mine"), 1)
		ok(t, err)
		if diff := cmp.Diff(made, same); diff != "" || created {
			t.Errorf("the same words again: created %v, (-was +is):\n%s", created, diff)
		}

		clock.Advance(1e9)
		changed := aTemplate("mine")
		changed.Name = "Renamed"
		changed.Questions[0].Scale = &survey.Scale{Min: 1, Max: 7}
		second, _, err := s.PutTemplate(ctx, by, changed, 1)
		ok(t, err)
		if second.Version != 2 || second.Name != "Renamed" || second.CreatedAt != made.CreatedAt || second.UpdatedAt != clock.Instant() {
			t.Errorf("second %+v", second)
		}
		_, _, err = s.PutTemplate(ctx, by, changed, 1)
		refused(t, err, survey.Stale, "")
		first, err := s.TemplateVersion(ctx, by, "mine", 1)
		ok(t, err)
		if diff := cmp.Diff(made, first); diff != "" {
			t.Errorf("version 1 has changed:\n%s", diff)
		}
		_, err = s.TemplateVersion(ctx, by, "mine", 3)
		refused(t, err, survey.NotFound, "")

		for i := 3; i <= 5; i++ {
			changed.Name = fmt.Sprint("Name ", i)
			_, _, err = s.PutTemplate(ctx, by, changed, 0)
			ok(t, err)
		}
		var versions []int
		page := store.Page{Limit: 2}
		for {
			list, next, err := s.TemplateVersions(ctx, by, "mine", page)
			ok(t, err)
			for _, v := range list {
				versions = append(versions, v.Version)
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		if !slices.Equal(versions, []int{5, 4, 3, 2, 1}) {
			t.Errorf("versions %v", versions)
		}
		_, _, err = s.TemplateVersions(ctx, by, "missing", page)
		refused(t, err, survey.NotFound, "")
	}, clock.Use)
}

func TestTemplatesRefuse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		_, err := s.CreateTemplate(ctx, by, aTemplate("nps"))
		refused(t, err, survey.Conflict, "key")
		_, err = s.CreateTemplate(ctx, by, aTemplate(""))
		refused(t, err, survey.Invalid, "key")
		two := aTemplate("two")
		two.Questions = append(two.Questions, two.Questions[0])
		_, _, err = s.PutTemplate(ctx, by, two, 0)
		refused(t, err, survey.Invalid, "questions[2].key")
		_, _, err = s.PutTemplate(ctx, by, aTemplate("new"), 1)
		refused(t, err, survey.Stale, "")
		_, err = s.Template(ctx, by, "new")
		refused(t, err, survey.NotFound, "")
	})
}

func TestArchiveTemplate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v, err := s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
		ref := v.ID.String()
		move := func(to survey.State) {
			t.Helper()
			_, err := s.SetSurveyState(ctx, by, ref, to, 0)
			ok(t, err)
		}
		move(survey.Active)
		refused(t, s.ArchiveTemplate(ctx, by, "csat", 0), survey.Conflict, "")
		move(survey.Paused)
		refused(t, s.ArchiveTemplate(ctx, by, "csat", 0), survey.Conflict, "")
		move(survey.Archived)
		refused(t, s.ArchiveTemplate(ctx, by, "csat", 2), survey.Stale, "")
		ok(t, s.ArchiveTemplate(ctx, by, "csat", 1))
		ok(t, s.ArchiveTemplate(ctx, by, "csat", 1))
		refused(t, s.ArchiveTemplate(ctx, by, "missing", 0), survey.NotFound, "")

		record, err := s.Template(ctx, by, "csat")
		ok(t, err)
		if record.ArchivedAt == nil {
			t.Error("is not shown as archived")
		}
		list, _, err := s.Templates(ctx, by, store.Page{Limit: 10})
		ok(t, err)
		if slices.ContainsFunc(list, func(r store.TemplateRecord) bool { return r.Key == "csat" }) {
			t.Error("is still on the list")
		}
		_, err = s.CreateSurvey(ctx, by, aSurvey())
		refused(t, err, survey.Invalid, "template")
		_, err = s.CreateTemplate(ctx, by, aTemplate("csat"))
		refused(t, err, survey.Conflict, "key")

		back, created, err := s.PutTemplate(ctx, by, record.Template, 0)
		ok(t, err)
		if created || back.ArchivedAt != nil || back.Version != 1 {
			t.Errorf("came back as %+v", back)
		}
		_, err = s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
	})
}

func TestMeasureFollowsTheVersion(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		by := storetest.Default(t, s)
		v := aTemplate("mine")
		_, err := s.CreateTemplate(ctx, by, v)
		ok(t, err)
		v.Metric, v.SatisfiedFrom, v.Questions[0].Scale = scoring.NPS, nil, &survey.Scale{Min: 0, Max: 10}
		_, _, err = s.PutTemplate(ctx, by, v, 0)
		ok(t, err)
		got := texts(t, raw(t, url), `SELECT v.version || ' ' || m.metric || ' ' || m.min || ' ' || m.max FROM template_versions v
			JOIN templates t ON t.id = v.template_id JOIN measures m ON m.id = v.measure_id WHERE t.key = 'mine' ORDER BY v.version`)
		if !slices.Equal(got, []string{"1 csat 1 5", "2 nps 0 10"}) {
			t.Errorf("measures %v", got)
		}
	})
}

// What is returned must not be what others are given, nor the stock itself.
func TestTemplatesAreNotShared(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		one, err := s.Template(ctx, by, "nps")
		ok(t, err)
		one.Questions[0].Text["en"] = "changed by a reader"
		two, err := s.Template(ctx, by, "nps")
		ok(t, err)
		if two.Questions[0].Text["en"] == "changed by a reader" {
			t.Error("a reader changed what others read")
		}
	})
}
