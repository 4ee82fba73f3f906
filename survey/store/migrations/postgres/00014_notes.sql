-- +goose Up

-- What a company wants to see beside its scores on a day, at one touchpoint or at all.
CREATE TABLE notes (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    touchpoint_id uuid,
    day bigint NOT NULL,
    text text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
);
CREATE INDEX notes_day ON notes (workspace_id, day, id);
CREATE INDEX notes_touchpoint_id ON notes (workspace_id, touchpoint_id);

-- +goose Down
DROP TABLE notes;
