-- +goose Up

CREATE TABLE meta (
    name text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (name)
);

-- Directory tables: small, the same for every tenant, replicated rather than sharded.
CREATE TABLE workspaces (
    id bigint NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    timezone text NOT NULL,
    quiet_period text NOT NULL,
    quiet_scope text NOT NULL,
    sender_name text NOT NULL,
    sender_address text NOT NULL,
    reply_to text NOT NULL,
    postal_footer text NOT NULL,
    privacy_url text NOT NULL,
    default_locale text NOT NULL,
    tally_generation bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (key)
);

CREATE TABLE api_keys (
    hash bytea NOT NULL,
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    settings text NOT NULL,
    created_at bigint NOT NULL,
    revoked_at bigint,
    PRIMARY KEY (hash),
    FOREIGN KEY (workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX api_keys_workspace_id_id ON api_keys (workspace_id, id);

CREATE TABLE public_slugs (
    slug text NOT NULL,
    workspace_id bigint NOT NULL,
    survey_id uuid NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (slug)
);

-- From here on every row carries workspace_id, and so does every key.
CREATE TABLE measures (
    workspace_id bigint NOT NULL,
    id bigint NOT NULL,
    metric text NOT NULL,
    min integer NOT NULL,
    max integer NOT NULL,
    satisfied_from integer NOT NULL,
    ces_version integer NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE TABLE touchpoints (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, key)
);

CREATE TABLE templates (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    metric text NOT NULL,
    version integer NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    archived_at bigint,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, key)
);

-- Versions are immutable; an answer stays tied to the one it was asked with.
CREATE TABLE template_versions (
    workspace_id bigint NOT NULL,
    template_id uuid NOT NULL,
    version integer NOT NULL,
    measure_id bigint NOT NULL,
    body text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, template_id, version),
    FOREIGN KEY (workspace_id, template_id) REFERENCES templates (workspace_id, id),
    FOREIGN KEY (workspace_id, measure_id) REFERENCES measures (workspace_id, id)
);

CREATE TABLE surveys (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    key text,
    name text NOT NULL,
    template_id uuid NOT NULL,
    template_version integer NOT NULL,
    measure_id bigint,
    touchpoint_id uuid NOT NULL,
    channel text NOT NULL,
    trigger_type text NOT NULL,
    trigger_body text NOT NULL,
    rules text NOT NULL,
    segments text NOT NULL,
    state text NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    activated_at bigint,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, template_id) REFERENCES templates (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
);
CREATE UNIQUE INDEX surveys_key ON surveys (workspace_id, key) WHERE key IS NOT NULL;
CREATE INDEX surveys_touchpoint_id_state ON surveys (workspace_id, touchpoint_id, state);
CREATE INDEX surveys_template_id ON surveys (workspace_id, template_id);

CREATE TABLE people (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    external_id text,
    email text,
    address_hash bytea,
    name text NOT NULL,
    locale text NOT NULL,
    timezone text NOT NULL,
    attributes text NOT NULL,
    last_asked_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX people_external_id ON people (workspace_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX people_address_hash ON people (workspace_id, address_hash) WHERE external_id IS NULL AND address_hash IS NOT NULL;
CREATE INDEX people_address_hash_all ON people (workspace_id, address_hash) WHERE address_hash IS NOT NULL;

CREATE TABLE suppressions (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    address_hash bytea NOT NULL,
    email text,
    reason text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, address_hash)
);

-- Whom a decision is being made about, by address: a row to lock, for several people may share one.
CREATE TABLE addresses (
    workspace_id bigint NOT NULL,
    address_hash bytea NOT NULL,
    PRIMARY KEY (workspace_id, address_hash)
);

CREATE TABLE interactions (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    key_id uuid NOT NULL,
    touchpoint_id uuid NOT NULL,
    external_id text,
    person_id uuid,
    customer text NOT NULL,
    attributes text NOT NULL,
    warnings text NOT NULL,
    occurred_at bigint NOT NULL,
    received_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id)
);
CREATE UNIQUE INDEX interactions_touchpoint_id_external_id ON interactions (workspace_id, touchpoint_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX interactions_person_id ON interactions (workspace_id, person_id) WHERE person_id IS NOT NULL;

CREATE TABLE decisions (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    survey_id uuid NOT NULL,
    person_id uuid,
    source_type text NOT NULL,
    source_id uuid NOT NULL,
    verdict text NOT NULL,
    reason text NOT NULL,
    until_at bigint,
    invitation_id uuid,
    created_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
);
CREATE INDEX decisions_source_id ON decisions (workspace_id, source_id);
CREATE INDEX decisions_survey_id_reason_created_at ON decisions (workspace_id, survey_id, reason, created_at);
CREATE INDEX decisions_person_id ON decisions (workspace_id, person_id) WHERE person_id IS NOT NULL;

-- The queue of survey mail: state is what callers see, the mail_ columns are what is due.
CREATE TABLE invitations (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    survey_id uuid NOT NULL,
    touchpoint_id uuid NOT NULL,
    person_id uuid,
    interaction_id uuid,
    template_id uuid NOT NULL,
    template_version integer NOT NULL,
    channel text NOT NULL,
    external_id text,
    email text,
    address_hash bytea,
    domain text NOT NULL,
    name text NOT NULL,
    locale text NOT NULL,
    timezone text NOT NULL,
    attributes text NOT NULL,
    segments text NOT NULL,
    nonce bytea NOT NULL,
    token_hash bytea NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    planned_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    sent_at bigint,
    answered_at bigint,
    opened_at bigint,
    bounced_at bigint,
    message_id text,
    mail_no integer NOT NULL,
    mail_state text NOT NULL,
    due_at bigint NOT NULL,
    attempt integer NOT NULL,
    lease_until bigint NOT NULL,
    fence bigint NOT NULL,
    held boolean NOT NULL,
    planned_day bigint NOT NULL,
    cohort_day bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id),
    UNIQUE (workspace_id, token_hash)
);
CREATE INDEX invitations_person_id_planned_at ON invitations (workspace_id, person_id, planned_at) WHERE person_id IS NOT NULL;
CREATE INDEX invitations_address_hash_planned_at ON invitations (workspace_id, address_hash, planned_at) WHERE address_hash IS NOT NULL;
CREATE INDEX invitations_survey_id_planned_at ON invitations (workspace_id, survey_id, planned_at);
CREATE INDEX invitations_due_at ON invitations (due_at) WHERE mail_state = 'waiting' AND NOT held;
CREATE INDEX invitations_expires_at ON invitations (expires_at) WHERE state IN ('scheduled', 'sent', 'uncertain');
CREATE INDEX invitations_lease_until ON invitations (lease_until) WHERE mail_state IN ('claimed', 'sending');

CREATE TABLE survey_days (
    workspace_id bigint NOT NULL,
    survey_id uuid NOT NULL,
    day bigint NOT NULL,
    planned bigint NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, day),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
);

CREATE TABLE fires (
    workspace_id bigint NOT NULL,
    survey_id uuid NOT NULL,
    local_date bigint NOT NULL,
    local_time bigint NOT NULL,
    due_at bigint NOT NULL,
    state text NOT NULL,
    asked bigint NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, local_date, local_time),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
);

CREATE TABLE responses (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    survey_id uuid NOT NULL,
    touchpoint_id uuid NOT NULL,
    measure_id bigint NOT NULL,
    template_id uuid NOT NULL,
    template_version integer NOT NULL,
    person_id uuid,
    invitation_id uuid,
    external_id text,
    score integer NOT NULL,
    answers text NOT NULL,
    comment text NOT NULL,
    locale text NOT NULL,
    channel text NOT NULL,
    attributes text NOT NULL,
    segments text NOT NULL,
    tags text NOT NULL,
    complete boolean NOT NULL,
    excluded_reason text,
    responded_at bigint NOT NULL,
    local_day bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id),
    FOREIGN KEY (workspace_id, touchpoint_id) REFERENCES touchpoints (workspace_id, id),
    FOREIGN KEY (workspace_id, measure_id) REFERENCES measures (workspace_id, id)
);
CREATE UNIQUE INDEX responses_survey_id_external_id ON responses (workspace_id, survey_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX responses_invitation_id ON responses (workspace_id, invitation_id) WHERE invitation_id IS NOT NULL;
CREATE INDEX responses_person_id ON responses (workspace_id, person_id) WHERE person_id IS NOT NULL;
CREATE INDEX responses_responded_at_id ON responses (workspace_id, responded_at, id);
CREATE INDEX responses_touchpoint_id_measure_id_local_day_score ON responses (workspace_id, touchpoint_id, measure_id, local_day, score);

-- One row per measure, touchpoint, survey, day and one dimension value, with the whole histogram.
CREATE TABLE tallies (
    workspace_id bigint NOT NULL,
    generation bigint NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL,
    measure_id bigint NOT NULL,
    touchpoint_id uuid NOT NULL,
    survey_id uuid NOT NULL,
    day bigint NOT NULL,
    c0 bigint NOT NULL DEFAULT 0,
    c1 bigint NOT NULL DEFAULT 0,
    c2 bigint NOT NULL DEFAULT 0,
    c3 bigint NOT NULL DEFAULT 0,
    c4 bigint NOT NULL DEFAULT 0,
    c5 bigint NOT NULL DEFAULT 0,
    c6 bigint NOT NULL DEFAULT 0,
    c7 bigint NOT NULL DEFAULT 0,
    c8 bigint NOT NULL DEFAULT 0,
    c9 bigint NOT NULL DEFAULT 0,
    c10 bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, generation, dimension, value, measure_id, touchpoint_id, survey_id, day)
);

-- Where writers would queue for a hot tally row they add here; deltas are folded in key order.
CREATE TABLE tally_deltas (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    generation bigint NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL,
    measure_id bigint NOT NULL,
    touchpoint_id uuid NOT NULL,
    survey_id uuid NOT NULL,
    day bigint NOT NULL,
    c0 bigint NOT NULL DEFAULT 0,
    c1 bigint NOT NULL DEFAULT 0,
    c2 bigint NOT NULL DEFAULT 0,
    c3 bigint NOT NULL DEFAULT 0,
    c4 bigint NOT NULL DEFAULT 0,
    c5 bigint NOT NULL DEFAULT 0,
    c6 bigint NOT NULL DEFAULT 0,
    c7 bigint NOT NULL DEFAULT 0,
    c8 bigint NOT NULL DEFAULT 0,
    c9 bigint NOT NULL DEFAULT 0,
    c10 bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, id)
);

CREATE TABLE invitation_tallies (
    workspace_id bigint NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL,
    touchpoint_id uuid NOT NULL,
    survey_id uuid NOT NULL,
    day bigint NOT NULL,
    sent bigint NOT NULL,
    bounced bigint NOT NULL,
    answered bigint NOT NULL,
    commented bigint NOT NULL,
    PRIMARY KEY (workspace_id, dimension, value, touchpoint_id, survey_id, day)
);

CREATE TABLE invitation_tally_deltas (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL,
    touchpoint_id uuid NOT NULL,
    survey_id uuid NOT NULL,
    day bigint NOT NULL,
    sent bigint NOT NULL,
    bounced bigint NOT NULL,
    answered bigint NOT NULL,
    commented bigint NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

-- All else that leaves koe: a row in the same transaction as its cause.
CREATE TABLE outbox (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid,
    person_id uuid,
    destination text NOT NULL,
    body text NOT NULL,
    state text NOT NULL,
    due_at bigint NOT NULL,
    attempt integer NOT NULL,
    lease_until bigint NOT NULL,
    fence bigint NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX outbox_due_at ON outbox (due_at) WHERE state = 'waiting';
CREATE INDEX outbox_person_id ON outbox (workspace_id, person_id) WHERE person_id IS NOT NULL;

CREATE TABLE imports (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    file_hash bytea NOT NULL,
    records_done bigint NOT NULL,
    state text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, kind, file_hash)
);

-- What a POST with an Idempotency-Key made: ids, never a body or a token.
CREATE TABLE idempotency (
    workspace_id bigint NOT NULL,
    key_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    resource text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, key_id, key)
);
CREATE INDEX idempotency_created_at ON idempotency (created_at);

CREATE TABLE events (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    type text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX events_subject_id_at ON events (workspace_id, subject_id, at);

CREATE TABLE audit (
    workspace_id bigint NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

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
