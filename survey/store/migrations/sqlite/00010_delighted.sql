-- +goose Up

-- Which people can be asked: a list of them leaves out whose address is suppressed.
CREATE INDEX suppressions_email ON suppressions (workspace_id, email) WHERE email IS NOT NULL;

-- Whom a schedule that goes by a list may ask, and what is told of them.
CREATE TABLE members (
    workspace_id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    person_id BLOB NOT NULL,
    attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, person_id),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_person_id ON members (workspace_id, person_id);

-- +goose Down
DROP TABLE members;
DROP INDEX suppressions_email;
