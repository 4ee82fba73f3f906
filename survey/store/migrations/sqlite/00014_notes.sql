-- +goose Up

-- What a company wants to see beside its scores on a day, at one touchpoint or at all.
CREATE TABLE notes (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    touchpoint_id BLOB,
    day INTEGER NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notes_day ON notes (workspace_id, day, id);
CREATE INDEX notes_touchpoint_id ON notes (workspace_id, touchpoint_id);

-- +goose Down
DROP TABLE notes;
