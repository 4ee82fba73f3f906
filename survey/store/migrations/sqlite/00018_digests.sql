-- +goose Up

-- When a member's next digest falls due, 0 where they get none; and the day up to which the last one told, 0 for none
-- yet. Who wanted one before koe sent any is looked at once.
ALTER TABLE workspace_members ADD COLUMN digest_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace_members ADD COLUMN digest_told INTEGER NOT NULL DEFAULT 0;
UPDATE workspace_members SET digest_at = 1 WHERE digest <> 'none' AND email <> '';
DROP INDEX workspace_members_digest;
CREATE INDEX workspace_members_digest_at ON workspace_members (digest_at) WHERE digest_at > 0;

-- +goose Down
DROP INDEX workspace_members_digest_at;
CREATE INDEX workspace_members_digest ON workspace_members (digest) WHERE digest <> 'none';
ALTER TABLE workspace_members DROP COLUMN digest_told;
ALTER TABLE workspace_members DROP COLUMN digest_at;
