package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"koe/survey"
)

// A token opens one invitation. It is derived from a random nonce that the row
// keeps and from the secret, so that the same link can be written again, and a
// stolen database opens nothing. It begins with the workspace, so that the
// look-up stays within a tenant.

const (
	nonceBytes = 16
	macBytes   = 18
)

func newNonce() []byte {
	nonce := make([]byte, nonceBytes)
	_, _ = rand.Read(nonce) // it never fails; the program ends instead
	return nonce
}

// token writes the token of an invitation's nonce.
func (s *Store) token(workspace int64, nonce []byte) string {
	return s.workspaceToken("token", workspace, nonce)
}

// followUpToken writes the token by which a customer says whether it is solved.
func (s *Store) followUpToken(workspace int64, nonce []byte) string {
	return s.workspaceToken("follow-up", workspace, nonce)
}

// workspaceToken writes the token of a nonce for a purpose: as another's it opens
// nothing.
func (s *Store) workspaceToken(purpose string, workspace int64, nonce []byte) string {
	b := binary.AppendUvarint(nil, uint64(workspace))
	b = append(b, s.derive(purpose, workspace, nonce)[:macBytes]...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// tokenHash is what a token is looked up by.
func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:16]
}

// tokenWorkspace reads the workspace that a token names. Anything that is not
// a token is NotFound, in the words of a token that nobody knows.
func tokenWorkspace(token string) (int64, error) {
	if len(token) < 24 || len(token) > 48 {
		return 0, errNoInvitation
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return 0, errNoInvitation
	}
	workspace, n := binary.Uvarint(b)
	if n <= 0 || len(b) != n+macBytes || workspace == 0 || workspace > 1<<62 {
		return 0, errNoInvitation
	}
	return int64(workspace), nil
}

var errNoInvitation = survey.Errorf(survey.NotFound, "", "there is no such invitation")

// shownToken is a token that opened something.
func shownToken(token string) seenRow { return seenRow{row: [16]byte(tokenHash(token))} }

// issued is NotFound for a token that nobody knows: whoever guesses does not
// come to where answers are written. One whose page was shown is not looked up
// again: if it is gone since, the answer's transaction finds that out.
func (s *Store) issued(ctx context.Context, workspace int64, token string) error {
	if s.shown.has(shownToken(token)) {
		return nil
	}
	var one int
	found, err := s.reading(ctx, Caller{Workspace: workspace}).row(`SELECT 1 FROM invitations WHERE workspace_id = ? AND token_hash = ?`,
		[]any{workspace, tokenHash(token)}, &one)
	if err == nil && !found {
		err = errNoInvitation
	}
	return away(err)
}
