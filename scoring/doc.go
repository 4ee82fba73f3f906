// Package scoring is the arithmetic of customer feedback: counts of answers go
// in, scores go out.
//
// It knows three metrics: the Net Promoter Score (nps.go), customer
// satisfaction (csat.go) and the customer effort score (ces.go); how sure a
// score is (interval.go); whether two periods differ (compare.go); how shares
// are shown in whole percent (percent.go); what the questions beside the score
// come to (answers.go); and what a score written in a file means (parse.go).
//
// It does not know surveys, people, time, storage or languages. Every function
// is pure: it reads no clock, does no I/O and keeps no state.
//
// The unit of work is a [Cell]: the histogram of the answers to one [Measure].
// Histograms add up, so the score of a quarter is the score of its days'
// histograms added, and never the mean of their scores. Answers of different
// measures are never added up as if they were one.
//
// Shares, scores of NPS and CSAT and their errors are in percent (0 to 100, NPS
// -100 to 100); means are in points of the scale. What is not defined, such as
// a score without answers, is nil and never 0, NaN or infinite.
package scoring
