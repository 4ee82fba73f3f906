package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// commands is koe's command line. What each command does is its Run.
type commands struct {
	Settings `group:"Settings"`

	Serve   serve   `cmd:"" default:"withargs" help:"Serve the API, the pages and the scheduler; what koe does without a command."`
	Migrate migrate `cmd:"" help:"Bring the database to this version and exit; serve does it too."`
	Key     struct {
		Create createKey `cmd:"" help:"Make an API key and print it."`
		List   listKeys  `cmd:"" help:"List the API keys of a workspace."`
		Revoke revokeKey `cmd:"" help:"End an API key at once."`
	} `cmd:"" help:"API keys."`
	Workspace struct {
		Create createWorkspace `cmd:"" help:"Make a workspace with the stock templates."`
	} `cmd:"" help:"Workspaces: tenants that know nothing of each other."`
	Version printVersion `cmd:"" help:"Print version, commit and Go version."`
}

// explain is the help of a flag; that of a setting begins with its variable.
func explain(v *kong.Value) string {
	if v.Flag != nil && v.Flag.Group != nil {
		return variable(v.Name) + ": " + v.Help
	}
	return v.Help
}

// run does what the command line asks for.
func run(ctx context.Context, args, environ []string, out io.Writer) error {
	command, config, err := parse(args, environ, out)
	if err != nil {
		return err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(out, (*io.Writer)(nil))
	return command.Run(config)
}

// parse finds the command and reads the settings. Help is printed to out and
// ends the program.
func parse(args, environ []string, out io.Writer) (*kong.Context, Config, error) {
	var cli commands
	parser, err := kong.New(&cli, kong.Name("koe"), kong.Writers(out, os.Stderr), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Description("koe asks customers at the right moment and keeps the score."),
		kong.ExplicitGroups([]kong.Group{{Key: "Settings", Title: "Settings, from flags or variables:"}}),
		kong.ValueFormatter(explain))
	if err != nil {
		return nil, Config{}, err
	}
	known := []string{smtpVariable, keyVariable, secretVariable}
	for _, flag := range parser.Model.Flags {
		if flag.Name != "help" {
			known = append(known, variable(flag.Name))
		}
	}
	variables, err := environment(environ, known)
	if err != nil {
		return nil, Config{}, err
	}
	if err := kong.Resolvers(fromEnvironment(variables)).Apply(parser); err != nil {
		return nil, Config{}, err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return nil, Config{}, fmt.Errorf("%w; see koe --help", err)
	}
	if command.Command() == "version" { // it needs no settings
		return command, Config{}, nil
	}
	config, err := cli.config(variables)
	return command, config, err
}

// welcome makes the workspace "default" and adopts KOE_ADMIN_KEY. A first
// start without one makes a key and prints it, this once, with what comes next.
func welcome(ctx context.Context, s *store.Store, c Config, out io.Writer) error {
	w, fresh, err := s.EnsureDefault(ctx)
	if err != nil {
		return err
	}
	if c.AdminKey != "" {
		if _, err := s.AdoptKey(ctx, w.ID, keyVariable, c.AdminKey, store.Admin); err != nil {
			return fmt.Errorf("KOE_ADMIN_KEY: %w", err)
		}
		return nil
	}
	if !fresh {
		return nil
	}
	_, key, err := s.CreateKey(ctx, store.Caller{Workspace: w.ID, KeyName: "koe", Role: store.Admin}, "first start", store.Admin)
	if err != nil {
		return err
	}
	mailbox := c.BaseURL + "/mailbox"
	if c.SMTP != nil {
		mailbox = "none: mail is sent"
	}
	_, err = fmt.Fprintf(out, `
  koe serves at  %[1]s

  Admin key      %[2]s
                 (shown this once; koe key create makes another)
  Docs           %[1]s/docs
  Mailbox        %[3]s
  Readiness      %[1]s/readyz

Try it:

  curl -H 'Authorization: Bearer %[2]s' %[1]s/v1/templates

`, c.BaseURL, key, mailbox)
	return err
}

type migrate struct{}

// Run of migrate.
func (migrate) Run(ctx context.Context, c Config) error {
	s, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	return s.Close()
}

// ofWorkspace is the flag of commands that work within a workspace.
type ofWorkspace struct {
	Workspace string `default:"default" placeholder:"KEY" help:"The workspace's key, where it is not default."`
}

// within opens the database and runs do on behalf of the workspace's owner.
// The workspace "default" is made where a server has not yet.
func (o ofWorkspace) within(ctx context.Context, c Config, do func(*store.Store, store.Caller) error) (err error) {
	s, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var w survey.Workspace
	if o.Workspace == store.DefaultWorkspace {
		w, _, err = s.EnsureDefault(ctx)
	} else {
		w, err = s.FindWorkspace(ctx, o.Workspace)
	}
	if err != nil {
		return fmt.Errorf("--workspace %s: %w", o.Workspace, err)
	}
	return do(s, store.Caller{Workspace: w.ID, KeyName: "koe", Role: store.Admin})
}

type createKey struct {
	Role string `required:"" enum:"viewer,sender,editor,admin" placeholder:"ROLE" help:"viewer (reads), sender (interactions and links), editor (both, and surveys) or admin (all)."`
	Name string `required:"" help:"Whose it is or what for; shown in lists."`
	ofWorkspace
}

// Run prints the key alone, so that a script can keep it.
func (k createKey) Run(ctx context.Context, c Config, out io.Writer) error {
	return k.within(ctx, c, func(s *store.Store, by store.Caller) error {
		_, secret, err := s.CreateKey(ctx, by, k.Name, store.Role(k.Role))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, secret)
		return err
	})
}

type listKeys struct{ ofWorkspace }

// Run prints one line a key, the newest first.
func (k listKeys) Run(ctx context.Context, c Config, out io.Writer) error {
	return k.within(ctx, c, func(s *store.Store, by store.Caller) error {
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) // an error shows at Flush
		_, _ = fmt.Fprintln(table, "ID\tROLE\tNAME\tCREATED\tREVOKED")
		for page := (store.Page{Limit: 500}); ; {
			keys, next, err := s.Keys(ctx, by, page)
			if err != nil {
				return err
			}
			for _, key := range keys {
				revoked := "-"
				if key.RevokedAt != nil {
					revoked = key.RevokedAt.String()
				}
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", key.ID, key.Role, key.Name, key.CreatedAt, revoked)
			}
			if page.Cursor = next; next == "" {
				return table.Flush()
			}
		}
	})
}

type revokeKey struct {
	ID string `arg:"" help:"The key's id; koe key list shows it."`
	ofWorkspace
}

// Run of key revoke.
func (k revokeKey) Run(ctx context.Context, c Config, out io.Writer) error {
	id, err := survey.ParseID(k.ID)
	if err != nil {
		return fmt.Errorf("%q is not the id of a key; koe key list shows them", k.ID)
	}
	return k.within(ctx, c, func(s *store.Store, by store.Caller) error {
		if err := s.RevokeKey(ctx, by, id); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "revoked", id)
		return err
	})
}

type createWorkspace struct {
	Key  string `arg:"" help:"Lower-case letters, digits, _ and -."`
	Name string `required:"" help:"How people call it."`
}

// Run makes the workspace in the time zone of --timezone.
func (w createWorkspace) Run(ctx context.Context, c Config, out io.Writer) (err error) {
	s, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	made, err := s.CreateWorkspace(ctx, survey.NewWorkspace(w.Key, w.Name, c.Timezone))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "made the workspace %s; its first key: koe key create --workspace %s --role admin --name NAME\n", made.Key, made.Key)
	return err
}

type printVersion struct{}

// version is set by those who build a release: -ldflags "-X main.version=v1.2.3".
var version string

// Run of version.
func (printVersion) Run(out io.Writer) error {
	commit, changed, info := "unknown", "", &debug.BuildInfo{}
	if built, ok := debug.ReadBuildInfo(); ok {
		info = built
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	_, err := fmt.Fprintf(out, "koe %s, commit %s%s, %s\n", cmp.Or(version, "(development)"), commit, changed, runtime.Version())
	return err
}

// openStore opens the database and brings it to this version. Errors name the
// variable to mend.
func openStore(ctx context.Context, c Config) (*store.Store, error) {
	stock, err := templates.Stock()
	if err != nil {
		return nil, err
	}
	secret, err := c.secretOrKept()
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, c.DatabaseURL, store.Options{Secret: secret, Stock: stock, Timezone: c.Timezone, MaxConns: c.Connections})
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
