package main

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// command runs a command in this process and returns what it prints. What it
// says beside is shown where the test fails.
func command(t *testing.T, database string, args ...string) (string, error) {
	t.Helper()
	printed, beside, err := commandBeside(t, database, args...)
	if beside != "" {
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("koe %s: %s", strings.Join(args, " "), beside)
			}
		})
	}
	return printed, err
}

// commandBeside is command, and returns what is said on standard error.
func commandBeside(t *testing.T, database string, args ...string) (printed, beside string, err error) {
	t.Helper()
	var out, said bytes.Buffer
	err = run(t.Context(), args, []string{"KOE_DATABASE_URL=" + database, "KOE_SECRET=" + longEnough, "KOE_TIMEZONE=Asia/Tokyo"}, &out, notes{&said})
	return out.String(), said.String(), err
}

// opened is the database, as a test looks into it.
func opened(t *testing.T, database string) *store.Store {
	t.Helper()
	s, err := openStore(t.Context(), Config{DatabaseURL: database, Secret: longEnough, Timezone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestKeyCommands(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		secret, err := command(t, database, "key", "create", "--role", "sender", "--name", "店 shop")
		if err != nil || !regexp.MustCompile(`^koe_[A-Za-z0-9_-]{43}\n$`).MatchString(secret) {
			t.Fatalf("%q %v", secret, err)
		}
		s := opened(t, database)
		by, err := s.Authenticate(t.Context(), strings.TrimSpace(secret))
		if err != nil || by.Role != store.Sender || by.KeyName != "店 shop" {
			t.Fatalf("%+v %v", by, err)
		}
		w, err := s.FindWorkspace(t.Context(), "default")
		if err != nil || w.ID != by.Workspace || w.Timezone != "Asia/Tokyo" {
			t.Fatalf("%+v %v", w, err)
		}
		list, err := command(t, database, "key", "list")
		if err != nil || !strings.Contains(list, by.KeyID.String()) || !strings.Contains(list, "店 shop") || strings.Contains(list, strings.TrimSpace(secret)) {
			t.Errorf("%s %v", list, err)
		}
		if _, err := command(t, database, "key", "revoke", by.KeyID.String()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), strings.TrimSpace(secret)); err == nil {
			t.Error("a revoked key still works")
		}
		if _, err := command(t, database, "key", "create", "--role", "admin", "--name", "x", "--delighted-survey", "nowhere"); err == nil || !strings.Contains(err.Error(), "delighted_survey") {
			t.Errorf("a key for no survey: %v", err)
		}
		made, err := s.CreateSurvey(t.Context(), by, survey.Survey{Key: "moment", Name: "Moment", Template: "nps", Touchpoint: "shop", Channel: survey.Email,
			Trigger: survey.Trigger{Type: survey.OnManual}})
		if err != nil {
			t.Fatal(err)
		}
		if secret, err = command(t, database, "key", "create", "--role", "admin", "--name", "x", "--delighted-survey", "moment"); err != nil {
			t.Fatal(err)
		}
		if by, err = s.Authenticate(t.Context(), strings.TrimSpace(secret)); err != nil {
			t.Fatal(err)
		}
		if played, err := s.KeySurvey(t.Context(), by); err != nil || played.ID != made.ID {
			t.Errorf("%+v %v", played, err)
		}
		if _, err := command(t, database, "key", "revoke", by.KeyID.String()); err == nil {
			t.Error("the last admin key was revoked")
		}
		if list, err = command(t, database, "key", "list"); err != nil || strings.Count(list, " -\n") != 1 {
			t.Errorf("%s %v", list, err)
		}
	})
}

func TestWorkspaceCommand(t *testing.T) {
	database := storetest.SQLite(t)
	if _, err := command(t, database, "workspace", "create", "acme", "--name", "Acme GmbH", "--timezone", "Europe/Berlin"); err != nil {
		t.Fatal(err)
	}
	s := opened(t, database)
	w, err := s.FindWorkspace(t.Context(), "acme")
	if err != nil || w.Name != "Acme GmbH" || w.Timezone != "Europe/Berlin" {
		t.Fatalf("%+v %v", w, err)
	}
	stock, _, err := s.Templates(t.Context(), store.Caller{Workspace: w.ID}, store.Page{Limit: 50})
	if err != nil || len(stock) != 5 {
		t.Errorf("%d templates %v", len(stock), err)
	}
	secret, err := command(t, database, "key", "create", "--workspace", "acme", "--role", "admin", "--name", "first")
	if err != nil {
		t.Fatal(err)
	}
	if by, err := s.Authenticate(t.Context(), strings.TrimSpace(secret)); err != nil || by.Workspace != w.ID {
		t.Errorf("%+v %v", by, err)
	}
}

func TestWrongCommands(t *testing.T) {
	database := storetest.SQLite(t)
	for line, want := range map[string]string{
		"key create --role boss --name x":                  "--role must be one of",
		"key create --role admin":                          "missing flags: --name",
		"key create --role admin --name x --workspace nil": "--workspace nil: there is no such workspace",
		"key revoke x":                                     "is not the id of a key",
		"key revoke 01a2011b-0532-7429-b3db-9e41f7947335":  "there is no such key",
		"workspace create UPPER --name x":                  "must be lower-case letters",
		"workspace create default2 --name x --timezone Y":  "--timezone: ",
		"perform":                "unexpected argument perform",
		"serve --role=":          "--role: ",
		"serve --role=scheduler": "KOE_SMTP_URL: ",
	} {
		if out, err := command(t, database, strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%s: %q %v", line, out, err)
		}
	}
}

func TestVersionNeedsNothing(t *testing.T) {
	for _, word := range []string{"version", "--version"} {
		var out bytes.Buffer
		err := run(t.Context(), []string{word}, []string{"KOE_LISTEN=wrong"}, &out, notes{io.Discard})
		if err != nil || !regexp.MustCompile(`^koe \S+, commit .+, go1\.\d+.*\n$`).MatchString(out.String()) {
			t.Errorf("%q %v", out.String(), err)
		}
	}
}

func TestMigrateSaysTheVersion(t *testing.T) {
	if out, err := command(t, storetest.SQLite(t), "migrate"); err != nil || out != "the database is at the version of koe (development)\n" {
		t.Errorf("%q %v", out, err)
	}
}

func TestTakenWorkspaceIsSaidOnce(t *testing.T) {
	database := storetest.SQLite(t)
	words := []string{"workspace", "create", "acme", "--name", "Acme"}
	if _, err := command(t, database, words...); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, database, words...); err == nil || err.Error() != `key: there is a workspace "acme" already` {
		t.Error(err)
	}
}

func TestHelpListsEverything(t *testing.T) {
	p := launch(t, t.TempDir(), nil, "serve", "--help")
	if code, _ := p.ended(); code != 0 {
		t.Errorf("exit %d", code)
	}
	help := p.read(p.out)
	for _, name := range append(settingNames(), "127.0.0.1:8080", "sqlite:koe.db", "unlimited", "--role") {
		if !strings.Contains(help, name) {
			t.Errorf("%s is not in:\n%s", name, help)
		}
	}
}

func TestHelpOfOtherCommandsIsShort(t *testing.T) {
	p := launch(t, t.TempDir(), nil, "key", "create", "--help")
	if code, _ := p.ended(); code != 0 {
		t.Errorf("exit %d", code)
	}
	help := p.read(p.out)
	for name, want := range map[string]bool{"--role": true, "KOE_DATABASE_URL": true, "KOE_TIMEZONE": true, "KOE_LISTEN": false, "KOE_MAIL": false, "KOE_RATE": false} {
		if strings.Contains(help, name) != want {
			t.Errorf("%s is there: %v\n%s", name, !want, help)
		}
	}
}

func TestVerifyCommand(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		if _, err := command(t, database, "key", "create", "--role", "viewer", "--name", "cx"); err != nil {
			t.Fatal(err)
		}
		said, err := command(t, database, "verify")
		if err != nil || !strings.Contains(said, "all is as the rows say: 1 workspaces, 0 responses") {
			t.Fatalf("%q %v", said, err)
		}
	})
}
