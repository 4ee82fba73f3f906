package api_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // looks into a database behind koe's back

	"koe/survey/store/storetest"
)

// object is JSON in the making.
type object = map[string]any

// guesser asks simulate what would happen, lets it happen, and compares.
type guesser struct {
	*server
	random  *rand.Rand
	seed    uint64
	db      *sql.DB
	surveys []guessed
	told    []string // external ids of interactions
	step    int
	count   map[string]int // what was compared, by outcome
}

// guessed is a survey with what the test must know of it.
type guessed struct{ id, key, touchpoint, trigger, follows string }

// TestWhatIsSimulatedHappens: for random surveys, people, interactions and
// instants, simulate says what recording then decides, word for word, and
// changes nothing.
func TestWhatIsSimulatedHappens(t *testing.T) {
	whole := os.Getenv("KOE_BATTERY") == "full"
	seeds, steps := 1, 30
	if whole {
		seeds, steps = 12, 120
	}
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		all := map[string]int{}
		for i := range seeds {
			seed := uint64(20261122 + i)
			at := url
			if i > 0 {
				at = another(t, url)
			}
			g := &guesser{server: openServer(t, at), random: rand.New(rand.NewPCG(seed, 4)), seed: seed, db: behind(t, at), count: all}
			g.build()
			for g.step = range steps {
				g.turn()
			}
			g.close()
		}
		t.Logf("%d seeds from 20261122, compared: %v", seeds, all)
		must := []string{"scheduled", "repeat"}
		if whole { // lots are drawn by ids, which are new each time
			must = append(must, "suppressed", "condition", "quiet_period", "not_sampled", "daily_limit", "no_address", "paused", "too_old", "not_triggered",
				"fire scheduled", "fire quiet_period", "not_due", "answer scheduled")
		}
		for _, outcome := range must {
			if all[outcome] == 0 {
				t.Errorf("%s did not come up", outcome)
			}
		}
	})
}

// another is the address of a fresh database of the same kind.
func another(t *testing.T, url string) string {
	t.Helper()
	if strings.HasPrefix(url, "sqlite:") {
		return storetest.SQLite(t)
	}
	return storetest.Postgres(t)
}

// behind opens a database for reading, beside koe.
func behind(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, name := "pgx", url
	if file, lite := strings.CutPrefix(url, "sqlite:"); lite {
		driver, name = "sqlite3", file
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// everything is a checksum of every row of every table.
func (g *guesser) everything() string {
	g.t.Helper()
	tables := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
	if !strings.HasPrefix(g.database, "sqlite:") {
		tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name`
	}
	var out strings.Builder
	for _, name := range g.column(tables) {
		rows := g.rows(name)
		sum := fnv.New64a()
		for _, row := range rows {
			_, _ = sum.Write([]byte(row))
		}
		fmt.Fprintf(&out, "%s %d %x\n", name, len(rows), sum.Sum64())
	}
	if strings.Count(out.String(), "\n") < 20 {
		g.t.Fatalf("only these tables:\n%s", out.String())
	}
	return out.String()
}

func (g *guesser) column(query string) (list []string) {
	g.t.Helper()
	rows, err := g.db.QueryContext(g.t.Context(), query)
	if err != nil {
		g.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			g.t.Fatal(err)
		}
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		g.t.Fatal(err)
	}
	return list
}

// rows are those of a table as texts, in an order of their own.
func (g *guesser) rows(table string) []string {
	g.t.Helper()
	if !strings.HasPrefix(g.database, "sqlite:") {
		return g.column(`SELECT t::text FROM ` + table + ` t ORDER BY 1`)
	}
	columns := g.column(`SELECT 'quote("' || name || '")' FROM pragma_table_info('` + table + `')`)
	return g.column(`SELECT ` + strings.Join(columns, " || ',' || ") + ` FROM ` + table + ` ORDER BY 1`)
}

func (g *guesser) chance(n int) bool { return g.random.IntN(n) == 0 }

func (g *guesser) pick(list ...string) string { return list[g.random.IntN(len(list))] }

// build makes two surveys of each kind and more by interactions, at two touchpoints.
func (g *guesser) build() {
	g.do("PATCH", "/v1/workspace", object{"timezone": g.pick("Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "UTC"),
		"quiet_period": g.pick("0s", "3d", "30d"), "quiet_scope": g.pick("workspace", "survey")}).want(200)
	for i, trigger := range []string{"interaction", "interaction", "manual", "schedule", "interaction", "response", "interaction", "interaction"} {
		v := object{"name": "s", "template": "nps", "touchpoint": g.pick("a", "b"), "channel": g.pick("email", "email", "link"), "rules": g.rules()}
		one := guessed{key: fmt.Sprint("s", i), trigger: trigger}
		how := object{"type": trigger}
		switch trigger {
		case "interaction":
			how["delay"] = g.pick("0s", "2h", "3d")
		case "schedule": // so many fires in its cadence that each comes to one person
			how["cron"], how["every"], how["timezone"], v["channel"] = "0 * * * *", "3d", g.pick("Asia/Tokyo", "Europe/London"), "email"
			if g.chance(3) {
				how["audience"] = object{"attributes.plan": []any{"pro", 5}}
			}
		case "response":
			one.follows = "s0"
			how["survey"], how["when"], how["delay"], v["channel"] = one.follows, object{"score": object{"max": 6}}, g.pick("0s", "5d"), "email"
		}
		v["trigger"] = how
		made := g.do("PUT", "/v1/surveys/"+one.key, v).want(201)
		one.id, one.touchpoint = made.text("id"), made.text("touchpoint")
		if i != 4 || g.chance(2) { // or it stays a draft
			g.do("POST", "/v1/surveys/"+one.key+"/activate", nil).want(200)
		}
		g.surveys = append(g.surveys, one)
		g.now.move(time.Second)
	}
	for _, touchpoint := range []string{"a", "b"} { // those that no survey names
		g.do("POST", "/v1/touchpoints", object{"key": touchpoint, "name": touchpoint})
	}
	g.do("POST", "/v1/suppressions", object{"email": "p3@example.com"}).want(201)
}

func (g *guesser) rules() object {
	r := object{"expires_after": g.pick("5h", "1d", "5d", "30d"), "max_age": g.pick("1h", "2d", "7d")}
	set := func(n int, name string, value any) {
		if g.chance(n) {
			r[name] = value
		}
	}
	set(2, "quiet_period", g.pick("0s", "1h", "2d", "10d"))
	set(2, "quiet_scope", g.pick("workspace", "survey"))
	set(3, "sample", []any{0, 0.5, 0.9, 1}[g.random.IntN(4)])
	set(2, "daily_limit", 1+g.random.IntN(2))
	set(3, "condition", object{"attributes.plan": []any{"pro", 5}})
	if g.chance(2) {
		window := [][2]string{{"09:00", "18:00"}, {"22:00", "06:00"}, {"00:00", "24:00"}, {"02:30", "03:00"}}[g.random.IntN(4)]
		w := object{"from": window[0], "to": window[1], "timezone": g.pick("recipient", "Asia/Kathmandu")}
		if g.chance(2) {
			w["weekdays"] = [][]int{{1, 2, 3, 4, 5}, {6, 7}, {3}}[g.random.IntN(3)]
		}
		r["send_window"] = w
	}
	return r
}

// customer is one of ten people, named in one way or the other, or nobody.
func (g *guesser) customer() object {
	n := g.random.IntN(11)
	if n == 10 {
		return object{}
	}
	c := object{"name": "Ana"}
	how := g.random.IntN(5)
	if how != 0 {
		c["external_id"] = fmt.Sprint("c-", n)
	}
	if how < 4 {
		c["email"] = fmt.Sprintf("P%d@example.com", n/2*2+g.random.IntN(2)) // pairs share theirs now and then
	}
	if g.chance(3) {
		c["timezone"] = g.pick("Asia/Tokyo", "America/Santiago", "Europe/London")
	}
	return c
}

func (g *guesser) attributes() object {
	a := object{}
	if g.chance(2) {
		a["plan"] = []any{"pro", "free", 5, true}[g.random.IntN(4)]
	}
	return a
}

// turn changes something and compares one guess with what comes of it.
func (g *guesser) turn() {
	g.change()
	ahead := time.Duration(g.random.IntN(30*3600))*time.Second + 1
	if g.chance(6) {
		ahead = -time.Hour // the clock is set back
	}
	switch g.random.IntN(6) {
	case 0:
		g.fire(ahead)
	case 1:
		g.answer(ahead)
	default:
		g.interact(ahead)
	}
}

// change is something that rules look at.
func (g *guesser) change() {
	s := g.surveys[g.random.IntN(len(g.surveys))]
	switch g.random.IntN(8) {
	case 0:
		g.do("POST", "/v1/surveys/"+s.key+"/pause", nil)
	case 1, 2:
		for _, s := range g.surveys[:4] {
			g.do("POST", "/v1/surveys/"+s.key+"/activate", nil)
		}
		for _, s := range g.surveys[5:] {
			g.do("POST", "/v1/surveys/"+s.key+"/activate", nil)
		}
	case 3:
		g.do("PUT", fmt.Sprint("/v1/people/c-", g.random.IntN(10)), object{"attributes": g.attributes(),
			"last_asked_at": g.now.time().Add(-time.Duration(g.random.IntN(40*24)) * time.Hour).UTC().Format(time.RFC3339)})
	case 4:
		if list := ids(g.do("GET", "/v1/invitations?state=scheduled&limit=5", nil).want(200)); len(list) > 0 {
			g.do("POST", "/v1/invitations/"+list[g.random.IntN(len(list))]+"/cancel", nil)
		}
	case 5:
		if g.step == 25 {
			g.do("POST", "/v1/surveys/s1/archive", nil)
		}
	}
}

// outcome is a decision as simulate and interactions tell it.
type outcome struct {
	Decision string
	Reason   string
	SendAt   string `json:"send_at"`
	Until    string
}

// simulate asks twice, by id and by key, now about a later instant.
func (g *guesser) simulate(s guessed, body object, ahead time.Duration) outcome {
	g.t.Helper()
	asked := object{"at": g.now.time().Add(ahead).UTC().Format(time.RFC3339Nano)}
	for name, value := range body {
		asked[name] = value
	}
	var got, again outcome
	g.do("POST", "/v1/surveys/"+s.id+"/simulate", asked).want(200).into(&got)
	g.do("POST", "/v1/surveys/"+s.key+"/simulate", asked).want(200).into(&again)
	if got != again {
		g.t.Errorf("seed %d, step %d: %+v, and again %+v", g.seed, g.step, got, again)
	}
	return got
}

// untouched runs fn, which must change nothing.
func (g *guesser) untouched(fn func()) {
	g.t.Helper()
	before := g.everything()
	fn()
	if after := g.everything(); before != after {
		g.t.Fatalf("seed %d, step %d: simulate changed something; before:\n%s\nafter:\n%s", g.seed, g.step, before, after)
	}
}

func (g *guesser) compare(what string, s guessed, body object, guess, got outcome) {
	g.t.Helper()
	if guess != got {
		text, _ := json.Marshal(body)
		g.t.Fatalf("seed %d, step %d, %s of survey %s (%s) at %s, %s:\nsimulated %+v\nhappened  %+v", g.seed, g.step, what, s.key, s.trigger,
			g.now.time().Format(time.RFC3339), text, guess, got)
	}
}

func (g *guesser) note(what string, o outcome) {
	if o.Reason != "" {
		o.Decision = o.Reason
	}
	g.count[what+o.Decision]++
}

// interact lets surveys of all kinds guess about an interaction, and records it.
func (g *guesser) interact(ahead time.Duration) {
	g.t.Helper()
	touchpoint := g.pick("a", "b")
	customer := g.customer()
	body := object{"touchpoint": touchpoint, "customer": customer, "attributes": g.attributes()}
	then := g.now.time().Add(ahead)
	if g.chance(2) {
		body["occurred_at"] = then.Add(-time.Duration(g.random.IntN(9*24)-20) * time.Hour / time.Duration(1+g.random.IntN(20))).UTC().Format(time.RFC3339)
	}
	_, external := customer["external_id"]
	_, address := customer["email"]
	if n := len(g.told); n > 0 && g.chance(6) {
		body["external_id"] = g.told[g.random.IntN(n)]
	} else if g.chance(3) || !external && !address { // or it draws a lot that nobody can know
		id := fmt.Sprint("i-", g.step)
		body["external_id"], g.told = id, append(g.told, id)
	}
	guesses := map[string]outcome{}
	g.untouched(func() {
		for _, s := range g.surveys {
			if s.touchpoint == touchpoint {
				guesses[s.id] = g.simulate(s, body, ahead)
			}
		}
	})
	g.now.move(ahead)
	answer := g.do("POST", "/v1/interactions", body)
	if answer.status != http.StatusOK {
		answer.want(http.StatusAccepted)
	}
	var told struct {
		Decisions []struct {
			outcome
			SurveyID string `json:"survey_id"`
		}
	}
	answer.into(&told)
	decided := map[string]outcome{}
	for _, d := range told.Decisions {
		decided[d.SurveyID] = d.outcome
	}
	for _, s := range g.surveys {
		guess, asked := guesses[s.id]
		got, has := decided[s.id]
		switch {
		case !asked:
		case has:
			g.compare("an interaction", s, body, guess, got)
			g.note("", got)
			if answer.status == http.StatusOK {
				g.count["repeat"]++
			}
		case s.trigger == "manual" || s.trigger == "interaction" && answer.status == http.StatusOK:
			g.compare("nothing", s, body, guess, outcome{Decision: "skipped", Reason: "not_triggered"})
			g.note("", guess)
		case s.trigger == "interaction": // a draft, or archived
			g.compare("nothing", s, body, guess, outcome{Decision: "skipped", Reason: "paused"})
		}
	}
}

// decisions are a survey's newest, by customer; only those of this instant.
func (g *guesser) decisions(s guessed) map[string]outcome {
	g.t.Helper()
	var list struct {
		Data []struct {
			outcome
			CustomerID string `json:"customer_id"`
			CreatedAt  string `json:"created_at"`
			Source     struct{ Type string }
			Invitation *struct {
				SendAt string `json:"send_at"`
			}
		}
	}
	g.do("GET", "/v1/surveys/"+s.key+"/decisions?limit=50", nil).want(200).into(&list)
	now := g.now.time().UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
	made := map[string]outcome{}
	for _, d := range list.Data {
		if d.CreatedAt != now || d.Source.Type == "interaction" {
			continue
		}
		if d.Invitation != nil {
			d.SendAt = d.Invitation.SendAt
		}
		made[d.CustomerID] = d.outcome
	}
	return made
}

// fire lets a schedule guess about everybody, and come to one of them.
func (g *guesser) fire(ahead time.Duration) {
	g.t.Helper()
	s := g.surveys[3]
	var people struct {
		Data []struct {
			ID         string
			ExternalID *string `json:"external_id"`
			Email      *string
		}
	}
	g.do("GET", "/v1/people?limit=50", nil).want(200).into(&people)
	ctx := context.Background()
	if _, _, err := g.store.FireDue(ctx, 6*time.Hour); err != nil { // what is due before
		g.t.Fatal(err)
	}
	g.askAll()
	guesses := map[string]outcome{}
	g.untouched(func() {
		for _, p := range people.Data {
			customer := object{}
			if p.ExternalID != nil {
				customer["external_id"] = *p.ExternalID
			} else {
				customer["email"] = *p.Email
			}
			guesses[p.ID] = g.simulate(s, object{"customer": customer}, ahead)
			g.note("guessed ", guesses[p.ID])
		}
	})
	g.now.move(ahead)
	if _, _, err := g.store.FireDue(ctx, time.Minute*59); err != nil {
		g.t.Fatal(err)
	}
	g.askAll()
	for person, got := range g.decisions(s) {
		guess := guesses[person]
		g.compare("a fire for "+person, s, object{}, guess, got)
		g.note("fire ", got)
	}
	for _, guess := range guesses {
		if guess.Reason == "not_due" {
			g.count["not_due"]++
		}
	}
}

func (g *guesser) askAll() {
	g.t.Helper()
	for {
		n, err := g.store.AskShares(context.Background())
		if err != nil {
			g.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// answer lets the survey that follows another guess about an answer.
func (g *guesser) answer(ahead time.Duration) {
	g.t.Helper()
	s := g.surveys[5]
	customer := object{"external_id": fmt.Sprint("c-", g.random.IntN(10))}
	body := object{"customer": customer, "attributes": g.attributes()}
	var guess outcome
	g.untouched(func() { guess = g.simulate(s, body, ahead) })
	g.now.move(ahead)
	body["survey_id"], body["score"] = s.follows, g.random.IntN(7)
	made := g.do("POST", "/v1/responses", body)
	if made.status == http.StatusConflict { // a draft asks nobody
		return
	}
	decided := g.decisions(s)
	got, has := decided[made.want(201).text("customer.id")]
	if !has {
		if guess.Decision == "scheduled" {
			g.t.Fatalf("seed %d, step %d: nothing was decided, %+v was simulated", g.seed, g.step, guess)
		}
		return
	}
	g.compare("an answer", s, body, guess, got)
	g.note("answer ", got)
}
