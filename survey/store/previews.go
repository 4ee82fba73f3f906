package store

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"

	"koe/survey"
)

// previewFor is how long the address of a preview shows it.
const previewFor = time.Hour

const previewMAC = 16

// SealPreview makes what is to be shown part of an address that shows it for an
// hour to whoever has it, from the caller's workspace. Nothing is kept.
func (s *Store) SealPreview(by Caller, what []byte) string {
	b := binary.AppendUvarint(nil, uint64(by.Workspace))
	b = binary.BigEndian.AppendUint64(b, uint64(s.now().Add(previewFor)))
	b = append(b, what...)
	return base64.RawURLEncoding.EncodeToString(append(b, s.derive("preview", by.Workspace, b)[:previewMAC]...))
}

// OpenPreview reads what SealPreview wrote. NotFound where koe has not, Gone
// after its hour.
func (s *Store) OpenPreview(sealed string) (by Caller, what []byte, err error) {
	unknown := survey.Errorf(survey.NotFound, "", "there is no such preview")
	b, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return by, nil, unknown
	}
	workspace, n := binary.Uvarint(b)
	end := len(b) - previewMAC
	if n <= 0 || end < n+8 || workspace == 0 || workspace > 1<<62 ||
		!hmac.Equal(b[end:], s.derive("preview", int64(workspace), b[:end])[:previewMAC]) {
		return by, nil, unknown
	}
	if s.now() >= survey.Instant(binary.BigEndian.Uint64(b[n:])) {
		return by, nil, survey.Errorf(survey.Gone, "", "this preview was shown for an hour; make another")
	}
	return Caller{Workspace: int64(workspace), KeyName: "preview"}, b[n+8 : end], nil
}
