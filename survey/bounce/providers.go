package bounce

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"koe/survey"
)

// Postmark reads what Postmark's webhooks for bounces and spam complaints
// post. Of a bounce whose content comes along (a setting there), koe's own
// header is read too.
func Postmark(body []byte) ([]survey.Bounce, error) {
	var in struct {
		RecordType, Type, Email, Description, Details, BouncedAt, Content string
		Metadata                                                          map[string]string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, ErrShape
	}
	one := survey.Bounce{Email: address(in.Email), Reason: cut(clean([]byte(in.Description + " " + in.Details))),
		Code: enhanced.FindString(in.Details), At: instant(in.BouncedAt)}
	for _, value := range in.Metadata {
		one.Tags = tagsIn(one.Tags, value)
	}
	one.Reason = strings.TrimSpace(one.Reason)
	for line := range strings.Lines(in.Content) {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(name, "x-koe-invitation") {
			one.Tags = tagsIn(one.Tags, value)
		}
	}
	switch {
	case in.RecordType == "SpamComplaint" || in.RecordType == "Bounce" && in.Type == "SpamComplaint":
		one.Kind = survey.Complaint
	case in.RecordType != "Bounce":
		return nil, nil
	case in.Type == "HardBounce" || in.Type == "BadEmailAddress":
		one.Kind = survey.HardBounce
	case in.Type == "SoftBounce" || in.Type == "Transient" || in.Type == "DnsError":
		one.Kind = survey.SoftBounce
	default: // auto-responders, challenges and the like
		return nil, nil
	}
	return []survey.Bounce{one}, nil
}

// SendGrid reads the list of events that SendGrid's webhook posts. Those that
// are neither bounces nor complaints are left out.
func SendGrid(body []byte) ([]survey.Bounce, error) {
	var events []json.RawMessage
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, ErrShape
	}
	var out []survey.Bounce
	for _, raw := range events {
		var e struct {
			Event, Type, Email, Status, Reason string
			SMTPID                             string  `json:"smtp-id"`
			Timestamp                          float64 `json:"timestamp"`
			Tag                                string  `json:"koe_invitation"`
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, ErrShape
		}
		one := survey.Bounce{Email: address(e.Email), MessageID: bareID(e.SMTPID), Tags: tagsIn(nil, e.Tag),
			Code: enhanced.FindString(e.Status), Reason: cut(clean([]byte(e.Reason)))}
		if e.Timestamp > 0 && e.Timestamp < 1e11 {
			one.At = survey.InstantOf(time.Unix(int64(e.Timestamp), 0))
		}
		switch {
		case e.Event == "spamreport":
			one.Kind = survey.Complaint
		case e.Event == "bounce" && e.Type != "blocked":
			one.Kind = survey.HardBounce
		case e.Event == "bounce":
			one.Kind = survey.SoftBounce
		default: // deliveries, opens, and what was dropped for an earlier bounce
			continue
		}
		out = append(out, one)
	}
	return out, nil
}

// SendGridKey reads the public key of a signed event webhook as SendGrid shows
// it: base64 of DER.
func SendGridKey(text string) (*ecdsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("must be the verification key as SendGrid shows it, in base64")
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if key, ok := parsed.(*ecdsa.PublicKey); ok && err == nil {
		return key, nil
	}
	return nil, errors.New("must be the verification key as SendGrid shows it, in base64")
}

// VerifySendGrid says whether a body was signed with a key, at an instant in
// Unix seconds that is not far from now. ErrForged where it was not.
func VerifySendGrid(key *ecdsa.PublicKey, signature, timestamp string, body []byte, now time.Time) error {
	der, err := base64.StdEncoding.DecodeString(signature)
	seconds, bad := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || bad != nil || now.Sub(time.Unix(seconds, 0)).Abs() > maxAge {
		return ErrForged
	}
	hash := sha256.New()
	hash.Write([]byte(timestamp))
	hash.Write(body)
	if !ecdsa.VerifyASN1(key, hash.Sum(nil), der) {
		return ErrForged
	}
	return nil
}
