// Package delighted reads what can be taken out of Delighted: people,
// unsubscribes, bounces and survey responses, as CSV exports and as the JSON
// that its API returned.
//
// It knows how these files look, how one speaks of another (an answer names its
// person by a number), and what Delighted's figures mean; it says what of them
// koe keeps and writes the reconciliation. It knows no files, no database and
// no clock.
package delighted
