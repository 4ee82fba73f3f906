package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/delighted"
	"koe/survey/store"
	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

// reconciled runs the command with a report and reads it.
func reconciled(t *testing.T, database string, status int, args ...string) (r delighted.Reconciliation, printed string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	printed, err := command(t, database, append([]string{"import", "delighted", "--report", file}, args...)...)
	if exitStatus(err) != status {
		t.Fatalf("status %d (%v), want %d: %.2000s", exitStatus(err), err, status, printed)
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, printed
}

// agrees holds a reconciliation against what is known of the export.
func (x *delightedExport) agrees(t *testing.T, r delighted.Reconciliation, now time.Time, again bool) {
	t.Helper()
	var lists, answers int64
	for _, c := range []delighted.ListCount{r.Unsubs, r.Bounced} {
		if c.In != c.Accepted+c.Repeated+c.Rejected {
			t.Errorf("a list does not add up: %+v", c)
		}
		lists += c.Accepted
	}
	if p := r.People; p.In != int64(x.people) || p.Accepted != int64(x.addresses) || p.Merged != int64(x.people-x.addresses) || p.Rejected+p.Unreachable+p.Others != 0 {
		t.Errorf("people %+v, want %d rows of %d", p, x.people, x.addresses)
	}
	if len(r.Surveys) != 2 || r.Rejected != x.rejected || len(r.Rejections) != x.rejected {
		t.Fatalf("%d surveys, %d rejected, want %d", len(r.Surveys), r.Rejected, x.rejected)
	}
	for _, s := range r.Surveys {
		if s.In != int64(x.responses[s.Types[0]]) || s.In != s.Accepted+s.Repeated+s.Blank+s.Rejected || s.Unnamed != 0 || s.From == nil || *s.To <= *s.From {
			t.Errorf("survey %+v, want %d rows", s, x.responses[s.Types[0]])
		}
		answers += s.Accepted
	}
	n, good := x.nps[0]+x.nps[1]+x.nps[2], x.satisfied
	if s := r.Surveys[0]; s.Score.Responses != int64(n) || *s.Score.Score != rounded(x.nps[2]-x.nps[0], n) || s.Delighted == nil || s.Delighted.Agrees != "all" {
		t.Errorf("nps %+v %+v, want %v", s.Score, s.Delighted, x.nps)
	}
	if s := r.Surveys[1]; s.Score.Counts["satisfied"] != int64(good) || *s.Score.Score != rounded(good, int(s.Score.Responses)) || s.Delighted != nil {
		t.Errorf("csat %+v, want %d", s.Score, good)
	}
	if again != (answers == 0) || again != (lists == 0) || !again && lists != int64(len(x.suppressed)) {
		t.Errorf("again %v: %d answers, %d opt-outs", again, answers, lists)
	}
	out := map[string]string{}
	for _, s := range r.Suppressed {
		out[s.Email] = string(s.Reason)
	}
	if !maps.Equal(out, x.suppressed) {
		t.Errorf("%d suppressed, want %d", len(out), len(x.suppressed))
	}
	held := map[string]survey.Instant{}
	for _, q := range r.Quiet.People {
		held[q.Email] = q.Until
	}
	for _, address := range x.recent(now) {
		if held[address] != survey.InstantOf(x.asked[address].Add(month)) {
			t.Errorf("%s is held until %v, was asked %v", address, held[address], x.asked[address])
		}
	}
	for address, until := range held {
		if until != survey.InstantOf(x.asked[address].Add(month)) || until <= survey.InstantOf(now) {
			t.Errorf("%s is held until %v, was asked %v", address, until, x.asked[address])
		}
	}
}

const month = 30 * 24 * time.Hour

// importTime is how long a whole export takes at most, and whoever is asked
// lately may not be so any more when it is in.
const importTime = 30 * time.Minute

// recent are who will still have been asked less than 30 days ago when all is in.
func (x *delightedExport) recent(now time.Time) (list []string) {
	for address, at := range x.asked {
		if at.Add(month).After(now.Add(importTime)) {
			list = append(list, address)
		}
	}
	slices.Sort(list)
	return list
}

func sumOf(t *testing.T, database string) string {
	t.Helper()
	path, lite := strings.CutPrefix(database, "sqlite:")
	if !lite {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// TestImportDelighted: an export goes in once, counts agree with those made
// while it was written, and after it a running koe mails nobody who opted out or
// was asked lately. A hundredth of a large export, or all of it.
func TestImportDelighted(t *testing.T) {
	scale := 100
	if battery.Full() {
		scale = 1
	}
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		now := time.Now()
		x := exportDelighted(t, 100_000/scale, 250_000/scale, 3_000/scale, now)
		withSurvey(t, database, "shop", "nps", "plan")
		withSurvey(t, database, "desk", "csat")
		args := []string{x.folder, "--survey", "shop", "--survey", "csat=desk"}
		before := sumOf(t, database)
		r, printed := reconciled(t, database, 3, append(args, "--dry-run")...)
		x.agrees(t, r, now, false)
		if after := sumOf(t, database); after != before || !r.DryRun || !strings.HasPrefix(printed, "nothing is kept: this was a dry run\n") {
			t.Errorf("a dry run changed the database, or does not say that it was one: %.100s", printed)
		}
		r, printed = reconciled(t, database, 3, args...)
		x.agrees(t, r, now, false)
		for _, want := range []string{"Delighted's own metrics (" + filepath.Join(x.folder, "metrics.json") + ") agree", "score: must be a whole number from 0 to 10", "person0@example.com  unsubscribed since "} {
			if !strings.Contains(printed, want) {
				t.Errorf("%q is missing in %.3000s", want, printed)
			}
		}
		r, _ = reconciled(t, database, 3, args...)
		x.agrees(t, r, now, true)
		s := opened(t, database)
		checked, err := s.Verify(t.Context())
		if err != nil || len(checked.Faults) > 0 || checked.Responses != r.Surveys[0].Score.Responses+r.Surveys[1].Score.Responses {
			t.Errorf("%+v %v", checked, err)
		}
		x.nobodyIsMailed(t, database, 10_000/scale)
	})
}

// nobodyIsMailed tells a running koe of interactions of people who opted out and
// of people who were asked lately, half of them under ids of the company's own.
func (x *delightedExport) nobodyIsMailed(t *testing.T, database string, interactions int) {
	box, smtpURL := startSMTP(t)
	s := opened(t, database)
	w, _, err := s.EnsureDefault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := store.Caller{Workspace: w.ID, Role: store.Admin}
	_, key, err := s.CreateKey(t.Context(), by, "shop", store.Admin)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.PatchWorkspace(t.Context(), by, func(w *survey.Workspace) error { w.SenderAddress = "feedback@acme.example"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	k := startKoeWith(t, database, key, "KOE_SMTP_URL="+smtpURL, "KOE_SECRET="+longEnough)
	k.setUp()
	who := append(slices.Sorted(maps.Keys(x.suppressed)), x.recent(time.Now())...)
	reasons := map[string]int{}
	for n := 0; n < interactions; n += 500 {
		var items []string
		for i := n; i < min(n+500, interactions); i++ {
			address, id := who[i%len(who)], ""
			if i%2 == 0 {
				address, id = strings.ToUpper(address), fmt.Sprintf(`"external_id":"c-%d",`, i)
			}
			items = append(items, fmt.Sprintf(`{"touchpoint":"support_chat","customer":{%s"email":%q}}`, id, address))
		}
		results, _ := k.want(200, "POST", "/v1/interactions/batch", `{"interactions":[`+strings.Join(items, ",")+`]}`)["results"].([]any)
		for _, one := range results {
			text, _ := json.Marshal(one)
			for _, reason := range []string{"suppressed", "quiet_period", "scheduled"} {
				if strings.Contains(string(text), `"`+reason+`"`) {
					reasons[reason]++
				}
			}
		}
	}
	if reasons["scheduled"] > 0 || reasons["suppressed"] == 0 || reasons["quiet_period"] == 0 || reasons["suppressed"]+reasons["quiet_period"] != interactions {
		t.Errorf("decisions: %v of %d", reasons, interactions)
	}
	out := slices.Sorted(maps.Keys(x.suppressed))
	k.tellByAnyPath(slices.Concat(out[:4], out[len(out)-4:], x.recent(time.Now())[:4]))
	if d := k.chat(`{"email":"somebody.else@example.com"}`); d["decision"] != "scheduled" {
		t.Errorf("decision %v", d)
	}
	if m, _, _ := box.next(t); !strings.Contains(m.Header.Get("To"), "somebody.else@example.com") {
		t.Errorf("a mail to %s", m.Header.Get("To"))
	}
	k.stop()
	if len(box.mails) != 1 {
		t.Errorf("%d mails, want that to somebody else alone", len(box.mails))
	}
}

// TestImportDelightedGoesOn: one that was stopped goes on, and comes to the same.
func TestImportDelightedGoesOn(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		now := time.Now()
		x := exportDelighted(t, 5_000, 3_000, 30, now)
		withSurvey(t, database, "shop", "nps")
		withSurvey(t, database, "desk", "csat")
		ctx, stop := context.WithCancel(t.Context())
		s := opened(t, database)
		by := store.Caller{Workspace: 1}
		go func() { // as soon as the first people are there
			defer stop()
			for ctx.Err() == nil {
				if list, _, err := s.People(ctx, by, store.PersonFilter{}, store.Page{Limit: 1}); err != nil || len(list) > 0 {
					return
				}
			}
		}()
		args := []string{"import", "delighted", x.folder, "--survey", "shop", "--survey", "desk"}
		environ := []string{"KOE_DATABASE_URL=" + database, "KOE_SECRET=" + longEnough, "KOE_TIMEZONE=UTC"}
		var out strings.Builder
		if err := run(ctx, args, environ, &out, notes{&out}); exitStatus(err) != 1 || err.Error() != "stopped; the same command goes on from there" {
			t.Fatalf("%v %s", err, out.String())
		}
		r, _ := reconciled(t, database, 3, args[2:]...)
		if r.People.In != int64(x.people) || r.Unsubs.Accepted != 0 || len(r.Suppressed) != len(x.suppressed) || r.Surveys[0].In != int64(x.responses["nps"]) {
			t.Errorf("%+v %+v %+v", r.People, r.Unsubs, r.Surveys)
		}
		checked, err := s.Verify(t.Context())
		if err != nil || len(checked.Faults) > 0 || checked.Responses != r.Surveys[0].Score.Responses+r.Surveys[1].Score.Responses {
			t.Errorf("%+v %v", checked, err)
		}
		for n, next := 0, (store.Page{Limit: 500}); ; {
			list, more, err := s.People(t.Context(), by, store.PersonFilter{}, next)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range list {
				if n++; p.LastAskedAt == nil || *p.LastAskedAt != survey.InstantOf(x.asked[p.Email]) {
					t.Fatalf("%+v, asked %v", p, x.asked[p.Email])
				}
			}
			if next.Cursor = more; more == "" {
				if n != x.addresses {
					t.Errorf("%d people, want %d", n, x.addresses)
				}
				return
			}
		}
	})
}

func TestImportDelightedRefuses(t *testing.T) {
	database := storetest.SQLite(t)
	withSurvey(t, database, "shop", "nps")
	withSurvey(t, database, "effort", "ces-effort")
	const answers = "id,person_email,survey_type,score,created_at\n1,ana@example.com,nps,9,1783000000\n"
	for _, c := range []struct{ file, args, want string }{
		{answers, "", "--survey: is required: the files hold answers (1 nps)"},
		{answers, "--survey nowhere", "--survey nowhere: there is no such survey"},
		{answers, "--survey ces=effort", "--survey ces=effort: asks how much effort it was"},
		{answers, "--survey shop --survey nps=shop", "--survey nps=shop: there is a survey for nps already"},
		{answers, "--survey shop --map mood=score", `--map: map: there is no field "mood"`},
		{answers, "--survey shop --workspace nowhere", "--workspace nowhere: "},
		{answers, "--survey shop --timezone Mars/Base", "--timezone: must be an IANA time zone"},
		{answers + "2,bo@exam", "--survey shop", "line 3: the file ends inside of this row"},
		{"a,b\n1,2\n", "", "is none of Delighted's lists that koe knows"},
		{"person_id,email,unsubscribed_at\n17,ana@example.com,1782000000\n18,nobody,1782000000\n", "", ": line 3: somebody opted out here, and no address can be read"},
		{"id,email,created_at,Unsubscribed\n17,ana@example.com,1780000000,yes\n", "", `say so with --map unsubscribed_at="Unsubscribed"`},
	} {
		file := written(t, c.file)
		text, err := command(t, database, append([]string{"import", "delighted", file}, strings.Fields(c.args)...)...)
		if exitStatus(err) != 1 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q %s: %s %v, want %s", c.file, c.args, text, err, c.want)
		}
	}
	if _, err := command(t, database, "import", "delighted", t.TempDir()); err == nil || !strings.Contains(err.Error(), "there is no file with one of the endings .csv") {
		t.Error(err)
	}
	if _, err := command(t, storetest.SQLite(t), "import", "delighted", "--dry-run", written(t, answers)); err == nil || !strings.Contains(err.Error(), "there is no database") {
		t.Error(err)
	}
	out, err := command(t, database, "export", "responses")
	if err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("something was kept of files that are no good: %s %v", out, err)
	}
	list, _, err := opened(t, database).Suppressions(t.Context(), store.Caller{Workspace: 1}, "", store.Page{Limit: 5})
	if err != nil || len(list) > 0 {
		t.Errorf("%+v were kept of a list that is no good: %v", list, err)
	}
}

// TestImportDelightedAfterABounce: who bounced here and unsubscribed there
// unsubscribed, as the dry run says before.
func TestImportDelightedAfterABounce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		s := opened(t, database)
		w, _, err := s.EnsureDefault(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		by := store.Caller{Workspace: w.ID, Role: store.Admin}
		if _, _, err := s.Suppress(t.Context(), by, "ana@example.com", survey.Bounced); err != nil {
			t.Fatal(err)
		}
		list := written(t, "person_id,email,unsubscribed_at\n17,ana@example.com,1782000000\n")
		for i, args := range [][]string{{list, "--dry-run"}, {list}, {list}} {
			r, _ := reconciled(t, database, 0, args...)
			if len(r.Suppressed) != 1 || r.Suppressed[0].Reason != survey.Unsubscribed || (r.Unsubs.Accepted == 1) == (i == 2) || r.Unsubs.Accepted+r.Unsubs.Repeated != 1 {
				t.Errorf("%d: %+v %+v", i, r.Suppressed, r.Unsubs)
			}
			kept, _, err := s.Suppressions(t.Context(), by, "ana@example.com", store.Page{Limit: 5})
			if err != nil || len(kept) != 1 || (kept[0].Reason == survey.Bounced) != (i == 0) {
				t.Errorf("%d: %+v %v", i, kept, err)
			}
		}
	})
}

// TestImportDelightedByType: what no survey takes is rejected with how to mend
// it, what is passed over is said.
func TestImportDelightedByType(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		withSurvey(t, database, "shop", "nps")
		withSurvey(t, database, "thumbs", "csat-thumbs")
		folder := t.TempDir()
		for name, text := range map[string]string{
			"a.csv":  "id,person,survey_type,score,created_at\n1,17,nps,9,1783000000\n2,17,smileys,3,1783000000\n3,18,thumbs,1,1783000000\n4,18,,5,1783000000\n",
			"b.JSON": `[{"id":"17","email":"ana@example.com","created_at":1780000000}]`, "c.pdf": "%PDF", ".hidden.csv": "x",
			"deep/m.json": `{"response_count":3,"csat":100}`,
		} {
			path := filepath.Join(folder, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, printed := reconciled(t, database, 3, folder, "--survey", "shop", "--survey", "thumbs=thumbs")
		if r.Rejected != 2 || r.Rejections[0].Line != 3 || !strings.Contains(r.Rejections[0].Reason, `no survey takes "smileys"; name one with --survey smileys=ID`) || r.Rejections[1].Field != "survey_type" {
			t.Errorf("%+v", r.Rejections)
		}
		for _, want := range []string{"c.pdf is passed over", "m.json were compared with nothing", "1 answers of thumbs have no person", "survey thumbs (thumbs)  in 1 = accepted 1"} {
			if !strings.Contains(printed, want) {
				t.Errorf("%q is missing in %s", want, printed)
			}
		}
		more := written(t, "id,email,last_sent_at\n18,bo@example.com,1783000000\n")
		for i, want := range []string{"1 answers of thumbs that were kept without a person before have theirs now", ""} {
			r, printed = reconciled(t, database, 3, folder, more, "--survey", "shop", "--survey", "thumbs=thumbs")
			if strings.Contains(printed, "have theirs now") != (i == 0) || !strings.Contains(printed, want) || r.Surveys[1].Repeated != 1 || r.Surveys[1].Unnamed != 0 {
				t.Errorf("%d: %s", i, printed)
			}
		}
		out, err := command(t, database, "export", "responses", "--survey", "thumbs", "--format", "ndjson")
		if err != nil || !strings.Contains(out, `"email":"bo@example.com"`) {
			t.Errorf("%s %v", out, err)
		}
	})
}
