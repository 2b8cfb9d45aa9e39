//! What people read.

use super::super::{Attribute as A, Kind, Name, Object, ObjectId, Schema};

fn whole(kind: Kind, name: &str) -> ObjectId {
    ObjectId::whole(kind, Name::new(name))
}

fn part(table: &str, kind: Kind, name: &str) -> ObjectId {
    ObjectId::part(Kind::Table, Name::new(table), kind, name)
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn column(of_type: &str) -> Object {
    Object::new().with(A::Type, of_type)
}

fn columns(names: &[&str]) -> Object {
    Object::new().with(A::Columns, list(names))
}

/// A schema as both backends have them, with everything that people meet.
fn realistic() -> Schema {
    let user = |kind, name| part("users", kind, name);
    let mut trigger = Object::new()
        .with(A::Timing, "before")
        .with(A::Events, list(&["insert", "update of (email, \"first name\")"]))
        .with(A::ForEach, "row")
        .with(A::When, "new.email is distinct from old.email")
        .with(A::Calls, "users_touch()");
    trigger.set(A::Comment, "Keeps updated_at true, whoever writes");
    let touch = "declare moment timestamptz := now();\nbegin new.updated_at := moment;\nreturn new;\nend;";
    let rank = "import math\n\nrows = plpy.execute(\"select 1\")\nreturn math.log(len(rows))";
    let active = "select u.id, u.email, (select count(*) from memberships m where m.user_id = u.id) as teams \
                  from users u left join organizations o on o.id = u.organization_id \
                  where u.deleted_at is null and extract(year from u.created_at) > 2020 order by u.email";
    let objects = [
        (whole(Kind::Setting, "user_version"), Object::new().with(A::Value, "7")),
        (whole(Kind::Extension, "citext"), Object::new()),
        (whole(Kind::Extension, "postgis"), Object::new().with(A::Value, "3.4.1").with(A::On, "schema geo")),
        (whole(Kind::Namespace, "audit"), Object::new()),
        (
            whole(Kind::Type, "mood"),
            Object::new().with(A::Variety, "enum").with(A::Values, list(&["sad", "so, so", "happy"])),
        ),
        (
            whole(Kind::Type, "positive"),
            Object::new().with(A::Variety, "domain").with(A::Type, "integer").flag(A::NotNull),
        ),
        (
            ObjectId::part(Kind::Type, Name::new("positive"), Kind::Check, "positive_check"),
            Object::new().with(A::Expression, "value > 0"),
        ),
        (
            whole(Kind::Sequence, "ticket_no"),
            Object::new().with(A::OwnedBy, "tickets.no").with(A::Start, "1000"),
        ),
        (
            whole(Kind::Routine, "users_touch()"),
            Object::new()
                .with(A::Returns, "trigger")
                .with(A::Language, "plpgsql")
                .with(A::Properties, list(&["security definer"]))
                .with(A::Settings, list(&["search_path=public, pg_temp"]))
                .with(A::Definition, touch),
        ),
        (
            whole(Kind::Routine, "rank(integer, text[])"),
            Object::new()
                .with(A::Arguments, list(&["weight integer default 1", "tags text[]"]))
                .with(A::Returns, "double precision")
                .with(A::Language, "plpython3u")
                .with(A::Volatility, "stable")
                .with(A::Definition, rank)
                .with(A::Privileges, list(&["owner: ALL", "app: EXECUTE"])),
        ),
        (
            whole(Kind::Table, "users"),
            Object::new()
                .with(
                    A::ColumnOrder,
                    list(&[
                        "id",
                        "email",
                        "first name",
                        "balance",
                        "created_at",
                        "data",
                        "label",
                        "anything",
                    ]),
                )
                .with(A::RowSecurity, "enabled")
                .with(A::Options, list(&["autovacuum_enabled=false", "fillfactor=70"]))
                .with(A::Comment, "People who can log in, and those who could")
                .with(A::Privileges, list(&["owner: ALL", "app: INSERT, SELECT, UPDATE"])),
        ),
        (user(Kind::Column, "id"), column("bigint").flag(A::NotNull).with(A::Identity, "always")),
        (
            user(Kind::Column, "email"),
            column("character varying(320)").flag(A::NotNull).with(A::Collation, "NOCASE"),
        ),
        (user(Kind::Column, "first name"), column("text").with(A::Default, "''")),
        (user(Kind::Column, "balance"), column("numeric(10,2)").flag(A::NotNull).with(A::Default, "0")),
        (
            user(Kind::Column, "created_at"),
            column("timestamp with time zone").flag(A::NotNull).with(A::Default, "now()"),
        ),
        (user(Kind::Column, "data"), column("jsonb").with(A::Default, "'{\"a\": 1, \"b\": 2}'::jsonb")),
        (user(Kind::Column, "label"), column("text").with(A::Generated, "(lower(email)) stored")),
        (user(Kind::Column, "anything"), Object::new().with(A::Comment, "Left by an import")),
        (user(Kind::PrimaryKey, "(id)"), columns(&["id"])),
        (user(Kind::Unique, "uq_users_email"), columns(&["email"]).flag(A::NullsNotDistinct)),
        (
            user(Kind::ForeignKey, "fk_users_organization"),
            columns(&["organization_id"])
                .with(A::References, "organizations (id)")
                .with(A::OnDelete, "cascade")
                .with(A::Deferrable, "deferrable initially deferred"),
        ),
        (
            user(Kind::Check, "ck_users_balance"),
            Object::new().with(A::Expression, "balance >= 0").flag(A::NotValid),
        ),
        (
            user(Kind::Check, "ck_users_state"),
            Object::new().with(A::Expression, "(state in ('new', 'active')) or (deleted_at is not null)"),
        ),
        (
            user(Kind::Index, "ix_users_lower_email"),
            columns(&["lower(email)", "created_at desc nulls last"])
                .flag(A::UniqueIndex)
                .with(A::Include, list(&["balance"]))
                .with(A::Where, "deleted_at is null"),
        ),
        (user(Kind::Index, "ix_users_data"), columns(&["data jsonb_path_ops"]).with(A::Method, "gin")),
        (user(Kind::Trigger, "users_touch"), trigger),
        (
            user(Kind::Trigger, "users_no_delete"),
            Object::new()
                .with(A::Timing, "before")
                .with(A::Events, list(&["delete"]))
                .with(A::Definition, "select raise(abort, 'users are kept');"),
        ),
        (
            user(Kind::Policy, "own_row"),
            Object::new()
                .with(A::Expression, "id = current_user_id()")
                .with(A::Permissive, "restrictive")
                .with(A::Events, "select")
                .with(A::Roles, list(&["app"])),
        ),
        (
            whole(Kind::View, "active_users"),
            Object::new().with(A::ColumnOrder, list(&["id", "email"])).with(A::Definition, active),
        ),
        (ObjectId::part(Kind::View, Name::new("active_users"), Kind::Column, "id"), column("bigint")),
        (ObjectId::part(Kind::View, Name::new("active_users"), Kind::Column, "email"), column("text")),
        (
            ObjectId::whole(Kind::Table, Name::within("audit", "log")),
            Object::new()
                .with(A::Variety, "partitioned")
                .with(A::ColumnOrder, list(&["at"]))
                .with(A::PartitionBy, "range (at)"),
        ),
        (
            ObjectId::part(Kind::Table, Name::within("audit", "log"), Kind::Column, "at"),
            column("date").flag(A::NotNull),
        ),
    ];
    objects.into_iter().fold(Schema::new(), |mut schema, (id, object)| {
        schema.insert(id, object);
        schema
    })
}

#[test]
fn a_schema() {
    insta::assert_snapshot!(realistic().to_string(), @r#"
    setting user_version: 7
    schema audit
    extension citext
    extension postgis: 3.4.1, on schema geo
    type mood: enum
        values
        * sad
        * so, so
        * happy

    type positive: domain, type integer, not null
      check positive_check: value > 0

    sequence ticket_no: owned by tickets.no, start 1000
    routine rank(integer, text[]): arguments (weight integer default 1, tags text[])
        returns double precision
        language plpython3u
        stable
        definition
        | import math
        |
        | rows = plpy.execute("select 1")
        | return math.log(len(rows))
        privileges
        * owner: ALL
        * app: EXECUTE
    routine users_touch(): returns trigger, language plpgsql, properties (security definer)
        set
        * search_path=public, pg_temp
        definition
        | declare moment timestamptz := now();
        | begin new.updated_at := moment;
        | return new;
        | end;

    table users: row security enabled, options (autovacuum_enabled=false, fillfactor=70)
        privileges
        * owner: ALL
        * app: INSERT, SELECT, UPDATE
        comment People who can log in, and those who could
      id: bigint, not null, identity always
      email: character varying(320), not null, collate NOCASE
      "first name": text, default ''
      balance: numeric(10,2), not null, default 0
      created_at: timestamp with time zone, not null, default now()
      data: jsonb, default '{"a": 1, "b": 2}'::jsonb
      label: text, generated (lower(email)) stored
      anything
          comment Left by an import
      primary key (id)
      unique uq_users_email (email): nulls not distinct
      foreign key fk_users_organization (organization_id): references organizations (id)
          on delete cascade
          deferrable initially deferred
      check ck_users_balance: balance >= 0, not valid
      check ck_users_state: (state in ('new', 'active')) or (deleted_at is not null)
      index ix_users_data (data jsonb_path_ops): using gin
      index ix_users_lower_email (lower(email), created_at desc nulls last): unique, include (balance)
          where deleted_at is null
      trigger users_no_delete: before delete
          definition select raise(abort, 'users are kept');
      trigger users_touch: before insert or update of (email, "first name"), for each row
          when new.email is distinct from old.email
          calls users_touch()
          comment Keeps updated_at true, whoever writes
      policy own_row: expression id = current_user_id(), events select, restrictive, to (app)

    table audit.log: partitioned, partition by range (at)
      at: date, not null

    view active_users
        definition
          select u.id, u.email, (select count(*)
            from memberships m
            where m.user_id = u.id) as teams
          from users u
          left join organizations o on o.id = u.organization_id
          where u.deleted_at is null and extract(year from u.created_at) > 2020
          order by u.email
      id: bigint
      email: text
    "#);
}

#[test]
fn a_difference() {
    let before = realistic();
    let mut after = before.clone();
    let user = |kind, name| part("users", kind, name);
    after.insert(user(Kind::Column, "email"), column("text").flag(A::NotNull));
    after.insert(user(Kind::Column, "nickname"), column("text"));
    after.insert(user(Kind::Index, "ix_users_data"), columns(&["data"]).with(A::Method, "gin"));
    let order =
        ["id", "email", "first name", "balance", "created_at", "data", "label", "anything", "nickname"];
    let users = before.get(&whole(Kind::Table, "users")).expect("the table is there");
    after.insert(
        whole(Kind::Table, "users"),
        users
            .clone()
            .with(A::ColumnOrder, list(&order))
            .with(A::Privileges, list(&["owner: ALL", "app: SELECT"])),
    );
    let rank = before.get(&whole(Kind::Routine, "rank(integer, text[])")).expect("the routine is there");
    after.insert(
        whole(Kind::Routine, "rank(integer, text[])"),
        rank.clone().with(
            A::Definition,
            "import math\n\nrows = plpy.execute(\"select 2\")\nreturn math.log(len(rows))",
        ),
    );
    after.remove_group(Kind::View, &Name::new("active_users"));
    after.remove_group(Kind::Sequence, &Name::new("ticket_no"));
    let tags = |kind, name| part("tags", kind, name);
    after.insert(whole(Kind::Table, "tags"), Object::new().with(A::ColumnOrder, list(&["name", "color"])));
    after.insert(tags(Kind::Column, "name"), column("text").flag(A::NotNull));
    after.insert(tags(Kind::Column, "color"), column("text"));
    after.insert(tags(Kind::PrimaryKey, "pk_tags"), columns(&["name"]));
    insta::assert_snapshot!(before.diff(&after).to_string(), @r#"
    - sequence ticket_no: owned by tickets.no, start 1000
      routine rank(integer, text[]): arguments (weight integer default 1, tags text[])
          …
          definition
          | import math
          |
    -     | rows = plpy.execute("select 1")
    +     | rows = plpy.execute("select 2")
          | return math.log(len(rows))
          privileges
          * owner: ALL
          …

    + table tags
    +   name: text, not null
    +   color: text
    +   primary key pk_tags (name)

      table users: row security enabled, options (autovacuum_enabled=false, fillfactor=70)
          privileges
          * owner: ALL
    -     * app: INSERT, SELECT, UPDATE
    +     * app: SELECT
          comment People who can log in, and those who could
    -   email: character varying(320), not null, collate NOCASE
    +   email: text, not null
    +   nickname: text
    -   index ix_users_data (data jsonb_path_ops): using gin
    +   index ix_users_data (data): using gin

    - view active_users
    -     definition
    -       select u.id, u.email, (select count(*)
    -         from memberships m
    -         where m.user_id = u.id) as teams
    -       from users u
    -       left join organizations o on o.id = u.organization_id
    -       where u.deleted_at is null and extract(year from u.created_at) > 2020
    -       order by u.email
    -   id: bigint
    -   email: text
    "#);
}

#[test]
fn columns_that_only_changed_places() {
    let mut before = Schema::new();
    for name in ["id", "name", "extra"] {
        before.insert(part("users", Kind::Column, name), column("text"));
    }
    let ordered = |names| Object::new().with(A::ColumnOrder, list(names));
    before.insert(whole(Kind::Table, "users"), ordered(&["id", "name", "extra"]));
    let mut after = before.clone();
    after.insert(whole(Kind::Table, "users"), ordered(&["name", "id", "extra"]));
    let diff = before.diff(&after);
    assert!(!diff.is_observable());
    insta::assert_snapshot!(diff.to_string(), @r#"
    - table users: column order (id, name, extra)
    + table users: column order (name, id, extra)
    "#);
}

#[test]
fn a_long_body_shows_only_what_changed() {
    let body = |line: &str| {
        let lines = (1..20).map(|at| if at == 12 { line.to_owned() } else { format!("step_{at}();") });
        lines.collect::<Vec<_>>().join("\n")
    };
    let schema = |line| {
        let mut schema = Schema::new();
        schema.insert(whole(Kind::Routine, "run()"), Object::new().with(A::Definition, body(line)));
        schema
    };
    insta::assert_snapshot!(schema("old();").diff(&schema("new();")).to_string(), @r#"
      routine run()
          …
          | step_9();
          | step_10();
          | step_11();
    -     | old();
    +     | new();
          | step_13();
          | step_14();
          | step_15();
          …
    "#);
}

#[test]
fn odd_texts_are_marked_and_stay_apart() {
    let mut schema = Schema::new();
    let odd = Object::new()
        .with(A::ColumnOrder, list(&["gone"]))
        .with(A::On, "delete cascade")
        .with(A::Options, "(a, b)")
        .with(A::Definition, "one \r\ntwo\\\n\n")
        .with(A::Comment, "\u{7}bell");
    schema.insert(whole(Kind::Table, "odd \"name\"\n"), odd);
    schema.insert(part("odd \"name\"\n", Kind::Column, ""), column(" text"));
    schema.insert(part("odd \"name\"\n", Kind::Index, "(a)"), Object::new());
    insta::assert_snapshot!(schema.to_string(), @r#"
    table "odd \"name\"\n": column order (gone), options \"(a, b)", on \"delete cascade"
        definition \
        | one\u{20}\u{d}
        | two\\
        |
        |
        comment \"\u{7}bell"
      "", type \" text"
      index "(a)"
    "#);
}
