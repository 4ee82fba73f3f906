package store

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"koe/survey"
)

// StartSending asks the rules again and marks claimed mails as sending, all in
// one durable step, before any server is spoken to. Those that come back are to
// be sent; of the others there is nothing to send:
// the claim was lost, or the rules ended or moved the mail, which is kept with
// its reason.
func (s *Store) StartSending(ctx context.Context, claims []Claim, messageID func(Mail) string) ([]Mail, error) {
	var mails []Mail
	err := s.write(ctx, Caller{}, func(q *session) error {
		rows, err := q.claimed(claims, whileClaimed)
		if err != nil {
			return err
		}
		anyDomain := func(string) survey.Instant { return 0 }
		begun, err := s.begin(q, rows, start{most: len(rows), may: anyDomain, messageID: messageID, patient: true})
		mails = begun.mails
		return err
	})
	return mails, err
}

// start is how mails are begun: see TakeDue. A lease of 0 leaves the leases that
// they have.
type start struct {
	most      int
	lease     time.Duration
	may       func(domain string) survey.Instant
	messageID func(Mail) string
	patient   bool // wait for addresses that others hold; else their mails are left as they are
}

// started is what begin did: the mails that go out, how many were left as they
// are because others hold their addresses, and whether some were left because
// enough go out.
type started struct {
	mails []Mail
	busy  int
	full  bool
}

// begin asks the rules about mails and marks those that go out as sending.
func (s *Store) begin(q *session, rows []claimedRow, how start) (started, error) {
	known := newKnown()
	known.mailsADay = s.mailsADay
	if err := s.holdShared(q, rows, known, how.patient); err != nil {
		return started{}, err
	}
	room := min(how.most, len(rows))
	did, marks := started{mails: make([]Mail, 0, room)}, make([]mark, 0, room)
	var later []Later
	for _, row := range rows {
		if did.full = len(did.mails) == how.most; did.full {
			break
		}
		if known.isBusy(row) {
			did.busy++
			continue
		}
		q.by.Workspace = row.WorkspaceID
		m, err := s.mailOf(q, row, known)
		if err != nil {
			return started{}, err
		}
		again, err := s.askAgain(q, row, m, known)
		if err != nil {
			return started{}, err
		}
		if !again.Send {
			continue
		}
		if until := how.may(row.domain); until != 0 { // the last to be asked: what does not go out takes nobody's turn
			later = append(later, Later{row.claim(), until, survey.WaitDomainCap})
			continue
		}
		if err := q.leave(row, m, again, &known); err != nil {
			return started{}, err
		}
		if m.Invitation.MessageID == "" {
			m.Invitation.MessageID = how.messageID(m)
		}
		state := row.State
		if row.MailNo == 0 {
			state = string(survey.InvitationSending)
		}
		did.mails = append(did.mails, m)
		marks = append(marks, mark{row: row, state: state, messageID: m.Invitation.MessageID})
	}
	if err := q.putBack(later); err != nil {
		return started{}, err
	}
	return did, q.markSending(marks, how.lease)
}

// leave has the mails behind it in the same step know that one goes out.
func (q *session) leave(row claimedRow, m Mail, again survey.Recheck, known *known) error {
	if row.MailNo > 0 || row.SentAt != nil {
		return nil
	}
	known.going = append(known.going, row.invitationRow)
	if m.Survey.Rules.DailyLimit == nil {
		return nil
	}
	return q.takePlace(row.invitationRow, again.Day, *known)
}

// holdShared holds what the mails of other processes may ask about too, before
// any rule is asked: the addresses of those who have other invitations, for two
// mails to one person must not both find that nothing was sent, and then daily
// limits. Unless it is patient it waits for no address:
// while many mails are looked at, others may hold some and wait for the rest.
// SQLite has one writer, so there is nothing to hold.
func (s *Store) holdShared(q *session, rows []claimedRow, known known, patient bool) error {
	if !q.postgres {
		return nil
	}
	addresses := map[int64][][]byte{}
	var limited []survey.ID
	for _, row := range rows {
		if !row.first() {
			continue
		}
		q.by.Workspace = row.WorkspaceID
		place, err := s.placeOf(q, row.invitationRow, known)
		if err != nil {
			return err
		}
		w, err := q.workspaceOf(row.invitationRow, known)
		if err != nil {
			return err
		}
		if row.others && row.AddressHash != nil && known.asks(place.Survey, w) {
			addresses[w.ID] = append(addresses[w.ID], row.AddressHash)
		}
		if place.Survey.Rules.DailyLimit != nil {
			limited = append(limited, place.Survey.ID)
		}
	}
	for _, workspace := range slices.Sorted(maps.Keys(addresses)) {
		q.by.Workspace = workspace
		hashes := addresses[workspace]
		slices.SortFunc(hashes, bytes.Compare)
		hashes = slices.CompactFunc(hashes, bytes.Equal)
		var err error
		if patient {
			err = q.lockHashes(hashes...)
		} else {
			err = q.tryHashes(hashes, known.busy)
		}
		if err != nil {
			return err
		}
	}
	return q.lockLimits(limited)
}

// quiet is true where a quiet period is asked about.
func quiet(s survey.Survey, w survey.Workspace) bool {
	period, _ := survey.QuietRule(s, w)
	return period.Length() > 0
}

// askAgain says whether a mail may go out now; where it may not, what becomes of
// it is kept.
func (s *Store) askAgain(q *session, row claimedRow, m Mail, known known) (survey.Recheck, error) {
	if m.Invitation.State == survey.InvitationAnswered {
		return survey.Recheck{}, q.mailDone(row.invitationRow)
	}
	if m.Survey.State == survey.Paused { // since it was claimed, or while it was planned
		return survey.Recheck{}, q.must(`UPDATE invitations SET mail_state = 'waiting', held = ?, attempt = ?, updated_at = ?
			WHERE workspace_id = ? AND id = ?`, true, row.Attempt-1, q.now, row.WorkspaceID, row.ID)
	}
	return s.recheck(q, m, row, known)
}

// claimedRow is an invitation whose mail is claimed, with what its mail needs
// from other tables.
type claimedRow struct {
	invitationRow
	domain     string
	occurredAt *int64
	suppressed bool
	person     *string   // the person's attributes now
	zone       *string   // and their time zone
	lastAsked  [2]*int64 // by another tool: of the person, and of whoever has the address
	others     bool      // the person or the address has other invitations
	went       int       // number of the mail that went out
}

const mailColumns = `SELECT v.workspace_id, v.id, v.survey_id, v.touchpoint_id, v.interaction_id, v.template_id, v.template_version,
	v.channel, v.email, v.name, v.locale, v.timezone, v.attributes, v.segments, v.nonce, v.state, v.reason, v.planned_at, v.expires_at,
	v.sent_at, v.answered_at, v.opened_at, v.bounced_at, v.message_id, v.mail_no, v.mail_state, v.attempt, v.fence, v.held, v.cohort_at,
	v.due_at, v.commented, v.person_id, v.address_hash, v.planned_day, v.created_at, v.updated_at, v.domain`

func (r *claimedRow) claim() Claim {
	return Claim{r.WorkspaceID, survey.ID(r.ID), r.Fence, r.domain}
}

// first is true for a mail that never went out, to somebody who may be asked.
func (r *claimedRow) first() bool { return !r.suppressed && r.MailNo == 0 && r.SentAt == nil }

// claimedQuery reads what the rules ask about, which is asked once: of a mail
// that is being sent its own row is enough.
func (q *session) claimedQuery() string {
	return mailColumns + `,
	(SELECT i.occurred_at FROM interactions i WHERE i.workspace_id = v.workspace_id AND i.id = v.interaction_id),
	EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = v.workspace_id AND s.address_hash = v.address_hash),
	(SELECT p.attributes FROM people p WHERE p.workspace_id = v.workspace_id AND p.id = v.person_id),
	(SELECT p.timezone FROM people p WHERE p.workspace_id = v.workspace_id AND p.id = v.person_id),
	(SELECT p.last_asked_at FROM people p WHERE p.workspace_id = v.workspace_id AND p.id = v.person_id),
	(SELECT max(p.last_asked_at) FROM people p` + q.indexedBy("people_email") + ` WHERE p.workspace_id = v.workspace_id AND p.email = v.email),
	EXISTS (SELECT 1 FROM invitations o` + q.indexedBy("invitations_person_id_planned_at") + ` WHERE o.workspace_id = v.workspace_id AND o.person_id = v.person_id AND o.id <> v.id)
	OR EXISTS (SELECT 1 FROM invitations o` + q.indexedBy("invitations_address_hash_planned_at") + ` WHERE o.workspace_id = v.workspace_id AND o.address_hash = v.address_hash AND o.id <> v.id)`
}

// The points of a mail's way at which its claim is looked for.
const (
	whileClaimed = `v.mail_state = 'claimed'`
	whileSending = `v.mail_state = 'sending'`
	whileHeld    = `v.mail_state IN ('claimed', 'sending')`
)

// mailQuery is what reads a row at a point of its mail's way, and where it goes.
func (q *session) mailQuery(r *claimedRow, at string) (string, []any) {
	fields := []any{&r.WorkspaceID, &r.ID, &r.SurveyID, &r.TouchpointID, &r.InteractionID, &r.TemplateID, &r.TemplateVersion,
		&r.Channel, &r.Email, &r.Name, &r.Locale, &r.Timezone, &r.Attributes, &r.Segments, &r.Nonce, &r.State, &r.Reason, &r.PlannedAt,
		&r.ExpiresAt, &r.SentAt, &r.AnsweredAt, &r.OpenedAt, &r.BouncedAt, &r.MessageID, &r.MailNo, &r.MailState, &r.Attempt, &r.Fence,
		&r.Held, &r.CohortAt, &r.dueAt, &r.Commented, &r.PersonID, &r.AddressHash, &r.PlannedDay, &r.CreatedAt, &r.UpdatedAt, &r.domain}
	if at != whileClaimed {
		return mailColumns, fields
	}
	return q.claimedQuery(), append(fields, &r.occurredAt, &r.suppressed, &r.person, &r.zone, &r.lastAsked[0], &r.lastAsked[1], &r.others)
}

// claimed locks the rows of claims that still hold and are at a point of their
// way, in the order of the ids, so that two never wait for each other crosswise.
func (q *session) claimed(claims []Claim, at string) ([]claimedRow, error) {
	rows := make([]claimedRow, 0, len(claims))
	if !q.postgres {
		for _, c := range claims {
			var row claimedRow
			query, fields := q.mailQuery(&row, at)
			found, err := q.row(query+` FROM invitations v WHERE v.workspace_id = ? AND v.id = ? AND v.fence = ? AND `+at,
				[]any{c.Workspace, c.Invitation, c.Fence}, fields...)
			if err != nil {
				return nil, err
			}
			if found {
				rows = append(rows, row)
			}
		}
		return rows, nil
	}
	workspaces, ids, fences := claimArrays(claims)
	var row claimedRow
	query, fields := q.mailQuery(&row, at)
	err := q.each(query+` FROM invitations v JOIN unnest(?::bigint[], ?::uuid[], ?::bigint[]) AS c (w, id, fence)
		ON v.workspace_id = c.w AND v.id = c.id AND v.fence = c.fence WHERE `+at+` ORDER BY v.id FOR UPDATE OF v`,
		[]any{workspaces, ids, fences}, fields, func() error {
			rows = append(rows, row)
			return nil
		})
	return rows, err
}

// idArray is PostgreSQL's text of an array of ids.
func idArray(ids []survey.ID) string {
	var b strings.Builder
	for i, id := range ids {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(id.String())
	}
	if len(ids) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.String()
}

// known is what the mails of one step have in common, read once in it.
type known struct {
	surveys     map[surveyOf]surveyPlace
	workspaces  map[int64]survey.Workspace
	touchpoints map[surveyOf]string
	days        map[surveyOf]*heldDay
	going       []invitationRow    // whose first mails go out in this step
	busy        map[addressOf]bool // that others hold
	mailsADay   int                // to one address; 0 is no limit
}

// asks is true where what else reached the person or the address is asked about.
func (k known) asks(s survey.Survey, w survey.Workspace) bool { return k.mailsADay > 0 || quiet(s, w) }

func newKnown() known {
	return known{surveys: map[surveyOf]surveyPlace{}, workspaces: map[int64]survey.Workspace{}, touchpoints: map[surveyOf]string{},
		days: map[surveyOf]*heldDay{}, busy: map[addressOf]bool{}}
}

// addressOf is an address by its hash.
type addressOf struct {
	workspace int64
	hash      string
}

// isBusy is true for a first mail to an address that others hold.
func (k known) isBusy(row claimedRow) bool {
	return len(k.busy) > 0 && row.first() && k.busy[addressOf{row.WorkspaceID, string(row.AddressHash)}]
}

// once is what the map knows, or what load says, which it knows from then on.
func once[K comparable, V any](in map[K]V, key K, load func() (V, error)) (V, error) {
	if v, ok := in[key]; ok {
		return v, nil
	}
	v, err := load()
	if err == nil {
		in[key] = v
	}
	return v, err
}

func (s *Store) placeOf(q *session, row invitationRow, known known) (surveyPlace, error) {
	return once(known.surveys, surveyOf{row.WorkspaceID, survey.ID(row.SurveyID)}, func() (surveyPlace, error) {
		return s.surveyPlace(q, survey.ID(row.SurveyID))
	})
}

func (q *session) workspaceOf(row invitationRow, known known) (survey.Workspace, error) {
	return once(known.workspaces, row.WorkspaceID, func() (survey.Workspace, error) { return q.workspace(row.WorkspaceID) })
}

func (s *Store) mailOf(q *session, row claimedRow, known known) (Mail, error) {
	m := Mail{Claim: row.claim(), Token: s.token(row.WorkspaceID, row.Nonce), OccurredAt: (*survey.Instant)(row.occurredAt)}
	var err error
	// not at this instant: a due mail past its end must be ended, not shown as ended
	if m.Invitation, err = row.invitation(0); err != nil {
		return m, err
	}
	place, err := s.placeOf(q, row.invitationRow, known)
	if err != nil {
		return m, err
	}
	m.Survey = place.Survey
	if m.Template, err = s.templateVersion(q, survey.ID(row.TemplateID), row.TemplateVersion); err != nil {
		return m, err
	}
	if m.Workspace, err = q.workspaceOf(row.invitationRow, known); err != nil {
		return m, err
	}
	m.Touchpoint, err = once(known.touchpoints, surveyOf{row.WorkspaceID, survey.ID(row.TouchpointID)}, func() (name string, err error) {
		_, err = q.row(`SELECT name FROM touchpoints WHERE workspace_id = ? AND id = ?`, []any{row.WorkspaceID, row.TouchpointID}, &name)
		return name, err
	})
	return m, err
}

// mailDone takes an invitation off the queue of mail.
func (q *session) mailDone(row invitationRow) error {
	return q.must(`UPDATE invitations SET mail_state = 'none', updated_at = ? WHERE workspace_id = ? AND id = ?`,
		q.now, row.WorkspaceID, row.ID)
}
