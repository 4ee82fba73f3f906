package store

import (
	"bytes"

	"koe/survey"
)

// members checks that the directory finds every member by their address, and
// nobody else.
func (v *verifier) members() error {
	hashes := map[survey.ID][]byte{}
	var one id
	var address string
	if err := v.each(`SELECT id, email FROM workspace_members WHERE workspace_id = ? AND email <> ''`, []any{v.by.Workspace},
		[]any{&one, &address}, func() error {
			hashes[survey.ID(one)] = v.store.memberHash(address)
			return nil
		}); err != nil {
		return err
	}
	var hash []byte
	if err := v.each(`SELECT member_id, address_hash FROM member_addresses WHERE workspace_id = ?`, []any{v.by.Workspace},
		[]any{&one, &hash}, func() error {
			if known, is := hashes[survey.ID(one)]; !is || !bytes.Equal(known, hash) {
				v.out.fault("workspace %d: the directory of addresses names %s, who is no member by that address", v.by.Workspace, survey.ID(one))
			}
			delete(hashes, survey.ID(one))
			return nil
		}); err != nil {
		return err
	}
	for member := range hashes {
		v.out.fault("workspace %d: the directory of addresses does not know the member %s", v.by.Workspace, member)
	}
	return nil
}
