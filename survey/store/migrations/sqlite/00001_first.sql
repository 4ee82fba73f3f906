-- +goose Up

CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

-- Directory tables: small, the same for every tenant, replicated rather than sharded.
CREATE TABLE workspaces (
    id INTEGER NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    quiet_period TEXT NOT NULL,
    quiet_scope TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    sender_address TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    postal_footer TEXT NOT NULL,
    privacy_url TEXT NOT NULL,
    default_locale TEXT NOT NULL,
    tally_generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key)
) STRICT;

CREATE TABLE api_keys (
    hash BLOB NOT NULL,
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (hash),
    FOREIGN KEY (workspace_id) REFERENCES workspaces (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_workspace_id_id ON api_keys (workspace_id, id);

CREATE TABLE public_slugs (
    slug TEXT NOT NULL,
    workspace_id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (slug)
) STRICT, WITHOUT ROWID;

-- From here on every row carries workspace_id, and so does every key.
CREATE TABLE measures (
    workspace_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    metric TEXT NOT NULL,
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    satisfied_from INTEGER NOT NULL,
    ces_version INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE touchpoints (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE templates (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    metric TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    archived_at INTEGER,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, key)
) STRICT, WITHOUT ROWID;

-- Versions are immutable; an answer stays tied to the one it was asked with.
CREATE TABLE template_versions (
    workspace_id INTEGER NOT NULL,
    template_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    measure_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, template_id, version),
    FOREIGN KEY (workspace_id, template_id) REFERENCES templates (workspace_id, id),
    FOREIGN KEY (workspace_id, measure_id) REFERENCES measures (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE surveys (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    key TEXT,
    name TEXT NOT NULL,
    template_id BLOB NOT NULL,
    template_version INTEGER NOT NULL,
    measure_id INTEGER,
    touchpoint_id BLOB NOT NULL,
    channel TEXT NOT NULL,
    trigger_type TEXT NOT NULL,
    trigger_body TEXT NOT NULL,
    rules TEXT NOT NULL,
    segments TEXT NOT NULL,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    activated_at INTEGER,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, template_id) REFERENCES templates (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX surveys_key ON surveys (workspace_id, key) WHERE key IS NOT NULL;
CREATE INDEX surveys_touchpoint_id_state ON surveys (workspace_id, touchpoint_id, state);
CREATE INDEX surveys_template_id ON surveys (workspace_id, template_id);

CREATE TABLE people (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    external_id TEXT,
    email TEXT,
    address_hash BLOB,
    name TEXT NOT NULL,
    locale TEXT NOT NULL,
    timezone TEXT NOT NULL,
    attributes TEXT NOT NULL,
    last_asked_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX people_external_id ON people (workspace_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX people_address_hash ON people (workspace_id, address_hash) WHERE external_id IS NULL AND address_hash IS NOT NULL;
CREATE INDEX people_address_hash_all ON people (workspace_id, address_hash) WHERE address_hash IS NOT NULL;

CREATE TABLE suppressions (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    address_hash BLOB NOT NULL,
    email TEXT,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, address_hash)
) STRICT, WITHOUT ROWID;

-- Whom a decision is being made about, by address: a row to lock, for several people may share one.
CREATE TABLE addresses (
    workspace_id INTEGER NOT NULL,
    address_hash BLOB NOT NULL,
    PRIMARY KEY (workspace_id, address_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE interactions (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    key_id BLOB NOT NULL,
    touchpoint_id BLOB NOT NULL,
    external_id TEXT,
    person_id BLOB,
    customer TEXT NOT NULL,
    attributes TEXT NOT NULL,
    warnings TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX interactions_touchpoint_id_external_id ON interactions (workspace_id, touchpoint_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX interactions_person_id ON interactions (workspace_id, person_id) WHERE person_id IS NOT NULL;

CREATE TABLE decisions (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    person_id BLOB,
    source_type TEXT NOT NULL,
    source_id BLOB NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    until_at INTEGER,
    invitation_id BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX decisions_source_id ON decisions (workspace_id, source_id);
CREATE INDEX decisions_survey_id_reason_created_at ON decisions (workspace_id, survey_id, reason, created_at);
CREATE INDEX decisions_person_id ON decisions (workspace_id, person_id) WHERE person_id IS NOT NULL;

-- The queue of survey mail: state is what callers see, the mail_ columns are what is due.
CREATE TABLE invitations (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    touchpoint_id BLOB NOT NULL,
    person_id BLOB,
    interaction_id BLOB,
    template_id BLOB NOT NULL,
    template_version INTEGER NOT NULL,
    channel TEXT NOT NULL,
    external_id TEXT,
    email TEXT,
    address_hash BLOB,
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    locale TEXT NOT NULL,
    timezone TEXT NOT NULL,
    attributes TEXT NOT NULL,
    segments TEXT NOT NULL,
    nonce BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    planned_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    sent_at INTEGER,
    answered_at INTEGER,
    opened_at INTEGER,
    bounced_at INTEGER,
    message_id TEXT,
    mail_no INTEGER NOT NULL,
    mail_state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    held INTEGER NOT NULL,
    planned_day INTEGER NOT NULL,
    cohort_day INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id),
    UNIQUE (workspace_id, token_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_person_id_planned_at ON invitations (workspace_id, person_id, planned_at) WHERE person_id IS NOT NULL;
CREATE INDEX invitations_address_hash_planned_at ON invitations (workspace_id, address_hash, planned_at) WHERE address_hash IS NOT NULL;
CREATE INDEX invitations_survey_id_planned_at ON invitations (workspace_id, survey_id, planned_at);
CREATE INDEX invitations_due_at ON invitations (due_at) WHERE mail_state = 'waiting' AND held = 0;
CREATE INDEX invitations_expires_at ON invitations (expires_at) WHERE state IN ('scheduled', 'sent', 'uncertain');
CREATE INDEX invitations_lease_until ON invitations (lease_until) WHERE mail_state IN ('claimed', 'sending');

CREATE TABLE survey_days (
    workspace_id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    planned INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, day),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE fires (
    workspace_id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    local_date INTEGER NOT NULL,
    local_time INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    asked INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, local_date, local_time),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE responses (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    touchpoint_id BLOB NOT NULL,
    measure_id INTEGER NOT NULL,
    template_id BLOB NOT NULL,
    template_version INTEGER NOT NULL,
    person_id BLOB,
    invitation_id BLOB,
    external_id TEXT,
    score INTEGER NOT NULL,
    answers TEXT NOT NULL,
    comment TEXT NOT NULL,
    locale TEXT NOT NULL,
    channel TEXT NOT NULL,
    attributes TEXT NOT NULL,
    segments TEXT NOT NULL,
    tags TEXT NOT NULL,
    complete INTEGER NOT NULL,
    excluded_reason TEXT,
    responded_at INTEGER NOT NULL,
    local_day INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id),
    FOREIGN KEY (workspace_id, measure_id) REFERENCES measures (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX responses_survey_id_external_id ON responses (workspace_id, survey_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX responses_invitation_id ON responses (workspace_id, invitation_id) WHERE invitation_id IS NOT NULL;
CREATE INDEX responses_person_id ON responses (workspace_id, person_id) WHERE person_id IS NOT NULL;
CREATE INDEX responses_responded_at_id ON responses (workspace_id, responded_at, id);
CREATE INDEX responses_touchpoint_id_measure_id_local_day_score ON responses (workspace_id, touchpoint_id, measure_id, local_day, score);

-- One row per measure, touchpoint, survey, day and one dimension value, with the whole histogram.
CREATE TABLE tallies (
    workspace_id INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    measure_id INTEGER NOT NULL,
    touchpoint_id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    c0 INTEGER NOT NULL DEFAULT 0,
    c1 INTEGER NOT NULL DEFAULT 0,
    c2 INTEGER NOT NULL DEFAULT 0,
    c3 INTEGER NOT NULL DEFAULT 0,
    c4 INTEGER NOT NULL DEFAULT 0,
    c5 INTEGER NOT NULL DEFAULT 0,
    c6 INTEGER NOT NULL DEFAULT 0,
    c7 INTEGER NOT NULL DEFAULT 0,
    c8 INTEGER NOT NULL DEFAULT 0,
    c9 INTEGER NOT NULL DEFAULT 0,
    c10 INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, generation, dimension, value, measure_id, touchpoint_id, survey_id, day)
) STRICT, WITHOUT ROWID;

-- Where writers would queue for a hot tally row they add here; deltas are folded in key order.
CREATE TABLE tally_deltas (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    measure_id INTEGER NOT NULL,
    touchpoint_id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    c0 INTEGER NOT NULL DEFAULT 0,
    c1 INTEGER NOT NULL DEFAULT 0,
    c2 INTEGER NOT NULL DEFAULT 0,
    c3 INTEGER NOT NULL DEFAULT 0,
    c4 INTEGER NOT NULL DEFAULT 0,
    c5 INTEGER NOT NULL DEFAULT 0,
    c6 INTEGER NOT NULL DEFAULT 0,
    c7 INTEGER NOT NULL DEFAULT 0,
    c8 INTEGER NOT NULL DEFAULT 0,
    c9 INTEGER NOT NULL DEFAULT 0,
    c10 INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation_tallies (
    workspace_id INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    touchpoint_id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    bounced INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    commented INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, dimension, value, touchpoint_id, survey_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation_tally_deltas (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    touchpoint_id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    bounced INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    commented INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- All else that leaves koe: a row in the same transaction as its cause.
CREATE TABLE outbox (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    subject_id BLOB,
    person_id BLOB,
    destination TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due_at ON outbox (due_at) WHERE state = 'waiting';
CREATE INDEX outbox_person_id ON outbox (workspace_id, person_id) WHERE person_id IS NOT NULL;

CREATE TABLE imports (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    file_hash BLOB NOT NULL,
    records_done INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, kind, file_hash)
) STRICT, WITHOUT ROWID;

-- What a POST with an Idempotency-Key made: ids, never a body or a token.
CREATE TABLE idempotency (
    workspace_id INTEGER NOT NULL,
    key_id BLOB NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    resource TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, key_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created_at ON idempotency (created_at);

CREATE TABLE events (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    type TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_subject_id_at ON events (workspace_id, subject_id, at);

CREATE TABLE audit (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE audit;
DROP TABLE events;
DROP TABLE idempotency;
DROP TABLE imports;
DROP TABLE outbox;
DROP TABLE invitation_tally_deltas;
DROP TABLE invitation_tallies;
DROP TABLE tally_deltas;
DROP TABLE tallies;
DROP TABLE responses;
DROP TABLE fires;
DROP TABLE survey_days;
DROP TABLE invitations;
DROP TABLE decisions;
DROP TABLE interactions;
DROP TABLE addresses;
DROP TABLE suppressions;
DROP TABLE people;
DROP TABLE surveys;
DROP TABLE template_versions;
DROP TABLE templates;
DROP TABLE touchpoints;
DROP TABLE measures;
DROP TABLE public_slugs;
DROP TABLE api_keys;
DROP TABLE workspaces;
DROP TABLE meta;
