//! The pragmas as an oracle that knows nothing of the parser: what they say of a table must be what
//! was read from its text.

use rstest::rstest;
use switchback_core::schema::Value;

use super::super::catalog::{Catalog, Unit};
use super::super::unit::Missing;
use super::*;
use crate::sqlite::Workspace;

/// Reads the table that is made last, once from its text and once without it.
async fn both(sql: &str) -> (Arc<Group>, Arc<Group>) {
    let workspace = Workspace::new("test", false).unwrap();
    let mut connection = workspace.database("main").connect(true).await.unwrap();
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let catalog = Catalog::read(&mut connection).await.unwrap();
    let unit = catalog.units().unwrap().into_values().next().unwrap();
    let known = Parsed::new(&unit);
    assert_ne!(known.missing, Missing::Everything, "not understood: {}", unit.sql);

    let parts = unit.parts.iter().map(|part| super::super::catalog::Entry { sql: "CREATE #", ..*part });
    let unreadable = Unit { sql: "CREATE TABLE #", parts: parts.collect(), ..unit };
    let unknown = Parsed::new(&unreadable);
    assert_eq!(unknown.missing, Missing::Everything);
    let told = complete(&mut connection, &unknown).await.unwrap();
    (known.group, told)
}

/// What the pragmas can say of what the text said: no names of constraints, no checks, no
/// expressions, and each term's collation whether it is the column's own or not.
fn as_pragmas_see(group: &Group) -> Vec<String> {
    let term = |term: &String| {
        let (rest, order) = term.strip_suffix(" desc").map_or((term.as_str(), ""), |rest| (rest, " desc"));
        if let Some((rest, collation)) = rest.split_once(" collate ") {
            let collation =
                if collation == "BINARY" { String::new() } else { format!(" collate {collation}") };
            return format!("{rest}{collation}{order}");
        }
        let own = group.part(Kind::Column, rest).and_then(|column| column.text(Attribute::Collation));
        let own = own.map(|own| format!(" collate {own}")).unwrap_or_default();
        format!("{rest}{own}{order}")
    };
    let mut lines = vec![format!("{:?}", group.object().list(Attribute::ColumnOrder))];
    for (kind, name, object) in group.parts() {
        let mut seen = Object::new();
        for (attribute, value) in object.attributes() {
            let value = match (attribute, value) {
                (Attribute::Columns, Value::List(terms)) if kind != Kind::ForeignKey => {
                    Value::List(terms.iter().map(term).collect())
                }
                (Attribute::Generated, Value::Text(text)) => {
                    Value::from(text.rsplit(' ').next().unwrap_or_default())
                }
                (
                    Attribute::Collation
                    | Attribute::Autoincrement
                    | Attribute::OnConflict
                    | Attribute::Deferrable
                    | Attribute::Match
                    | Attribute::Where
                    | Attribute::Definition,
                    _,
                ) => continue,
                (_, value) => value.clone(),
            };
            seen.set(attribute, value);
        }
        let name = if matches!(kind, Kind::Column | Kind::Index) { name } else { "" };
        match kind {
            Kind::Check | Kind::Trigger => {}
            _ => lines.push(format!("{kind} {name} {:?}", seen.attributes().collect::<Vec<_>>())),
        }
    }
    lines.sort();
    lines.dedup();
    lines
}

#[rstest]
#[case::rowid_alias("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")]
#[case::autoincrement("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)")]
#[case::no_alias("CREATE TABLE t (id INTEGER PRIMARY KEY DESC, a INT)")]
#[case::alias_below("CREATE TABLE t (a INT, id INTEGER, PRIMARY KEY (id DESC))")]
#[case::no_alias_int("CREATE TABLE t (id INT PRIMARY KEY)")]
#[case::lower_case("create table t (id integer primary key, n varchar ( 20 ) not null)")]
#[case::composite("CREATE TABLE t (a, b TEXT COLLATE NOCASE, c, PRIMARY KEY (b, a DESC))")]
#[case::key_collation("CREATE TABLE t (a TEXT, PRIMARY KEY (a COLLATE NOCASE))")]
#[case::without_rowid("CREATE TABLE t (a INTEGER PRIMARY KEY, b) WITHOUT ROWID")]
#[case::without_rowid_composite("CREATE TABLE t (a TEXT, b, PRIMARY KEY (b, a DESC)) WITHOUT ROWID")]
#[case::strict("CREATE TABLE t (a INTEGER PRIMARY KEY, b ANY, c BLOB NOT NULL) STRICT")]
#[case::strict_text_key("CREATE TABLE t (a TEXT PRIMARY KEY, b INT) STRICT")]
#[case::strict_composite("CREATE TABLE t (a TEXT, b INTEGER, PRIMARY KEY (a, b)) STRICT")]
#[case::strict_without_rowid("CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID")]
#[case::no_types("CREATE TABLE t (a, b, c)")]
#[case::long_types(
    "CREATE TABLE t (a DOUBLE  PRECISION, b UNSIGNED BIG INT, c DECIMAL(10,2), d FLOAT(+1, -2))"
)]
#[case::odd_names("CREATE TABLE t (\"a b\", [c], `d`, 'e', \"order\" INT, größe)")]
#[case::defaults(
    "CREATE TABLE t (a DEFAULT 1, b DEFAULT -1, c DEFAULT 'x''y', d DEFAULT (1 + 2), e DEFAULT NULL)"
)]
#[case::more_defaults(
    "CREATE TABLE t (a DEFAULT x'00ff', b DEFAULT TRUE, c DEFAULT CURRENT_TIMESTAMP, d DEFAULT (datetime('now', '+1 day')), e DEFAULT +.5)"
)]
#[case::word_defaults("CREATE TABLE t (a DEFAULT abc, b DEFAULT \"d e\")")]
#[case::last_default("CREATE TABLE t (a DEFAULT 1 DEFAULT 2)")]
#[case::nullable(
    "CREATE TABLE t (a INT NULL, b INT NOT NULL, c INT CONSTRAINT nn NOT NULL ON CONFLICT IGNORE)"
)]
#[case::generated(
    "CREATE TABLE t (a INT, b INT AS (a + 1), c TEXT GENERATED ALWAYS AS (a || 'x') STORED, d AS (a) VIRTUAL)"
)]
#[case::unique(
    "CREATE TABLE t (a UNIQUE, b TEXT COLLATE NOCASE UNIQUE, c, UNIQUE (a, c), UNIQUE (b COLLATE BINARY))"
)]
#[case::named(
    "CREATE TABLE t (a CONSTRAINT u UNIQUE CONSTRAINT c CHECK (a > 0), b, CONSTRAINT p PRIMARY KEY (b))"
)]
#[case::no_commas("CREATE TABLE t (a, b, UNIQUE (a) CHECK (b) FOREIGN KEY (b) REFERENCES p (id))")]
#[case::foreign_keys(
    "CREATE TABLE t (a REFERENCES p, b REFERENCES p (id) ON DELETE CASCADE, c INT, d INT, FOREIGN KEY (c, d) REFERENCES q (x, y) ON UPDATE SET NULL ON DELETE SET DEFAULT)"
)]
#[case::foreign_keys_twice(
    "CREATE TABLE t (a REFERENCES p ON DELETE RESTRICT ON DELETE NO ACTION REFERENCES q)"
)]
#[case::foreign_key_case("CREATE TABLE t (Name TEXT, FOREIGN KEY (name) REFERENCES \"p q\" (\"i d\"))")]
#[case::comments("CREATE TABLE t (a INT /* , b */, -- c\n d TEXT)")]
#[case::keywords_as_names(
    "CREATE TABLE t (key, action, generated, always, window, over, filter, rowid_, first, replace)"
)]
#[case::as_select("CREATE TABLE t AS SELECT 1 AS a, 'x' AS \"b c\", 1.5 AS c")]
#[case::indexes(
    "CREATE TABLE t (a, Name TEXT COLLATE NOCASE, b); CREATE INDEX i1 ON t (NAME, a DESC); CREATE UNIQUE INDEX i2 ON t (name COLLATE BINARY, b COLLATE RTRIM) WHERE a > 0; CREATE INDEX i3 ON t ((a), ('b'))"
)]
#[case::added(
    "CREATE TABLE t (a, PRIMARY KEY (a)); ALTER TABLE t ADD COLUMN b INT NOT NULL DEFAULT 3 REFERENCES p ON DELETE CASCADE"
)]
#[case::renamed(
    "CREATE TABLE s (a REFERENCES s (a), b); ALTER TABLE s RENAME TO t; ALTER TABLE t RENAME b TO \"c d\""
)]
#[case::dropped("CREATE TABLE t (a, b, c UNIQUE); ALTER TABLE t DROP COLUMN b")]
#[tokio::test]
async fn text_and_pragmas_agree(#[case] sql: &str) {
    let (text, pragmas) = both(sql).await;
    assert_eq!(as_pragmas_see(&text), as_pragmas_see(&pragmas), "{sql}");
}

#[tokio::test]
async fn text_that_is_not_understood_is_kept() {
    let (_, told) = both("CREATE TABLE t (a INT); CREATE UNIQUE INDEX i ON t (a DESC, a + 1)").await;
    assert_eq!(told.object().text(Attribute::Definition), Some("create table #"));
    let index = told.part(Kind::Index, "i").unwrap();
    assert_eq!(index.list(Attribute::Columns), ["a desc", "(expression)"]);
    assert!(index.has(Attribute::UniqueIndex));
    assert_eq!(index.text(Attribute::Definition), Some("create #"));
}
