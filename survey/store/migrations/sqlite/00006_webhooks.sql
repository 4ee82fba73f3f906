-- +goose Up

-- Endpoints of others that are told of events. Secrets are derived from the nonces; the former one signs for a day too.
CREATE TABLE webhooks (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    events TEXT NOT NULL,
    owner_email TEXT NOT NULL,
    state TEXT NOT NULL,
    paused_reason TEXT NOT NULL,
    failing_since INTEGER,
    nonce BLOB NOT NULL,
    former_nonce BLOB,
    former_until INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- What is sent is written when it is sent: a row says what it is about, and what became of it.
ALTER TABLE outbox ADD COLUMN webhook_id BLOB;
ALTER TABLE outbox ADD COLUMN event TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN attempted_at INTEGER;
ALTER TABLE outbox ADD COLUMN status INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN latency_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN last_error TEXT NOT NULL DEFAULT '';
CREATE INDEX outbox_webhook_id_due_at ON outbox (workspace_id, webhook_id, due_at) WHERE state = 'waiting' AND webhook_id IS NOT NULL;
CREATE INDEX outbox_webhook_id_created_at ON outbox (workspace_id, webhook_id, created_at) WHERE webhook_id IS NOT NULL;
CREATE INDEX outbox_lease_until ON outbox (lease_until) WHERE state = 'claimed';
CREATE INDEX outbox_done ON outbox (created_at) WHERE state IN ('delivered', 'failed');

-- +goose Down
DROP INDEX outbox_done;
DROP INDEX outbox_lease_until;
DROP INDEX outbox_webhook_id_created_at;
DROP INDEX outbox_webhook_id_due_at;
ALTER TABLE outbox DROP COLUMN last_error;
ALTER TABLE outbox DROP COLUMN latency_ms;
ALTER TABLE outbox DROP COLUMN status;
ALTER TABLE outbox DROP COLUMN attempted_at;
ALTER TABLE outbox DROP COLUMN event;
ALTER TABLE outbox DROP COLUMN webhook_id;
DROP TABLE webhooks;
