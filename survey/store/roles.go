package store

import "koe/survey"

// Role is what a key may do.
type Role = survey.Role

// The four roles.
const (
	Viewer = survey.Viewer
	Sender = survey.Sender
	Editor = survey.Editor
	Admin  = survey.Admin
)
