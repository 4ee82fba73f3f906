package store

// Role is what a key may do; see package api for what each may call.
type Role string

// The four roles.
const (
	Viewer Role = "viewer"
	Sender Role = "sender"
	Editor Role = "editor"
	Admin  Role = "admin"
)
