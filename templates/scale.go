package templates

import (
	"fmt"
	"strconv"

	"koe/scoring"
	"koe/survey"
)

// point is one answer of a scale. Word is what the point means, where it has a
// word: the ends of a scale, both thumbs.
type point struct {
	Value int
	Label string // the number, or a thumb
	Word  phrase
}

// scale is the points of a score or rating question in order, lowest first.
type scale struct {
	Points []point
	Thumbs bool
	Worded bool // every point has a word
}

// First is the low end.
func (s scale) First() point { return s.Points[0] }

// Last is the high end.
func (s scale) Last() point { return s.Points[len(s.Points)-1] }

// scale lays out a question. The score question falls back to koe's own names
// for the ends where the template has none.
func (w wording) scale(q survey.Question) (scale, error) {
	var s scale
	for value := q.Scale.Min; value <= q.Scale.Max; value++ {
		s.Points = append(s.Points, point{Value: value, Label: strconv.Itoa(value)})
	}
	low, high := &s.Points[0], &s.Points[len(s.Points)-1]
	low.Word, high.Word = w.phrase(q.LowLabel), w.phrase(q.HighLabel)
	if q.Type != survey.ScoreQuestion {
		return s, nil
	}
	if s.Thumbs = q.Scale.Min == 0 && q.Scale.Max == 1; s.Thumbs {
		low.Label, high.Label = "👎", "👍"
	}
	ends := usualEnds(w.template.Measure())
	var err error
	if low.Word.Text == "" {
		if low.Word, err = w.own("low_" + ends); err != nil {
			return s, err
		}
	}
	if high.Word.Text == "" {
		if high.Word, err = w.own("high_" + ends); err != nil {
			return s, err
		}
	}
	return s, w.middle(&s, ends)
}

// middle names the points between the ends of a scale from 1 to 5. A template
// that calls its ends otherwise than koe does gets none: the words between
// would be on another scale.
func (w wording) middle(s *scale, ends string) error {
	if len(s.Points) != 5 || s.First().Value != 1 || ends != "csat" && ends != "effort" {
		return nil
	}
	for key, end := range map[string]point{"low_": s.First(), "high_": s.Last()} {
		if own, err := w.own(key + ends); err != nil || own != end.Word {
			return err
		}
	}
	for i := 1; i < 4; i++ {
		word, err := w.own(fmt.Sprintf("point_%s_%d", ends, i+1))
		if err != nil {
			return err
		}
		s.Points[i].Word = word
	}
	s.Worded = true
	return nil
}

// usualEnds names the wordings of a measure's ends in the locale files.
func usualEnds(m scoring.Measure) string {
	switch {
	case m.Metric == scoring.NPS:
		return "nps"
	case m.Metric == scoring.CES && m.CESVersion == 1:
		return "effort"
	case m.Metric == scoring.CES:
		return "agreement"
	case m.Min == 0:
		return "thumbs"
	}
	return "csat"
}
