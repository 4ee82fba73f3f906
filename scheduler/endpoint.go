package scheduler

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"

	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

// endpoints posts events to addresses that others chose.
type endpoints struct {
	client *http.Client
	within time.Duration // of one try
}

// maxAnswer is how much of an endpoint's answer is read, to keep its
// connection; none of it is kept.
const maxAnswer = 64 << 10

// newEndpoints never connects to addresses that are not public, whatever name
// leads there: they are looked at when the connection is made. Loopback alone
// may be allowed, for development.
func newEndpoints(within time.Duration, allowLoopback bool, resolver *net.Resolver) *endpoints {
	options := []ssrf.Option{ssrf.WithAnyPort()}
	if allowLoopback {
		options = append(options, ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.0/8")),
			ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("::1/128")))
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: ssrf.New(options...).Safe, Resolver: resolver}
	return &endpoints{within: within, client: &http.Client{
		Timeout: within,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: perEndpoint, MaxIdleConns: maxDeliveries, IdleConnTimeout: 30 * time.Second,
			MaxResponseHeaderBytes: maxAnswer, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// post sends one event with its proof.
func (e *endpoints) post(ctx context.Context, d store.Dispatch, body []byte, now time.Time) store.Tried {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(body))
	if err != nil {
		return store.Tried{Error: "the address cannot be used"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "koe-webhooks")
	prove(req.Header, d, body, now)
	answer, err := e.client.Do(req)
	if err != nil {
		return store.Tried{Latency: time.Since(start), Error: e.inWords(err)}
	}
	defer func() { _ = answer.Body.Close() }()                         // what was not read is nobody's
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // the status is what counts
	tried := store.Tried{Status: answer.StatusCode, Latency: time.Since(start)}
	switch {
	case tried.Status >= 300 && tried.Status <= 399:
		tried.Error = "the endpoint redirects, which is not followed; set its final address"
	case tried.Status < 200 || tried.Status > 299:
		tried.Error = "the endpoint answered " + strconv.Itoa(tried.Status)
	}
	return tried
}

// inWords says what went wrong without the address, which may hold a secret.
func (e *endpoints) inWords(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrInvalidHostPort):
		return "the address leads to a network that is not public"
	case errors.As(err, &dns):
		return "the host name cannot be resolved"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer within " + e.within.String()
	case strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:"):
		return "no secure connection: the certificate or the protocol is not accepted"
	}
	return "the connection was refused or broke off"
}

// signatures are those of Standard Webhooks: HMAC-SHA256 of "id.timestamp.body"
// with each secret.
func signatures(secrets []string, id, at string, body []byte) string {
	var all []string
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil { // koe made it
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}

// payload is what is posted: the event, when it happened, and what it is about
// as it is now.
func payload(d store.Dispatch, of store.Subject, now survey.Instant) ([]byte, error) {
	var data any
	switch {
	case d.Event == survey.EventWebhookTest:
		data = tested{testMessage}
	case of.Response != nil:
		data = shown.NewResponse(*of.Response)
	case of.Invitation != nil:
		data = shown.NewInvitation(*of.Invitation)
	case of.Suppression != nil:
		data = *of.Suppression
	case of.FollowUp != nil:
		data = shown.NewFollowUp(*of.FollowUp, now)
	case of.Target != nil:
		data = shown.NewTargetChange(of.Target.Target, of.Target.Change)
	default:
		data = gone{d.Subject, true}
	}
	return json.Marshal(struct {
		Type      survey.Event   `json:"type"`
		Timestamp survey.Instant `json:"timestamp"`
		Data      any            `json:"data"`
	}{d.Event, d.CreatedAt, data})
}
