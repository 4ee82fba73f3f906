-- +goose Up

-- What figures shall be, and how they stood when they were last judged. Every change and every judgement makes a new
-- revision, so that of several processes one alone judges a period. next_at is when there is something to judge again.
CREATE TABLE targets (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    touchpoint_id uuid,
    definition text NOT NULL,
    state text NOT NULL,
    since bigint,
    judged text,
    drop_look text,
    next_at bigint NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
);
CREATE INDEX targets_next_at ON targets (next_at);
CREATE INDEX targets_created_at ON targets (workspace_id, created_at, id);
CREATE INDEX targets_touchpoint_id ON targets (workspace_id, touchpoint_id) WHERE touchpoint_id IS NOT NULL;
CREATE INDEX targets_state ON targets (state);

-- Every change of a target's state, and every alarm, with the revision that it made: rows are only ever added.
CREATE TABLE target_changes (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    target_id uuid NOT NULL,
    revision bigint NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    was text NOT NULL,
    became text NOT NULL,
    told boolean NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, target_id) REFERENCES targets (workspace_id, id)
);
CREATE INDEX target_changes_target_id ON target_changes (workspace_id, target_id, revision, id);

-- The members who are told.
CREATE TABLE target_members (
    workspace_id bigint NOT NULL,
    target_id uuid NOT NULL,
    member_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, target_id, member_id),
    FOREIGN KEY (workspace_id, target_id) REFERENCES targets (workspace_id, id)
);
CREATE INDEX target_members_member_id ON target_members (workspace_id, member_id);

-- What interactions of a touchpoint brought along in a period.
CREATE INDEX interactions_touchpoint_id_occurred_at ON interactions (workspace_id, touchpoint_id, occurred_at);

-- +goose Down
DROP INDEX interactions_touchpoint_id_occurred_at;
DROP TABLE target_members;
DROP TABLE target_changes;
DROP TABLE targets;
