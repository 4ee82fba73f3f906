package survey

// Note is what a company wants to see beside a score on its day: "new
// checkout", "moved from Delighted".
type Note struct {
	ID         ID      `json:"id"`
	Day        Day     `json:"day"` // in whatever zone the score is shown
	Text       string  `json:"text"`
	Touchpoint string  `json:"touchpoint,omitempty"` // its key; empty for a note on every chart
	CreatedAt  Instant `json:"created_at"`
	UpdatedAt  Instant `json:"updated_at"`
}

// maxNote is the most characters of a note.
const maxNote = 200

// Clean checks text and touchpoint. Whether the touchpoint exists the store
// knows.
func (n *Note) Clean() error {
	var p Problems
	p.Require("text", n.Text)
	n.Text = Line(&p, "text", n.Text, maxNote)
	if n.Touchpoint != "" && !ValidKey(n.Touchpoint) {
		p.Add("touchpoint", "format", "must be the key of a touchpoint, or be left out for a note on every chart")
	}
	return p.Err()
}
