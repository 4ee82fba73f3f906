-- +goose Up

-- Why a mail waits, for whoever asks whether koe is sending: '' is for the instant it was planned for.
ALTER TABLE invitations ADD COLUMN wait_reason text NOT NULL DEFAULT '';
CREATE INDEX invitations_waiting ON invitations (workspace_id, held, wait_reason, due_at) WHERE mail_state = 'waiting';

-- What became of an invitation's latest mail ('sent', 'failed' or 'uncertain'), and when.
ALTER TABLE invitations ADD COLUMN outcome text;
ALTER TABLE invitations ADD COLUMN outcome_at bigint;
CREATE INDEX invitations_outcome ON invitations (workspace_id, outcome, outcome_at) WHERE outcome IS NOT NULL;

-- How many first mails have really gone out on a day. It is kept under a daily limit alone; NULL is not counted yet.
ALTER TABLE survey_days ADD COLUMN sent bigint;

CREATE INDEX outbox_state ON outbox (workspace_id, state, due_at);

-- Decisions are listed by survey, the newest first.
DROP INDEX decisions_survey_id_reason_created_at;
CREATE INDEX decisions_survey_id_created_at ON decisions (workspace_id, survey_id, created_at, id, reason);

-- +goose Down
DROP INDEX outbox_state;
DROP INDEX decisions_survey_id_created_at;
CREATE INDEX decisions_survey_id_reason_created_at ON decisions (workspace_id, survey_id, reason, created_at);
ALTER TABLE survey_days DROP COLUMN sent;
DROP INDEX invitations_outcome;
ALTER TABLE invitations DROP COLUMN outcome_at;
ALTER TABLE invitations DROP COLUMN outcome;
DROP INDEX invitations_waiting;
ALTER TABLE invitations DROP COLUMN wait_reason;
