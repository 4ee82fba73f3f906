package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"koe/survey"
)

// BounceOutcome is what became of a report.
type BounceOutcome string

// The outcomes of reports.
const (
	BounceApplied  BounceOutcome = "applied"
	BounceRepeated BounceOutcome = "repeated"  // known already: nothing changed
	BounceUnknown  BounceOutcome = "unmatched" // names no mail of koe's: nothing changed
)

// BounceTaken is a report's outcome and the invitation that it was about, nil
// where it named an address alone. Paused is why sending has paused itself
// over it, and "" where it has not.
type BounceTaken struct {
	Outcome    BounceOutcome
	Workspace  int64
	Invitation *survey.ID
	Paused     string
}

// TakeBounces applies reports that a workspace's own caller makes. An
// invitation is found by its id, koe's tag, its Message-ID; an address alone
// means the newest mail that went there lately, and is suppressed where there is
// none. Unavailable where a mail is just being handed over:
// nothing is applied then, report again.
func (s *Store) TakeBounces(ctx context.Context, by Caller, reports []survey.Bounce) ([]BounceTaken, error) {
	var taken []BounceTaken
	err := s.write(ctx, by, func(q *session) error {
		var err error
		taken, err = s.takeBounces(q, reports)
		q.resource = outcomes(taken)
		return err
	})
	return taken, err
}

// TakeBouncesAnywhere applies reports from outside, each in the workspace whose
// mail it names. Only a signed tag and a Message-ID, which nobody can guess,
// name a mail; an address does where one workspace alone mailed it lately.
// Leave out an address whose reporter has proved nothing. Unavailable as
// TakeBounces; workspaces that were done before stay done, and a repeat changes
// nothing there.
func (s *Store) TakeBouncesAnywhere(ctx context.Context, reports []survey.Bounce) ([]BounceTaken, error) {
	taken := make([]BounceTaken, len(reports))
	of := map[int64][]int{}
	for i, b := range reports {
		workspace, err := s.bouncedWorkspace(s.reading(ctx, Caller{}), b)
		if err != nil {
			return nil, away(err)
		}
		taken[i] = BounceTaken{Outcome: BounceUnknown}
		if workspace != 0 {
			of[workspace] = append(of[workspace], i)
		}
	}
	for _, workspace := range slices.Sorted(maps.Keys(of)) {
		mine := make([]survey.Bounce, len(of[workspace]))
		for j, i := range of[workspace] {
			mine[j] = reports[i]
			mine[j].Invitation = nil // an id alone proves nothing
		}
		done, err := s.TakeBounces(ctx, Caller{Workspace: workspace, KeyName: "koe"}, mine)
		if err != nil {
			return nil, err
		}
		for j, i := range of[workspace] {
			taken[i] = done[j]
		}
	}
	return taken, nil
}

// outcomes is what a repeat of a request is answered with: one letter and the
// invitation for each.
func outcomes(taken []BounceTaken) string {
	parts := make([]string, len(taken))
	for i, t := range taken {
		parts[i] = string(t.Outcome)
		if t.Invitation != nil {
			parts[i] += " " + t.Invitation.String()
		}
	}
	return strings.Join(parts, ",")
}

// RememberedBounces reads what TakeBounces left for a repeat.
func RememberedBounces(resource string) ([]BounceTaken, error) {
	var taken []BounceTaken
	for part := range strings.SplitSeq(resource, ",") {
		outcome, id, named := strings.Cut(part, " ")
		t := BounceTaken{Outcome: BounceOutcome(outcome)}
		if named {
			of, err := survey.ParseID(id)
			if err != nil {
				return nil, err
			}
			t.Invitation = &of
		}
		taken = append(taken, t)
	}
	return taken, nil
}

// bouncedWorkspace is whose mail a report names; 0 for nobody's.
func (s *Store) bouncedWorkspace(q *session, b survey.Bounce) (int64, error) {
	for _, tag := range b.Tags {
		if workspace, _, ok := s.ParseBounceTag(tag); ok {
			return workspace, nil
		}
	}
	if named, ok := messageInvitation(b.MessageID); ok {
		var workspace int64
		// by the primary key, workspace by workspace
		if _, err := q.row(`SELECT v.workspace_id FROM workspaces w CROSS JOIN invitations v WHERE v.workspace_id = w.id AND v.id = ?
			AND v.message_id IS NOT NULL LIMIT 1`, []any{named}, &workspace); err != nil || workspace != 0 {
			return workspace, err
		}
	}
	if b.Email == "" {
		return 0, nil
	}
	return s.mailedLately(q, b.Email)
}

// mailedLately is the one workspace that mailed an address lately; 0 where
// there is none, or more than one.
func (s *Store) mailedLately(q *session, address string) (int64, error) {
	var workspaces []int64
	if err := q.list(&workspaces, `SELECT id FROM workspaces ORDER BY id`); err != nil {
		return 0, err
	}
	var found int64
	for _, workspace := range workspaces {
		row, err := s.lastMailed(q, workspace, address)
		if err != nil {
			return 0, err
		}
		if row != nil && found != 0 {
			return 0, nil
		}
		if row != nil {
			found = workspace
		}
	}
	return found, nil
}

// lastMailed is the newest mail to an address that went out lately.
func (s *Store) lastMailed(q *session, workspace int64, address string) (*invitationRow, error) {
	return q.bouncedRow(`workspace_id = ? AND address_hash = ? AND address_hash IS NOT NULL AND channel = 'email' AND sent_at >= ?
		ORDER BY planned_at DESC LIMIT 1`, workspace, s.addressHash(workspace, address), q.now.Add(-survey.BounceRecency))
}

func (q *session) bouncedRow(where string, args ...any) (*invitationRow, error) {
	var row invitationRow
	found, err := q.find(&row, `SELECT `+invitationColumns+` FROM invitations WHERE `+where, args...)
	if err != nil || !found {
		return nil, err
	}
	return &row, nil
}

// messageInvitation is the invitation that koe's Message-ID names: its id, or
// its id and the number of a reminder, before the @.
func messageInvitation(messageID string) (survey.ID, bool) {
	local, _, ok := strings.Cut(messageID, "@")
	local, _, _ = strings.Cut(local, ".")
	id, err := survey.ParseID(local)
	return id, ok && err == nil
}

// bouncedInvitation finds the invitation in the caller's workspace
// that a report names.
func (s *Store) bouncedInvitation(q *session, b survey.Bounce) (*invitationRow, error) {
	if b.Invitation != nil {
		return q.bouncedRow(`workspace_id = ? AND id = ?`, q.by.Workspace, *b.Invitation)
	}
	for _, tag := range b.Tags {
		if workspace, id, ok := s.ParseBounceTag(tag); ok && workspace == q.by.Workspace {
			return q.bouncedRow(`workspace_id = ? AND id = ?`, workspace, id)
		}
	}
	id, ok := messageInvitation(b.MessageID)
	if !ok {
		return nil, nil
	}
	row, err := q.bouncedRow(`workspace_id = ? AND id = ? AND message_id IS NOT NULL`, q.by.Workspace, id)
	if row != nil && !sameDomain(*row.MessageID, b.MessageID) {
		return nil, err
	}
	return row, err
}

func sameDomain(a, b string) bool {
	_, first, _ := strings.Cut(a, "@")
	_, second, _ := strings.Cut(b, "@")
	return strings.EqualFold(first, second)
}

func (s *Store) takeBounces(q *session, reports []survey.Bounce) ([]BounceTaken, error) {
	if _, err := q.counting(); err != nil { // before invitations are locked, as a rebuild does
		return nil, err
	}
	taken := make([]BounceTaken, len(reports))
	worse := -1
	for i, b := range reports {
		row, err := s.bouncedInvitation(q, b)
		if err == nil && row == nil {
			taken[i], err = s.takeByAddress(q, b)
		} else if err == nil {
			taken[i], err = s.takeBounce(q, *row, b)
		}
		if err != nil {
			return nil, err
		}
		taken[i].Workspace = q.by.Workspace
		if taken[i].Outcome == BounceApplied && b.Kind != survey.SoftBounce {
			worse = i
		}
	}
	if worse < 0 {
		return taken, nil
	}
	var err error
	taken[worse].Paused, err = q.pauseSending()
	return taken, err
}

// takeByAddress applies a report that names an address alone to the newest mail
// that it got lately, so that it counts; where there is none it is suppressed.
func (s *Store) takeByAddress(q *session, b survey.Bounce) (BounceTaken, error) {
	out := BounceTaken{Outcome: BounceUnknown}
	if b.Email == "" {
		return out, nil
	}
	row, err := s.lastMailed(q, q.by.Workspace, b.Email)
	if err != nil || row != nil {
		if err == nil {
			out, err = s.takeBounce(q, *row, b)
		}
		return out, err
	}
	if b.Kind == survey.SoftBounce {
		return out, nil
	}
	fresh, err := s.block(q, b.Email, map[survey.BounceKind]survey.SuppressionReason{
		survey.HardBounce: survey.Bounced, survey.Complaint: survey.Complained}[b.Kind])
	out.Outcome = BounceRepeated
	if fresh {
		out.Outcome = BounceApplied
	}
	return out, err
}

// takeBounce applies a report to its invitation.
func (s *Store) takeBounce(q *session, row invitationRow, b survey.Bounce) (BounceTaken, error) {
	of := survey.ID(row.ID)
	out := BounceTaken{Outcome: BounceRepeated, Invitation: &of}
	row, err := s.held(q, row)
	if err != nil {
		return out, err
	}
	v, err := row.invitation(q.now)
	if err != nil {
		return out, err
	}
	if row.Email == nil { // erased: a server's words may hold the address
		b.Reason = ""
	}
	e := survey.AfterBounce(v, row.ComplainedAt != nil, b.Kind)
	if e.Again {
		return out, &survey.Error{Kind: survey.Unavailable, RetryAfter: lateBounce,
			Message: "the mail is just being handed over; report again in a minute"}
	}
	detail := bounceDetail(b)
	if b.Kind == survey.SoftBounce {
		fresh, err := q.freshEvent(of, e.Event, b.Reason, detail)
		if fresh && err == nil {
			out.Outcome, err = BounceApplied, q.event(aboutInvitation, of, e.Event, b.Reason, detail)
		}
		return out, err
	}
	if e.Bounced || e.Noted {
		out.Outcome = BounceApplied
		if err := s.markBounced(q, row, b, e, detail); err != nil {
			return out, err
		}
	}
	if row.Email == nil { // erased; the suppression was made then, where there was one
		return out, nil
	}
	fresh, err := s.block(q, *row.Email, e.Block)
	if fresh {
		out.Outcome = BounceApplied
	}
	return out, err
}

// markBounced keeps a hard bounce or a complaint in the invitation; the rest of
// its mail is called off.
func (s *Store) markBounced(q *session, row invitationRow, b survey.Bounce, e survey.BounceEffect, detail string) error {
	column := "complained_at"
	if e.Bounced {
		column = "bounced_at"
		if err := s.countInvitation(q, row, cohort{bounced: 1}); err != nil {
			return err
		}
	}
	if err := q.must(`UPDATE invitations SET `+column+` = ?, mail_state = CASE WHEN mail_state = 'sending' OR state = 'scheduled' THEN mail_state ELSE 'none' END,
		updated_at = ? WHERE workspace_id = ? AND id = ?`, q.now, q.now, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	if err := q.event(aboutInvitation, survey.ID(row.ID), e.Event, b.Reason, detail); err != nil || !e.Fail {
		return err
	}
	return q.endInvitation(row, survey.InvitationFailed, survey.BounceReason, detail)
}

// freshEvent is false where the same is kept already.
func (q *session) freshEvent(of survey.ID, typ, reason, detail string) (bool, error) {
	var one int
	known, err := q.row(`SELECT 1 FROM events`+q.indexedBy("events_subject_id_at")+` WHERE workspace_id = ? AND subject_id = ? AND type = ? AND reason = ? AND detail = ?`,
		[]any{q.by.Workspace, of, typ, reason, detail}, &one)
	return !known, err
}

// bounceDetail is what a report says beside its words.
func bounceDetail(b survey.Bounce) string {
	detail := b.Code
	if b.At != 0 {
		detail = strings.TrimSpace(fmt.Sprintf("%s at %s", b.Code, b.At))
	}
	return detail
}

// held is an invitation with what waits to be mailed to its address, all locked in
// the order of their ids, so that two reports about one address wait for each other
// and not crosswise.
func (s *Store) held(q *session, row invitationRow) (invitationRow, error) {
	index, where, args := "", `id = ?`, []any{row.WorkspaceID, row.ID}
	if row.Email != nil {
		index = q.indexedBy("invitations_address_hash_planned_at")
		where, args = `address_hash = ? AND address_hash IS NOT NULL AND (mail_state IN ('waiting', 'claimed') OR id = ?)`,
			[]any{row.WorkspaceID, s.addressHash(row.WorkspaceID, *row.Email), row.ID}
	}
	var rows []invitationRow
	if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations`+index+` WHERE workspace_id = ? AND `+where+` ORDER BY id`+q.forUpdate(), args...); err != nil {
		return row, err
	}
	for _, one := range rows {
		if one.ID == row.ID {
			return one, nil
		}
	}
	if row.Email == nil {
		return row, errNoInvitation
	}
	row.Email = nil // erased a moment ago
	return s.held(q, row)
}

// block suppresses an address and ends what waits for it; false where it was
// suppressed before. Invitations are locked before the suppression, as everywhere.
func (s *Store) block(q *session, address string, reason survey.SuppressionReason) (bool, error) {
	var rows []invitationRow
	if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations`+q.indexedBy("invitations_address_hash_planned_at")+` WHERE workspace_id = ? AND address_hash = ? AND address_hash IS NOT NULL
		AND mail_state IN ('waiting', 'claimed') ORDER BY id`+q.forUpdate(), q.by.Workspace, s.addressHash(q.by.Workspace, address)); err != nil {
		return false, err
	}
	made, fresh, err := s.suppress(q, address, reason)
	if err != nil || !fresh {
		return false, err
	}
	if err := q.audit("suppression.created", made.ID.String(), string(reason)); err != nil {
		return true, err
	}
	for _, row := range rows {
		if row.State == string(survey.InvitationScheduled) {
			err = q.endInvitation(row, survey.InvitationSuppressed, string(survey.SkipSuppressed), "")
		} else if err = q.event(aboutInvitation, survey.ID(row.ID), "reminder_skipped", string(survey.SkipSuppressed), ""); err == nil {
			err = q.mailDone(row)
		}
		if err != nil {
			return true, err
		}
	}
	return true, nil
}
