package store

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/binary"
	"strings"

	"koe/survey"
)

// A bounce tag names an invitation in what may come back from a mail: the local
// part of the return address and koe's own header. It is signed, so that a
// report that nobody was given a mail for changes nothing. It opens nothing
// else: it is no token. It is of lower-case letters and digits, because servers
// on the way may change the case of a local part, and short (44 characters for
// the first 127 workspaces, 48 for the first quarter of a billion), because such a part has 64 at most.

// bounceMAC is 80 bits.
const bounceMAC = 10

var bounceAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// BounceTag is the tag of a workspace's invitation.
func (s *Store) BounceTag(workspace int64, invitation survey.ID) string {
	b := binary.AppendUvarint(invitation[:], uint64(workspace))
	return bounceAlphabet.EncodeToString(append(b, s.bounceMAC(workspace, invitation)...))
}

// ParseBounceTag reads a tag in any case; false where koe did not write it with
// this secret. The invitation may be gone since.
func (s *Store) ParseBounceTag(tag string) (workspace int64, invitation survey.ID, ok bool) {
	const most = 56
	if len(tag) > most {
		return 0, survey.ID{}, false
	}
	b, err := bounceAlphabet.DecodeString(strings.ToLower(tag))
	if err != nil || len(b) < len(invitation)+1+bounceMAC {
		return 0, survey.ID{}, false
	}
	copy(invitation[:], b)
	number, n := binary.Uvarint(b[len(invitation):])
	mac := b[len(b)-bounceMAC:]
	if n <= 0 || len(invitation)+n != len(b)-bounceMAC || number == 0 || number > 1<<62 {
		return 0, survey.ID{}, false
	}
	workspace = int64(number)
	if !hmac.Equal(mac, s.bounceMAC(workspace, invitation)) {
		return 0, survey.ID{}, false
	}
	return workspace, invitation, true
}

func (s *Store) bounceMAC(workspace int64, invitation survey.ID) []byte {
	return s.derive("bounce", workspace, invitation[:])[:bounceMAC]
}
