-- +goose Up

-- How the mail of one survey stands: what waits and for what, and what became of what went out.
CREATE INDEX invitations_survey_waiting ON invitations (workspace_id, survey_id, held, wait_reason, due_at) WHERE mail_state = 'waiting';
CREATE INDEX invitations_survey_outcome ON invitations (workspace_id, survey_id, outcome, outcome_at) WHERE outcome IS NOT NULL;

-- +goose Down
DROP INDEX invitations_survey_outcome;
DROP INDEX invitations_survey_waiting;
