package demo

import (
	"koe/scoring"
	"koe/survey"
)

// Targets are what the shop wants of some of its touchpoints.
func Targets() []survey.TargetTerms {
	return []survey.TargetTerms{
		{Name: "Parcels please", Kind: survey.TargetScore, Metric: scoring.CSAT, Touchpoint: "delivery", AtLeast: new(75.0), UnusualDrop: true},
		{Name: "Calls satisfy", Kind: survey.TargetScore, Metric: scoring.CSAT, Touchpoint: "support_call", AtLeast: new(70.0), UnusualDrop: true},
		{Name: "Chats satisfy", Kind: survey.TargetScore, Metric: scoring.CSAT, Touchpoint: "support_chat", AtLeast: new(75.0), UnusualDrop: true},
		{Name: "Checkout is easy", Kind: survey.TargetScore, Metric: scoring.CES, Touchpoint: "checkout", AtLeast: new(5.2), UnusualDrop: true},
		{Name: "Chats are answered", Kind: survey.TargetResponseRate, Touchpoint: "support_chat", AtLeast: new(25.0)},
		{Name: "Called back the same day", Kind: survey.TargetFirstTouch, AtMost: new(8.0)},
	}
}
