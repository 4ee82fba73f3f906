package survey

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Role is what a key or a member may do; see package api for what each may call.
type Role string

// The four roles. A member is no sender: that is for programs.
const (
	Viewer Role = "viewer"
	Sender Role = "sender"
	Editor Role = "editor"
	Admin  Role = "admin"
)

// Digest says how often a member is mailed how it went.
type Digest string

// The rhythms of a digest.
const (
	DigestNone    Digest = "none"
	DigestDaily   Digest = "daily"
	DigestWeekly  Digest = "weekly"
	DigestMonthly Digest = "monthly"
)

// Member is somebody of the company who signs in to the dashboard. One without an
// address can sign in by a link that koe printed, and is mailed nothing.
type Member struct {
	ID          ID       `json:"id"`
	Email       string   `json:"email"`
	Name        string   `json:"name"`
	Role        Role     `json:"role"`
	Locale      string   `json:"locale"`      // of pages and mails: one of MemberLocales
	Timezone    string   `json:"timezone"`    // by which digests come
	Touchpoints []string `json:"touchpoints"` // keys of those that the member sees; none for all
	Segment     *Segment `json:"segment"`     // what else the member is limited to; nil for nothing
	Digest      Digest   `json:"digest"`
	CreatedAt   Instant  `json:"created_at"`
	UpdatedAt   Instant  `json:"updated_at"`
}

// Segment names values of one declared segment, such as two agents.
type Segment struct {
	Key    string   `json:"key"` // the attribute's name: "agent"
	Values []string `json:"values"`
}

const (
	maxMemberTouchpoints = 100
	maxSegmentChoices    = 100
)

// MemberLocales are the languages that the dashboard speaks.
func MemberLocales() []string { return []string{"en", "ja"} }

// Clean brings a member into the form that koe keeps, or returns an Invalid
// error with every field that is wrong. One without a name is called by what
// stands before the @ of the address. Only a member who is there already (has an
// ID) may be without an address. Whether the touchpoints exist is not looked at.
func (m *Member) Clean() error {
	var p Problems
	address, err := NormalizeAddress(m.Email)
	switch {
	case m.Email == "" && !m.ID.IsZero():
	case strings.TrimSpace(m.Email) == "":
		p.Add("email", "required", "is required: where the link to sign in is mailed to")
	case err != nil:
		p.Add("email", "format", "%s", err)
	default:
		m.Email = address
	}
	m.cleanProfile(&p)
	m.cleanScope(&p)
	return p.Err()
}

func (m *Member) cleanProfile(p *Problems) {
	m.Name = Line(p, "name", m.Name, 200)
	if m.Name == "" {
		m.Name, _, _ = strings.Cut(m.Email, "@")
		if m.Email == "" && !m.ID.IsZero() {
			p.Require("name", "")
		}
	}
	switch m.Role {
	case Viewer, Editor, Admin:
	case "":
		p.Add("role", "required", "is required: viewer, editor or admin")
	case Sender:
		p.Add("role", "unknown", "must be viewer, editor or admin; sender is for the keys of programs")
	default:
		p.Add("role", "unknown", "must be viewer, editor or admin")
	}
	if m.Locale == "" {
		m.Locale = "en"
	}
	if !slices.Contains(MemberLocales(), m.Locale) {
		p.Add("locale", "unknown", "must be %s", strings.Join(MemberLocales(), " or "))
	}
	if _, err := LoadZone(m.Timezone); err != nil {
		p.Add("timezone", "format", "%s", err)
	}
	switch m.Digest {
	case "":
		m.Digest = DigestNone
	case DigestNone, DigestDaily, DigestWeekly, DigestMonthly:
	default:
		p.Add("digest", "unknown", "must be none, daily, weekly or monthly")
	}
}

func (m *Member) cleanScope(p *Problems) {
	if m.Touchpoints == nil {
		m.Touchpoints = []string{}
	}
	if len(m.Touchpoints) > maxMemberTouchpoints {
		p.Add("touchpoints", "too_many", "must be at most %d; none means all", maxMemberTouchpoints)
	}
	for i, key := range m.Touchpoints {
		field := fmt.Sprintf("touchpoints[%d]", i)
		if !ValidKey(key) {
			p.Add(field, "format", "must be the key of a touchpoint")
		} else if slices.Contains(m.Touchpoints[:i], key) {
			p.Add(field, "duplicate", "is named twice")
		}
	}
	if m.Role == Admin && (len(m.Touchpoints) > 0 || m.Segment != nil) {
		field := "touchpoints"
		if len(m.Touchpoints) == 0 {
			field = "segment"
		}
		p.Add(field, "conflict", "an admin sees everything; leave touchpoints and segment out, or choose the role viewer or editor")
	}
	if m.Segment != nil {
		m.Segment.clean(p)
	}
}

func (s *Segment) clean(p *Problems) {
	s.Key = norm.NFC.String(s.Key)
	if !attributeName.MatchString(s.Key) {
		p.Add("segment.key", "format", "must be the name of an attribute, such as agent")
	}
	refusePrefix(p, "segment.key", s.Key)
	if len(s.Values) == 0 || len(s.Values) > maxSegmentChoices {
		p.Add("segment.values", "range", "must be 1 to %d values", maxSegmentChoices)
	}
	for i, value := range s.Values {
		field := fmt.Sprintf("segment.values[%d]", i)
		if s.Values[i] = Line(p, field, value, maxAttributeRunes); s.Values[i] == "" {
			p.Add(field, "required", "must not be empty")
		} else if slices.Contains(s.Values[:i], s.Values[i]) {
			p.Add(field, "duplicate", "is named twice")
		}
	}
}

// SegmentRunes is how many characters of a value tell segments apart: it is part
// of a key, and databases bound those.
const SegmentRunes = 200

// SegmentValue is a value as far as it tells segments apart.
func SegmentValue(s string) string {
	n := 0
	for i := range s {
		if n++; n > SegmentRunes {
			return s[:i]
		}
	}
	return s
}

// Holds is true for an answer with one of the segment's values; no segment holds
// all answers.
func (s *Segment) Holds(of Attributes) bool {
	if s == nil {
		return true
	}
	value := SegmentValue(of[s.Key].Text())
	return slices.ContainsFunc(s.Values, func(v string) bool { return SegmentValue(v) == value })
}
