-- +goose Up

-- A survey's anonymous way in. The slug stands in public_slugs, too, where it leads to the workspace, and stays there
-- when it is given up: what is printed on a poster must never lead to somebody else's survey.
CREATE TABLE open_links (
    workspace_id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    slug TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, survey_id),
    UNIQUE (workspace_id, slug),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- What is left out of scores, to be counted and looked through.
CREATE INDEX responses_excluded ON responses (workspace_id, responded_at) WHERE excluded_reason IS NOT NULL;

ALTER TABLE workspaces ADD COLUMN accent_color TEXT NOT NULL DEFAULT '';
ALTER TABLE workspaces ADD COLUMN logo TEXT NOT NULL DEFAULT '';
ALTER TABLE workspaces ADD COLUMN logo_width INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN logo_height INTEGER NOT NULL DEFAULT 0;

-- The logo as koe serves it: a PNG of its own making.
CREATE TABLE logos (
    workspace_id INTEGER NOT NULL,
    body BLOB NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id)
) STRICT;

-- +goose Down
DROP TABLE logos;
ALTER TABLE workspaces DROP COLUMN logo_height;
ALTER TABLE workspaces DROP COLUMN logo_width;
ALTER TABLE workspaces DROP COLUMN logo;
ALTER TABLE workspaces DROP COLUMN accent_color;
DROP INDEX responses_excluded;
DROP TABLE open_links;
