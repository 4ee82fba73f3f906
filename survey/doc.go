// Package survey is the domain of koe: what a survey is, whom it may ask and
// when, and what may happen to an invitation and its answer.
//
// It decides and never waits: plain types and pure functions, no context, no
// I/O, no clock of its own ("now" is always an argument). It knows nothing of
// HTTP, SQL or mail.
//
// # Glossary
//
//   - workspace: a tenant; one company, its settings, its data.
//   - template: what is asked, in which words; versions never change.
//   - touchpoint: a moment in a customer's journey, such as "support_chat".
//   - survey: a template asked at a touchpoint, by a channel, under rules.
//   - interaction: something that happened to a customer at a touchpoint.
//   - person: a customer, known by an external id or an address.
//   - decision: why a survey asked, or did not ask, after an interaction.
//   - invitation: one person asked once by one survey; the queue of mail.
//   - respondent: a person who answers; response: what they answered.
//   - suppression: an address that is never asked again until lifted.
package survey
