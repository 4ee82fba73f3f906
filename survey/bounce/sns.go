package bounce

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // version 1 of SNS's signatures is made with it, and is its default
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"koe/survey"
)

// ErrForged is a report that its provider did not make, or not for this koe.
var ErrForged = errors.New("the report is not signed by its provider")

// ErrShape is a report that is not in its provider's shape.
var ErrShape = errors.New("the report is not in the provider's documented shape")

// SNS is the envelope in which SES reports.
type SNS struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicArn         string
	Subject          *string
	Message          string
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
	SubscribeURL     string
	Token            string
}

// The types of an SNS envelope.
const (
	SNSNotification = "Notification"
	SNSConfirmation = "SubscriptionConfirmation"
)

// ReadSNS reads an envelope and checks everything that can be checked before
// its certificate is here: that it is of one of the topics, and that its
// addresses lead to SNS in the topic's region.
func ReadSNS(body []byte, topics []string) (SNS, error) {
	var m SNS
	if err := json.Unmarshal(body, &m); err != nil {
		return m, ErrShape
	}
	region, ok := m.region(topics)
	if !ok || !certificateOf(m.SigningCertURL, region) {
		return m, ErrForged
	}
	if m.SubscribeURL != "" && !leadsTo(m.SubscribeURL, region) {
		return m, ErrForged
	}
	return m, nil
}

func (m SNS) region(topics []string) (string, bool) {
	for _, topic := range topics {
		if parts := strings.Split(topic, ":"); topic == m.TopicArn && len(parts) == 6 {
			return parts[3], true
		}
	}
	return "", false
}

func leadsTo(text, region string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.User == nil && u.Opaque == "" &&
		(u.Host == "sns."+region+".amazonaws.com" || u.Host == "sns."+region+".amazonaws.com.cn")
}

var certificatePath = regexp.MustCompile(`^/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem$`)

func certificateOf(text, region string) bool {
	u, err := url.Parse(text)
	return err == nil && leadsTo(text, region) && certificatePath.MatchString(u.EscapedPath()) && u.RawQuery == ""
}

// maxAge is how long SNS tries to deliver at most, and some; what is older was
// kept by somebody.
const maxAge = 24 * time.Hour

// Verify says whether the envelope was signed with the certificate (PEM).
// ErrForged where it was not, or the certificate does not hold at this time.
func (m SNS) Verify(certificate []byte, now time.Time) error {
	block, _ := pem.Decode(certificate)
	if block == nil {
		return ErrForged
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil || now.Before(parsed.NotBefore) || now.After(parsed.NotAfter) {
		return ErrForged
	}
	key, isRSA := parsed.PublicKey.(*rsa.PublicKey)
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	at, badTime := time.Parse(time.RFC3339, m.Timestamp)
	if !isRSA || err != nil || badTime != nil || now.Sub(at).Abs() > maxAge {
		return ErrForged
	}
	switch m.SignatureVersion {
	case "1":
		sum := sha1.Sum([]byte(m.signed())) //nolint:gosec // see the import
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256([]byte(m.signed()))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	default:
		err = ErrForged
	}
	if err != nil {
		return ErrForged
	}
	return nil
}

// signed is the text that SNS signs.
func (m SNS) signed() string {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", m.Message)
	add("MessageId", m.MessageID)
	if m.Type == SNSNotification {
		if m.Subject != nil {
			add("Subject", *m.Subject)
		}
	} else {
		add("SubscribeURL", m.SubscribeURL)
	}
	add("Timestamp", m.Timestamp)
	if m.Type != SNSNotification {
		add("Token", m.Token)
	}
	add("TopicArn", m.TopicArn)
	add("Type", m.Type)
	return b.String()
}

// sesMessage is what SES puts into an envelope: notifications name their type
// one way, published events another.
type sesMessage struct {
	NotificationType string
	EventType        string
	Bounce           struct {
		BounceType        string
		Timestamp         string
		BouncedRecipients []struct{ EmailAddress, Status, DiagnosticCode string }
	}
	Complaint struct {
		Timestamp             string
		ComplaintFeedbackType string
		ComplainedRecipients  []struct{ EmailAddress string }
	}
	Mail struct {
		Source  string
		Headers []struct{ Name, Value string }
	}
}

// SES reads the message of a notification. Deliveries and the like are none.
func SES(message string) ([]survey.Bounce, error) {
	var in sesMessage
	if err := json.Unmarshal([]byte(message), &in); err != nil {
		return nil, ErrShape
	}
	about := survey.Bounce{Tags: tagsIn(nil, in.Mail.Source)}
	for _, header := range in.Mail.Headers {
		switch strings.ToLower(header.Name) {
		case "x-koe-invitation":
			about.Tags = tagsIn(about.Tags, header.Value)
		case "message-id":
			about.MessageID = bareID(header.Value)
		}
	}
	var out []survey.Bounce
	switch in.NotificationType + in.EventType {
	case "Bounce":
		for _, r := range in.Bounce.BouncedRecipients {
			one := about
			one.Kind = survey.SoftBounce
			if in.Bounce.BounceType == "Permanent" {
				one.Kind = survey.HardBounce
			}
			one.Email, one.Code, one.Reason, one.At = address(r.EmailAddress), enhanced.FindString(r.Status), cut(clean([]byte(r.DiagnosticCode))), instant(in.Bounce.Timestamp)
			out = append(out, one)
		}
	case "Complaint":
		if in.Complaint.ComplaintFeedbackType == "not-spam" || in.Complaint.ComplaintFeedbackType == "auth-failure" {
			return nil, nil
		}
		for _, r := range in.Complaint.ComplainedRecipients {
			one := about
			one.Kind, one.Email, one.Reason, one.At = survey.Complaint, address(r.EmailAddress), cut(clean([]byte(in.Complaint.ComplaintFeedbackType))), instant(in.Complaint.Timestamp)
			out = append(out, one)
		}
	}
	return out, nil
}

func instant(text string) survey.Instant {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return survey.InstantOf(at)
}
