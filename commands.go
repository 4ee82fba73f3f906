package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"koe/survey"
	"koe/survey/store"
)

// commands is koe's command line. What each command does is its Run.
type commands struct {
	Settings `group:"Settings"`

	Serve   serve    `cmd:"" default:"withargs" help:"Serve the API, the pages and the scheduler; what koe does without a command."`
	Demo    showcase `cmd:"" help:"Serve an invented year at eight touchpoints, to look around."`
	Migrate migrate  `cmd:"" help:"Bring the database to this version and exit; serve does it too."`
	Key     struct {
		Create createKey `cmd:"" help:"Make an API key and print it."`
		List   listKeys  `cmd:"" help:"List the API keys of a workspace."`
		Revoke revokeKey `cmd:"" help:"End an API key at once."`
	} `cmd:"" help:"API keys."`
	Workspace struct {
		Create createWorkspace `cmd:"" help:"Make a workspace with the stock templates."`
	} `cmd:"" help:"Workspaces: tenants that know nothing of each other."`
	Import struct {
		Responses importResponses `cmd:"" help:"Keep the answers of a CSV file or of JSON lines."`
		Delighted importDelighted `cmd:"" help:"Take over people, opt-outs and answers from Delighted, with a reconciliation."`
	} `cmd:"" help:"Bring in history from another tool."`
	Export struct {
		Responses exportResponses `cmd:"" help:"Write answers as CSV or JSON lines."`
	} `cmd:"" help:"Take answers out."`
	Score   scoreFile    `cmd:"" help:"Score a CSV file without a server."`
	Bounce  takeBounce   `cmd:"" help:"Read one message that a mail server pipes in: a delivery-status notification or a feedback report."`
	Verify  verify       `cmd:"" help:"Recompute every tally from the answers and check what must hold; exit 1 and a list where something differs."`
	Version printVersion `cmd:"" help:"Print version, commit and Go version."`
}

// explain is the help of a flag; that of a setting begins with its variable.
func explain(v *kong.Value) string {
	if v.Flag != nil && v.Flag.Group != nil {
		return variable(v.Name) + ": " + v.Help
	}
	return v.Help
}

// notes is where a command says what is no part of its result: standard error.
type notes struct{ io.Writer }

// run does what the command line asks for.
func run(ctx context.Context, args, environ []string, out io.Writer, beside notes) error {
	command, config, err := parse(args, environ, out)
	if err != nil {
		return err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(out, (*io.Writer)(nil))
	command.Bind(beside)
	return asGiven(command, command.Run(config))
}

// flagError is an error about a setting that was given as a flag.
type flagError struct {
	error
	text string
}

func (e flagError) Error() string { return e.text }
func (e flagError) Unwrap() error { return e.error }

// asGiven names a setting as it was given: an error begins with the name of
// the variable, which somebody who wrote a flag never saw.
func asGiven(command *kong.Context, err error) error {
	if err == nil {
		return nil
	}
	for _, on := range command.Path { // the command line
		if on.Flag == nil || on.Resolved {
			continue
		}
		if rest, ok := strings.CutPrefix(err.Error(), variable(on.Flag.Name)+": "); ok {
			return flagError{err, "--" + on.Flag.Name + ": " + rest}
		}
	}
	return err
}

// help leaves out the settings that a command has no use for: all but serve
// need those of the database alone.
func help(options kong.HelpOptions, command *kong.Context) error {
	if chosen := command.Selected(); chosen != nil && chosen.Name != "serve" && chosen.Name != "demo" {
		for _, flag := range command.Model.Flags {
			if flag.Group != nil && !strings.HasPrefix(flag.Name, "database-") && flag.Name != "timezone" {
				flag.Hidden = true
			}
		}
	}
	return kong.DefaultHelpPrinter(options, command)
}

// parse finds the command and reads the settings. Help is printed to out and
// ends the program.
func parse(args, environ []string, out io.Writer) (*kong.Context, Config, error) {
	if slices.Equal(args, []string{"--version"}) { // a habit from other programs
		args = []string{"version"}
	}
	var cli commands
	parser, err := kong.New(&cli, kong.Name("koe"), kong.Writers(out, os.Stderr), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Description("koe asks customers at the right moment and keeps the score."),
		kong.ExplicitGroups([]kong.Group{{Key: "Settings", Title: "Settings, from flags or variables:"}}),
		kong.ValueFormatter(explain), kong.Help(help))
	if err != nil {
		return nil, Config{}, err
	}
	known := []string{smtpVariable, keyVariable, secretVariable, dkimVariable, sesVariable, postmarkVariable, sendgridVariable}
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
	if command.Command() == "demo" { // whom its mail is for does not exist: it is never sent
		variables.Delete(smtpVariable)
	}
	config, err := cli.config(variables)
	return command, config, asGiven(command, err)
}

type migrate struct{}

// Run brings the database to the version of this koe, and says so.
func (migrate) Run(ctx context.Context, c Config, out io.Writer) error {
	s, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	if err := errors.Join(s.Ready(ctx), s.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "the database is at the version of koe", versionName())
	return err
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
	return do(s, store.Caller{Workspace: w.ID, KeyName: "command line", Role: store.Admin})
}

type createKey struct {
	Role string `required:"" enum:"viewer,sender,editor,admin" placeholder:"ROLE" help:"viewer (reads), sender (interactions and links), editor (both, and surveys) or admin (all)."`
	Name string `required:"" help:"Whose it is or what for; shown in lists."`

	DelightedSurvey string `placeholder:"KEY" help:"The survey (id or key) that /delighted/v1 asks, lists and counts with this key; without it the oldest active one that sends mail."`
	ofWorkspace
}

// Run prints the key alone, so that a script can keep it.
func (k createKey) Run(ctx context.Context, c Config, out io.Writer) error {
	return k.within(ctx, c, func(s *store.Store, by store.Caller) error {
		var choices []store.KeySetting
		if k.DelightedSurvey != "" {
			choices = append(choices, store.PlaysDelighted(k.DelightedSurvey))
		}
		_, secret, err := s.CreateKey(ctx, by, k.Name, store.Role(k.Role), choices...)
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

func versionName() string { return cmp.Or(version, "(development)") }

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
	_, err := fmt.Fprintf(out, "koe %s, commit %s%s, %s\n", versionName(), commit, changed, runtime.Version())
	return err
}
