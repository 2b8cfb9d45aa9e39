-- Rebuilt without the column: SQLite before 3.35 has no DROP COLUMN.
CREATE TABLE users_new (
    id TEXT NOT NULL CONSTRAINT pk_users PRIMARY KEY,
    name TEXT NOT NULL
);
INSERT INTO users_new (id, name) SELECT id, name FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
