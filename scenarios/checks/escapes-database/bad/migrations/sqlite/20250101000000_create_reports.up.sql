CREATE TABLE reports (
    id INTEGER CONSTRAINT pk_reports PRIMARY KEY,
    title TEXT NOT NULL
);
