-- +goose Up

-- Other tools that post events. The tool's secret is sealed with a key that is derived from KOE_SECRET; the address is
-- derived from the nonce and found by its hash.
CREATE TABLE sources (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    key text NOT NULL,
    definition text NOT NULL,
    secret bytea,
    nonce bytea NOT NULL,
    address_hash bytea NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, key),
    UNIQUE (workspace_id, address_hash)
);

-- What became of what they posted, for a while: nothing of what was in it.
CREATE TABLE source_deliveries (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    outcome text NOT NULL,
    interaction_id uuid,
    detail text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, source_id) REFERENCES sources (workspace_id, id)
);
CREATE INDEX source_deliveries_source_id_created_at ON source_deliveries (workspace_id, source_id, created_at);
CREATE INDEX source_deliveries_created_at ON source_deliveries (created_at);

-- How a webhook's events are written, and which scores it wants; what waits for a comment is found by its response.
ALTER TABLE webhooks ADD COLUMN format text NOT NULL DEFAULT 'standard';
ALTER TABLE webhooks ADD COLUMN score_min integer;
ALTER TABLE webhooks ADD COLUMN score_max integer;
CREATE INDEX outbox_subject_id ON outbox (workspace_id, subject_id, webhook_id) WHERE state = 'waiting' AND webhook_id IS NOT NULL;
DROP INDEX outbox_done;
CREATE INDEX outbox_done ON outbox (created_at) WHERE state IN ('delivered', 'failed', 'skipped');

-- +goose Down
DROP INDEX outbox_done;
CREATE INDEX outbox_done ON outbox (created_at) WHERE state IN ('delivered', 'failed');
DROP INDEX outbox_subject_id;
ALTER TABLE webhooks DROP COLUMN score_max;
ALTER TABLE webhooks DROP COLUMN score_min;
ALTER TABLE webhooks DROP COLUMN format;
DROP TABLE source_deliveries;
DROP TABLE sources;
