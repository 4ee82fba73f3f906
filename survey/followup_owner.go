package survey

import (
	"slices"
	"strings"
)

// sameName compares names without regard to case and blanks.
func sameName(a, b string) bool {
	fold := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(Written(s)), " ")) }
	return fold(a) != "" && fold(a) == fold(b)
}

// Candidate is a member with what they have on their desk.
type Candidate struct {
	Member
	Open   int     // follow-ups that are not resolved, counted up to a bound
	LastAt Instant // when they were last given one; 0 for never
}

// MayOwn is true where a member can take up a follow-up of an answer: who may
// change something, can be mailed and sees the answer.
func (m Member) MayOwn(touchpoint string, of Attributes) bool {
	if m.Role != Editor && m.Role != Admin || m.Email == "" {
		return false
	}
	if len(m.Touchpoints) > 0 && !slices.Contains(m.Touchpoints, touchpoint) {
		return false
	}
	return m.Segment.Holds(of)
}

// ChooseOwner picks who gets back to a customer: whom the rule names, by address
// or by the answer's attribute, else whoever has the fewest, and among those who
// has waited longest. False where nobody can.
func (r FollowUpRule) ChooseOwner(touchpoint string, of Attributes, among []Candidate) (Member, bool) {
	able := slices.DeleteFunc(slices.Clone(among), func(c Candidate) bool { return !c.MayOwn(touchpoint, of) })
	named := func(m Member) bool { return r.OwnerAddress() != "" && m.Email == r.OwnerAddress() }
	if name := r.OwnerAttribute(); name != "" {
		value := of[name].Text()
		named = func(m Member) bool { return sameName(value, m.Email) || sameName(value, m.Name) }
	}
	best := -1
	for i, c := range able {
		switch {
		case named(c.Member):
			return c.Member, true
		case best < 0, c.Open < able[best].Open, c.Open == able[best].Open && c.LastAt < able[best].LastAt:
			best = i
		}
	}
	if best < 0 {
		return Member{}, false
	}
	return able[best].Member, true
}
