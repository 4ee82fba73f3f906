package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // the driver "sqlite3"
)

// copied are the columns of a due invitation that all of a pile share.
const copied = `workspace_id, survey_id, touchpoint_id, template_id, template_version, channel, domain, name, locale, timezone,
	attributes, segments, state, reason, planned_at, expires_at, mail_no, mail_state, attempt, lease_until, fence, held, planned_day,
	created_at, updated_at`

// pile puts n more due mails behind those that wait, each to an address of its
// own. It writes them into the database: to record a million interactions would
// take longer than all else.
func pile(database string, n int) error {
	driver, address := "pgx", database
	numbers := fmt.Sprintf(`SELECT generate_series(1, %d) AS i`, n)
	id, random := `gen_random_uuid()`, func(what string) string { return `decode(md5(i::text || '` + what + `'), 'hex')` }
	if file, lite := strings.CutPrefix(database, "sqlite:"); lite {
		driver, address = "sqlite3", "file:"+file
		numbers = fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n`, n)
		id, random = `randomblob(16)`, func(string) string { return `randomblob(16)` }
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what was written is committed
	ctx := context.Background()
	//nolint:gosec // all of it is written above
	if _, err := db.ExecContext(ctx, `INSERT INTO invitations (id, token_hash, nonce, address_hash, email, due_at, `+copied+`)
		SELECT `+id+`, `+random("token")+`, `+random("nonce")+`, `+random("address")+`,
		'b' || i || '@example.com', due_at + 1, `+copied+` FROM (SELECT * FROM invitations ORDER BY due_at DESC LIMIT 1) AS one,
		(`+numbers+`) AS numbers`); err != nil {
		return fmt.Errorf("pile up mails: %w", err)
	}
	_, err = db.ExecContext(ctx, `ANALYZE invitations`)
	return err
}
