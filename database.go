package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"koe/survey/store"
	"koe/templates"
)

// openStore opens the database and brings it to this version. Errors name the
// variable to mend.
func openStore(ctx context.Context, c Config) (*store.Store, error) {
	s, err := openAsIs(ctx, c)
	if err != nil {
		return nil, err
	}
	if err = s.Migrate(ctx); err != nil {
		err = fmt.Errorf("KOE_DATABASE_URL: %w", err)
	} else {
		err = s.CheckSecret(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openAsIs opens the database and leaves it as it is.
func openAsIs(ctx context.Context, c Config) (*store.Store, error) {
	stock, err := templates.Stock()
	if err != nil {
		return nil, err
	}
	if err := c.databaseFile(); err != nil {
		return nil, err
	}
	secret, err := c.secretOrKept()
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, c.DatabaseURL, store.Options{Secret: secret, Stock: stock, Timezone: c.Timezone, MaxConns: c.Connections, MailsADay: c.MailsPerRecipient, MailsPerKey: c.MailsPerKey})
}

// openKept is openStore for what has nothing to do where there is no database:
// it makes none.
func openKept(ctx context.Context, c Config) (*store.Store, error) {
	if err := c.databaseThere(); err != nil {
		return nil, err
	}
	return openStore(ctx, c)
}

// openUnchanged is openKept for what may change nothing: a database of another
// version is refused, not brought to this one.
func openUnchanged(ctx context.Context, c Config) (*store.Store, error) {
	if err := c.databaseThere(); err != nil {
		return nil, err
	}
	s, err := openAsIs(ctx, c)
	if err != nil {
		return nil, err
	}
	if err = s.Ready(ctx); err != nil {
		err = fmt.Errorf("KOE_DATABASE_URL: %w; koe migrate brings it there", err)
	} else {
		err = s.CheckSecret(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// databaseThere is nil where there is a database, as far as a look at the disk
// can tell.
func (c Config) databaseThere() error {
	if path, lite := c.sqlite(); lite {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("KOE_DATABASE_URL: there is no database %s; name the one that koe serves", path)
		}
	}
	return nil
}

// lockBeside makes sure that one scheduler alone turns over an SQLite file:
// until it is closed, or the process ends.
func lockBeside(path string) (io.Closer, error) {
	file, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("KOE_DATABASE_URL: cannot write beside the database: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errors.New("another koe serves it; stop that one, or name another file")
		}
		return nil, fmt.Errorf("KOE_DATABASE_URL: cannot lock %s: %w", path, err)
	}
	return file, nil
}

// databaseFile refuses a file that is something else than an SQLite database.
// What cannot be read is for the store to say.
func (c Config) databaseFile() error {
	const magic = "SQLite format 3\x00"
	path, lite := c.sqlite()
	if !lite {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil // none yet, or the store's to say
	}
	defer func() { _ = file.Close() }() // nothing was written to it
	begin := make([]byte, len(magic))
	n, _ := io.ReadFull(file, begin) // of an empty file nothing
	if n > 0 && string(begin[:n]) != magic {
		return fmt.Errorf("KOE_DATABASE_URL: %s is not an SQLite database; name another file", path)
	}
	return nil
}

// secretOrKept is KOE_SECRET, else the secret beside the SQLite file. Where
// neither is, nor a database yet, it makes one and keeps it.
func (c Config) secretOrKept() ([]byte, error) {
	path, lite := c.sqlite()
	if c.Secret != "" || !lite {
		return []byte(c.Secret), nil
	}
	kept := path + ".secret"
	text, err := readSecret(kept)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if database, err := os.Stat(path); err == nil && database.Mode().IsRegular() && database.Size() > 0 {
		return nil, fmt.Errorf("KOE_SECRET: is not set and %s is gone; bring back the secret that %s was made with, "+
			"or every link that is out stops working", kept, path)
	}
	if err := makeSecret(kept); err != nil {
		return nil, fmt.Errorf("KOE_DATABASE_URL: cannot keep a secret beside the database: %w", err)
	}
	return readSecret(kept)
}

func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("KOE_SECRET: cannot read the kept one: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("KOE_SECRET: others can read %s; mend it with: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("KOE_SECRET: cannot read the kept one: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < minSecret {
		return nil, fmt.Errorf("KOE_SECRET: %s is cut short: a secret has at least %d characters", path, minSecret)
	}
	return []byte(secret), nil
}

// makeSecret puts a new secret on disk, unless another process was faster. It
// gets its name only when it is complete: nobody ever reads half of one.
func makeSecret(path string) error {
	random := make([]byte, minSecret)
	_, _ = rand.Read(random) // it never fails; the program ends instead
	folder := filepath.Dir(path)
	draft, err := os.CreateTemp(folder, "*.secret") // for its owner's eyes only
	if err != nil {
		return err
	}
	_, err = draft.WriteString(hex.EncodeToString(random) + "\n")
	if err = errors.Join(err, draft.Sync(), draft.Close()); err == nil {
		err = os.Link(draft.Name(), path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(draft.Name()), syncFolder(folder))
}

// syncFolder makes the names in a folder as durable as the files.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
