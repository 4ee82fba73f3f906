-- +goose Up

-- When somebody may be mailed as many links at once as ever, and whether their last ask was mailed one: a member whom
-- others ask links for gets one now and then, instead of none for the rest of an hour.
DROP INDEX sign_in_asks_since;
ALTER TABLE sign_in_asks RENAME COLUMN since TO full_at;
ALTER TABLE sign_in_asks RENAME COLUMN asked TO mailed;
CREATE INDEX sign_in_asks_full_at ON sign_in_asks (full_at);

-- Monitoring counts what nobody owns.
CREATE INDEX follow_ups_unowned ON follow_ups (workspace_id, due_at) WHERE state <> 'resolved' AND owner_id IS NULL;

-- +goose Down
DROP INDEX follow_ups_unowned;
DROP INDEX sign_in_asks_full_at;
ALTER TABLE sign_in_asks RENAME COLUMN mailed TO asked;
ALTER TABLE sign_in_asks RENAME COLUMN full_at TO since;
CREATE INDEX sign_in_asks_since ON sign_in_asks (since);
