use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::layout::Transaction;
use crate::layout::pattern::FilePattern;

const CHECKS: [&str; 3] = ["append-only-hole", "metadata-drift", "rows-lost"];

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "switchback.toml", &CHECKS)
}

#[test]
fn an_empty_file_is_a_config() {
    let config = parse("# nothing yet\n").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.postgres.url_env, ["DATABASE_URL", "DB_DSN"]);
}

#[test]
fn a_tool_that_is_misspelt_is_told_with_all_there_are() {
    let names = layout::LAYOUTS.iter().map(|tool| tool.name()).chain(DRIVEN);
    let tools: Vec<_> = names.map(|tool| format!("\"{tool}\"")).collect();
    let expected = format!(
        "switchback.toml:2: \"tool\" cannot be \"slqx\": it is one of {}: did you mean \"sqlx\"?",
        tools.join(", ")
    );
    assert_eq!(parse("[history]\ntool = \"slqx\"\n").unwrap_err().to_string(), expected);
}

#[test]
fn a_home_made_layout_can_be_told() {
    let config = parse(
        r#"
[history]
tool = "pattern"
path = "migrations"
pattern = '^(?<version>\d+)\.(?<dialect>\w+)\.sql$'
dialects = { postgres = ["postgres", "pgx"], sqlite = "sqlite3" }
transaction = "none"
bookkeeping = "applied"
"#,
    )
    .unwrap();
    let options = config.history.options;
    let pattern = FilePattern::new(r"^(?<version>\d+)\.(?<dialect>\w+)\.sql$", "switchback.toml:5").unwrap();
    assert_eq!(options.pattern, Some(pattern));
    assert_eq!(options.dialects[&Backend::Postgres], ["postgres", "pgx"]);
    assert_eq!(options.dialects[&Backend::Sqlite], ["sqlite3"]);
    assert_eq!(options.transaction, Transaction::None);
    assert_eq!(options.bookkeeping.as_deref(), Some("applied"));
}

#[test]
fn what_a_tool_has_to_be_told_can_be_said() {
    let options = |text: &str| parse(&format!("[history]\n{text}\n")).unwrap().history.options;
    let flyway =
        options("tool = \"flyway\"\nmixed = true\ncallbacks = \"skipped\"\nplaceholders = { a = \"b\" }");
    assert_eq!((flyway.mixed, flyway.callbacks_skipped), (true, true));
    assert_eq!(flyway.placeholders, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    assert!(options("tool = \"liquibase\"\npreconditions = \"met\"").preconditions_met);
    assert_eq!(options("tool = \"refinery\"\nbookkeeping = \"a\"").bookkeeping.as_deref(), Some("a"));
}

#[test]
fn everything_can_be_said() {
    let config = parse(
        r#"
[history]
tool = "sqlx"
postgres = "migrations/postgres"
sqlite = "../other/migrations"

[metadata]
postgres = "schema/postgres.sql"

[postgres]
version = "17.2"
setup = "setup.sql"
url = "postgres://localhost/x"
url_env = "PG_URL"
image = "postgres:17-alpine"
registry = "mirror.example/library"
platform = "linux/amd64"

[sqlite]
foreign_keys = false
setup = "functions.sql"

[append_only]
tables = ["event_store"]

[rows]
per_table = 2
values = { "users.email" = ["ada@example.org"], "users.age" = 36 }
fixtures = "rows.json"
seed = 7
types = false

[checks]
"metadata-drift" = "off"
rows-lost = "error"

[[accept]]
check = "metadata-drift"
backend = "sqlite"
object = "event_store.*_gin"
reason = "JSON containment is queried on PostgreSQL only"
"#,
    )
    .unwrap();

    let text = |text: &str| text.to_owned();
    assert_eq!(config.history.tool, Some(text("sqlx")));
    assert_eq!(
        config.history.place,
        HistoryPlace::Each(BTreeMap::from([
            (Backend::Postgres, text("migrations/postgres")),
            (Backend::Sqlite, text("../other/migrations")),
        ]))
    );
    assert_eq!(config.metadata, BTreeMap::from([(Backend::Postgres, text("schema/postgres.sql"))]));
    assert_eq!(
        config.postgres,
        PostgresConfig {
            version: Some(text("17.2")),
            url: Some(text("postgres://localhost/x")),
            url_env: vec![text("PG_URL")],
            image: Some(text("postgres:17-alpine")),
            registry: Some(text("mirror.example/library")),
            platform: Some(text("linux/amd64")),
        }
    );
    assert_eq!(config.sqlite.foreign_keys, Some(false));
    assert_eq!(
        config.setup,
        BTreeMap::from([(Backend::Postgres, text("setup.sql")), (Backend::Sqlite, text("functions.sql"))])
    );
    assert_eq!(config.append_only, BTreeSet::from([text("event_store")]));
    assert_eq!(
        config.rows,
        RowsConfig {
            per_table: 2,
            values: BTreeMap::from([
                (text("users.age"), vec![text("36")]),
                (text("users.email"), vec![text("ada@example.org")])
            ]),
            fixtures: vec![text("rows.json")],
            seed: 7,
            types: false,
        }
    );
    assert_eq!(
        config.checks,
        BTreeMap::from([(text("metadata-drift"), Level::Off), (text("rows-lost"), Level::Error)])
    );
    let [accept] = config.accept.as_slice() else { panic!("one entry") };
    assert_eq!((accept.backend, accept.line), (Some(Backend::Sqlite), 37));
    assert!(accept.matches("metadata-drift", Some(Backend::Sqlite), None, Some("event_store.ix_gin")));
}

#[rstest]
#[case::syntax("[history\n", "1: ")]
#[case::not_a_table("\nhistory = 1", "2: \"history\" must be a table, not an integer")]
#[case::section("[sqlit]\n", "1: unknown section \"sqlit\": did you mean \"sqlite\"?")]
#[case::section_like_none("[deployment]\n", "1: unknown section \"deployment\"")]
#[case::top_key("color = true\n", "1: unknown key \"color\"")]
#[case::key(
    "[sqlite]\n\nforeing_keys = true\n",
    "3: unknown key \"foreing_keys\" in [sqlite]: did you mean \"foreign_keys\"?"
)]
#[case::first_of_two("[sqlite]\nzeta = 1\nalpha = 2\n", "2: unknown key \"zeta\" in [sqlite]")]
#[case::dotted("sqlite.fk = 1\n", "1: unknown key \"fk\" in [sqlite]")]
#[case::boolean(
    "[sqlite]\nforeign_keys = \"yes\"\n",
    "2: \"foreign_keys\" must be true or false, not a string"
)]
#[case::string("[postgres]\nversion = 17\n", "2: \"version\" must be a string, not an integer")]
#[case::version(
    "[postgres]\nversion = \"latest\"\n",
    "2: \"version\" is not a version of PostgreSQL: write a number such as \"17\""
)]
#[case::oldest(
    "[sqlite]\noldest = \"new\"\n",
    "2: \"oldest\" is not a version: write numbers with dots between them, such as \"3.35\""
)]
#[case::strings(
    "[append_only]\ntables = [\"a\",\n 2]\n",
    "3: \"tables\" must be a string or an array of strings, not an integer"
)]
#[case::other_tool(
    "[history]\ntool = \"sqlx\"\ntransaction = \"run\"\n",
    "3: \"transaction\" in [history] is heeded with tool = \"pattern\" alone"
)]
#[case::nobody_heeds_it_without_a_tool(
    "[history]\nplaceholders = { a = \"b\" }\n",
    "2: \"placeholders\" in [history] is heeded with tool = \"flyway\" or \"liquibase\" alone"
)]
#[case::pattern_without_tool(
    "[history]\npath = \"m\"\npattern = '(?<version>1)'\n",
    "3: \"pattern\" in [history] is heeded with tool = \"pattern\" alone"
)]
#[case::tool_without_pattern(
    "\n[history]\ntool = \"pattern\"\npath = \"m\"\n",
    "2: [history] has no \"pattern\", which tool = \"pattern\" needs"
)]
#[case::pattern_without_path(
    "[history]\ntool = \"pattern\"\npattern = '(?<version>1)'\n",
    "1: [history] has no \"path\", which tool = \"pattern\" needs"
)]
#[case::misspelt_pattern(
    "[history]\ntool = \"pattern\"\npath = \"m\"\npatern = '(?<version>1)'\n",
    "4: unknown key \"patern\" in [history]: did you mean \"pattern\"?"
)]
#[case::pattern_without_version(
    "[history]\ntool = \"pattern\"\npath = \"m\"\npattern = '^V'\n",
    "4: \"pattern\" has no group \"version\": write (?<version>\\d+) where the version stands"
)]
#[case::no_regular_expression(
    "[history]\ntool = \"pattern\"\npath = \"m\"\npattern = '(?<version>'\n",
    "4: \"pattern\" is no regular expression: unclosed group"
)]
#[case::strange_transaction(
    "[history]\ntool = \"pattern\"\npath = \"m\"\ntransaction = \"all\"\npattern = '(?<version>1)'\n",
    "4: \"transaction\" cannot be \"all\": it is one of \"file\", \"run\", \"none\""
)]
#[case::strange_dialect(
    "[history]\ntool = \"pattern\"\npath = \"m\"\npattern = '(?<version>1)'\ndialects = { mysql = [\"my\"] }\n",
    "5: unknown key \"mysql\" in [dialects]"
)]
#[case::both_places(
    "[history]\nsqlite = \"a\"\npath = \"b\"\n",
    "3: [history] has \"path\", the folder for both backends, as well as a folder of a backend's own: give either the one or the others"
)]
#[case::absolute(
    "[metadata]\nsqlite = \"/etc/schema.sql\"\n",
    "2: \"sqlite\" is the absolute path \"/etc/schema.sql\": write it relative to this file"
)]
#[case::drive(
    "[history]\npath = 'C:\\work'\n",
    "2: \"path\" is the absolute path \"C:\\work\": write it relative to this file"
)]
#[case::home(
    "[rows]\nfixtures = [\"a.sql\", \"~/b.sql\"]\n",
    "2: \"fixtures\" is the absolute path \"~/b.sql\": write it relative to this file"
)]
#[case::fewer_than_none(
    "[rows]\nper_table = -1\n",
    "2: \"per_table\" cannot be -1: it is a whole number from 0 to 1000"
)]
#[case::values_of_no_column(
    "[rows]\nvalues = { email = [\"ada@example.org\"] }\n",
    "2: \"email\" names no column: write \"table.column\""
)]
#[case::values_of_values(
    "[rows]\nvalues = { \"users.email\" = [[1]] }\n",
    "2: \"users.email\" must be an array of strings, numbers and booleans, not an array"
)]
#[case::empty_path(
    "[history]\npath = \"\"\n",
    "2: \"path\" is an empty path: use \".\" for the folder of this file"
)]
#[case::check(
    "[checks]\nmetadata-dirft = \"off\"\n",
    "2: unknown check \"metadata-dirft\" in [checks]: did you mean \"metadata-drift\"?"
)]
#[case::level(
    "[checks]\nrows-lost = \"warn\"\n",
    "2: \"rows-lost\" cannot be \"warn\": it is one of \"error\", \"warning\", \"note\", \"off\""
)]
#[case::no_reason("\n[[accept]]\ncheck = \"rows-lost\"\n", "2: [[accept]] has no \"reason\"")]
#[case::empty_reason(
    "[[accept]]\ncheck = \"rows-lost\"\nreason = \" \"\n",
    "3: \"reason\" is empty: say why this is accepted"
)]
#[case::misspelt_reason(
    "[[accept]]\ncheck = \"rows-lost\"\nreasn = \"x\"\n",
    "3: unknown key \"reasn\" in [[accept]]: did you mean \"reason\"?"
)]
#[case::no_check("[[accept]]\nreason = \"x\"\n", "1: [[accept]] has no \"check\"")]
#[case::unknown_check(
    "[[accept]]\ncheck = \"row-lost\"\nreason = \"x\"\n",
    "2: \"check\" cannot be \"row-lost\": it is one of \"append-only-hole\", \"metadata-drift\", \"rows-lost\": did you mean \"rows-lost\"?"
)]
#[case::unknown_backend(
    "[[accept]]\ncheck = \"rows-lost\"\nbackend = \"mysql\"\nreason = \"x\"\n",
    "3: \"backend\" cannot be \"mysql\": it is one of \"postgres\", \"sqlite\", \"*\""
)]
#[case::accept_is_no_array(
    "[accept]\ncheck = \"rows-lost\"\n",
    "1: \"accept\" must be an array of tables, not a table"
)]
fn what_is_wrong_is_named_with_its_line(#[case] text: &str, #[case] message: &str) {
    let error = parse(text).unwrap_err().to_string();
    let found = error.strip_prefix("switchback.toml:").unwrap();
    if message.ends_with(": ") {
        assert!(found.starts_with(message) && found.len() > message.len(), "{error}");
    } else {
        assert_eq!(found, message);
    }
}

#[rstest]
#[case("*", "", true)]
#[case("*", "anything", true)]
#[case("users", "users", true)]
#[case("users", "users2", false)]
#[case("users.*", "users.email", true)]
#[case("*.email", "users.email", true)]
#[case("u*.e*l", "users.email", true)]
#[case("a*a", "a", false)]
#[case("*ab*b", "abab", true)]
#[case("*a*b*c*", "xaybzc", true)]
#[case("*a*b*c*", "xcybza", false)]
#[case("", "x", false)]
fn a_star_stands_for_anything(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
    assert_eq!(Pattern::new(pattern).matches(text), expected);
}

#[rstest]
#[case::bare("", true)]
#[case::its_backend("backend = \"sqlite\"", true)]
#[case::any_backend("backend = \"*\"", true)]
#[case::other_backend("backend = \"postgres\"", false)]
#[case::its_revision("revision = \"0007\"", true)]
#[case::other_revision("revision = \"0008\"", false)]
#[case::an_object_that_is_not_there("object = \"users\"", false)]
#[case::any_object("object = \"*\"", true)]
fn an_entry_accepts_what_it_does_not_narrow(#[case] narrowed: &str, #[case] expected: bool) {
    let text = format!("[[accept]]\ncheck = \"rows-lost\"\nreason = \"x\"\n{narrowed}\n");
    let accept = &parse(&text).unwrap().accept[0];
    assert_eq!(accept.matches("rows-lost", Some(Backend::Sqlite), Some("0007"), None), expected);
    assert!(!accept.matches("metadata-drift", Some(Backend::Sqlite), Some("0007"), None));
}

proptest! {
    #[test]
    fn no_text_panics(text in prop_oneof![
        any::<String>(),
        "(\\[\\[?(history|accept|checks|rows|sqlite)\\]?\\]\n|(tool|path|sqlite|tables|check|reason|rows-lost) *= *(\"[^\"]*\"|[0-9]{1,3}|\\[\\]|\\{\\}|true)\n){0,6}",
    ]) {
        if let Err(error) = parse(&text) {
            prop_assert!(error.line >= 1 && error.line <= text.lines().count().max(1) + 1);
        }
    }

    /// The plain meaning of a pattern: some way to cut the text for its stars.
    #[test]
    fn a_pattern_means_what_it_says(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
        fn slow(pattern: &[u8], text: &[u8]) -> bool {
            match pattern.split_first() {
                None => text.is_empty(),
                Some((b'*', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
                Some((byte, rest)) => text.first() == Some(byte) && slow(rest, &text[1..]),
            }
        }
        prop_assert_eq!(Pattern::new(pattern.as_str()).matches(&text), slow(pattern.as_bytes(), text.as_bytes()));
    }
}

#[test]
fn a_version_that_is_too_old_is_refused() {
    let config = Config::parse("[sqlite]\noldest = \"3.35\"\n", FILE, &[]).unwrap();
    let refused = |backend, version: &str| config.refuses(backend, &version.parse().unwrap());
    let reason = "sqlite 3.34.1 is older than 3.35, the oldest that the project supports";
    assert_eq!(refused(Backend::Sqlite, "3.34.1").as_deref(), Some(reason));
    for (backend, version) in
        [(Backend::Sqlite, "3.35.0"), (Backend::Sqlite, "3.100"), (Backend::Postgres, "3")]
    {
        assert_eq!(refused(backend, version), None);
    }
}
