// Package demo invents a year of a shop for home goods: eight touchpoints,
// customers in three languages, and what they answered. It is made to be
// looked at, and tells stories that a CX lead can find in the scores:
//
//   - a new checkout, four and a half months before the end, that made buying
//     hard until it was mended;
//   - one support agent whom customers like, and one whom they do not;
//   - German customers, who hardly answer mail;
//   - a carrier that is late, and a December that makes it worse.
//
// Everything follows from a seed and the instant that is "now": there is no
// clock, no file and no database here.
package demo
