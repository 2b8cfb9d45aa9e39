CREATE TABLE reports (
    id BIGINT CONSTRAINT pk_reports PRIMARY KEY,
    title TEXT NOT NULL
);
CREATE ROLE switchback_scenario_reporting;
