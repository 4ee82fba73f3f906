package survey

import "time"

// BounceKind is what a report says became of a mail after a server took it.
type BounceKind string

// The kinds of reports.
const (
	HardBounce BounceKind = "hard"      // it will never arrive (5.x.x)
	SoftBounce BounceKind = "soft"      // it did not arrive this time (4.x.x)
	Complaint  BounceKind = "complaint" // the recipient called it spam
)

// Bounce is one report about one mail, whoever sent it. What names the mail is
// tried in the order of the fields; what is not known is empty.
type Bounce struct {
	Kind       BounceKind
	Invitation *ID
	Tags       []string // what may be koe's signed tag of an invitation
	MessageID  string   // without angle brackets
	Email      string   // whom it was for; a last resort
	Code       string   // enhanced status such as 5.1.1 (RFC 3463)
	Reason     string   // in the words of a server or a provider
	At         Instant  // 0 where nobody says
}

// Clean brings a report into the form that koe keeps; prefix names it in p.
func (b *Bounce) Clean(p *Problems, prefix string) {
	switch b.Kind {
	case HardBounce, SoftBounce, Complaint:
	default:
		p.Add(prefix+"type", "unknown", "must be hard, soft or complaint")
	}
	if b.Invitation == nil && b.MessageID == "" && b.Email == "" {
		p.Add(prefix+"invitation_id", "required", "name the mail by invitation_id, message_id or email")
	}
	b.Email = optionalAddress(p, prefix+"email", b.Email)
	b.MessageID = Line(p, prefix+"message_id", b.MessageID, 998)
	b.Code = Line(p, prefix+"code", b.Code, 20)
	b.Reason = Line(p, prefix+"reason", b.Reason, 1000)
}

// BounceEffect is what a report does to the invitation that it names.
type BounceEffect struct {
	Again   bool              // the mail is just being handed over: report again later
	Fail    bool              // it ends as failed, for the reason bounced
	Bounced bool              // bounced_at is set; it counts as not delivered
	Noted   bool              // complained_at is set
	Event   string            // what is kept of it; "" for nothing
	Block   SuppressionReason // the address is never asked again; "" where it may be
}

// BounceReason is the reason of an invitation that failed by a bounce.
const BounceReason = "bounced"

// AfterBounce says what a report does. A hard bounce ends what was sent or is
// uncertain; what has ended already, or was answered, only gets its instant. A
// complaint changes no state, a soft bounce nothing at all. Complained says
// that a complaint was noted before.
func AfterBounce(v Invitation, complained bool, kind BounceKind) BounceEffect {
	if v.State == InvitationSending {
		return BounceEffect{Again: true}
	}
	switch kind {
	case Complaint:
		e := BounceEffect{Block: Complained}
		if v.SentAt != nil && !complained {
			e.Noted, e.Event = true, "complained"
		}
		return e
	case HardBounce:
		e := BounceEffect{Block: Bounced}
		if v.SentAt != nil && v.BouncedAt == nil {
			e.Bounced, e.Event = true, "bounced"
			e.Fail = v.State == InvitationSent || v.State == InvitationUncertain || v.State == InvitationScheduled // to be sent again
		}
		return e
	}
	return BounceEffect{Event: "soft_bounced"}
}

// Reputation is what became of the mails that a workspace sent last.
type Reputation struct {
	Sent       int // at most ReputationOver, with those that were refused
	Bounced    int // of those, came back for good
	Refused    int // of those, refused at once: there is no such mailbox
	Complained int // of those
}

// ReputationOver is how many mails a reputation looks back.
const ReputationOver = 1000

// Why sending pauses itself.
const (
	PausedByBounces    = "hard_bounces"
	PausedByComplaints = "complaints"
)

// Pause says whether a workspace must stop sending, and why: at 5 % hard
// bounces, of which there are at least 10, or at 0.1 % complaints. One
// complaint is 0.1 % of a full look back; in a shorter one it takes three, so
// that a few mails and one annoyed reader stop nothing. What the server refused
// at once it has shown to nobody: that is held against the sender in a full
// look back only, where it is a bad list and no short streak.
func (r Reputation) Pause() (reason string, pause bool) {
	bounced, of, complaints := r.Bounced, r.Sent-r.Refused, 3
	if r.Sent >= ReputationOver {
		bounced, of, complaints = r.Bounced+r.Refused, r.Sent, r.Sent/1000
	}
	switch {
	case bounced >= 10 && bounced*20 >= of:
		return PausedByBounces, true
	case r.Complained >= complaints && r.Complained*1000 >= r.Sent:
		return PausedByComplaints, true
	}
	return "", false
}

// BounceRecency is how long after a mail its address alone may name it.
const BounceRecency = 14 * 24 * time.Hour
