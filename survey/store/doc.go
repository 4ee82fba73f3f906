// Package store keeps koe's data in SQLite or PostgreSQL. It is the only
// package that knows SQL.
//
// One exported method is one transaction. The store loads what a decision
// needs, asks package survey, and saves what it said; it never decides itself
// and knows nothing of HTTP, mail or HTML.
//
// Errors that a caller may see are *survey.Error; storage that is away is one
// of kind survey.Unavailable. Everything else is a fault.
package store
