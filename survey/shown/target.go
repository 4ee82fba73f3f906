package shown

import "koe/survey"

// TargetChange is a change of a target with the target as it is now, as others
// are told of it: without whom koe tells.
type TargetChange struct {
	Target survey.Target       `json:"target"`
	Change survey.TargetChange `json:"change"`
}

// NewTargetChange shows a change.
func NewTargetChange(t survey.Target, c survey.TargetChange) TargetChange {
	t.Notify = nil
	return TargetChange{t, c}
}
