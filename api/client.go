package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// clientAddress finds the address of a client: the peer's own, unless the peer
// is a proxy that is trusted to name another.
func clientAddress(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range trusted {
		p = p.Masked()
		options = append(options, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(),
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// atHome is true for a client on this very machine: the peer is on the
// loopback, nobody says that they forwarded the request, and it was addressed to
// this machine by a name that no stranger's web page can take. Whoever forwards
// in silence is not told apart by this, except one who speaks HTTP/1.0, as nginx
// does where it is not told otherwise.
func (a *api) atHome(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && r.ProtoAtLeast(1, 1) && loopbackName(hostOf(r.Host))
}

// servesItself is true where the links that koe makes lead to this machine alone.
func (a *api) servesItself() bool {
	base, err := url.Parse(a.BaseURL)
	return err == nil && loopbackName(base.Hostname())
}

func hostOf(authority string) string {
	if name, _, err := net.SplitHostPort(authority); err == nil {
		return name
	}
	return strings.Trim(authority, "[]")
}

func loopbackName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback() || ip.IsUnspecified()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
