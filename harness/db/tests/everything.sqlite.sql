-- Everything that a user can create in a SQLite database, 3.38 and later.
PRAGMA user_version = 7;
PRAGMA application_id = 252006675;

CREATE TABLE organizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL COLLATE NOCASE UNIQUE ON CONFLICT IGNORE,
    plan varchar ( 20 ) DEFAULT 'free' CHECK (plan IN ('free', 'paid')),
    balance DECIMAL(10, 2) NOT NULL DEFAULT -1,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    settings JSON DEFAULT ('{}'),
    anything
);

CREATE TABLE users (
    id INTEGER NOT NULL,
    "first name" TEXT,
    email TEXT NOT NULL ON CONFLICT FAIL,
    age INT CONSTRAINT ck_users_age CHECK (age >= 18),
    organization_id INTEGER CONSTRAINT fk_users_organization REFERENCES organizations
        ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED,
    manager_id INTEGER REFERENCES users (id) ON DELETE NO ACTION MATCH FULL,
    label TEXT GENERATED ALWAYS AS ("first name" || ' <' || email || '>') VIRTUAL,
    domain TEXT AS (substr(email, instr(email, '@') + 1)) STORED,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email COLLATE NOCASE DESC, organization_id),
    UNIQUE (email, age),
    CHECK (length(email) > 3 AND email LIKE '%@%'),
    CHECK (length(email) < 300),
    FOREIGN KEY (organization_id, email) REFERENCES members (organization_id, email) ON DELETE RESTRICT
);

CREATE TABLE members (
    organization_id INTEGER REFERENCES organizations (id),
    email TEXT,
    role TEXT,
    PRIMARY KEY (organization_id, email DESC)
) WITHOUT ROWID;

CREATE TABLE measures (
    id TEXT PRIMARY KEY,
    n INT NOT NULL DEFAULT 0x10,
    r REAL DEFAULT +1.5e3,
    b BLOB DEFAULT x'CAFE',
    a ANY
) STRICT;

CREATE TABLE [odd "names"] (`order` INTEGER PRIMARY KEY DESC, "a, b" TEXT, größe INT);

CREATE INDEX ix_users_email ON users (email COLLATE NOCASE DESC, age);
CREATE UNIQUE INDEX ix_users_lower_email ON users (lower(email) COLLATE RTRIM DESC) WHERE age IS NOT NULL AND organization_id <> 0;
CREATE INDEX ix_organizations_slug ON organizations (slug, json_extract(settings, '$.status'));
CREATE INDEX ix_odd ON [odd "names"] ("a, b", (`größe` + 1));

CREATE VIEW active_users (user, organization) AS
    SELECT u.email, o.slug FROM users AS u LEFT JOIN organizations o ON o.id = u.organization_id WHERE u.age > 18;
CREATE VIEW every_measure AS WITH m AS (SELECT * FROM measures) SELECT *, n * 2 AS twice FROM m;
CREATE VIEW broken AS SELECT missing FROM nowhere;

CREATE TRIGGER users_no_delete BEFORE DELETE ON Users
BEGIN
    SELECT RAISE(ABORT, 'users is append-only');
END;
CREATE TRIGGER users_touch AFTER UPDATE OF email, "first name" ON users FOR EACH ROW WHEN new.email <> old.email
BEGIN
    UPDATE organizations SET anything = new.email WHERE id = new.organization_id;
    INSERT OR REPLACE INTO members (organization_id, email) VALUES (new.organization_id, new.email);
END;
CREATE TRIGGER active_users_insert INSTEAD OF INSERT ON active_users
BEGIN
    INSERT INTO users (email) VALUES (new.user) ON CONFLICT DO NOTHING;
END;

CREATE VIRTUAL TABLE documents USING fts5 (title, body, content='', tokenize = 'porter ascii');
CREATE VIRTUAL TABLE places USING rtree(id, min_x, max_x, +label TEXT);

ANALYZE;
