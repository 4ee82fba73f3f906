-- +goose Up

-- What reports tell answers apart by, once per combination: a survey at a touchpoint, what it measures, the locale,
-- the channel and the values of its declared segments. The id is a hash of the rest, so it can be computed.
CREATE TABLE strata (
    workspace_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    touchpoint_id BLOB NOT NULL,
    measure_id INTEGER NOT NULL,
    locale TEXT NOT NULL,
    channel TEXT NOT NULL,
    segments TEXT NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- The values of a survey's segments that are told apart; those beyond the cap are counted as "other".
CREATE TABLE segment_values (
    workspace_id INTEGER NOT NULL,
    survey_id BLOB NOT NULL,
    segment TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, segment, value)
) STRICT, WITHOUT ROWID;

-- A generation of tallies that is being counted: 0 is none. Answers and invitations up to the ids are in it;
-- the strata of those beyond may be of older segments.
ALTER TABLE workspaces ADD COLUMN rebuild_generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN rebuild_responses BLOB;
ALTER TABLE workspaces ADD COLUMN rebuild_invitations BLOB;
ALTER TABLE workspaces ADD COLUMN rebuild_segments INTEGER NOT NULL DEFAULT 0;

-- An answer's day follows from its instant and the zone it is counted in.
DROP INDEX responses_touchpoint_id_measure_id_local_day_score;
DROP INDEX responses_responded_at_id;
ALTER TABLE responses DROP COLUMN local_day;
ALTER TABLE responses ADD COLUMN stratum_id INTEGER NOT NULL DEFAULT 0;
CREATE INDEX responses_responded_at ON responses (workspace_id, responded_at, id, stratum_id, score, excluded_reason);
CREATE INDEX responses_stratum_id ON responses (workspace_id, stratum_id, responded_at, score) WHERE excluded_reason IS NULL;
CREATE INDEX responses_tagged ON responses (workspace_id, responded_at) WHERE tags <> '[]';

-- A cohort is kept as the instant it went out, for the same reason.
ALTER TABLE invitations ADD COLUMN cohort_at INTEGER;
UPDATE invitations SET cohort_at = COALESCE(sent_at, answered_at, created_at) WHERE cohort_day IS NOT NULL;
ALTER TABLE invitations DROP COLUMN cohort_day;
ALTER TABLE invitations ADD COLUMN commented INTEGER NOT NULL DEFAULT 0;
UPDATE invitations SET commented = 1 WHERE EXISTS (SELECT 1 FROM responses r
    WHERE r.workspace_id = invitations.workspace_id AND r.invitation_id = invitations.id AND r.comment <> '');
CREATE INDEX invitations_cohort_at ON invitations (workspace_id, cohort_at) WHERE cohort_at IS NOT NULL;

DROP TABLE invitation_tallies;
CREATE TABLE invitation_tallies (
    workspace_id INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    touchpoint_id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    bounced INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    commented INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, generation, dimension, value, touchpoint_id, survey_id, day)
) STRICT, WITHOUT ROWID;

DROP TABLE invitation_tally_deltas;
CREATE TABLE invitation_tally_deltas (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    touchpoint_id BLOB NOT NULL,
    survey_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    bounced INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    commented INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

-- People are found by the address itself: it stands in the row anyway, and goes with it.
DROP INDEX people_address_hash;
DROP INDEX people_address_hash_all;
ALTER TABLE people DROP COLUMN address_hash;
CREATE UNIQUE INDEX people_email_alone ON people (workspace_id, email) WHERE external_id IS NULL AND email IS NOT NULL;
CREATE INDEX people_email ON people (workspace_id, email) WHERE email IS NOT NULL;

-- What was counted before is counted anew.
UPDATE workspaces SET rebuild_generation = tally_generation + 1, rebuild_segments = 1
    WHERE EXISTS (SELECT 1 FROM responses r WHERE r.workspace_id = workspaces.id)
    OR EXISTS (SELECT 1 FROM invitations v WHERE v.workspace_id = workspaces.id);

-- +goose Down
DROP INDEX people_email;
DROP INDEX people_email_alone;
ALTER TABLE people ADD COLUMN address_hash BLOB;
CREATE UNIQUE INDEX people_address_hash ON people (workspace_id, address_hash) WHERE external_id IS NULL AND address_hash IS NOT NULL;
CREATE INDEX people_address_hash_all ON people (workspace_id, address_hash) WHERE address_hash IS NOT NULL;
DROP TABLE invitation_tally_deltas;
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
DROP TABLE invitation_tallies;
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
DROP INDEX invitations_cohort_at;
ALTER TABLE invitations DROP COLUMN commented;
ALTER TABLE invitations DROP COLUMN cohort_at;
ALTER TABLE invitations ADD COLUMN cohort_day INTEGER;
DROP INDEX responses_tagged;
DROP INDEX responses_stratum_id;
DROP INDEX responses_responded_at;
ALTER TABLE responses DROP COLUMN stratum_id;
ALTER TABLE responses ADD COLUMN local_day INTEGER NOT NULL DEFAULT 0;
CREATE INDEX responses_responded_at_id ON responses (workspace_id, responded_at, id);
CREATE INDEX responses_touchpoint_id_measure_id_local_day_score ON responses (workspace_id, touchpoint_id, measure_id, local_day, score);
ALTER TABLE workspaces DROP COLUMN rebuild_segments;
ALTER TABLE workspaces DROP COLUMN rebuild_invitations;
ALTER TABLE workspaces DROP COLUMN rebuild_responses;
ALTER TABLE workspaces DROP COLUMN rebuild_generation;
DROP TABLE segment_values;
DROP TABLE strata;
