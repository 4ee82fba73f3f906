package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// lockAway hides a secret that koe has to know again, such as the one that a tool
// signs with: AES-GCM under a key of its own that is derived from KOE_SECRET, so
// that a stolen database tells nothing.
func (s *Store) lockAway(workspace int64, of id, secret string) ([]byte, error) {
	box, err := s.box(workspace, of)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // it never fails; the program ends instead
	return box.Seal(nonce, nonce, []byte(secret), nil), nil
}

// takeOut reads what lockAway wrote.
func (s *Store) takeOut(workspace int64, of id, sealed []byte) (string, error) {
	box, err := s.box(workspace, of)
	if err != nil {
		return "", err
	}
	if len(sealed) < box.NonceSize() {
		return "", errors.New("a kept secret is cut off")
	}
	secret, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], nil)
	return string(secret), err
}

func (s *Store) box(workspace int64, of id) (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.derive("sealed secret", workspace, of[:]))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
