CREATE TABLE themes (
    name TEXT NOT NULL CONSTRAINT pk_themes PRIMARY KEY,
    colour TEXT NOT NULL
);

INSERT INTO settings (name, value) VALUES ('default_theme', 'light');
