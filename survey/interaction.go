package survey

import "time"

// Interaction is something that happened to a customer at a touchpoint.
type Interaction struct {
	ID         ID         `json:"id"`
	Touchpoint string     `json:"touchpoint"`
	ExternalID string     `json:"external_id,omitempty"`
	Customer   Customer   `json:"customer"`
	Attributes Attributes `json:"attributes"`
	OccurredAt Instant    `json:"occurred_at"`
	ReceivedAt Instant    `json:"received_at"`
	Warnings   []string   `json:"warnings,omitempty"`
}

// maxAhead is how far a sender's clock may run ahead of koe's.
const maxAhead = 24 * time.Hour

// Clean brings the interaction into the form that koe keeps, or returns an
// Invalid error with every field that is wrong. now is the default of
// OccurredAt.
func (in *Interaction) Clean(now Instant) error {
	var p Problems
	switch {
	case in.Touchpoint == "":
		p.Add("touchpoint", "required", "is required: where it happened, such as support_chat")
	case !ValidKey(in.Touchpoint):
		p.Add("touchpoint", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	in.ExternalID = Line(&p, "external_id", in.ExternalID, 255)
	in.Customer.Clean(&p, "customer")
	in.Attributes = in.Attributes.Clean(&p, "attributes")
	if in.OccurredAt == 0 {
		in.OccurredAt = now
	}
	if in.OccurredAt > now.Add(maxAhead) {
		p.Add("occurred_at", "range", "must not lie more than a day ahead")
	}
	return p.Err()
}
