package survey

// Resend says whether the mail of an invitation may be sent once more because
// somebody asks for it: where it failed, or where nobody knows whether it
// arrived. It keeps its Message-ID and its link, so that two copies are shown as
// one and can never make two answers. What keeps a mail from being sent keeps it
// from being sent again: suppressed is whether its address is.
func (v Invitation) Resend(s Survey, suppressed bool, now Instant) error {
	switch {
	case v.Channel != Email:
		return Errorf(Conflict, "", "the invitation is a personal link, which koe sends nobody; hand it over again yourself")
	case v.State == InvitationScheduled || v.State == InvitationSending:
		return Errorf(Conflict, "", "the invitation is %s; its mail is still to come", v.State)
	case v.State == InvitationSent:
		return Errorf(Conflict, "", "the invitation is sent, the mail server took it; only a failed or an uncertain one can be sent again")
	case v.State != InvitationFailed && v.State != InvitationUncertain:
		return Errorf(Conflict, "", "the invitation is %s; only a failed or an uncertain one can be sent again", v.State)
	case v.Expired(now):
		return Errorf(Conflict, "", "the invitation expired at %s; ask the person anew", v.ExpiresAt)
	case v.Email == "":
		return Errorf(Conflict, "", "the invitation has no address any more: the person was erased")
	case suppressed:
		return Errorf(Conflict, "", "the address is suppressed; lift its suppression first")
	case v.BouncedAt != nil:
		return Errorf(Conflict, "", "the mail came back from its address at %s; ask the person by another address", *v.BouncedAt)
	case s.State == Archived:
		return Errorf(Conflict, "", "the survey is archived")
	}
	return nil
}
