package scoring

import "fmt"

// Metric is a way to judge answers.
type Metric string

// The metrics.
const (
	NPS  Metric = "nps"  // Net Promoter Score
	CSAT Metric = "csat" // customer satisfaction
	CES  Metric = "ces"  // customer effort score
)

// Measure says what was asked and how the answer is judged. Two answers can be
// added up only if their measures are equal (==).
type Measure struct {
	Metric        Metric
	Min, Max      int // the scale, both ends included
	SatisfiedFrom int // CSAT: the lowest score that counts as satisfied; else 0
	CESVersion    int // CES: 1 (effort, low is good) or 2 (agreement, high is good); else 0
}

// DefaultMeasure returns the measure of a metric on a scale. For CSAT,
// satisfied are the top two points, and on the scales 1–3 and 0–1 the top one.
// The result may be invalid if the arguments are: see [Measure.Validate].
func DefaultMeasure(metric Metric, min, max, cesVersion int) Measure {
	m := Measure{Metric: metric, Min: min, Max: max, CESVersion: cesVersion}
	if metric != CSAT {
		return m
	}
	m.SatisfiedFrom = max - 1
	if max <= 3 {
		m.SatisfiedFrom = max
	}
	return m
}

// MeasureError says which part of a measure is wrong. Field is "metric",
// "scale.min", "scale.max", "satisfied_from" or "ces_version".
type MeasureError struct {
	Field   string
	Message string
}

func (e *MeasureError) Error() string { return e.Field + " " + e.Message }

// Validate returns nil or a [*MeasureError] for the first part that is wrong.
//
// NPS is asked from 0 to 10; CSAT 1–3, 1–5, 1–7, 1–10 or 0–1 with SatisfiedFrom
// above the lowest point; CES version 1 from 1 to 5 and version 2 from 1 to 7.
func (m Measure) Validate() error {
	switch m.Metric {
	case NPS:
		if err := m.validateScale(0, 10); err != nil {
			return err
		}
	case CSAT:
		return m.validateCSAT()
	case CES:
		if err := m.validateCES(); err != nil {
			return err
		}
	default:
		return &MeasureError{"metric", "must be nps, csat or ces"}
	}
	if m.SatisfiedFrom != 0 {
		return &MeasureError{"satisfied_from", "is for csat only"}
	}
	if m.Metric != CES && m.CESVersion != 0 {
		return &MeasureError{"ces_version", "is for ces only"}
	}
	return nil
}

func (m Measure) validateCSAT() error {
	switch {
	case m.Min != 0 && m.Min != 1:
		return &MeasureError{"scale.min", "must be 1, or 0 on the scale 0 to 1"}
	case m.Min == 0 && m.Max != 1:
		return &MeasureError{"scale.max", "must be 1 where the scale starts at 0"}
	case m.Min == 1 && m.Max != 3 && m.Max != 5 && m.Max != 7 && m.Max != 10:
		return &MeasureError{"scale.max", "must be 3, 5, 7 or 10 where the scale starts at 1"}
	case m.SatisfiedFrom <= m.Min || m.SatisfiedFrom > m.Max:
		return &MeasureError{"satisfied_from", fmt.Sprintf("must be from %d to %d", m.Min+1, m.Max)}
	case m.CESVersion != 0:
		return &MeasureError{"ces_version", "is for ces only"}
	}
	return nil
}

func (m Measure) validateCES() error {
	switch m.CESVersion {
	case 1:
		return m.validateScale(1, 5)
	case 2:
		return m.validateScale(1, 7)
	}
	return &MeasureError{"ces_version", "must be 1 (effort, 1 to 5) or 2 (agreement, 1 to 7)"}
}

func (m Measure) validateScale(min, max int) error {
	if m.Min != min {
		return &MeasureError{"scale.min", fmt.Sprintf("must be %d", min)}
	}
	if m.Max != max {
		return &MeasureError{"scale.max", fmt.Sprintf("must be %d", max)}
	}
	return nil
}

// Key is the scale as text, such as "0-10" or "1-5".
func (m Measure) Key() string { return fmt.Sprintf("%d-%d", m.Min, m.Max) }

// Contains reports whether the score is a point of the scale.
func (m Measure) Contains(score int) bool { return m.Min <= score && score <= m.Max }

// Direction is "lower_is_better" for CES version 1, which measures effort, and
// "higher_is_better" for everything else.
func (m Measure) Direction() string {
	if m.Metric == CES && m.CESVersion == 1 {
		return "lower_is_better"
	}
	return "higher_is_better"
}

// Definition says in one English sentence how the score is computed.
func (m Measure) Definition() string {
	switch {
	case m.Metric == NPS:
		return "promoters (9–10) minus detractors (0–6), in percent of all scored responses"
	case m.Metric == CSAT:
		return fmt.Sprintf("satisfied (%s of %s) in percent of all scored responses",
			points(m.SatisfiedFrom, m.Max), points(m.Min, m.Max))
	case m.CESVersion == 1:
		return "mean effort from 1 (very low) to 5 (very high) of all scored responses, lower is better"
	default:
		return "mean agreement that it was easy, from 1 (strongly disagree) to 7 (strongly agree), of all scored responses"
	}
}

// points writes a range of scores for people: "4–5", or "3" for a single point.
func points(from, to int) string {
	if from == to {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d–%d", from, to)
}
