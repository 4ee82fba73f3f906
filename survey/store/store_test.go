package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

var ctx = context.Background()

// ok ends a test on an error.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func closed(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// refused checks that err is one that a caller may see, of a kind, about a
// field ("" for none).
func refused(t testing.TB, err error, kind survey.Kind, field string) {
	t.Helper()
	var known *survey.Error
	if !errors.As(err, &known) {
		t.Fatalf("got %v, want a refusal of kind %s", err, kind)
	}
	named := ""
	if len(known.Fields) > 0 {
		named = known.Fields[0].Field
	}
	if known.Kind != kind || named != field {
		t.Fatalf("got %s about %q (%v), want %s about %q", known.Kind, named, err, kind, field)
	}
}

// atOnce runs fn n times at the same time and returns what each returned.
func atOnce(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			errs[i] = fn(i)
		})
	}
	start.Done()
	done.Wait()
	return errs
}

func once(key, request string) *store.Once {
	return &store.Once{Key: key, Request: []byte(request)}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, url := range map[string]string{
		"memory":          "sqlite::memory:",
		"shared memory":   "sqlite:file::memory:?cache=shared",
		"memory by mode":  "sqlite:koe.db?mode=memory",
		"no path":         "sqlite:",
		"no such folder":  "sqlite:" + filepath.Join(dir, "missing", "koe.db"),
		"a folder":        "sqlite:" + dir,
		"another scheme":  "mysql://localhost/koe",
		"nothing":         "",
		"unreadable":      "postgres://localhost:port/koe",
		"nobody answers":  "postgres://koe@127.0.0.1:1/koe?connect_timeout=2",
		"unknown setting": "postgres://koe@127.0.0.1:1/koe?connect_timeout=soon",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(ctx, url, store.Options{})
			if err == nil {
				_ = s.Close()
				t.Fatal("was opened")
			}
			if !strings.HasPrefix(err.Error(), "KOE_DATABASE_URL: ") {
				t.Errorf("the error does not name the setting: %v", err)
			}
		})
	}
}

func TestOpenDoesNotTellThePassword(t *testing.T) {
	_, err := store.Open(ctx, "postgres://koe:hunter2@127.0.0.1:1/koe?connect_timeout=2", store.Options{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestOpenReadOnlyFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	path := filepath.Join(t.TempDir(), "koe.db")
	ok(t, os.WriteFile(path, nil, 0o400))
	s, err := store.Open(ctx, "sqlite:"+path, store.Options{})
	if err == nil {
		_ = s.Close()
		t.Fatal("was opened")
	}
}

func TestSecretBelongsToTheDatabase(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		storetest.Open(t, url)
		storetest.Open(t, url) // the same secret again

		other, err := store.Open(ctx, url, store.Options{Secret: []byte("another secret that is long enough")})
		ok(t, err)
		defer closed(t, other)
		if err := other.CheckSecret(ctx); err == nil || !strings.Contains(err.Error(), "KOE_SECRET") {
			t.Errorf("another secret: %v", err)
		}
		short, err := store.Open(ctx, url, store.Options{Secret: []byte("short")})
		ok(t, err)
		defer closed(t, short)
		if err := short.CheckSecret(ctx); err == nil || !strings.Contains(err.Error(), "KOE_SECRET") {
			t.Errorf("a short secret: %v", err)
		}
	})
}

func TestRepeatIsRemembered(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		by.Once = once("k-1", "one")
		_, found, err := s.Remembered(ctx, by)
		ok(t, err)
		if found {
			t.Fatal("remembers what was never asked")
		}
		v, err := s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
		if !by.Once.Kept {
			t.Error("was not kept")
		}

		again := by
		again.Once = once("k-1", "one")
		resource, found, err := s.Remembered(ctx, again)
		ok(t, err)
		if !found || resource != v.ID.String() {
			t.Errorf("remembers %q, %v; want %s", resource, found, v.ID)
		}
		_, err = s.CreateSurvey(ctx, again, aSurvey())
		refused(t, err, survey.Conflict, "")
		if n := len(surveysOf(t, s, by, store.SurveyFilter{})); n != 1 {
			t.Errorf("%d surveys after a repeat", n)
		}

		again.Once = once("k-1", "two")
		_, _, err = s.Remembered(ctx, again)
		refused(t, err, survey.Invalid, "Idempotency-Key")

		other := storetest.Other(t, s, "other")
		other.Once = once("k-1", "one")
		if _, found, err = s.Remembered(ctx, other); err != nil || found {
			t.Errorf("another workspace: %v, %v", found, err)
		}

		clock.Advance(25 * 60 * 60e9)
		again.Once = once("k-1", "two")
		if _, found, err = s.Remembered(ctx, again); err != nil || found {
			t.Errorf("a day later: %v, %v", found, err)
		}
		_, err = s.CreateSurvey(ctx, again, aSurvey())
		ok(t, err)
	}, clock.Use)
}

func TestFailureIsNotRemembered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		by.Once = once("k", "one")
		wrong := aSurvey()
		wrong.Template = "missing"
		wrong.Touchpoint = "made_before_the_failure"
		_, err := s.CreateSurvey(ctx, by, wrong)
		refused(t, err, survey.Invalid, "template")
		if by.Once.Kept {
			t.Error("a failure counts as kept")
		}
		if _, found, err := s.Remembered(ctx, by); err != nil || found {
			t.Errorf("a failure is remembered: %v, %v", found, err)
		}
		_, err = s.CreateSurvey(ctx, by, aSurvey())
		ok(t, err)
	})
}

func TestTwinsAtOnceMakeOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		errs := atOnce(20, func(int) error {
			mine := by
			mine.Once = once("twin", "one")
			_, err := s.CreateSurvey(ctx, mine, aSurvey())
			return err
		})
		oneWins(t, errs, "")
		if n := len(surveysOf(t, s, by, store.SurveyFilter{})); n != 1 {
			t.Errorf("%d surveys", n)
		}
	})
}

// oneWins checks that one of many writers won, and the others were told that
// they came too late.
func oneWins(t *testing.T, errs []error, field string) {
	t.Helper()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
			continue
		}
		refused(t, err, survey.Conflict, field)
	}
	if winners != 1 {
		t.Errorf("%d of %d won", winners, len(errs))
	}
}

func TestOneKeyOneWinner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for name, create := range map[string]func() error{
			"touchpoint": func() error {
				_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "desk"})
				return err
			},
			"template": func() error {
				_, err := s.CreateTemplate(ctx, by, aTemplate("mine"))
				return err
			},
			"survey": func() error {
				v := aSurvey()
				v.Key, v.Touchpoint = "mine", "not_there_yet"
				_, err := s.CreateSurvey(ctx, by, v)
				return err
			},
			"workspace": func() error {
				_, err := s.CreateWorkspace(ctx, survey.NewWorkspace("mine", "Mine", "UTC"))
				return err
			},
		} {
			t.Run(name, func(t *testing.T) {
				oneWins(t, atOnce(20, func(int) error { return create() }), "key")
			})
		}
	})
}

func TestPutsAtOnceCreateOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		created := make([]bool, 20)
		for name, put := range map[string]func(i int) error{
			"touchpoint": func(i int) (err error) {
				_, created[i], err = s.PutTouchpoint(ctx, by, store.Touchpoint{Key: "desk", Name: fmt.Sprint(i)}, 0)
				return err
			},
			"template": func(i int) (err error) {
				v := aTemplate("mine")
				v.Name = fmt.Sprint(i)
				_, created[i], err = s.PutTemplate(ctx, by, v, 0)
				return err
			},
			"survey": func(i int) (err error) {
				v := aSurvey()
				v.Key, v.Name = "mine", fmt.Sprint(i)
				_, created[i], err = s.PutSurvey(ctx, by, v, 0)
				return err
			},
		} {
			t.Run(name, func(t *testing.T) {
				clear(created)
				for _, err := range atOnce(len(created), put) {
					ok(t, err)
				}
				n := 0
				for _, c := range created {
					if c {
						n++
					}
				}
				if n != 1 {
					t.Errorf("%d were told that they created it", n)
				}
			})
		}
		record, err := s.Template(ctx, by, "mine")
		ok(t, err)
		if record.Version != 20 {
			t.Errorf("20 different templates made version %d", record.Version)
		}
		v, err := s.Survey(ctx, by, "mine")
		ok(t, err)
		if v.Revision != 20 {
			t.Errorf("20 different surveys made revision %d", v.Revision)
		}
	})
}

// Readers must not end up on the connection of a transaction that is over.
func TestReadersBesideWriters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for _, err := range atOnce(40, func(i int) error {
			if i%2 == 0 {
				_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: fmt.Sprintf("t%d", i)})
				return err
			}
			_, _, err := s.Touchpoints(ctx, by, store.Page{Limit: 10})
			return err
		}) {
			ok(t, err)
		}
	})
}

func TestGivingUpLeavesNoTrace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.CreateTouchpoint(gone, by, store.Touchpoint{Key: "desk"}); err == nil {
			t.Fatal("was written for nobody")
		}
		_, err := s.Touchpoint(ctx, by, "desk")
		refused(t, err, survey.NotFound, "")
	})
}

func TestClosedIsUnavailable(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	by := storetest.Default(t, s)
	other, err := store.Open(ctx, storetest.SQLite(t), store.Options{})
	ok(t, err)
	ok(t, other.Close())
	_, err = other.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "desk"})
	refused(t, err, survey.Unavailable, "")
}
