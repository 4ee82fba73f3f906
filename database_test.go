package main

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"koe/survey/store/storetest"
)

func TestOtherFilesAreNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "junk.db")
	for _, words := range []string{"x", "SQLite format 3", "SQLite format 2\x00 and more", strings.Repeat("junk ", 1000)} {
		if err := os.WriteFile(path, []byte(words), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"", longEnough} {
			_, err := openStore(t.Context(), Config{DatabaseURL: "sqlite:" + path, Secret: secret})
			if err == nil || err.Error() != "KOE_DATABASE_URL: "+path+" is not an SQLite database; name another file" {
				t.Errorf("%.20q: %v", words, err)
			}
		}
	}
	if left, err := os.ReadFile(path); err != nil || len(left) != 5000 {
		t.Errorf("the file was touched: %d bytes, %v", len(left), err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opened(t, "sqlite:"+path) // an empty file becomes one
}

func TestSecretIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "koe.db")
	c := Config{DatabaseURL: "sqlite:" + path}
	first, err := c.secretOrKept()
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := hex.DecodeString(string(first)); err != nil || len(raw) != 32 {
		t.Errorf("%q", first)
	}
	info, err := os.Stat(path + ".secret")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	if again, err := c.secretOrKept(); err != nil || !bytes.Equal(first, again) {
		t.Errorf("%q and %q: %v", first, again, err)
	}
	c.Secret = longEnough
	if given, err := c.secretOrKept(); err != nil || string(given) != longEnough {
		t.Errorf("KOE_SECRET does not win: %q %v", given, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestOneSecretForAllWhoStartAtOnce(t *testing.T) {
	c := Config{DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "koe.db")}
	var all sync.Map
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			secret, err := c.secretOrKept()
			if err != nil {
				t.Error(err)
			}
			all.Store(string(secret), true)
		})
	}
	group.Wait()
	n := 0
	all.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d secrets", n)
	}
}

func TestSecretThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"others can read": {func(path string) error { return os.WriteFile(path+".secret", []byte(longEnough), 0o644) }, "chmod 600 "},
		"cut short":       {func(path string) error { return os.WriteFile(path+".secret", []byte("short\n"), 0o600) }, "cut short"},
		"empty":           {func(path string) error { return os.WriteFile(path+".secret", nil, 0o600) }, "cut short"},
		"a folder":        {func(path string) error { return os.Mkdir(path+".secret", 0o700) }, "cannot read the kept one"},
		"gone":            {func(path string) error { return os.WriteFile(path, []byte("SQLite format 3\x00"), 0o600) }, "is not set and "},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "koe.db")
			if err := c.spoil(path); err != nil {
				t.Fatal(err)
			}
			_, err := Config{DatabaseURL: "sqlite:" + path}.secretOrKept()
			if err == nil || !strings.HasPrefix(err.Error(), "KOE_SECRET: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), longEnough) {
				t.Error(err)
			}
		})
	}
}

func TestAnotherSecret(t *testing.T) {
	database := storetest.SQLite(t)
	opened(t, database)
	_, err := openStore(t.Context(), Config{DatabaseURL: database, Secret: strings.ToUpper(longEnough)})
	if err == nil || !strings.HasPrefix(err.Error(), "KOE_SECRET: ") {
		t.Error(err)
	}
}

func TestOneLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "koe.db")
	first, err := lockBeside(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockBeside(path); err == nil || !strings.HasPrefix(err.Error(), "KOE_DATABASE_URL: ") {
		t.Errorf("a second lock: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lockBeside(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}
