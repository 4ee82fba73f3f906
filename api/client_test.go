package api

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.1.2.3/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		trusted         []netip.Prefix
		peer, forwarded string
		want            string
	}{
		{nil, "203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{nil, "127.0.0.1:1", "198.51.100.1", "127.0.0.1"},
		{trusted, "203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{trusted, "127.0.0.1:1", "198.51.100.1", "127.0.0.1"},
		{trusted, "192.168.0.1:1", "198.51.100.1", "192.168.0.1"},
		{trusted, "10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{trusted, "[2001:db8::1]:1", "198.51.100.1", "198.51.100.1"},
		{trusted, "10.0.0.1:1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"}, // who forges stands in front
		{trusted, "10.0.0.1:1", "", "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := clientAddress(c.trusted)(r); got != c.want {
			t.Errorf("%s forwarding %q: %s instead of %s", c.peer, c.forwarded, got, c.want)
		}
	}
}
