package store_test

import (
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func aMember(address string) survey.Member {
	return survey.Member{Email: address, Role: survey.Viewer}
}

// One person may be a member of several workspaces; what is removed in one stays
// in the other.
func TestMembersOfSeveralWorkspaces(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		mine, theirs := storetest.Default(t, s), storetest.Other(t, s, "other")
		here, err := s.CreateMember(ctx, mine, aMember("ana@example.com"))
		ok(t, err)
		there, err := s.CreateMember(ctx, theirs, aMember("ana@example.com"))
		ok(t, err)
		_, err = s.CreateMember(ctx, mine, aMember("ana@example.com"))
		refused(t, err, survey.Conflict, "email")
		_, err = s.Member(ctx, theirs, here.ID)
		refused(t, err, survey.NotFound, "")
		refused(t, s.RemoveMember(ctx, theirs, here.ID), survey.NotFound, "")
		_, err = s.ChangeMember(ctx, theirs, here.ID, func(*survey.Member) error { return nil })
		refused(t, err, survey.NotFound, "")

		ok(t, s.RemoveMember(ctx, mine, here.ID))
		list, next, err := s.Members(ctx, theirs, store.Page{Limit: 10})
		ok(t, err)
		if len(list) != 1 || list[0].ID != there.ID || next != "" {
			t.Errorf("the other workspace lists %+v", list)
		}
		db := raw(t, url)
		if left := texts(t, db, `SELECT COUNT(*) FROM member_addresses`); left[0] != "1" {
			t.Errorf("%s addresses are listed", left[0])
		}
		if kept := texts(t, db, `SELECT action FROM audit WHERE subject LIKE '%ana@%' OR detail LIKE '%ana@%'`); len(kept) > 0 {
			t.Errorf("an address in the audit of %v", kept)
		}
	})
}

// Whoever leaves is mailed nothing that still waits.
func TestNoticesGoWithTheirMember(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		by := storetest.Default(t, s)
		m, err := s.CreateMember(ctx, by, aMember("ana@example.com"))
		ok(t, err)
		db := raw(t, url)
		waiting := func(address string) string {
			return texts(t, db, `SELECT COUNT(*) FROM outbox WHERE kind = 'notice' AND destination = '`+address+`'`)[0]
		}
		for _, address := range []string{"ana@example.com", "bo@example.com"} {
			ok(t, s.Notify(ctx, by, survey.EventWebhookPaused, m.ID, address))
		}
		ok(t, s.RemoveMember(ctx, by, m.ID))
		if gone, kept := waiting("ana@example.com"), waiting("bo@example.com"); gone != "0" || kept != "1" {
			t.Errorf("%s notices for who left, %s for who stayed", gone, kept)
		}
	})
}

// koe verify sees where the directory by which members are found is wrong.
func TestVerifyChecksTheDirectoryOfMembers(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		by := storetest.Default(t, s)
		_, err := s.CreateMember(ctx, by, aMember("ana@example.com"))
		ok(t, err)
		faults := func() int {
			checked, err := s.Verify(ctx)
			ok(t, err)
			return len(checked.Faults)
		}
		if n := faults(); n != 0 {
			t.Errorf("%d faults", n)
		}
		db := raw(t, url)
		for _, spoil := range []string{`UPDATE workspace_members SET email = 'bo@example.com'`, `DELETE FROM member_addresses`} {
			_, err := db.Exec(spoil)
			ok(t, err)
			if n := faults(); n != 1 {
				t.Errorf("%d faults after %s", n, spoil)
			}
		}
	})
}
