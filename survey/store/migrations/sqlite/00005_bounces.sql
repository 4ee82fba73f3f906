-- +goose Up

-- When somebody called the mail spam.
ALTER TABLE invitations ADD COLUMN complained_at INTEGER;

-- Sending that has paused itself: since when and why; mails sent before the forgiven instant do not count any more.
ALTER TABLE workspaces ADD COLUMN sending_paused_at INTEGER;
ALTER TABLE workspaces ADD COLUMN sending_pause_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE workspaces ADD COLUMN sending_forgiven_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX workspaces_sending_paused_at ON workspaces (sending_paused_at) WHERE sending_paused_at IS NOT NULL;

-- +goose Down
DROP INDEX workspaces_sending_paused_at;
ALTER TABLE workspaces DROP COLUMN sending_forgiven_at;
ALTER TABLE workspaces DROP COLUMN sending_pause_reason;
ALTER TABLE workspaces DROP COLUMN sending_paused_at;
ALTER TABLE invitations DROP COLUMN complained_at;
