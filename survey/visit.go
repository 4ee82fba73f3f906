package survey

// Visit is one occasion of the past with all that came of it, as the records
// of an older system tell it: nothing is decided anew and nothing is sent.
type Visit struct {
	Survey      string // key of the survey whose occasion it was
	Interaction Interaction
	Skipped     Reason   // why nobody was asked; empty where somebody was
	Until       *Instant // until when that reason held, where it ended
	Elsewhere   bool     // the answer was taken by another tool: there is no invitation
	Channel     string   // of an answer that was taken elsewhere

	// What became of the invitation; nil is never.
	SentAt         *Instant
	OpenedAt       *Instant
	BouncedAt      *Instant
	UnsubscribedAt *Instant

	Answer     *Answer // nil where there is none
	AnsweredAt Instant

	FollowUp *PastFollowUp // nil where nobody got back to the customer
}

// PastFollowUp is what came of an unhappy answer: whatever the survey's rule says
// happened by itself, and the steps.
type PastFollowUp struct {
	Steps []FollowUpStep // in the order in which they happened
}

// FollowUpStep is what its owner did, or what the customer said once asked.
type FollowUpStep struct {
	At      Instant
	Note    string
	State   FollowUpState // "" where the step changed none
	Outcome string        // with a state
	Solved  *bool         // the customer's word; of no effect where it was not asked for
}
