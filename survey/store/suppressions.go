package store

import (
	"context"
	"slices"
	"strconv"

	"koe/survey"
)

type suppressionRow struct {
	ID        id
	Email     *string
	Reason    string
	CreatedAt int64

	AddressHash []byte // where it is asked for
}

const suppressionColumns = `id, email, reason, created_at`

func (r suppressionRow) suppression() survey.Suppression {
	v := survey.Suppression{ID: survey.ID(r.ID), Reason: survey.SuppressionReason(r.Reason), CreatedAt: survey.Instant(r.CreatedAt)}
	if r.Email != nil {
		v.Email = *r.Email
	}
	return v
}

// Suppress makes sure that an address is never asked, and ends what waits to be
// sent to it. One that is suppressed
// already stays as it is, unless the new reason outweighs the first; fresh is
// false where nothing changed.
func (s *Store) Suppress(ctx context.Context, by Caller, email string, reason survey.SuppressionReason) (out survey.Suppression, fresh bool, err error) {
	var p survey.Problems
	address, wrong := survey.NormalizeAddress(email)
	if wrong != nil {
		p.Add("email", "format", "%s", wrong)
	}
	if !slices.Contains([]survey.SuppressionReason{survey.Unsubscribed, survey.Bounced, survey.Complained, survey.ByHand}, reason) {
		p.Add("reason", "unknown", "must be unsubscribed, bounced, complained or manual")
	}
	if err := p.Err(); err != nil {
		return out, false, err
	}
	err = s.write(ctx, by, func(q *session) error {
		if _, err := q.counting(); err != nil { // before invitations are locked, as everywhere
			return err
		}
		err := s.endSuppressed(q, address)
		if err != nil {
			return err
		}
		if out, fresh, err = s.suppress(q, address, reason); err != nil {
			return err
		}
		q.resource = out.ID.String()
		if !fresh {
			q.resource = "repeat " + q.resource
			return nil
		}
		if reason == survey.Unsubscribed {
			if err := q.emit(survey.EventPersonUnsubscribed, out.ID, nil); err != nil {
				return err
			}
		}
		return q.audit("suppression.created", out.ID.String(), string(reason))
	})
	return out, fresh, err
}

// suppressing is the statement for one address: workspace, hash, id, address,
// reason and instant. It changes no row where the address is suppressed already,
// unless the new reason outweighs the kept one (see
// [survey.SuppressionReason.Outweighs]). The address of somebody who was erased
// stays away, and no date goes back: mails went out until then.
const suppressing = `INSERT INTO suppressions (workspace_id, address_hash, ` + suppressionColumns + `) VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (workspace_id, address_hash) DO UPDATE SET reason = excluded.reason,
		created_at = CASE WHEN excluded.created_at > suppressions.created_at THEN excluded.created_at ELSE suppressions.created_at END
	WHERE excluded.reason IN ('unsubscribed', 'complained') AND suppressions.reason IN ('bounced', 'manual')`

// suppress suppresses a normalised address within a transaction; false where it
// was before, for a reason that stays.
func (s *Store) suppress(q *session, address string, reason survey.SuppressionReason) (survey.Suppression, bool, error) {
	hash := s.addressHash(q.by.Workspace, address)
	n, err := q.exec(suppressing, q.by.Workspace, hash, newID(), address, string(reason), q.now)
	if err != nil {
		return survey.Suppression{}, false, err
	}
	var row suppressionRow
	_, err = q.find(&row, `SELECT `+suppressionColumns+` FROM suppressions WHERE workspace_id = ? AND address_hash = ?`,
		q.by.Workspace, hash)
	return row.suppression(), n == 1, err
}

// endSuppressed ends the invitations that were not sent yet to an address that
// is being suppressed: before it is, as where a refused mail suppresses. What is missed here, because it is planned at this very moment or was
// suppressed by another way, ends when it is about to be sent.
func (s *Store) endSuppressed(q *session, address string) error {
	var rows []invitationRow
	if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations`+q.indexedBy("invitations_address_hash_planned_at")+`
		WHERE workspace_id = ? AND address_hash = ? AND state = 'scheduled' ORDER BY id`+q.forUpdate(),
		q.by.Workspace, s.addressHash(q.by.Workspace, address)); err != nil {
		return err
	}
	for _, row := range rows {
		if err := q.endInvitation(row, survey.InvitationSuppressed, string(survey.SkipSuppressed), "when the address was suppressed"); err != nil {
			return err
		}
	}
	return nil
}

// suppressionBatch is how many addresses one statement or transaction is about.
const suppressionBatch = 500

// SuppressionsOf finds which normalised addresses are suppressed.
func (s *Store) SuppressionsOf(ctx context.Context, by Caller, addresses []string) (map[string]survey.Suppression, error) {
	q := s.reading(ctx, by)
	found := map[string]survey.Suppression{}
	for some := range slices.Chunk(addresses, suppressionBatch) {
		of := make(map[string]string, len(some))
		hashes := make([]any, 0, len(some))
		for _, address := range some {
			hash := s.addressHash(by.Workspace, address)
			of[string(hash)] = address
			hashes = append(hashes, hash)
		}
		var rows []suppressionRow
		if err := q.list(&rows, `SELECT `+suppressionColumns+`, address_hash FROM suppressions WHERE workspace_id = ? AND address_hash IN ?`,
			by.Workspace, hashes); err != nil {
			return nil, away(err)
		}
		for _, row := range rows {
			v := row.suppression()
			v.Email = of[string(row.AddressHash)] // an erased one has none of its own
			found[v.Email] = v
		}
	}
	return found, nil
}

// ImportSuppressions takes over whom another tool must not ask: normalised
// addresses, with the reason and the instant from which it holds (now where it
// is 0 or ahead). One that is suppressed already stays as it is, unless the new
// reason outweighs the first. No webhook is told: nobody opted out just now. It
// returns how many are new or changed.
func (s *Store) ImportSuppressions(ctx context.Context, by Caller, list []survey.Suppression) (fresh int, err error) {
	for some := range slices.Chunk(list, suppressionBatch) {
		made := 0
		if err := s.write(ctx, by, func(q *session) error {
			made = 0
			for _, one := range some {
				since := one.CreatedAt
				if since <= 0 || since > q.now {
					since = q.now
				}
				n, err := q.exec(suppressing, by.Workspace, s.addressHash(by.Workspace, one.Email), newID(), one.Email, string(one.Reason), since)
				if err != nil {
					return err
				}
				made += int(n)
			}
			if made == 0 {
				return nil
			}
			return q.audit("suppressions.imported", "", strconv.Itoa(made))
		}); err != nil {
			return fresh, err
		}
		fresh += made
	}
	return fresh, nil
}

// suppressed is true for a normalised address that must not be asked.
func (s *Store) suppressed(q *session, address string) (bool, error) {
	var one int
	return q.row(`SELECT 1 FROM suppressions WHERE workspace_id = ? AND address_hash = ?`,
		[]any{q.by.Workspace, s.addressHash(q.by.Workspace, address)}, &one)
}

var errNoSuppression = survey.Errorf(survey.NotFound, "", "there is no such suppression")

// Suppression shows one suppression. The address of somebody who was erased is
// empty; it stays suppressed all the same.
func (s *Store) Suppression(ctx context.Context, by Caller, id survey.ID) (survey.Suppression, error) {
	var row suppressionRow
	found, err := s.reading(ctx, by).find(&row, `SELECT `+suppressionColumns+` FROM suppressions
		WHERE workspace_id = ? AND id = ?`, by.Workspace, id)
	if err == nil && !found {
		err = errNoSuppression
	}
	return row.suppression(), away(err)
}

// Suppressions lists the newest first; an email, where given, narrows the list
// to that address.
func (s *Store) Suppressions(ctx context.Context, by Caller, email string, page Page) ([]survey.Suppression, string, error) {
	q := s.reading(ctx, by)
	where, args := []string{"workspace_id = ?"}, []any{by.Workspace}
	address := ""
	if email != "" {
		var err error
		if address, err = survey.NormalizeAddress(email); err != nil {
			return nil, "", survey.Errorf(survey.Invalid, "email", "%s", err)
		}
		where, args = append(where, "address_hash = ?"), append(args, s.addressHash(by.Workspace, address))
	}
	var rows []suppressionRow
	next, err := s.newestFirst(q, "suppressions", address, page, "created_at", where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+suppressionColumns+` FROM suppressions`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]survey.Suppression, min(len(rows), page.Limit))
	for i := range list {
		list[i] = rows[i].suppression()
	}
	return list, next, nil
}

// Unsuppress lifts a suppression: this is how somebody comes back.
func (s *Store) Unsuppress(ctx context.Context, by Caller, id survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		n, err := q.exec(`DELETE FROM suppressions WHERE workspace_id = ? AND id = ?`, by.Workspace, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoSuppression
		}
		return q.audit("suppression.lifted", id.String(), "")
	})
}
