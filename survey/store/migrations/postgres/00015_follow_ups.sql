-- +goose Up

-- Unhappy answers that somebody gets back to, one for each answer. The customer's token is derived from the nonce and found
-- by its hash; escalate_at and confirm_by are set while something is to happen then.
CREATE TABLE follow_ups (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    survey_id uuid NOT NULL,
    touchpoint_id uuid NOT NULL,
    response_id uuid NOT NULL,
    person_id uuid,
    owner_id uuid,
    state text NOT NULL,
    outcome text NOT NULL,
    confirmation text NOT NULL,
    reopened integer NOT NULL,
    since bigint NOT NULL,
    opened_at bigint NOT NULL,
    due_at bigint NOT NULL,
    assigned_at bigint,
    touched_at bigint,
    resolved_at bigint,
    closed_at bigint,
    escalate_at bigint,
    escalated_at bigint,
    confirm_by bigint,
    notice_id uuid,
    nonce bytea NOT NULL,
    token_hash bytea NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, response_id),
    UNIQUE (workspace_id, token_hash),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
);
CREATE INDEX follow_ups_opened_at ON follow_ups (workspace_id, opened_at, id);
CREATE INDEX follow_ups_due_at ON follow_ups (workspace_id, due_at, id) WHERE state <> 'resolved';
CREATE INDEX follow_ups_due_at_all ON follow_ups (workspace_id, due_at, id);
CREATE INDEX follow_ups_owner_id ON follow_ups (workspace_id, owner_id, assigned_at) WHERE owner_id IS NOT NULL;
CREATE INDEX follow_ups_owner_id_due_at ON follow_ups (workspace_id, owner_id, due_at) WHERE state <> 'resolved' AND owner_id IS NOT NULL;
CREATE INDEX follow_ups_escalate_at ON follow_ups (escalate_at) WHERE escalate_at IS NOT NULL;
CREATE INDEX follow_ups_confirm_by ON follow_ups (confirm_by) WHERE confirm_by IS NOT NULL;

CREATE TABLE follow_up_notes (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    follow_up_id uuid NOT NULL,
    author text NOT NULL,
    text text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, follow_up_id) REFERENCES follow_ups (workspace_id, id)
);
CREATE INDEX follow_up_notes_follow_up_id ON follow_up_notes (workspace_id, follow_up_id, created_at, id);

-- The mails about one follow-up go with it.
CREATE INDEX outbox_notice_subject_id ON outbox (workspace_id, subject_id) WHERE kind = 'notice';

-- +goose Down
DROP INDEX outbox_notice_subject_id;
DROP TABLE follow_up_notes;
DROP TABLE follow_ups;
