// Package bounce reads what comes back from mail: delivery-status
// notifications (RFC 3464) and feedback reports (RFC 5965) as a mail server
// pipes them, and the shapes in which SES, Postmark and SendGrid report the
// same, with what proves that they did.
//
// It knows how reports are written and nothing of what they do: each becomes a
// survey.Bounce. It reads what strangers wrote, so nothing is too deep, too
// long or too broken for it: what cannot be read is passed over.
package bounce
