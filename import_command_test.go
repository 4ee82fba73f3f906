package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// withSurvey puts a survey into a database that is not there yet.
func withSurvey(t *testing.T, database, key, template string, segments ...string) {
	t.Helper()
	s := opened(t, database)
	w, _, err := s.EnsureDefault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.PutSurvey(t.Context(), store.Caller{Workspace: w.ID, Role: store.Admin}, survey.Survey{Key: key, Name: key, Template: template,
		Touchpoint: key, Channel: survey.LinkOnly, Trigger: survey.Trigger{Type: survey.OnManual}, Segments: segments}, 0); err != nil {
		t.Fatal(err)
	}
}

// exitStatus is what the program would end with.
func exitStatus(err error) int {
	own := exitError{status: 1}
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.status
	}
	return 1
}

func TestImportCommand(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		withSurvey(t, database, "shop", "nps", "plan")
		file := written(t, "NPS,When,Plan,Note\n9,01/03/26,pro,\"=a\nb\"\n12,02/03/26,free,\n11,02/03/26,free,\n0,31/02/26,free,x\n")
		fix := filepath.Join(t.TempDir(), "fix.csv")
		args := []string{"import", "responses", file, "--survey", "shop", "--map", "score=NPS", "--map", "responded_at=When", "--map", "attributes.plan=Plan",
			"--map", "comment=Note", "--ignore", "11,99", "--date-format", "%d/%m/%y", "--timezone", "Asia/Tokyo"}
		text, err := command(t, database, append(args, "--dry-run", "--rejected", fix)...)
		if exitStatus(err) != 3 || !strings.Contains(text, "accepted 1 (nothing is kept: this was a dry run)") {
			t.Fatal(text, err)
		}
		text, err = command(t, database, append(args, "--rejected", fix)...)
		if exitStatus(err) != 3 || !strings.Contains(err.Error(), "2 rows were rejected; mend them in "+fix) || !strings.HasPrefix(text,
			"accepted 1\nskipped  1 (1 without a score, 0 repeats)\nrejected 2\n  line 4, score: must be a whole number from 0 to 10\n  line 6, responded_at: \"31/02/26\" there is no such date") {
			t.Errorf("%s %v", text, err)
		}
		text, err = command(t, database, args...)
		if exitStatus(err) != 3 || !strings.HasPrefix(text, "accepted 0\nskipped  2 (1 without a score, 1 repeats)\n") {
			t.Errorf("%s %v", text, err)
		}
		db := opened(t, database)
		w, err := db.FindWorkspace(t.Context(), store.DefaultWorkspace)
		if err != nil {
			t.Fatal(err)
		}
		kept, _, err := db.Audit(t.Context(), store.Caller{Workspace: w.ID}, store.AuditFilter{Action: "responses.imported"}, store.Page{Limit: 10})
		if err != nil || len(kept) != 1 || kept[0].Actor != "command line" || kept[0].ActorID != nil {
			t.Errorf("the audit has %+v, %v", kept, err)
		}
		wrong, err := os.ReadFile(fix)
		if err != nil {
			t.Fatal(err)
		}
		args[2] = written(t, strings.NewReplacer("12,", "10,", "31/02", "28/02").Replace(string(wrong)))
		text, err = command(t, database, args...)
		if exitStatus(err) != 0 || !strings.HasPrefix(text, "accepted 2\nskipped  0 (0 without a score, 0 repeats)\nrejected 0\n") {
			t.Errorf("%s %v: %s", text, err, wrong)
		}
		out, err := command(t, database, "export", "responses", "--format", "ndjson", "--from", "2026-03-01", "--timezone", "Asia/Tokyo")
		if err != nil || strings.Count(out, "\n") != 2 || !strings.Contains(out, `"responded_at":"2026-02-28T15:00:00.000Z"`) || !strings.Contains(out, `"comment":"=a\nb"`) {
			t.Errorf("%s %v", out, err)
		}
	})
}

// TestImportCommandNotes: rows of another file that are the same are said on
// standard error, beside the report.
func TestImportCommandNotes(t *testing.T) {
	database := storetest.SQLite(t)
	withSurvey(t, database, "shop", "nps")
	for i, file := range []string{"score\n9\n8\n", "score\n9\n7\n"} {
		text, beside, err := commandBeside(t, database, "import", "responses", written(t, file), "--survey", "shop")
		if err != nil {
			t.Fatal(text, err)
		}
		if strings.HasPrefix(beside, "note: 1 of the repeats have no external_id") != (i == 1) || strings.Contains(text, "note:") {
			t.Errorf("%d: %q beside %q", i, beside, text)
		}
	}
}

func TestImportCommandRefuses(t *testing.T) {
	database := storetest.SQLite(t)
	withSurvey(t, database, "shop", "nps")
	good := "score\n9\n"
	for _, c := range []struct{ file, args, want string }{
		{good, "--survey nowhere", "--survey: survey: does not exist in this workspace"},
		{good, "--survey shop --map score=NPS", `score: there is no column "NPS"; there are: score`},
		{good, "--survey shop --map mood=score", `there is no field "mood"; there are: score, `},
		{good, "--survey shop --date-format %Q", "--date-format: %Q"},
		{good, "--survey shop --timezone Mars/Base", "--timezone: must be an IANA time zone"},
		{good, "--survey shop --workspace nowhere", "--workspace nowhere: "},
		{"score\n9\n\"8", "--survey shop", "line 3: a quote opens here and never closes"},
		{"score\n9\nf\xfcnf\n", "--survey shop", "line 3: byte 10 of the file (0xFC) is not UTF-8"},
		{"", "--survey shop", "the file is empty"},
		{"score\n9" + strings.Repeat("9", 2<<20), "--survey shop", "line 2: a record of more than 1048576 bytes"},
	} {
		text, err := command(t, database, append([]string{"import", "responses", written(t, c.file)}, strings.Fields(c.args)...)...)
		if exitStatus(err) != 1 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q %s: %s %v, want %s", c.file, c.args, text, err, c.want)
		}
	}
	if out, err := command(t, database, "export", "responses"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("something was kept of files that are no good: %s %v", out, err)
	}
	for args, want := range map[string]string{"--from yesterday": "--from: must be a day", "--locale xx_yy_zz!": "--locale: ", "--survey nowhere": "survey: does not exist",
		"--output /nowhere/x.csv": "--output: "} {
		if _, err := command(t, database, append([]string{"export", "responses"}, strings.Fields(args)...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestAStoppedImportSaysSo: Ctrl-C is no success, and says how to go on.
func TestAStoppedImportSaysSo(t *testing.T) {
	i := importResponses{File: "x.csv"}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := i.stopped(ctx, ctx.Err(), store.Imported{Accepted: 5, Blank: 2})
	if exitStatus(err) != 1 || err.Error() != "stopped after 7 rows, 5 of them newly kept; the same command goes on from there" || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestExportCommandImportsAgain: by way of files, in both forms, into another
// workspace.
func TestExportCommandImportsAgain(t *testing.T) {
	database := storetest.SQLite(t)
	withSurvey(t, database, "shop", "nps", "plan")
	withSurvey(t, database, "again", "nps", "plan")
	file := written(t, "score,external_id,comment,responded_at,attributes.plan,attributes.n,tags,customer.email\n"+
		"9,a,\"=1+1, \"\"日本\"\"\n🙂\",2026-03-01T10:00:00Z,pro,5,x|y,ana@example.com\n0,b,'quoted',2026-03-02T10:00:00Z,'5,-5,,\n")
	if text, err := command(t, database, "import", "responses", file, "--survey", "shop"); err != nil {
		t.Fatal(text, err)
	}
	want, err := command(t, database, "export", "responses", "--survey", "shop", "--format", "ndjson")
	if err != nil || strings.Count(want, "\n") != 2 {
		t.Fatal(want, err)
	}
	for _, form := range []string{"csv", "ndjson"} {
		out := filepath.Join(t.TempDir(), "answers."+form)
		if text, err := command(t, database, "export", "responses", "--survey", "shop", "--format", form, "--bom", "-o", out); err != nil || text != "" {
			t.Fatal(text, err)
		}
		text, err := command(t, database, "import", "responses", out, "--survey", "again")
		if err != nil || !strings.HasPrefix(text, map[string]string{"csv": "accepted 2\n", "ndjson": "accepted 0\nskipped  2"}[form]) {
			t.Errorf("%s: %s %v", form, text, err)
		}
	}
	got, err := command(t, database, "export", "responses", "--survey", "again", "--format", "ndjson")
	if err != nil || content(got) != content(want) {
		t.Errorf("%v\n%s\n%s", err, content(got), content(want))
	}
}

// content is lines of JSON without what is new of an imported answer.
func content(lines string) string {
	var kept []string
	for line := range strings.SplitSeq(lines, "\n") {
		var parts []string
		for part := range strings.SplitSeq(line, `,"`) {
			name, _, _ := strings.Cut(strings.TrimPrefix(part, `{"`), `"`)
			if name != "id" && name != "survey_id" && name != "touchpoint" && name != "created_at" && name != "updated_at" {
				parts = append(parts, part)
			}
		}
		kept = append(kept, strings.Join(parts, "\n"))
	}
	return strings.Join(kept, "\n\n")
}
