package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"code.dny.dev/ssrf"
)

// Fetch gets what an address answers.
type Fetch func(ctx context.Context, url string) ([]byte, error)

// certificateLater is when to try again what SNS did not answer.
const certificateLater = time.Minute

// FetchSNS gets addresses that bounce.ReadSNS has checked: over TLS, from
// public addresses alone, without redirects, 64 KB at most.
func FetchSNS() Fetch {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: ssrf.New().Safe}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("SNS does not redirect") }}
	return func(ctx context.Context, url string) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		answer, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("SNS answers %s", answer.Status)
		}
		return io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	}
}

// certificates are those of SNS by their addresses, under which they never
// change.
type certificates struct {
	mu    sync.Mutex
	known map[string][]byte
}

// maxCertificates bounds what is kept; SNS uses a handful a year.
const maxCertificates = 16

func (k *certificates) get(ctx context.Context, fetch Fetch, url string) ([]byte, error) {
	k.mu.Lock()
	certificate, ok := k.known[url]
	k.mu.Unlock()
	if ok {
		return certificate, nil
	}
	certificate, err := fetch(ctx, url)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= maxCertificates {
		k.known = map[string][]byte{}
	}
	k.known[url] = certificate
	return certificate, nil
}
