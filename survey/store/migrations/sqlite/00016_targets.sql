-- +goose Up

-- What figures shall be, and how they stood when they were last judged. Every change and every judgement makes a new
-- revision, so that of several processes one alone judges a period. next_at is when there is something to judge again.
CREATE TABLE targets (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    touchpoint_id BLOB,
    definition TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER,
    judged TEXT,
    drop_look TEXT,
    next_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX targets_next_at ON targets (next_at);
CREATE INDEX targets_created_at ON targets (workspace_id, created_at, id);
CREATE INDEX targets_touchpoint_id ON targets (workspace_id, touchpoint_id) WHERE touchpoint_id IS NOT NULL;
CREATE INDEX targets_state ON targets (state);

-- Every change of a target's state, and every alarm, with the revision that it made: rows are only ever added.
CREATE TABLE target_changes (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    target_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    told INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, target_id) REFERENCES targets (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX target_changes_target_id ON target_changes (workspace_id, target_id, revision, id);

-- The members who are told.
CREATE TABLE target_members (
    workspace_id INTEGER NOT NULL,
    target_id BLOB NOT NULL,
    member_id BLOB NOT NULL,
    PRIMARY KEY (workspace_id, target_id, member_id),
    FOREIGN KEY (workspace_id, target_id) REFERENCES targets (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX target_members_member_id ON target_members (workspace_id, member_id);

-- What interactions of a touchpoint brought along in a period.
CREATE INDEX interactions_touchpoint_id_occurred_at ON interactions (workspace_id, touchpoint_id, occurred_at);

-- +goose Down
DROP INDEX interactions_touchpoint_id_occurred_at;
DROP TABLE target_members;
DROP TABLE target_changes;
DROP TABLE targets;
