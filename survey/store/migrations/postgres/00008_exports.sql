-- +goose Up

-- The names that a survey's answers have brought along, and the template versions that they answered: what an export
-- has columns for. Nothing is taken out: a column may be empty.
CREATE TABLE attribute_names (
    workspace_id bigint NOT NULL,
    survey_id uuid NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, name)
);
INSERT INTO attribute_names SELECT DISTINCT workspace_id, survey_id, a.key FROM responses, json_object_keys(attributes::json) a(key) WHERE attributes <> '{}';

CREATE TABLE answered_versions (
    workspace_id bigint NOT NULL,
    survey_id uuid NOT NULL,
    template_id uuid NOT NULL,
    template_version integer NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, template_id, template_version)
);
INSERT INTO answered_versions SELECT DISTINCT workspace_id, survey_id, template_id, template_version FROM responses;

CREATE INDEX responses_survey_id_responded_at ON responses (workspace_id, survey_id, responded_at);

-- +goose Down
DROP INDEX responses_survey_id_responded_at;
DROP TABLE answered_versions;
DROP TABLE attribute_names;
