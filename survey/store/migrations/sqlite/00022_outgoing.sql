-- +goose Up

-- What has reached a person or an address lately, however much waits for them. Who answered faster than the mail server
-- replied was reached by then.
CREATE INDEX invitations_person_id_sent_at ON invitations (workspace_id, person_id, COALESCE(sent_at, cohort_at))
    WHERE person_id IS NOT NULL AND cohort_at IS NOT NULL;
CREATE INDEX invitations_address_hash_sent_at ON invitations (workspace_id, address_hash, COALESCE(sent_at, cohort_at))
    WHERE address_hash IS NOT NULL AND cohort_at IS NOT NULL;

-- When a mail server said that there is no such mailbox: a hard bounce of a mail that no server ever took.
ALTER TABLE invitations ADD COLUMN refused_at INTEGER;
CREATE INDEX invitations_refused_at ON invitations (workspace_id, refused_at) WHERE refused_at IS NOT NULL;

-- When a webhook failed last, to the hour.
ALTER TABLE webhooks ADD COLUMN failed_at INTEGER;

-- What leaves beside mail is counted by kind.
DROP INDEX outbox_state;
CREATE INDEX outbox_kind_state ON outbox (workspace_id, kind, state, due_at);

-- How many mails of a day (UTC) were planned because of what a key told.
CREATE TABLE key_days (
    workspace_id INTEGER NOT NULL,
    key_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    mails INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, key_id, day)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE key_days;
DROP INDEX outbox_kind_state;
CREATE INDEX outbox_state ON outbox (workspace_id, state, due_at);
ALTER TABLE webhooks DROP COLUMN failed_at;
DROP INDEX invitations_refused_at;
ALTER TABLE invitations DROP COLUMN refused_at;
DROP INDEX invitations_address_hash_sent_at;
DROP INDEX invitations_person_id_sent_at;
