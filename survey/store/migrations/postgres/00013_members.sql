-- +goose Up

-- Staff who sign in to the dashboard. An empty address is that of whoever set koe up: the link that koe prints on its
-- first start signs them in.
CREATE TABLE workspace_members (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    locale text NOT NULL,
    timezone text NOT NULL,
    touchpoints text NOT NULL,
    segment text NOT NULL,
    digest text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, email)
);
CREATE INDEX workspace_members_digest ON workspace_members (digest) WHERE digest <> 'none';

-- Whose address is a member of which workspaces: a directory, for who signs in has named no workspace yet.
CREATE TABLE member_addresses (
    address_hash bytea NOT NULL,
    workspace_id bigint NOT NULL,
    member_id uuid NOT NULL,
    PRIMARY KEY (address_hash, workspace_id)
);

-- How often somebody asked to be mailed a link, whether the address is known or not; a row lives for an hour.
CREATE TABLE sign_in_asks (
    address_hash bytea NOT NULL,
    since bigint NOT NULL,
    asked bigint NOT NULL,
    PRIMARY KEY (address_hash)
);
CREATE INDEX sign_in_asks_since ON sign_in_asks (since);

-- Links that sign in once. The token is derived from the nonce and found by its hash.
CREATE TABLE sign_in_links (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    nonce bytea NOT NULL,
    token_hash bytea NOT NULL,
    next text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, token_hash),
    FOREIGN KEY (workspace_id, member_id) REFERENCES workspace_members (workspace_id, id)
);
CREATE INDEX sign_in_links_member_id ON sign_in_links (workspace_id, member_id);
CREATE INDEX sign_in_links_expires_at ON sign_in_links (expires_at);

-- Who is signed in, by the hash of what their browser holds.
CREATE TABLE sessions (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, token_hash),
    FOREIGN KEY (workspace_id, member_id) REFERENCES workspace_members (workspace_id, id)
);
CREATE INDEX sessions_member_id ON sessions (workspace_id, member_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- What is mailed to staff is found by their address: it goes with whoever leaves.
CREATE INDEX outbox_destination ON outbox (workspace_id, destination) WHERE kind = 'notice';
CREATE INDEX outbox_notices ON outbox (due_at) WHERE state = 'waiting' AND kind = 'notice';

-- Who did what is listed by when, by whom and by what.
ALTER TABLE audit ADD COLUMN actor_id uuid;
UPDATE audit SET actor_id = CAST(left(right(actor, 37), 36) AS uuid)
    WHERE actor LIKE '%(________-____-____-____-____________)';
CREATE INDEX audit_at ON audit (workspace_id, at, id);
CREATE INDEX audit_actor_id ON audit (workspace_id, actor_id, at, id);
CREATE INDEX audit_action ON audit (workspace_id, action, at, id);

-- +goose Down
DROP INDEX audit_action;
DROP INDEX audit_actor_id;
DROP INDEX audit_at;
ALTER TABLE audit DROP COLUMN actor_id;
DROP INDEX outbox_notices;
DROP INDEX outbox_destination;
DROP TABLE sessions;
DROP TABLE sign_in_links;
DROP TABLE sign_in_asks;
DROP TABLE member_addresses;
DROP TABLE workspace_members;
