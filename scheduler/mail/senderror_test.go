package mail

import (
	"errors"
	"net/textproto"
	"strings"
	"testing"
)

// What is kept of a failure leads nowhere and to nobody.
func TestReasonHasNoLinkAndNoAddress(t *testing.T) {
	const words = "5.7.1 <Ana@Example.org> via bounce+x@mx.example.net is refused; see HTTPS://mx.example.net/why?who=ana@example.org or mailto:help@example.net"
	reply := failed(t.Context(), StageRcpt, "ana@example.org", &textproto.Error{Code: 550, Msg: words})
	if want := "smtp rcpt: 550 5.7.1 <recipient> via address is refused; see link or address"; reply.Error() != want {
		t.Errorf("%s, want %s", reply, want)
	}
	broken := failed(t.Context(), StageData, "ana@example.org", errors.New(words))
	if want := "smtp data: 5.7.1 <address> via address is refused; see link or address"; broken.Error() != want {
		t.Errorf("%s, want %s", broken, want)
	}
	long := failed(t.Context(), StageRcpt, "", &textproto.Error{Code: 550, Msg: strings.Repeat("x", maxWords-3) + " ana@example.org"})
	if strings.Contains(long.Server, "ana") || len(long.Server) != maxWords {
		t.Errorf("cut before it was cleaned: %q", long.Server)
	}
}
