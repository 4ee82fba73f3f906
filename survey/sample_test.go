package survey

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestDrawIsFixed(t *testing.T) {
	id, err := ParseID("0190163d-8694-739b-aea5-966c26f8ad91")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		person  string
		survey  ID
		quarter string
		want    float64
	}{
		{"c-17", id, "2026Q4", 0.534436363763932},
		{"c-17", id, "2027Q1", 0.3121432633012735},
		{"お客様", ID{}, "2026Q4", 0.2638405051850826},
	} {
		if got := Draw(test.person, test.survey, test.quarter); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// TestSampleShare draws for 20,000 people. A share drawn fairly strays from the
// sample by more than four standard errors once in 16,000 times; the draw is
// fixed, so this test says the same each time.
func TestSampleShare(t *testing.T) {
	const people = 20_000
	one, two := ID{15: 1}, ID{15: 2}
	var lots [people][3]float64 // this quarter, the next, and by another survey
	for i := range lots {
		person := fmt.Sprintf("person-%d", i)
		lots[i] = [3]float64{Draw(person, one, "2026Q4"), Draw(person, one, "2027Q1"), Draw(person, two, "2026Q4")}
	}
	for _, sample := range []float64{0, 0.01, 0.3, 0.5, 0.99, 1} {
		var asked, nextQuarterToo, byAnotherToo int
		for _, lot := range lots {
			if lot[0] >= sample {
				continue
			}
			asked++
			if lot[1] < sample {
				nextQuarterToo++
			}
			if lot[2] < sample {
				byAnotherToo++
			}
		}
		for what, share := range map[string]struct {
			n    int
			want float64
		}{"asked": {asked, sample}, "next quarter too": {nextQuarterToo, sample * sample}, "by another survey too": {byAnotherToo, sample * sample}} {
			got, bound := float64(share.n)/people, 4*math.Sqrt(share.want*(1-share.want)/people)
			if math.Abs(got-share.want) > bound {
				t.Errorf("sample %g, %s: %.4f, want %.4f ± %.4f", sample, what, got, share.want, bound)
			}
		}
	}
}

func TestDecideFollowsTheDraw(t *testing.T) {
	a := asksAna(t)
	a.survey.Rules.Sample = pointer(0.3)
	for i := range 1000 {
		address := fmt.Sprintf("ana%d@example.com", i)
		a.interaction.Customer.Email = &address
		drawn := Draw(address, a.survey.ID, "2026Q4")
		if d := a.decide(); (d.Verdict == Scheduled) != (drawn < 0.3) {
			t.Fatalf("drew %v: %+v", drawn, d)
		}
	}
	a = asksAna(t)
	lot := Draw("ana@example.com", a.survey.ID, "2026Q4")
	a.survey.Rules.Sample = &lot
	if d := a.decide(); d.Reason != SkipNotSampled {
		t.Errorf("a lot of just the sample is asked: %+v", d)
	}
}

func TestSampleQuarterIsLocal(t *testing.T) {
	a := asksAna(t)
	a.workspace.Timezone = "Asia/Tokyo"
	a.now = at("2026-12-31T15:00:00Z") // 2027 in Tokyo
	a.interaction.OccurredAt = a.now
	a.survey.Rules.Sample = pointer(0.5)
	for i := range 200 {
		address := fmt.Sprintf("ana%d@example.com", i)
		a.interaction.Customer.Email = &address
		want := Scheduled
		if Draw(address, a.survey.ID, "2027Q1") >= 0.5 {
			want = Skipped
		}
		if d := a.decide(); d.Verdict != want {
			t.Fatalf("%d: %+v, want %s", i, d, want)
		}
	}
}

func TestSampleOfNobody(t *testing.T) {
	a := asksAna(t)
	a.survey.Channel = LinkOnly
	a.interaction.Customer = Customer{}
	a.survey.Rules.Sample = pointer(0.5)
	verdicts := map[Verdict]bool{}
	for i := range 64 {
		a.interaction.ID = ID{14: byte(i), 15: 1}
		verdicts[a.decide().Verdict] = true
	}
	if len(verdicts) != 2 {
		t.Errorf("interactions without a person all draw the same lot: %v", verdicts)
	}
}

func TestSampleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		person, quarter := rapid.String().Draw(t, "person"), rapid.StringMatching(`20[0-9]{2}Q[1-4]`).Draw(t, "quarter")
		id := ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "survey"))
		lot := Draw(person, id, quarter)
		if lot < 0 || lot >= 1 || lot != Draw(person, id, quarter) {
			t.Fatalf("drew %v", lot)
		}
		samples := []float64{rapid.Float64Range(0, 1).Draw(t, "one"), rapid.Float64Range(0, 1).Draw(t, "two")}
		slices.Sort(samples)
		a := asking{survey: Survey{ID: id, State: Active, Channel: LinkOnly, Rules: Rules{MaxAge: "7d", ExpiresAfter: "30d"}},
			workspace: NewWorkspace("w", "w", "UTC"), now: wednesday}
		a.interaction.Customer.ExternalID, a.interaction.OccurredAt = person, wednesday
		var asked [2]bool
		for i, sample := range samples {
			a.survey.Rules.Sample = &sample
			asked[i] = a.decide().Verdict == Scheduled
		}
		if asked[0] && !asked[1] {
			t.Fatalf("asked at %g, not at %g", samples[0], samples[1])
		}
	})
}
