// Package report is what koe says about answers that were counted: the report
// of GET /v1/scores, the scoreboard of touchpoints and the summary of a survey's
// questions, as JSON, as CSV and as a table for a terminal.
//
// It knows neither the database nor HTTP, and reads no clock: histograms come
// in, reports go out. The API, `koe score` and everything else that shows a
// score build it here, so that no two places can disagree.
package report
