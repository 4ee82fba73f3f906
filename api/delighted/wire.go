package delighted

import (
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// Within is true for a request to an operation of this package.
func Within(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, Base+"/") }

// Route brings the address of a request into the one spelling that is routed:
// without .json, and with the slashes of a mail address escaped, which some
// clients send as they are. The address of any other request stays as it is.
func Route(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if Within(c.Request()) && Canonical(c.Request().URL) {
			c.Set(suffixed, true)
		}
		return next(c)
	}
}

// suffixed is where a call notes that its path ended in .json.
const suffixed = "delighted.json"

// Canonical is what Route does to an address of this package's; true where its
// path ended in .json.
func Canonical(address *url.URL) bool {
	path, ended := strings.CutSuffix(address.Path, ".json")
	escaped := ""
	if person, within := strings.CutPrefix(path, Base+"/people/"); within {
		person, pending := strings.CutSuffix(person, pendingPath)
		escaped = Base + "/people/" + url.PathEscape(person)
		if pending {
			escaped += pendingPath
		}
	}
	address.Path, address.RawPath = path, escaped
	return ended
}

const pendingPath = "/survey_requests/pending"

// acceptable is true where a client takes JSON: by the path, or by Accept.
func acceptable(c echo.Context) bool {
	r := c.Request()
	if c.Get(suffixed) != nil || len(r.Header.Values("Accept")) == 0 {
		return true
	}
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, parameters, err := mime.ParseMediaType(strings.TrimSpace(one))
		if err != nil || strings.Trim(parameters["q"], "0.") == "" && parameters["q"] != "" {
			continue
		}
		if media == "application/json" || media == "application/*" || media == "*/*" {
			return true
		}
	}
	return false
}

// here is the absolute address of a request, as its client wrote it: by Host,
// or by X-Forwarded-Host and -Proto where a proxy is trusted to say so.
func (s *Server) here(r *http.Request) *url.URL {
	at := &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path + ".json"}
	if r.TLS != nil || strings.EqualFold(r.Host, s.BaseURL.Host) && s.BaseURL.Scheme == "https" {
		at.Scheme = "https"
	}
	if s.trusts(r) {
		if host := lastOf(r.Header.Get("X-Forwarded-Host")); host != "" {
			at.Host = host
		}
		if proto := strings.ToLower(lastOf(r.Header.Get("X-Forwarded-Proto"))); proto == "http" || proto == "https" {
			at.Scheme = proto
		}
	}
	if !plainHost(at.Host) {
		at.Scheme, at.Host = s.BaseURL.Scheme, s.BaseURL.Host
	}
	return at
}

func (s *Server) trusts(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, prefix := range s.Proxies {
		if prefix.Contains(peer.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// lastOf is what the nearest proxy said: the last of a list.
func lastOf(list string) string {
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}

// plainHost is true for a host that can stand in a Link header: nothing in it
// ends the address or the entry.
func plainHost(host string) bool {
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(".-_:[]", r)
	})
}
