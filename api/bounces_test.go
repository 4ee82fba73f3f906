package api_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"koe/api"
	"koe/survey"
	"koe/survey/store"
)

// sentMail sends one mail of the survey "mailed" and returns its invitation.
func (s *server) sentMail(email string) survey.ID {
	s.t.Helper()
	s.do("POST", "/v1/interactions", `{"touchpoint":"shop","customer":{"email":"`+email+`"}}`).want(202)
	claims, err := s.store.ClaimDue(context.Background(), 10, time.Minute)
	if err != nil || len(claims) != 1 {
		s.t.Fatalf("%v, %v", claims, err)
	}
	if _, err := s.store.StartSending(context.Background(), claims, func(m store.Mail) string { return m.Invitation.ID.String() + "@example.com" }); err != nil {
		s.t.Fatal(err)
	}
	if err := s.store.Sent(context.Background(), claims[0]); err != nil {
		s.t.Fatal(err)
	}
	return claims[0].Invitation
}

func bounceServer(t *testing.T, doors api.BounceDoors) *server {
	s := newServer(t, func(o *api.Options) { o.Bounces = doors })
	s.survey("mailed", `"channel":"email","touchpoint":"shop","rules":{"quiet_period":"0s"}`)
	return s
}

func (s *server) wantBounced(id survey.ID) {
	s.t.Helper()
	s.do("GET", "/v1/invitations/"+id.String(), nil).want(200).wantAt("state", "failed").wantAt("reason", "bounced")
}

func TestReportsByKey(t *testing.T) {
	s := bounceServer(t, api.BounceDoors{})
	id := s.sentMail("ana@example.com")
	body := `{"bounces":[{"message_id":"<` + id.String() + `@example.com>","type":"hard","code":"5.1.1","reason":"no","at":"2026-11-22T09:30:00Z"},
		{"email":"nobody@example.com","type":"soft"}]}`
	for range 2 {
		s.do("POST", "/v1/bounces", body, with("Idempotency-Key", "k")).want(200).wantAt("results[0].outcome", "applied").
			wantAt("results[0].invitation_id", id.String()).wantAt("results[1].outcome", "unmatched")
	}
	s.do("POST", "/v1/bounces", body).want(200).wantAt("results[0].outcome", "repeated")
	s.wantBounced(id)
	s.do("GET", "/v1/suppressions?email=ana@example.com", nil).want(200).wantAt("data[0].reason", "bounced")

	s.do("POST", "/v1/bounces", `{"bounces":[]}`).wantProblem(422, "bounces")
	s.do("POST", "/v1/bounces", `{"bounces":[{"type":"hard"},{"type":"odd","email":"x"}]}`).
		wantProblem(422, "bounces[0].invitation_id", "bounces[1].type", "bounces[1].email")
	s.do("POST", "/v1/bounces", `{"bounces":[{"type":"hard","invitation_id":""},{"type":"soft","email":"a@b.c","at":"noon"},{"type":"hard","invitation_id":"?","email":"x"}]}`).
		wantProblem(422, "bounces[0].invitation_id", "bounces[1].at", "bounces[2].email")
	_, other := s.newWorkspace("other")
	s.do("POST", "/v1/bounces", `{"bounces":[{"type":"hard","invitation_id":"`+id.String()+`"}]}`, as(other)).want(200).wantAt("results[0].outcome", "unmatched")
}

// Whoever relays mail may keep ids of others beside koe's.
func TestReportsThatNameNoInvitation(t *testing.T) {
	s := bounceServer(t, api.BounceDoors{})
	id := s.sentMail("ana@example.com")
	body := `{"bounces":[{"type":"hard","invitation_id":"SG.1234"},{"type":"hard","invitation_id":"` + strings.ToUpper(id.String()) + `"},
		{"type":"hard","invitation_id":"00000000-0000-0000-0000-000000000000"},{"type":"hard","invitation_id":"` + id.String() + `"},
		{"type":"hard","invitation_id":"?","email":"bo@example.com"}]}`
	s.do("POST", "/v1/bounces", body).want(200).wantAt("results[0].outcome", "unmatched").wantAt("results[0].invitation_id", nil).
		wantAt("results[1].outcome", "unmatched").wantAt("results[2].outcome", "unmatched").wantAt("results[3].outcome", "applied").
		wantAt("results[4].outcome", "applied").wantAt("results[5]", nil)
	s.wantBounced(id)
	s.do("GET", "/v1/suppressions?email=bo@example.com", nil).want(200).wantAt("data[0].reason", "bounced")
}

func TestSendingThatHasPausedItself(t *testing.T) {
	s := bounceServer(t, api.BounceDoors{})
	s.do("GET", "/readyz", nil).want(200).wantAt("detail", nil)
	for i := range 10 {
		id := s.sentMail(fmt.Sprintf("p%d@example.com", i))
		s.do("POST", "/v1/bounces", `{"bounces":[{"type":"hard","invitation_id":"`+id.String()+`"}]}`).want(200)
	}
	s.do("GET", "/v1/sending", nil).want(200).wantAt("paused", true).wantAt("reason", "hard_bounces").wantAt("sent", 10.0).wantAt("bounced", 10.0)
	if r := s.do("GET", "/readyz", nil).want(200); !strings.Contains(r.text("detail"), "paused") {
		t.Errorf("%s", r.body)
	}
	if r := s.do("GET", "/metrics", nil).want(200); !strings.Contains(string(r.body), "\nkoe_sending_paused 1\n") {
		t.Error("the metrics do not say so")
	}
	if strings.Contains(s.log.String(), "p9@example.com") {
		t.Errorf("%s", s.log)
	}
	s.now.move(time.Second)
	s.do("POST", "/v1/sending/resume", nil, with("Idempotency-Key", "r")).want(204)
	s.do("POST", "/v1/sending/resume", nil, with("Idempotency-Key", "r")).want(204)
	s.do("POST", "/v1/sending/resume", nil).wantProblem(409)
	s.do("GET", "/v1/sending", nil).want(200).wantAt("paused", false).wantAt("sent", 0.0)
	s.sentMail("q@example.com")
}

func TestPostmark(t *testing.T) {
	s := bounceServer(t, api.BounceDoors{Postmark: "a secret of Postmark's"})
	id := s.sentMail("ana@example.com")
	body := `{"RecordType":"Bounce","ID":4323372036854775807,"Type":"HardBounce","TypeCode":1,"Name":"Hard bounce","MessageStream":"outbound",
		"MessageID":"883953f4-6105-42a2-a16a-77a8eac79483","Email":"ana@example.com","From":"koe@example.com","BouncedAt":"2026-11-22T09:30:00.0000000Z",
		"Metadata":{},"Details":"smtp;550 5.1.1 unknown","Content":"Subject: x\r\nX-Koe-Invitation: ` + s.store.BounceTag(s.workspace.ID, id) + `\r\n\r\n"}`
	basic := func(secret string) func(*http.Request) {
		return with("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("koe:"+secret)))
	}
	s.do("POST", "/v1/bounces/postmark", body, as("")).wantProblem(401)
	s.do("POST", "/v1/bounces/postmark", body).wantProblem(401) // an admin's key is no proof of Postmark
	s.do("POST", "/v1/bounces/postmark", body, basic("wrong")).wantProblem(401)
	proof := basic("a secret of Postmark's")
	s.do("POST", "/v1/bounces/postmark", `{"RecordType":`, proof).wantProblem(400)
	s.do("POST", "/v1/bounces/postmark", body, proof).want(200).wantAt("reports", 1.0).wantAt("applied", 1.0)
	s.do("POST", "/v1/bounces/postmark", body, proof).want(200).wantAt("applied", 0.0)
	s.wantBounced(id)
	s.sentMail("bo@example.com")
	s.do("POST", "/v1/bounces/postmark", `{"RecordType":"SpamComplaint","Type":"SpamComplaint","Email":"bo@example.com"}`, proof).want(200).wantAt("applied", 1.0)
	s.do("GET", "/v1/suppressions?email=bo@example.com", nil).want(200).wantAt("data[0].reason", "complained")
	s.do("POST", "/v1/bounces/postmark", `{"RecordType":"Delivery","Recipient":"bo@example.com"}`, proof).want(200).wantAt("reports", 0.0)
}

func TestSendGrid(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	s := bounceServer(t, api.BounceDoors{SendGrid: base64.StdEncoding.EncodeToString(der)})
	id := s.sentMail("ana@example.com")
	body := `[{"email":"ana@example.com","timestamp":1795340000,"smtp-id":"<` + id.String() + `@example.com>","event":"bounce","type":"bounce",
		"status":"5.1.1","reason":"550 5.1.1 unknown","sg_event_id":"e","sg_message_id":"m"},{"email":"ana@example.com","event":"open","timestamp":1}]`
	sign := func(at time.Time, text string) func(*http.Request) {
		stamp := strconv.FormatInt(at.Unix(), 10)
		sum := sha256.Sum256([]byte(stamp + text))
		signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return func(r *http.Request) {
			r.Header.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature))
			r.Header.Set("X-Twilio-Email-Event-Webhook-Timestamp", stamp)
		}
	}
	s.do("POST", "/v1/bounces/sendgrid", body).wantProblem(401)
	s.do("POST", "/v1/bounces/sendgrid", body, sign(testStart, body+" ")).wantProblem(401)
	s.do("POST", "/v1/bounces/sendgrid", body, sign(testStart.Add(-48*time.Hour), body)).wantProblem(401)
	s.do("POST", "/v1/bounces/sendgrid", `{}`, sign(testStart, `{}`)).wantProblem(400)
	s.do("POST", "/v1/bounces/sendgrid", body, sign(testStart, body)).want(200).wantAt("reports", 1.0).wantAt("applied", 1.0)
	s.wantBounced(id)
}

const topic = "arn:aws:sns:eu-west-1:123456789012:bounces"

// sns signs envelopes as SNS does.
type sns struct {
	key         *rsa.PrivateKey
	certificate []byte
}

func newSNS(t *testing.T) sns {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: testStart.Add(-time.Hour), NotAfter: testStart.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return sns{key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// envelope is signed as the documentation says, by names in their order.
func (k sns) envelope(t *testing.T, kind, version string, fields map[string]string) string {
	t.Helper()
	all := map[string]string{"Type": kind, "MessageId": "1", "TopicArn": topic, "Timestamp": testStart.Format("2006-01-02T15:04:05.000Z"), "Message": "hello",
		"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem", "SignatureVersion": version}
	for name, value := range fields {
		all[name] = value
	}
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if kind != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	text := ""
	for _, name := range names {
		if value, ok := all[name]; ok {
			text += name + "\n" + value + "\n"
		}
	}
	one, two := sha1.Sum([]byte(text)), sha256.Sum256([]byte(text))
	sum, hash := one[:], crypto.SHA1
	if version == "2" {
		sum, hash = two[:], crypto.SHA256
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.key, hash, sum)
	if err != nil {
		t.Fatal(err)
	}
	all["Signature"] = base64.StdEncoding.EncodeToString(signature)
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestSES(t *testing.T) {
	k := newSNS(t)
	var asked []string
	s := bounceServer(t, api.BounceDoors{SESTopics: []string{topic}, Fetch: func(_ context.Context, url string) ([]byte, error) {
		asked = append(asked, url)
		if strings.HasSuffix(url, "gone.pem") {
			return nil, errors.New("not there")
		}
		return k.certificate, nil
	}})
	post := func(body string) response {
		t.Helper()
		return s.do("POST", "/v1/bounces/ses", body, as(""), with("Content-Type", "text/plain; charset=UTF-8"))
	}
	subscribe := "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=t"
	post(k.envelope(t, "SubscriptionConfirmation", "1", map[string]string{"SubscribeURL": subscribe, "Token": "t"})).want(200)
	if len(asked) != 2 || asked[1] != subscribe {
		t.Errorf("asked for %q", asked)
	}

	id := s.sentMail("ana@example.com")
	report := `{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","timestamp":"2026-11-22T09:29:00.000Z","bouncedRecipients":[
		{"emailAddress":"ana@example.com","status":"5.1.1","action":"failed","diagnosticCode":"smtp; 550 5.1.1 unknown"}]},
		"mail":{"source":"bounces@example.com","messageId":"0000-ses","headers":[{"name":"X-Koe-Invitation","value":"` + s.store.BounceTag(s.workspace.ID, id) + `"}]}}`
	good := k.envelope(t, "Notification", "2", map[string]string{"Message": report, "Subject": "Amazon SES"})
	bo := s.sentMail("bo@example.com")
	complaint := `{"eventType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"bo@example.com"}],"complaintFeedbackType":"abuse"},
		"mail":{"source":"x@example.com","headers":[{"name":"Message-ID","value":"<` + bo.String() + `@example.com>"}]}}`

	asked = nil
	for name, body := range map[string]string{
		"unsigned":          `{"Type":"Notification","TopicArn":"` + topic + `","Message":"{}"}`,
		"no JSON":           `{`,
		"another message":   strings.Replace(good, "Amazon SES", "Amazon  SES", 1),
		"another topic":     k.envelope(t, "Notification", "2", map[string]string{"TopicArn": "arn:aws:sns:eu-west-1:999999999999:bounces", "Message": report}),
		"a foreign host":    k.envelope(t, "Notification", "2", map[string]string{"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem"}),
		"without TLS":       k.envelope(t, "Notification", "2", map[string]string{"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"}),
		"a user in it":      k.envelope(t, "Notification", "2", map[string]string{"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@10.0.0.1/SimpleNotificationService-0.pem"}),
		"another path":      k.envelope(t, "Notification", "2", map[string]string{"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/mine.pem"}),
		"confirm elsewhere": k.envelope(t, "SubscriptionConfirmation", "1", map[string]string{"SubscribeURL": "https://10.0.0.1/", "Token": "t"}),
		"an old one":        k.envelope(t, "Notification", "2", map[string]string{"Timestamp": "2026-11-20T09:30:00.000Z"}),
		"another version":   k.envelope(t, "Notification", "3", nil),
	} {
		if got := post(body); got.status != 401 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if len(asked) != 0 {
		t.Errorf("asked for %q", asked)
	}
	post(k.envelope(t, "Notification", "2", map[string]string{"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-gone.pem"})).wantProblem(503)
	post(good).want(200).wantAt("applied", 1.0)
	post(good).want(200).wantAt("applied", 0.0)
	s.wantBounced(id)
	post(k.envelope(t, "Notification", "1", map[string]string{"Message": complaint})).want(200).wantAt("applied", 1.0)
	s.do("GET", "/v1/suppressions?email=bo@example.com", nil).want(200).wantAt("data[0].reason", "complained")
	post(k.envelope(t, "Notification", "1", map[string]string{"Message": `{"notificationType":"Delivery"}`})).want(200).wantAt("reports", 0.0)
}

func TestSNSIsNotInsideTheNetwork(t *testing.T) {
	for _, url := range []string{"https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://100.64.0.1/", "https://[64:ff9b::a00:1]/", "https://169.254.169.254/", "https://[::ffff:10.0.0.1]/"} {
		if _, err := api.FetchSNS()(t.Context(), url); !errors.Is(err, ssrf.ErrProhibitedIP) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
