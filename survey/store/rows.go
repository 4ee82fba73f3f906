package store

// The rows as the database keeps them; columns are the fields in snake case.
// Instants are UTC milliseconds, days count from 1970-01-01, lists and maps
// are JSON texts.

type responseRow struct {
	WorkspaceID     int64
	ID              id
	SurveyID        id
	TouchpointID    id
	MeasureID       int64
	TemplateID      id
	TemplateVersion int
	PersonID        id
	InvitationID    id
	ExternalID      *string
	Score           int
	Answers         string
	Comment         string
	Locale          string
	Channel         string
	Attributes      string
	Segments        string
	Tags            string
	Complete        bool
	ExcludedReason  *string
	RespondedAt     int64
	CreatedAt       int64
	UpdatedAt       int64
	StratumID       int64
	RuleTags        string // those of Tags that a rule put there
	RefusedTags     string // those that somebody took away by hand: no rule puts them back
}
