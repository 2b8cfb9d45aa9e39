-- Something of everything that a user can create on every version since 13.

CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'what has happened';
GRANT USAGE ON SCHEMA audit TO PUBLIC;

CREATE EXTENSION citext;
CREATE EXTENSION hstore SCHEMA audit;
CREATE EXTENSION file_fdw;

CREATE COLLATION plain FROM "C";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
ALTER TYPE mood ADD VALUE 'fine' BEFORE 'happy';
CREATE TYPE audit.place AS (street text COLLATE "C", number integer, tags varchar(10)[]);
CREATE DOMAIN positive AS numeric(12, 2) DEFAULT 1 NOT NULL CONSTRAINT above_zero CHECK (VALUE > 0);
ALTER DOMAIN positive ADD CONSTRAINT sane CHECK (VALUE < 1000000) NOT VALID;
CREATE DOMAIN code AS text COLLATE "C";
COMMENT ON CONSTRAINT above_zero ON DOMAIN positive IS 'money';
CREATE FUNCTION float_gap(double precision, double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';
CREATE TYPE span AS RANGE (subtype = double precision, subtype_diff = float_gap);
COMMENT ON TYPE mood IS 'how it goes';
REVOKE USAGE ON TYPE mood FROM PUBLIC;

CREATE SEQUENCE ticket AS smallint START 10 INCREMENT BY 5 MINVALUE 5 MAXVALUE 500 CACHE 3 CYCLE;
CREATE SEQUENCE audit.backwards INCREMENT BY -1;

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 2 CACHE 5) PRIMARY KEY,
    legacy serial,
    email citext NOT NULL CONSTRAINT uq_users_email UNIQUE,
    name varchar(80) COLLATE "C" DEFAULT 'nobody' NOT NULL,
    "Display Name" text,
    "order" smallint DEFAULT nextval('ticket'),
    feeling mood DEFAULT 'happy',
    home audit.place,
    balance positive,
    born date DEFAULT '1970-01-01',
    seen timestamptz(3) DEFAULT now(),
    met timestamptz DEFAULT '2020-06-01 12:00:00+02',
    patience interval DEFAULT '1 day 02:00',
    cost money DEFAULT 12.5,
    ratio real DEFAULT 0.1,
    blob bytea DEFAULT '\x00ff',
    settings jsonb DEFAULT '{}' NOT NULL,
    tags text[] DEFAULT '{}'::text[],
    extra audit.hstore,
    full_name text GENERATED ALWAYS AS (name || ' ' || coalesce("Display Name", '')) STORED,
    CONSTRAINT ck_users_name CHECK (length(name) > 0 AND name <> 'root'),
    CONSTRAINT "Odd, name" CHECK (feeling IN ('sad', 'happy')) NO INHERIT
);
COMMENT ON TABLE users IS 'people, mostly';
COMMENT ON COLUMN users.email IS 'one each';
COMMENT ON CONSTRAINT ck_users_name ON users IS 'named';
ALTER TABLE users ALTER COLUMN settings SET STORAGE EXTERNAL;
ALTER TABLE users ALTER COLUMN name SET STATISTICS 500;
ALTER TABLE users ALTER COLUMN name SET (n_distinct = -0.5);
ALTER TABLE users SET (fillfactor = 80, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE users ADD CONSTRAINT ck_users_born CHECK (born > '1900-01-01') NOT VALID;
ALTER TABLE users DROP COLUMN ratio;
CREATE TABLE no_columns ();
CREATE UNLOGGED TABLE scratch (a int PRIMARY KEY, b text) WITH (autovacuum_enabled = off);
CREATE TABLE with_type OF audit.place (PRIMARY KEY (number));

CREATE TABLE orders (
    id uuid PRIMARY KEY DEFAULT '00000000-0000-0000-0000-000000000000',
    user_id bigint CONSTRAINT fk_orders_user REFERENCES users ON DELETE CASCADE ON UPDATE RESTRICT,
    again bigint REFERENCES users (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    a int, b int,
    during tsrange,
    UNIQUE (a, b) INCLUDE (again) WITH (fillfactor = 70) DEFERRABLE,
    EXCLUDE USING gist (during WITH &&) WHERE (a > 0)
);
CREATE TABLE products (id int PRIMARY KEY);
CREATE TABLE items (
    order_a int, order_b int, n int,
    product int REFERENCES products MATCH FULL,
    PRIMARY KEY (order_a, order_b, n)
);
CREATE UNIQUE INDEX ON orders (b, a);
ALTER TABLE items ADD CONSTRAINT fk_items_orders FOREIGN KEY (order_a, order_b) REFERENCES orders (b, a) NOT VALID;
ALTER TABLE orders CLUSTER ON orders_pkey;
ALTER TABLE orders REPLICA IDENTITY FULL;
ALTER TABLE scratch REPLICA IDENTITY USING INDEX scratch_pkey;

CREATE INDEX ix_users_name ON users (name DESC, "order" NULLS FIRST, lower(email::text) text_pattern_ops);
CREATE UNIQUE INDEX ux_users_live ON users (name COLLATE "POSIX" DESC NULLS LAST) INCLUDE (born, "Display Name")
    WHERE balance > 5 AND NOT (feeling = 'sad');
CREATE INDEX ix_users_settings ON users USING gin (settings jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX ix_users_path ON users ((settings -> 'a' ->> 'b'), (born + 1));
CREATE INDEX ix_users_hash ON users USING hash (name);
CREATE INDEX ix_users_extra ON users USING gist (extra audit.gist_hstore_ops (siglen = 32));
COMMENT ON INDEX ix_users_name IS 'by name';
CREATE STATISTICS st_users (ndistinct, dependencies) ON name, born FROM users;
CREATE STATISTICS audit.st_all ON "order", name FROM users;
COMMENT ON STATISTICS st_users IS 'together';

CREATE TABLE events (at timestamptz NOT NULL, kind text NOT NULL, body text, PRIMARY KEY (kind, at), CHECK (kind <> ''))
    PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a', 'b') PARTITION BY RANGE (at);
CREATE TABLE events_a_2020 PARTITION OF events_a (body DEFAULT 'x') FOR VALUES FROM ('2020-01-01 00:00+00') TO (MAXVALUE);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX ix_events_body ON events (body);
CREATE INDEX ix_events_rest_at ON events_rest (at);
ALTER TABLE events ADD COLUMN user_id bigint REFERENCES users;
CREATE TABLE by_hash (a int, b int) PARTITION BY HASH (a, (b + 1));
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE animals (name text NOT NULL, CHECK (name <> ''));
CREATE TABLE dogs (bark text) INHERITS (animals);
CREATE TABLE mixed (CHECK (bark <> '')) INHERITS (dogs, scratch);

CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE lines (line text OPTIONS (force_not_null 'true')) SERVER files
    OPTIONS (filename '/dev/null', format 'text');
COMMENT ON SERVER files IS 'on disk';

CREATE VIEW live WITH (check_option = 'local') AS SELECT id, name, upper(name) AS loud FROM users WHERE balance > 5;
CREATE VIEW pairs WITH (security_barrier) AS
    SELECT u.id, o.id AS order_id, u.name FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id > 1;
ALTER VIEW live ALTER COLUMN name SET DEFAULT 'new';
CREATE VIEW nested AS
    WITH recent AS (SELECT max(at) AS at, kind FROM events GROUP BY kind)
    SELECT r.kind, (SELECT count(*) FROM events e WHERE e.at = r.at) AS n,
        row_number() OVER (PARTITION BY r.kind ORDER BY r.at DESC) AS place
    FROM recent r UNION ALL SELECT 'none', 0, 0 ORDER BY 1;
CREATE VIEW spelled AS
    SELECT (at AT TIME ZONE 'UTC')::date AS day, trim(both 'x' from body) AS trimmed, substring(body from 2 for 3) AS part,
        position('a' in body) AS at_a, overlay(body placing 'x' from 1) AS laid, body LIKE 'a%' AS liked,
        body SIMILAR TO 'a|b' AS similar, CASE kind WHEN 'a' THEN 1 ELSE 2 END AS n, current_date AS today,
        (at, at) OVERLAPS (at, interval '1 day') AS lapped, kind IN ('a', 'b') AS one, body IS DISTINCT FROM kind AS differs,
        coalesce(body, kind) AS either, ARRAY[1, 2] AS list, -1 AS minus, - length(body) AS negative, E'a\\b' AS slash,
        kind || 'x'::varchar AS added, at BETWEEN now() - interval '1 day' AND now() AS recent, ROW(1, kind) = ROW(2, body) AS paired,
        normalize(body, NFC) AS normal, current_user AS me, body IS NULL AS missing, 1.5e3 AS big, 'x'::char(3) AS c
    FROM events;
CREATE MATERIALIZED VIEW totals WITH (fillfactor = 90) AS SELECT kind, count(*) AS n FROM events GROUP BY kind WITH NO DATA;
CREATE UNIQUE INDEX ux_totals ON totals (kind);
COMMENT ON VIEW live IS 'alive';
COMMENT ON COLUMN live.loud IS 'LOUD';

CREATE FUNCTION notify(channel text, n integer DEFAULT 1) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public SET work_mem = '8MB' AS $$
BEGIN
    -- Tell everyone.
    PERFORM pg_notify(channel, n::text);
END
$$;
CREATE FUNCTION notify(integer) RETURNS SETOF integer LANGUAGE sql IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 5 ROWS 7
    AS 'SELECT $1';
CREATE FUNCTION pick(OUT a integer, INOUT b text, VARIADIC rest integer[]) LANGUAGE sql STABLE
    AS 'SELECT 1, b';
CREATE FUNCTION list(smallest bigint) RETURNS TABLE (id bigint, "the name" text) LANGUAGE sql
    AS 'SELECT id, name FROM users WHERE id > smallest';
CREATE FUNCTION whole(users) RETURNS users LANGUAGE sql AS 'SELECT $1';
CREATE PROCEDURE cleanup(INOUT n integer, days integer DEFAULT 30) LANGUAGE plpgsql AS 'BEGIN n := days; END';
CREATE FUNCTION add_up(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + $2';
CREATE AGGREGATE total(integer) (sfunc = add_up, stype = integer, initcond = '0');
COMMENT ON FUNCTION notify(integer) IS 'the other one';
REVOKE EXECUTE ON FUNCTION add_up(integer, integer) FROM PUBLIC;

CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
CREATE TRIGGER no_changes BEFORE UPDATE OF name, "order" OR DELETE ON users
    FOR EACH ROW WHEN (old.name IS NOT NULL) EXECUTE FUNCTION forbid();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON users EXECUTE FUNCTION forbid('really', 'it''s');
CREATE TRIGGER after_all AFTER UPDATE ON orders REFERENCING OLD TABLE AS before NEW TABLE AS "After"
    FOR EACH STATEMENT EXECUTE FUNCTION forbid();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON orders FROM users DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.a <> new.b) EXECUTE FUNCTION forbid();
CREATE TRIGGER in_parts AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION forbid();
CREATE TRIGGER instead INSTEAD OF INSERT ON live FOR EACH ROW EXECUTE FUNCTION forbid();
ALTER TABLE users DISABLE TRIGGER no_truncate;
ALTER TABLE orders ENABLE ALWAYS TRIGGER after_all;
COMMENT ON TRIGGER no_changes ON users IS 'append only';

CREATE RULE keep AS ON DELETE TO animals WHERE old.name = 'rex' DO INSTEAD NOTHING;
CREATE RULE log AS ON INSERT TO animals DO ALSO INSERT INTO scratch (a, b) VALUES (1, new.name);
ALTER TABLE animals DISABLE RULE log;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON users FOR SELECT USING (name = current_user);
CREATE POLICY strict ON orders AS RESTRICTIVE FOR INSERT TO pg_monitor, pg_read_all_stats
    WITH CHECK (EXISTS (SELECT FROM users u WHERE u.id = user_id));
COMMENT ON POLICY own ON users IS 'mine';

GRANT SELECT, INSERT ON users TO PUBLIC;
GRANT ALL ON orders TO pg_monitor;
GRANT SELECT ON orders TO pg_read_all_stats WITH GRANT OPTION;
GRANT UPDATE (name), SELECT (name, born) ON users TO pg_monitor;
GRANT USAGE ON SEQUENCE ticket TO PUBLIC;
REVOKE DELETE ON scratch FROM CURRENT_USER;
ALTER TABLE dogs OWNER TO pg_monitor;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT EXECUTE ON FUNCTIONS TO pg_monitor;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO pg_monitor;

CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, update');
CREATE PUBLICATION few FOR TABLE orders, ONLY users WITH (publish_via_partition_root);
COMMENT ON PUBLICATION few IS 'to the warehouse';
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION on_ddl();
ALTER EVENT TRIGGER watch DISABLE;

CREATE FUNCTION same(users, users) RETURNS boolean LANGUAGE sql AS 'SELECT $1.id = $2.id';
CREATE OPERATOR === (FUNCTION = same, LEFTARG = users, RIGHTARG = users, COMMUTATOR = ===);
CREATE FUNCTION to_code(mood) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE CAST (mood AS integer) WITH FUNCTION to_code(mood) AS ASSIGNMENT;
CREATE TEXT SEARCH CONFIGURATION plain_english (COPY = english);
CREATE TEXT SEARCH DICTIONARY simple_words (TEMPLATE = simple, stopwords = english);
ALTER TEXT SEARCH CONFIGURATION plain_english ALTER MAPPING FOR word WITH simple_words, simple;
CREATE USER MAPPING FOR PUBLIC SERVER files;
CREATE OPERATOR FAMILY own_family USING btree;
CREATE OPERATOR CLASS own_ops FOR TYPE integer USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
CREATE ACCESS METHOD own_heap TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON EXTENSION citext IS 'ci';

CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, legacy serial);
CREATE TEMPORARY TABLE fleeting (a int);
