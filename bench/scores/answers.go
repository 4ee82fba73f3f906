package main

import (
	"bufio"
	"io"
	"math/rand/v2"
	"strconv"
	"time"
)

// touchpoint is one of eight, with the shape of its answers: how many of all
// come from here, and the shares of its scores, per mille, as they were
// measured at an airport, a telecom, a marketplace, a call centre and a
// software house.
type touchpoint struct {
	key, template, metric, channel string
	share                          float64
	least                          int
	scores                         []int
}

var touchpoints = []touchpoint{
	{"delivery", "csat", "csat", "email", 0.41, 1, []int{113, 32, 65, 145, 645}},
	{"support_call", "csat", "csat", "phone", 0.26, 1, []int{103, 98, 300, 291, 208}},
	{"relationship", "nps", "nps", "email", 0.12, 0, []int{6, 2, 3, 7, 7, 52, 47, 106, 247, 205, 318}},
	{"billing", "nps", "nps", "sms", 0.08, 0, []int{325, 31, 37, 30, 22, 59, 37, 58, 108, 69, 224}},
	{"checkout_ease", "ces", "ces", "in_app", 0.06, 1, []int{30, 40, 60, 110, 190, 280, 290}},
	{"support_ease", "ces", "ces", "sms", 0.04, 1, []int{80, 210, 140, 110, 160, 180, 120}},
	{"app_release", "nps", "nps", "in_app", 0.02, 0, []int{5, 0, 5, 2, 14, 27, 39, 63, 152, 181, 512}},
	{"branch_visit", "csat", "csat", "tablet", 0.01, 1, []int{2, 12, 165, 561, 260}},
}

// days is how far back the answers go.
const days = 730

var (
	weekdays = []int{110, 106, 97, 99, 87, 80, 85}
	plans    = []string{"free", "pro", "enterprise"}
	planned  = []int{62, 30, 8}
	regions  = []string{"kanto", "kansai", "chubu", "kyushu", "london", "north", "scotland", "wales", "berlin", "bayern", "hessen", "sachsen"}
	locales  = []string{"en", "ja", "de"}
	spoken   = []int{55, 35, 10}
	// comments as they stand in a file: two answers in five have one
	comments = map[string][]string{
		"en": {"Quick and friendly.", `"Waited 40 minutes, nobody answered"`, "ok", `"Agent said ""call back tomorrow"", twice"`, "Great app 👍", "\"line one\nline two\""},
		"ja": {"対応がとても早くて助かりました。", "待ち時間が長すぎる。改善してほしい", "普通です", "画面の文字が小さくて読みにくい😢", "\"「返品」の手続きが、わかりにくい。\n電話も繋がらない\""},
		"de": {"Sehr gute Beratung", "Lieferung zu spät – ärgerlich", "Passt", "Größe falsch"},
	}
)

// table draws from weights in one step.
type table []byte

func tableOf(weights []int) table {
	t := make(table, 0, 1000)
	for i, w := range weights {
		for range w {
			t = append(t, byte(i))
		}
	}
	return t
}

func (t table) pick(r *rand.Rand) int { return int(t[r.IntN(len(t))]) }

// writer makes the answers of all touchpoints; number counts them.
type writer struct {
	*rand.Rand
	end    time.Time
	back   []int // how many on each day back from the end, of a week
	day    table // the same, to draw from
	plan   table
	locale table
	number int

	shuffled bool // in no order, instead of the oldest first
}

func newWriter(end time.Time) *writer {
	back := make([]int, 7)
	for i := range back {
		back[i] = weekdays[(int(end.AddDate(0, 0, -i).Weekday())+6)%7]
	}
	r := rand.New(rand.NewPCG(3, 0)) //nolint:gosec // invented, not secret
	return &writer{Rand: r, end: end, back: back, day: tableOf(back), plan: tableOf(planned), locale: tableOf(spoken)}
}

// csv is n answers at a touchpoint, as a file that is read while it is made.
func (w *writer) csv(t touchpoint, n int) io.ReadCloser {
	read, write := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(write, 1<<16)
		_, _ = out.WriteString("external_id,score,responded_at,channel,locale,comment,attributes.plan,attributes.region\n") // an error shows at Flush
		scores, line := tableOf(t.scores), make([]byte, 0, 300)
		for i := range n {
			line = w.line(line[:0], t, scores, w.at(i, n))
			if _, err := out.Write(line); err != nil {
				break // whoever read it has gone, and knows why
			}
		}
		_ = write.CloseWithError(out.Flush())
	}()
	return read
}

// at is when answer i of n was given: one after the other, as other tools
// export them, and more of them on some weekdays.
func (w *writer) at(i, n int) time.Time {
	if w.shuffled {
		back := 7*w.IntN(days/7) + w.day.pick(w.Rand)
		return w.end.Add(-time.Duration(back)*24*time.Hour - time.Duration(w.IntN(86_400_000))*time.Millisecond)
	}
	weeks := float64(i) / float64(n) * (days / 7)
	within := (weeks - float64(int(weeks))) * float64(len(w.day))
	day := len(w.back) - 1
	for ; day > 0 && within >= float64(w.back[day]); day-- {
		within -= float64(w.back[day])
	}
	begun := w.end.AddDate(0, 0, -7*(days/7-1-int(weeks))-day-1)
	return begun.Add(time.Duration(within / float64(w.back[day]) * float64(24*time.Hour)))
}

func (w *writer) line(line []byte, t touchpoint, scores table, at time.Time) []byte {
	w.number++
	locale := locales[w.locale.pick(w.Rand)]
	line = append(strconv.AppendInt(append(line, 'r'), int64(w.number), 10), ',')
	line = append(strconv.AppendInt(line, int64(t.least+scores.pick(w.Rand)), 10), ',')
	line = append(at.AppendFormat(line, "2006-01-02T15:04:05.000Z"), ',')
	line = append(append(line, t.channel...), ',')
	line = append(append(line, locale...), ',')
	if w.IntN(5) < 2 {
		line = append(line, comments[locale][w.IntN(len(comments[locale]))]...)
	}
	line = append(append(append(line, ','), plans[w.plan.pick(w.Rand)]...), ',')
	return append(append(line, regions[w.IntN(len(regions))]...), '\n')
}
