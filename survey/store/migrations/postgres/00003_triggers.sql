-- +goose Up

-- When each active schedule fires next.
CREATE TABLE schedules (
    workspace_id bigint NOT NULL,
    survey_id uuid NOT NULL,
    next_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, survey_id),
    FOREIGN KEY (workspace_id, survey_id) REFERENCES surveys (workspace_id, id)
);
CREATE INDEX schedules_next_at ON schedules (next_at);

-- When a schedule last came to a person, and when it may again.
CREATE TABLE turns (
    workspace_id bigint NOT NULL,
    survey_id uuid NOT NULL,
    person_id uuid NOT NULL,
    last_at bigint,
    next_at bigint NOT NULL,
    PRIMARY KEY (workspace_id, survey_id, person_id)
);
CREATE INDEX turns_last_at ON turns (workspace_id, survey_id, last_at);
CREATE INDEX turns_person_id ON turns (workspace_id, person_id);

-- A fire has an id for its decisions; its share is NULL until it is known.
ALTER TABLE fires ADD COLUMN id uuid;
ALTER TABLE fires ADD COLUMN share bigint;
CREATE INDEX fires_running ON fires (due_at) WHERE state = 'running';
CREATE INDEX fires_due_at ON fires (workspace_id, survey_id, due_at);

-- +goose Down
DROP INDEX fires_due_at;
DROP INDEX fires_running;
ALTER TABLE fires DROP COLUMN share;
ALTER TABLE fires DROP COLUMN id;
DROP TABLE turns;
DROP TABLE schedules;
