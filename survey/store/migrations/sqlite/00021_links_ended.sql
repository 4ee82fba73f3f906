-- +goose Up

-- When a member was last signed out by an admin, 0 for never: a link that was asked for until then does not lead to them.
ALTER TABLE workspace_members ADD COLUMN links_ended_at INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE workspace_members DROP COLUMN links_ended_at;
