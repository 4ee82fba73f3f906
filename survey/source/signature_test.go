package source_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"maps"
	"strconv"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/source"
)

func macOf(of func() hash.Hash, secret, text string) []byte {
	mac := hmac.New(of, []byte(secret))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func encoded(secret, text string) string {
	return base64.StdEncoding.EncodeToString(macOf(sha256.New, secret, text))
}

func post(body string, at survey.Instant, headers map[string]string) source.Post {
	return source.Post{Header: func(name string) string { return headers[name] }, Method: "POST", Body: []byte(body), At: at,
		Targets: []string{"https://koe.example.com/v1/sources/in.x?a=b:c", "http://127.0.0.1:8080/v1/sources/in.x"}}
}

// The words of Zendesk's own example, with a signature that was computed apart.
func TestZendeskSignature(t *testing.T) {
	const secret, body = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=", `{"say": "hello"}`
	headers := map[string]string{"X-Zendesk-Webhook-Signature-Timestamp": "2021-07-25T10:00:00Z",
		"X-Zendesk-Webhook-Signature": "Rry/4TtIdFyawtXXp8QdI6tlAUUQ/5kL1OTp5qo/ZIk="}
	signed, _ := survey.ParseInstant("2021-07-25T10:00:00Z")
	for _, late := range []time.Duration{0, 59 * time.Minute, -59 * time.Minute} {
		if err := source.Zendesk.Verify(secret, post(body, signed.Add(late), headers)); err != nil {
			t.Errorf("%s later: %v", late, err)
		}
	}
	for _, late := range []time.Duration{61 * time.Minute, -61 * time.Minute, 24 * time.Hour} {
		if err := source.Zendesk.Verify(secret, post(body, signed.Add(late), headers)); err == nil {
			t.Errorf("believed %s later", late)
		}
	}
}

func TestSignatures(t *testing.T) {
	const secret, body = "s3cret", `{"id":1}`
	key := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef"))
	seconds, milliseconds := strconv.FormatInt(int64(now)/1000, 10), strconv.FormatInt(int64(now), 10)
	for scheme, c := range map[source.Scheme]struct {
		secret  string
		headers map[string]string
		lasts   time.Duration // 0 where nothing says when it was signed
	}{
		source.Zendesk: {secret, map[string]string{"X-Zendesk-Webhook-Signature-Timestamp": now.String(),
			"X-Zendesk-Webhook-Signature": encoded(secret, now.String()+body)}, time.Hour},
		source.Intercom: {secret, map[string]string{"X-Hub-Signature": "sha1=" + hex.EncodeToString(macOf(sha1.New, secret, body))}, 0},
		source.HubSpot: {secret, map[string]string{"X-HubSpot-Request-Timestamp": milliseconds,
			"X-HubSpot-Signature-v3": encoded(secret, "POSThttps://koe.example.com/v1/sources/in.x?a=b:c"+body+milliseconds)}, 5 * time.Minute},
		source.Shopify: {secret, map[string]string{"X-Shopify-Hmac-Sha256": encoded(secret, body)}, 0},
		source.Standard: {"whsec_" + key, map[string]string{"Webhook-Id": "msg_1", "Webhook-Timestamp": seconds,
			"Webhook-Signature": "v1a,xx v1," + encoded("other", body) + " v1," + encoded("0123456789abcdef", "msg_1."+seconds+"."+body)}, 5 * time.Minute},
	} {
		believed := func(what string, want bool, secret string, p source.Post) {
			t.Helper()
			if err := scheme.Verify(secret, p); (err == nil) != want {
				t.Errorf("%s, %s: %v", scheme, what, err)
			}
		}
		believed("as the tool signs", true, c.secret, post(body, now, c.headers))
		believed("another body", false, c.secret, post(body+" ", now, c.headers))
		believed("another secret", false, c.secret+"AAAA", post(body, now, c.headers))
		believed("no secret", false, "", post(body, now, c.headers))
		if c.lasts > 0 {
			believed("in time", true, c.secret, post(body, now.Add(c.lasts), c.headers))
			believed("too late", false, c.secret, post(body, now.Add(c.lasts+time.Minute), c.headers))
			believed("from ahead", false, c.secret, post(body, now.Add(-c.lasts-time.Minute), c.headers))
		}
		for name := range c.headers {
			without := maps.Clone(c.headers)
			delete(without, name)
			believed("without "+name, false, c.secret, post(body, now, without))
			without[name] = "x"
			believed("with a wrong "+name, false, c.secret, post(body, now, without))
		}
		believed("signed by nobody", false, c.secret, post(body, now, nil))
	}
	if err := source.Unsigned.Verify("", post(body, now, nil)); err == nil {
		t.Error("nothing proves nothing")
	}
	elsewhere := map[string]string{"X-HubSpot-Request-Timestamp": milliseconds,
		"X-HubSpot-Signature-v3": encoded(secret, "POSThttps://other.example.com/v1/sources/in.x"+body+milliseconds)}
	if err := source.HubSpot.Verify(secret, post(body, now, elsewhere)); err == nil {
		t.Error("signed for another address")
	}
	given := post(body, now, map[string]string{"X-HubSpot-Request-Timestamp": milliseconds,
		"X-HubSpot-Signature-v3": encoded(secret, "POSThttps://koe.example.com/?at=a@b"+body+milliseconds)})
	given.Targets = []string{"https://koe.example.com/?at=a%40b"}
	if err := source.HubSpot.Verify(secret, given); err != nil {
		t.Error("HubSpot signs some characters as they are:", err)
	}
}
