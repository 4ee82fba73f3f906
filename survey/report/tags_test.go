package report_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"koe/scoring"
	"koe/survey"
	"koe/survey/report"
)

func TestTagsAgainstTheRest(t *testing.T) {
	nps := scoring.DefaultMeasure(scoring.NPS, 0, 10, 0)
	five, seven := scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0), scoring.DefaultMeasure(scoring.CSAT, 1, 7, 0)
	effort := scoring.DefaultMeasure(scoring.CES, 1, 5, 1)
	cell := func(m scoring.Measure, counts map[int]int64) scoring.Cell {
		c := scoring.Cell{Measure: m}
		for point, n := range counts {
			c.Histogram[point] = n
		}
		return c
	}
	for name, c := range map[string]struct {
		all, tagged      []scoring.Cell
		score, rest, dra float64
		unhappy          int64
	}{
		// all: 26 of 40 promoters, 14 detractors; without the tag 26 of 26
		"nps": {[]scoring.Cell{cell(nps, map[int]int64{10: 26, 0: 14})}, []scoring.Cell{cell(nps, map[int]int64{0: 14})}, -100, 100, 70, 14},
		// 50 of 80 satisfied; the rest 40 of 40
		"csat on two scales": {[]scoring.Cell{cell(five, map[int]int64{5: 30, 1: 10}), cell(seven, map[int]int64{7: 20, 4: 20})},
			[]scoring.Cell{cell(five, map[int]int64{5: 10, 1: 10}), cell(seven, map[int]int64{4: 20})}, 25, 100, 37.5, 30},
		// mean effort 3; with the tag 5, the rest 1: two points better is two less
		"effort, where less is better": {[]scoring.Cell{cell(effort, map[int]int64{1: 10, 5: 10})}, []scoring.Cell{cell(effort, map[int]int64{5: 10})}, 5, 1, 2, 10},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := report.NewTags(report.Counted{Cells: c.all, Level: 0.95, Groups: []report.CountedGroup{{Key: "late", Cells: c.tagged}}})
			if err != nil {
				t.Fatal(err)
			}
			tag := got.Data[0]
			for what, pair := range map[string][2]float64{"score": {*tag.Total.Score, c.score}, "rest": {*tag.Rest.Score, c.rest},
				"difference": {*tag.Rest.Difference, c.score - c.rest}, "drag": {*tag.Drag, c.dra}} {
				if math.Abs(pair[0]-pair[1]) > 1e-9 {
					t.Errorf("%s %v, want %v", what, pair[0], pair[1])
				}
			}
			if tag.Unhappy != c.unhappy || *tag.ShareOfUnhappy != 100 && name != "csat on two scales" {
				t.Errorf("unhappy %d, %v", tag.Unhappy, *tag.ShareOfUnhappy)
			}
			alone, err := report.NewTags(report.Counted{Cells: c.tagged, Level: 0.95, Groups: []report.CountedGroup{{Key: "late", Cells: c.tagged}}})
			if err != nil || alone.Data[0].Rest != nil || alone.Data[0].Drag != nil {
				t.Errorf("without a rest: %+v, %v", alone.Data, err)
			}
		})
	}
	_, err := report.NewTags(report.Counted{Level: 0.95, Cells: []scoring.Cell{cell(effort, map[int]int64{1: 1}), cell(scoring.DefaultMeasure(scoring.CES, 1, 7, 2), map[int]int64{1: 1})}})
	var known *survey.Error
	if !errors.As(err, &known) || known.Fields[0].Field != "ces_version" {
		t.Errorf("both kinds of effort: %v", err)
	}
}

// The tag's share then and now are compared as two shares of a CSAT are: of 20
// answers 2 had it, of 40 now 14 (Newcombe's interval, pooled z).
func TestATagsTrend(t *testing.T) {
	nps := scoring.DefaultMeasure(scoring.NPS, 0, 10, 0)
	of := func(n int64) []scoring.Cell {
		return []scoring.Cell{{Measure: nps, Histogram: scoring.Histogram{n}}}
	}
	got, err := report.NewTags(report.Counted{Level: 0.95, Cells: of(40), Previous: &report.CountedRange{Cells: of(20)},
		Groups: []report.CountedGroup{{Key: "=late", Cells: of(14), Previous: of(2)}, {Key: "new", Cells: of(1)}, {Key: "gone", Previous: of(3)}}})
	if err != nil {
		t.Fatal(err)
	}
	late := got.Data[0].Trend
	if *late.Share != 10 || late.Responses != 2 || math.Abs(*late.Change-25) > 1e-9 || math.Abs(*late.Z-2.0646) > 1e-3 || !late.Real {
		t.Errorf("%+v", late)
	}
	if gone := got.Data[2]; gone.Tag != "gone" || gone.Total.Responses != 0 || gone.Total.Score != nil || *gone.Trend.Change != -15 {
		t.Errorf("%+v", gone)
	}
	var b bytes.Buffer
	if err := got.WriteCSV(&b); err != nil || !strings.Contains(b.String(), "tag,'=late,") {
		t.Errorf("%s %v", b.String(), err)
	}
}
