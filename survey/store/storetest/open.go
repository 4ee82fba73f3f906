package storetest

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
)

// Each runs fn on SQLite and on PostgreSQL, each time on a fresh database as
// Open makes it.
func Each(t *testing.T, fn func(t *testing.T, s *store.Store), o ...func(*store.Options)) {
	t.Helper()
	EachMigrated(t, func(t *testing.T, url string) { fn(t, Open(t, url, o...)) })
}

// EachMigrated runs fn with the address of a SQLite and of a PostgreSQL database
// that have koe's tables already, which saves each test the time of making them.
func EachMigrated(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, MigratedSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, migrated(t)) })
}

// EachEmpty runs fn with the address of an empty SQLite database and of an
// empty PostgreSQL database.
func EachEmpty(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// EachKind runs fn once for SQLite and once for PostgreSQL, with what makes an
// empty database of the kind.
func EachKind(t *testing.T, fn func(t *testing.T, empty func(testing.TB) string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres) })
}

// SQLite returns the address of a database file that does not exist yet.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "koe.db")
}

// Open opens a database as koe does when it starts: migrated, its secret
// checked, with the workspace "default" and the templates of Stock. It is
// closed when the test ends.
func Open(t testing.TB, url string, o ...func(*store.Options)) *store.Store {
	t.Helper()
	options := store.Options{Secret: []byte("a secret of thirty-two bytes, ok"), Stock: Stock(), Timezone: "UTC"}
	for _, set := range o {
		set(&options)
	}
	ctx := context.Background()
	s, err := store.Open(ctx, url, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckSecret(ctx); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.EnsureDefault(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// Default is a caller who may do everything in the workspace "default".
func Default(t testing.TB, s *store.Store) store.Caller {
	t.Helper()
	w, err := s.FindWorkspace(context.Background(), store.DefaultWorkspace)
	if err != nil {
		t.Fatal(err)
	}
	return store.Caller{Workspace: w.ID, KeyName: "test", Role: store.Admin}
}

// Other is a caller who may do everything in a workspace of its own, made
// under a key.
func Other(t testing.TB, s *store.Store, key string) store.Caller {
	t.Helper()
	w, err := s.CreateWorkspace(context.Background(), survey.NewWorkspace(key, key, "UTC"))
	if err != nil {
		t.Fatal(err)
	}
	return store.Caller{Workspace: w.ID, KeyName: "test", Role: store.Admin}
}

// Clock is a clock that stands still until it is moved. Pass its Use to Open
// or Each.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock stands at an instant such as "2026-11-22T09:00:00Z".
func NewClock(t testing.TB, instant string) *Clock {
	t.Helper()
	c := &Clock{}
	c.Set(t, instant)
	return c
}

// Set moves the clock to an instant.
func (c *Clock) Set(t testing.TB, instant string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Instant is what the clock shows, as the domain has it.
func (c *Clock) Instant() survey.Instant { return survey.InstantOf(c.Now()) }

// Use makes a store go by this clock.
func (c *Clock) Use(o *store.Options) { o.Now = c.Now }

// Stock are three small templates, keys "nps", "csat" (1 to 5) and "ces".
func Stock() []survey.Template {
	return []survey.Template{
		template("nps", scoring.NPS, 0, 10, "How likely are you to recommend us?"),
		template("csat", scoring.CSAT, 1, 5, "How satisfied are you?"),
		template("ces", scoring.CES, 1, 7, "It was easy to get this done."),
	}
}

func template(key string, metric scoring.Metric, min, max int, question string) survey.Template {
	return survey.Template{Key: key, Name: key, Metric: metric, DefaultLocale: "en",
		Questions: []survey.Question{
			{Key: survey.ScoreKey, Type: survey.ScoreQuestion, Scale: &survey.Scale{Min: min, Max: max},
				Text: survey.Text{"en": question, "ja": "いかがでしたか?"}},
			{Key: "reason", Type: survey.TextQuestion, Text: survey.Text{"en": "Why?", "ja": "なぜですか?"}},
		},
		ThankYou: []survey.ThankYou{{Text: survey.Text{"en": "Thank you!"}}}}
}
