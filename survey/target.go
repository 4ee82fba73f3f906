package survey

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"koe/scoring"
)

// TargetKind is what a target looks at.
type TargetKind string

// The kinds of targets.
const (
	TargetScore           TargetKind = "score"               // of a metric
	TargetResponseRate    TargetKind = "response_rate"       // answered of delivered, in percent
	TargetFirstTouch      TargetKind = "time_to_first_touch" // of follow-ups: the median, in hours
	TargetAttributeMedian TargetKind = "attribute_median"    // of a number that interactions bring along
	TargetAttributeShare  TargetKind = "attribute_share"     // of those whose yes/no says yes, in percent
)

// TargetKinds are all kinds.
func TargetKinds() []TargetKind {
	return []TargetKind{TargetScore, TargetResponseRate, TargetFirstTouch, TargetAttributeMedian, TargetAttributeShare}
}

// TargetTerms are what a target's owner sets: which figure shall be what, and
// who is told.
type TargetTerms struct {
	Name        string         `json:"name"`
	Kind        TargetKind     `json:"kind"`
	Metric      scoring.Metric `json:"metric,omitempty"`      // of a score
	CESVersion  int            `json:"ces_version,omitempty"` // of a score in CES
	Touchpoint  string         `json:"touchpoint,omitempty"`  // its key; "" is everywhere
	Attribute   string         `json:"attribute,omitempty"`   // the name of it
	AtLeast     *float64       `json:"at_least"`
	AtMost      *float64       `json:"at_most"`
	Period      TargetPeriod   `json:"period"`
	Minimum     int64          `json:"minimum"`          // answers that a period needs to be judged
	Notify      []string       `json:"notify,omitempty"` // addresses of members
	UnusualDrop bool           `json:"unusual_drop"`
}

// Target is what a figure shall be, and how it stood when its last period was
// judged.
type Target struct {
	ID ID `json:"id"`
	TargetTerms
	Unit   string `json:"unit"`   // of the figure: percent, nps, points, hours, or "" for an attribute's own
	Needed int64  `json:"needed"` // the minimum, or more where a share needs more: see scoring.Goal.Needed

	State     scoring.Standing `json:"state"`
	Since     *Instant         `json:"since"`  // since when the state is so; nil where nothing was judged yet
	Judged    *TargetLook      `json:"judged"` // the period that the state is of
	Drop      *TargetDrop      `json:"drop"`   // the last look for a drop; nil where there was none
	CreatedAt Instant          `json:"created_at"`
	UpdatedAt Instant          `json:"updated_at"`
}

// NewTarget is a target of clean terms of which nothing was judged yet.
func NewTarget(terms TargetTerms) Target {
	t := Target{TargetTerms: terms, Unit: terms.unit(), Needed: terms.Minimum, State: scoring.Insufficient}
	if terms.isShare() {
		t.Needed = terms.Goal().Needed(terms.Minimum)
	}
	return t
}

// TargetLook is a target's figure in a period of the calendar.
type TargetLook struct {
	Start Day     `json:"start"`
	End   Day     `json:"end"` // exclusive
	From  Instant `json:"from"`
	To    Instant `json:"to"`
	scoring.Figure
	TargetLeftOut
}

// TargetLeftOut are interactions and follow-ups of a period that its figure is
// not of.
type TargetLeftOut struct {
	Ignored int64 `json:"ignored"` // the attribute is no number, or neither yes nor no; not waiting long enough
	Missing int64 `json:"missing"` // without the attribute
	Beyond  int64 `json:"beyond"`  // the oldest, of more than are read
}

// TargetDrop is what the last look for an unusual drop found: at the seven days
// up to Day.
type TargetDrop struct {
	Day   Day  `json:"day"`
	Since *Day `json:"since"` // the day of the alarm, while days are unusual
	Last  *Day `json:"last"`  // the last day that was unusual
	scoring.Drop
}

// TargetChange is a change of a target's state, or the alarm of a drop.
type TargetChange struct {
	ID   ID          `json:"id"`
	At   Instant     `json:"at"`
	Kind string      `json:"kind"` // state or drop
	From string      `json:"from"`
	To   string      `json:"to"`
	Told bool        `json:"told"` // by mail and webhook: the first judgement is not
	Look *TargetLook `json:"look,omitempty"`
	Drop *TargetDrop `json:"drop,omitempty"`
}

// What changes, and what a drop changes to.
const (
	ChangedState = "state"
	ChangedDrop  = "drop"
	DropUsual    = "usual"
	DropUnusual  = "unusual"
)

// TargetLevel is the level of a target's intervals.
const TargetLevel = 0.95

const (
	fewestForTarget  = 10
	mostForTarget    = 1_000_000
	usualForTarget   = 30
	maxNotified      = 20
	longestTouch     = 30 * 24 // hours
	leastShare       = 0.1     // percent: beyond it a share needs more answers than anybody has
	maxTargetBound   = 1e15
	maxTargetName    = 200
	usualTargetMonth = "month"
)

// Clean fills defaults and brings the terms into the form that koe keeps, or returns an Invalid error with every field that is wrong.
// Whether the touchpoint and the members exist is for the store to say.
func (t *TargetTerms) Clean() error {
	var p Problems
	p.Require("name", t.Name)
	t.Name = Line(&p, "name", t.Name, maxTargetName)
	if !slices.Contains(TargetKinds(), t.Kind) {
		p.Add("kind", "unknown", "must be score, response_rate, time_to_first_touch, attribute_median or attribute_share")
		return p.Err()
	}
	t.cleanMeasure(&p)
	t.cleanPlace(&p)
	t.cleanBounds(&p)
	if t.Period == "" {
		t.Period = usualTargetMonth
	}
	if _, _, ok := t.Period.parse(); !ok {
		p.Add("period", "format", "must be week, month, quarter, or 7d to 366d such as 28d")
	}
	if t.Minimum == 0 {
		t.Minimum = usualForTarget
	}
	if t.Minimum < fewestForTarget || t.Minimum > mostForTarget {
		p.Add("minimum", "range", "must be %d to %d: how many answers a period needs to be judged", fewestForTarget, mostForTarget)
	}
	t.cleanNotify(&p)
	if t.UnusualDrop && t.Kind != TargetScore {
		p.Add("unusual_drop", "unsupported", "is for targets of the kind score")
	}
	return p.Err()
}

func (t *TargetTerms) cleanMeasure(p *Problems) {
	if t.Kind != TargetScore {
		if t.Metric != "" {
			p.Add("metric", "unsupported", "is for targets of the kind score")
		}
		if t.CESVersion != 0 {
			p.Add("ces_version", "unsupported", "is for targets of a score in ces")
		}
		return
	}
	switch t.Metric {
	case scoring.CES:
		if t.CESVersion == 0 {
			t.CESVersion = 2
		}
		if t.CESVersion != 1 && t.CESVersion != 2 {
			p.Add("ces_version", "range", "must be 1 (effort, 1 to 5) or 2 (agreement, 1 to 7)")
		}
	case scoring.NPS, scoring.CSAT:
		if t.CESVersion != 0 {
			p.Add("ces_version", "unsupported", "is for targets of a score in ces")
		}
	case "":
		p.Add("metric", "required", "is required: nps, csat or ces")
	default:
		p.Add("metric", "unknown", "must be nps, csat or ces")
	}
}

func (t *TargetTerms) cleanPlace(p *Problems) {
	ofAttribute := t.Kind == TargetAttributeMedian || t.Kind == TargetAttributeShare
	switch {
	case t.Touchpoint == "" && ofAttribute:
		p.Add("touchpoint", "required", "is required: the touchpoint whose interactions bring the attribute along")
	case t.Touchpoint != "" && !ValidKey(t.Touchpoint):
		p.Add("touchpoint", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	var err error
	if t.Attribute, err = Clean(t.Attribute); err != nil {
		p.Add("attribute", "format", "%s", err)
		return
	}
	switch {
	case ofAttribute && t.Attribute == "":
		p.Add("attribute", "required", "is required: the name of what interactions bring along, such as wait_seconds")
	case ofAttribute && !attributeName.MatchString(t.Attribute):
		p.Add("attribute", "format", "must be letters, digits, _ . - or blanks, at most 64, and without attributes. before it")
	case !ofAttribute && t.Attribute != "":
		p.Add("attribute", "unsupported", "is for targets of the kinds attribute_median and attribute_share")
	}
}

// cleanBounds wants one bound, on the side that can be meant, and within what
// the figure can be.
func (t *TargetTerms) cleanBounds(p *Problems) {
	if (t.AtLeast == nil) == (t.AtMost == nil) {
		p.Add("at_least", "required", "say either at_least or at_most")
		return
	}
	field, bound := "at_least", t.AtLeast
	if bound == nil {
		field, bound = "at_most", t.AtMost
	}
	low, high, only := t.bounds()
	if only != "" && field != only {
		p.Add(field, "unsupported", "must be %s: %s", only, t.direction())
		return
	}
	if math.IsNaN(*bound) || *bound < low || *bound > high {
		p.Add(field, "range", "must be a number from %v to %v", low, high)
	}
}

// bounds are the bounds that say something, and the one side that they can be
// meant from; "" for either.
func (t *TargetTerms) bounds() (low, high float64, only string) {
	switch t.Kind {
	case TargetResponseRate:
		return leastShare, 100 - leastShare, "at_least"
	case TargetAttributeShare:
		return leastShare, 100 - leastShare, ""
	case TargetFirstTouch:
		return 0.1, longestTouch, "at_most"
	case TargetAttributeMedian:
		return -maxTargetBound, maxTargetBound, ""
	}
	switch {
	case t.Metric == scoring.NPS:
		return -99, 99, "at_least"
	case t.Metric == scoring.CSAT:
		return leastShare, 100 - leastShare, "at_least"
	case t.Metric == scoring.CES && t.CESVersion == 1:
		return 1.1, 4.9, "at_most"
	case t.Metric == scoring.CES:
		return 1.1, 6.9, "at_least"
	}
	return -maxTargetBound, maxTargetBound, ""
}

func (t *TargetTerms) direction() string {
	if t.Kind == TargetFirstTouch || t.CESVersion == 1 {
		return "here less is better"
	}
	return "here more is better"
}

func (t *TargetTerms) cleanNotify(p *Problems) {
	if t.Notify == nil {
		t.Notify = []string{}
	}
	if len(t.Notify) > maxNotified {
		p.Add("notify", "too_many", "must have at most %d addresses", maxNotified)
		return
	}
	notify := make([]string, len(t.Notify))
	for i, given := range t.Notify {
		field := fmt.Sprintf("notify[%d]", i)
		address, err := NormalizeAddress(given)
		switch {
		case err != nil:
			p.Add(field, "format", "%s", err)
		case slices.Contains(notify, address):
			p.Add(field, "duplicate", "is named twice")
		}
		notify[i] = address
	}
	t.Notify = notify
}

func (t TargetTerms) isShare() bool {
	return t.Kind == TargetResponseRate || t.Kind == TargetAttributeShare || t.Kind == TargetScore && t.Metric == scoring.CSAT
}

func (t TargetTerms) unit() string {
	switch {
	case t.isShare():
		return "percent"
	case t.Kind == TargetFirstTouch:
		return "hours"
	case t.Kind == TargetScore && t.Metric == scoring.NPS:
		return "nps"
	case t.Kind == TargetScore:
		return "points"
	}
	return ""
}

// Goal is what the figure shall be.
func (t TargetTerms) Goal() scoring.Goal { return scoring.Goal{AtLeast: t.AtLeast, AtMost: t.AtMost} }

// SameFigure is true where another definition looks at the same figure in the
// same way, so that what was judged still holds.
func (t TargetTerms) SameFigure(other TargetTerms) bool {
	same := func(a, b *float64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
	return t.Kind == other.Kind && t.Metric == other.Metric && t.CESVersion == other.CESVersion && t.Touchpoint == other.Touchpoint &&
		t.Attribute == other.Attribute && same(t.AtLeast, other.AtLeast) && same(t.AtMost, other.AtMost) &&
		t.Period == other.Period && t.Minimum == other.Minimum
}

// String is the goal in words that need no language, such as "csat support_chat ≥ 85".
func (t TargetTerms) String() string {
	parts := []string{string(t.Kind)}
	if t.Metric != "" {
		parts[0] = string(t.Metric)
	}
	for _, part := range []string{t.Touchpoint, t.Attribute} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	sign, bound := "≥", t.AtLeast
	if bound == nil {
		sign, bound = "≤", t.AtMost
	}
	return strings.Join(append(parts, sign, fmt.Sprint(*bound)), " ")
}
