-- +goose Up

-- The names that a survey's answers have brought along, and the template versions that they answered: what an export
-- has columns for. Nothing is taken out: a column may be empty.
CREATE TABLE attribute_names (
    workspace_id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO attribute_names SELECT DISTINCT workspace_id, survey_id, a.key FROM responses, json_each(attributes) a WHERE attributes <> '{}';

CREATE TABLE answered_versions (
    workspace_id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    template_id BLOB NOT NULL,
    template_version INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, template_id, template_version)
) STRICT, WITHOUT ROWID;
INSERT INTO answered_versions SELECT DISTINCT workspace_id, survey_id, template_id, template_version FROM responses;

CREATE INDEX responses_survey_id_responded_at ON responses (workspace_id, survey_id, responded_at);

-- +goose Down
DROP INDEX responses_survey_id_responded_at;
DROP TABLE answered_versions;
DROP TABLE attribute_names;
