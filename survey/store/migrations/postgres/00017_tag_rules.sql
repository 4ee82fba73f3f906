-- +goose Up

-- Rules that tag answers by the words of their comments.
CREATE TABLE tag_rules (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    tag text NOT NULL,
    keywords text NOT NULL,
    touchpoint_id uuid,
    applied boolean NOT NULL,
    matched bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
);

-- How far the answers of a workspace were looked at since its rules changed; there is no row once all were.
CREATE TABLE tag_passes (
    workspace_id bigint NOT NULL,
    responded_at bigint NOT NULL,
    response_id uuid NOT NULL,
    PRIMARY KEY (workspace_id)
);

-- Which rules a workspace has: another id after every change of them, none without any.
ALTER TABLE workspaces ADD COLUMN tag_rules uuid;

-- Those of an answer's tags that only a rule put there, and those that a hand took away: no rule puts them back.
ALTER TABLE responses ADD COLUMN rule_tags text NOT NULL DEFAULT '[]';
ALTER TABLE responses ADD COLUMN refused_tags text NOT NULL DEFAULT '[]';
CREATE INDEX responses_commented ON responses (workspace_id, responded_at, id, touchpoint_id) WHERE comment <> '';

-- +goose Down
DROP INDEX responses_commented;
ALTER TABLE responses DROP COLUMN refused_tags;
ALTER TABLE responses DROP COLUMN rule_tags;
ALTER TABLE workspaces DROP COLUMN tag_rules;
DROP TABLE tag_passes;
DROP TABLE tag_rules;
