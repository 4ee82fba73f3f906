package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"koe/survey"
	"koe/survey/demo"
	"koe/survey/store"
)

// showcase is the command demo. It ignores KOE_DATABASE_URL: what is invented
// never comes near what is real.
type showcase struct {
	Keep string `placeholder:"FILE" help:"Keep the database in a new FILE; without it, it is deleted at the end."`
	Seed uint64 `default:"1" placeholder:"N" help:"Another number tells another year (default ${default})."`
}

// Help says what stands nowhere else.
func (showcase) Help() string {
	return "Mail is always captured, whatever KOE_SMTP_URL says: whom it is for does not exist."
}

// Run serves an invented year until ctx is done.
func (d showcase) Run(ctx context.Context, c Config, out io.Writer) (err error) {
	path := d.Keep
	if path == "" {
		folder, err := os.MkdirTemp("", "koe-demo-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		path = filepath.Join(folder, "koe.db")
	} else if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("--keep: %s exists already; name a new file, or serve this one: koe serve --database-url sqlite:%s", path, path)
	}
	c.DatabaseURL = "sqlite:" + path
	year := play{
		fill: func(s *store.Store) error { return fillDemo(ctx, s, d.Seed) },
		hint: demoHint,
	}
	return serve{Role: []string{"api", "scheduler"}}.run(ctx, c, out, year)
}

// fillDemo puts the invented year into an empty database.
func fillDemo(ctx context.Context, s *store.Store, seed uint64) error {
	w, _, err := s.EnsureDefault(ctx)
	if err != nil {
		return err
	}
	by := store.Caller{Workspace: w.ID, KeyName: "koe demo", Role: store.Admin}
	if err := openShop(ctx, s, by); err != nil {
		return err
	}
	loc, err := survey.LoadZone(w.Timezone)
	if err != nil {
		return err
	}
	now := survey.InstantOf(time.Now())
	if err := s.RecordVisits(ctx, by, demo.Visits(seed, now, loc)); err != nil {
		return err
	}
	for _, note := range demo.Notes(now, loc) {
		if _, err := s.CreateNote(ctx, by, note); err != nil {
			return err
		}
	}
	if err := setTargets(ctx, s, by); err != nil {
		return err
	}
	return today(ctx, s, by, now)
}

// today is what happens while koe runs: mail goes out about it.
func today(ctx context.Context, s *store.Store, by store.Caller, now survey.Instant) error {
	for _, v := range demo.Complaints(now) {
		if _, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.Survey, Score: &v.Answer.Score, Answers: v.Answer.Answers,
			Comment: v.Answer.Comment, Customer: v.Interaction.Customer, Attributes: v.Interaction.Attributes, Channel: v.Channel,
			Locale: v.Interaction.Customer.Locale, ExternalID: v.Interaction.ExternalID, RespondedAt: &v.AnsweredAt}); err != nil {
			return err
		}
	}
	for _, in := range demo.Today(now) {
		if _, err := s.RecordInteraction(ctx, by, in); err != nil {
			return err
		}
	}
	return nil
}

// setTargets says what the shop wants, and how it stands.
func setTargets(ctx context.Context, s *store.Store, by store.Caller) error {
	for _, terms := range demo.Targets() {
		target, err := s.CreateTarget(ctx, by, terms)
		if err != nil {
			return err
		}
		if err := s.JudgeTarget(ctx, store.DueTarget{Workspace: by.Workspace, Target: target.ID}); err != nil {
			return err
		}
	}
	return nil
}

// openShop makes members, touchpoints, templates, tag rules and surveys.
func openShop(ctx context.Context, s *store.Store, by store.Caller) error {
	if _, err := s.PatchWorkspace(ctx, by, func(w *survey.Workspace) error {
		w.Name, w.SenderName = demo.Company, demo.Company
		return nil
	}); err != nil {
		return err
	}
	for _, m := range demo.Team() {
		if _, err := s.CreateMember(ctx, by, m); err != nil {
			return err
		}
	}
	for _, rule := range demo.TagRules() { // before the answers, which are tagged as they come
		if _, err := s.CreateTagRule(ctx, by, rule); err != nil {
			return err
		}
	}
	for _, t := range demo.Touchpoints() {
		if _, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: t.Key, Name: t.Name}); err != nil {
			return err
		}
	}
	for _, t := range demo.Templates() {
		if _, err := s.CreateTemplate(ctx, by, t); err != nil {
			return err
		}
	}
	for _, v := range demo.Surveys() {
		made, err := s.CreateSurvey(ctx, by, v)
		if err != nil {
			return err
		}
		if _, err := s.SetSurveyState(ctx, by, made.ID.String(), survey.Active, 0); err != nil {
			return err
		}
	}
	return nil
}

// demoHint are two questions whose answers are worth a look.
func demoHint(base, key string) string {
	return fmt.Sprintf(`Two things to find out:

  what the new checkout did to customer effort, month by month
  curl -H 'Authorization: Bearer %[1]s' '%[2]s/v1/scores?metric=ces&touchpoint=checkout&interval=month'

  which agent customers like, and which they do not
  curl -H 'Authorization: Bearer %[1]s' '%[2]s/v1/scores?metric=csat&touchpoint=support_chat&group_by=attributes.agent'

`, key, base)
}
