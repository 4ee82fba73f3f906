package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"koe/survey"
)

type workspaceMemberRow struct {
	ID          id
	Email       string
	Name        string
	Role        string
	Locale      string
	Timezone    string
	Touchpoints string
	Segment     string
	Digest      string
	CreatedAt   int64
	UpdatedAt   int64
}

const workspaceMemberColumns = `id, email, name, role, locale, timezone, touchpoints, segment, digest, created_at, updated_at`

func (r workspaceMemberRow) member() (survey.Member, error) {
	m := survey.Member{ID: survey.ID(r.ID), Email: r.Email, Name: r.Name, Role: survey.Role(r.Role), Locale: r.Locale, Timezone: r.Timezone,
		Digest: survey.Digest(r.Digest), CreatedAt: survey.Instant(r.CreatedAt), UpdatedAt: survey.Instant(r.UpdatedAt)}
	if err := fromJSON(r.Touchpoints, &m.Touchpoints); err != nil {
		return m, err
	}
	return m, fromJSON(r.Segment, &m.Segment)
}

// maxMembers keeps a list that a digest goes through.
const maxMembers = 1000

var errNoMember = survey.Errorf(survey.NotFound, "", "there is no such member")

// CreateMember lets somebody sign in to the caller's workspace. What is left out
// is as the workspace has it. Errors: Invalid with the fields, also for a
// touchpoint that does not exist; Conflict where the address is a member already.
func (s *Store) CreateMember(ctx context.Context, by Caller, in survey.Member) (m survey.Member, err error) {
	err = s.write(ctx, by, func(q *session) error {
		m = in
		m.Touchpoints, m.Segment = slices.Clone(in.Touchpoints), cloneSegment(in.Segment)
		w, err := q.workspace(by.Workspace)
		if err != nil {
			return err
		}
		if m.Timezone == "" {
			m.Timezone = w.Timezone
		}
		if m.Locale == "" && slices.Contains(survey.MemberLocales(), w.DefaultLocale) {
			m.Locale = w.DefaultLocale
		}
		m.ID = survey.ID{}
		if err := q.cleanMember(&m); err != nil {
			return err
		}
		var all int
		if _, err := q.row(`SELECT COUNT(*) FROM workspace_members WHERE workspace_id = ?`, []any{by.Workspace}, &all); err != nil {
			return err
		}
		if all >= maxMembers {
			return survey.Errorf(survey.Conflict, "", "a workspace has at most %d members; remove one first", maxMembers)
		}
		if err := s.insertMember(q, &m); err != nil {
			return err
		}
		q.resource = m.ID.String()
		return q.audit("member.created", m.ID.String(), string(m.Role))
	})
	return m, err
}

// cleanMember checks a member, and that the touchpoints exist.
func (q *session) cleanMember(m *survey.Member) error {
	var p survey.Problems
	p.Merge("", m.Clean())
	for i, key := range m.Touchpoints {
		if !survey.ValidKey(key) {
			continue // it is a problem already
		}
		if _, found, err := q.touchpointID(key); err != nil {
			return err
		} else if !found {
			p.Add(fmt.Sprintf("touchpoints[%d]", i), "unknown", "does not exist in this workspace")
		}
	}
	return p.Err()
}

func (s *Store) insertMember(q *session, m *survey.Member) error {
	m.ID, m.CreatedAt, m.UpdatedAt = newID(), q.now, q.now
	touchpoints, segment, err := scopeTexts(*m)
	if err != nil {
		return err
	}
	fresh, err := q.inserted(`INSERT INTO workspace_members (workspace_id, `+workspaceMemberColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		q.by.Workspace, m.ID, m.Email, m.Name, string(m.Role), m.Locale, m.Timezone, touchpoints, segment, string(m.Digest), q.now, q.now)
	if err != nil {
		return err
	}
	if !fresh {
		return errMemberAlready
	}
	if err := q.planDigest(*m); err != nil {
		return err
	}
	return s.listAddress(q, *m)
}

var errMemberAlready = survey.Errorf(survey.Conflict, "email", "is a member of this workspace already")

// listAddress puts a member into the directory by which those are found who have
// named no workspace yet.
func (s *Store) listAddress(q *session, m survey.Member) error {
	if m.Email == "" {
		return nil
	}
	_, err := q.exec(`INSERT INTO member_addresses (address_hash, workspace_id, member_id) VALUES (?, ?, ?)`,
		s.memberHash(m.Email), q.by.Workspace, m.ID)
	return err
}

func (s *Store) unlistAddress(q *session, m survey.Member) error {
	if m.Email == "" {
		return nil
	}
	_, err := q.exec(`DELETE FROM member_addresses WHERE address_hash = ? AND workspace_id = ?`, s.memberHash(m.Email), q.by.Workspace)
	return err
}

// memberHash is what the directory knows an address by, in all workspaces the
// same.
func (s *Store) memberHash(address string) []byte {
	return s.derive("member address", 0, []byte(address))[:16]
}

func scopeTexts(m survey.Member) (touchpoints, segment string, err error) {
	if touchpoints, err = asJSON(m.Touchpoints); err != nil || m.Segment == nil {
		return touchpoints, "", err
	}
	segment, err = asJSON(m.Segment)
	return touchpoints, segment, err
}

func cloneSegment(s *survey.Segment) *survey.Segment {
	if s == nil {
		return nil
	}
	return &survey.Segment{Key: s.Key, Values: slices.Clone(s.Values)}
}

func (q *session) member(of survey.ID, lock string) (survey.Member, error) {
	var row workspaceMemberRow
	found, err := q.find(&row, `SELECT `+workspaceMemberColumns+` FROM workspace_members WHERE workspace_id = ? AND id = ?`+lock, q.by.Workspace, of)
	if err == nil && !found {
		err = errNoMember
	}
	if err != nil {
		return survey.Member{}, err
	}
	return row.member()
}

// Member shows a member.
func (s *Store) Member(ctx context.Context, by Caller, of survey.ID) (survey.Member, error) {
	m, err := s.reading(ctx, by).member(of, "")
	return m, away(err)
}

// Members lists those of the caller's workspace, the newest first.
func (s *Store) Members(ctx context.Context, by Caller, page Page) ([]survey.Member, string, error) {
	q := s.reading(ctx, by)
	var rows []workspaceMemberRow
	next, err := s.newestFirst(q, "members", nil, page, "created_at", []string{"workspace_id = ?"}, []any{by.Workspace},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+workspaceMemberColumns+` FROM workspace_members`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]survey.Member, min(len(rows), page.Limit))
	for i := range list {
		if list[i], err = rows[i].member(); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// ChangeMember changes a member; role and limits hold from the next request on.
// Another address ends the sessions, and the links that are out. Errors as of
// CreateMember; change may run more than once.
func (s *Store) ChangeMember(ctx context.Context, by Caller, of survey.ID, change func(*survey.Member) error) (m survey.Member, err error) {
	err = s.write(ctx, by, func(q *session) error {
		if err := q.holdChoices(); err != nil {
			return err
		}
		before, err := q.member(of, q.forUpdate())
		if err != nil {
			return err
		}
		m = before
		m.Touchpoints, m.Segment = slices.Clone(before.Touchpoints), cloneSegment(before.Segment)
		if err := change(&m); err != nil {
			return err
		}
		if m.Email == "" && before.Email != "" {
			return survey.Errorf(survey.Invalid, "email", "is required; remove the member to end their access")
		}
		m.ID, m.CreatedAt, m.UpdatedAt = before.ID, before.CreatedAt, q.now
		if err := q.cleanMember(&m); err != nil {
			return err
		}
		if m.Email != before.Email {
			if err := s.moveMember(q, before, m); err != nil {
				return err
			}
		}
		touchpoints, segment, err := scopeTexts(m)
		if err != nil {
			return err
		}
		if err := q.must(`UPDATE workspace_members SET email = ?, name = ?, role = ?, locale = ?, timezone = ?, touchpoints = ?, segment = ?,
			digest = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`, m.Email, m.Name, string(m.Role), m.Locale, m.Timezone, touchpoints, segment,
			string(m.Digest), m.UpdatedAt, by.Workspace, of); err != nil {
			return err
		}
		if m.Digest != before.Digest || m.Timezone != before.Timezone || m.Email != before.Email {
			if err := q.planDigest(m); err != nil {
				return err
			}
		}
		if ownsLess(before, m) {
			if err := s.reassign(q, m, false); err != nil {
				return err
			}
		}
		return q.audit("member.changed", of.String(), string(m.Role))
	})
	return m, err
}

// ownsLess is true where a change may take follow-ups from a member.
func ownsLess(before, after survey.Member) bool {
	return before.Role != after.Role || !slices.Equal(before.Touchpoints, after.Touchpoints) || !reflect.DeepEqual(before.Segment, after.Segment)
}

// moveMember takes a member from one address to another.
func (s *Store) moveMember(q *session, before, after survey.Member) error {
	var one int
	taken, err := q.row(`SELECT 1 FROM workspace_members WHERE workspace_id = ? AND email = ?`, []any{q.by.Workspace, after.Email}, &one)
	if err != nil {
		return err
	}
	if taken {
		return errMemberAlready
	}
	if err := s.unlistAddress(q, before); err != nil {
		return err
	}
	if err := s.listAddress(q, after); err != nil {
		return err
	}
	if err := q.forgetNotices(before.Email); err != nil {
		return err
	}
	return q.shutOut(before.ID)
}

// shutOut ends a member's sessions and the links that would begin others.
func (q *session) shutOut(of survey.ID) error {
	if _, err := q.exec(`DELETE FROM sessions WHERE workspace_id = ? AND member_id = ?`, q.by.Workspace, of); err != nil {
		return err
	}
	_, err := q.exec(`DELETE FROM sign_in_links WHERE workspace_id = ? AND member_id = ?`, q.by.Workspace, of)
	return err
}

// RemoveMember ends somebody's access at once, and drops what was to be mailed to
// them. The last admin may go: keys make others.
func (s *Store) RemoveMember(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		if err := q.holdChoices(); err != nil {
			return err
		}
		m, err := q.member(of, q.forUpdate())
		if err != nil {
			return err
		}
		if err := q.shutOut(of); err != nil {
			return err
		}
		if err := s.unlistAddress(q, m); err != nil {
			return err
		}
		if err := q.forgetNotices(m.Email); err != nil {
			return err
		}
		if _, err := q.exec(`DELETE FROM target_members WHERE workspace_id = ? AND member_id = ?`, by.Workspace, of); err != nil {
			return err
		}
		if err := q.must(`DELETE FROM workspace_members WHERE workspace_id = ? AND id = ?`, by.Workspace, of); err != nil {
			return err
		}
		if err := s.reassign(q, m, true); err != nil {
			return err
		}
		return q.audit("member.removed", of.String(), "")
	})
}
