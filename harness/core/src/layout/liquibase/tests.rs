use proptest::prelude::*;
use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::split::Splitting;
use super::*;
use crate::history::{Bookkeeping, Direction};

const POSTGRES: Backend = Backend::Postgres;
const SQLITE: Backend = Backend::Sqlite;
const HEAD: &str = "--liquibase formatted sql\n";

fn history(files: &[(&str, &str)], backend: Backend) -> Result<History, LayoutError> {
    Layout.read(&tree(files), backend)
}

/// The history of one file below the usual first line.
fn of(text: &str, backend: Backend) -> Result<History, LayoutError> {
    history(&[("changelog.sql", &format!("{HEAD}{text}"))], backend)
}

fn ids(history: &History) -> String {
    let ids: Vec<_> = history.revisions().iter().map(|revision| revision.id.as_str()).collect();
    ids.join(" ")
}

fn bodies(script: &Script) -> Vec<(&str, u32)> {
    script.statements(SQLITE).iter().map(|statement| (statement.body, statement.line)).collect()
}

/// Documentation, "sql-format": the example of the page in small.
#[test]
fn a_file_is_as_many_revisions_as_changesets() {
    let text = "\n--changeset nvoxland:1 labels:a context:b\n--comment: the first\ncreate table t (\n  id int\n);\n--rollback drop table t;\n\n-- CHANGESET ada:two runInTransaction:false\n-- why\ninsert into t values (1); insert into t values (2);\n--rollback delete from t\n--rollback  where id in (1, 2);\n";
    let history = of(text, SQLITE).unwrap();
    let [first, second] = history.revisions() else { panic!("two revisions") };
    assert_eq!(ids(&history), "nvoxland:1 ada:two");
    assert_eq!(names(&history), ["changelog.sql::1::nvoxland", "changelog.sql::two::ada"]);
    assert_eq!(bodies(&first.upgrade), [("create table t (\n  id int\n)", 5)]);
    assert_eq!(bodies(first.downgrade.script().unwrap()), [("drop table t", 8)]);
    assert_eq!(bodies(&second.upgrade), [("insert into t values (1)", 12), ("insert into t values (2)", 12)]);
    let back = second.downgrade.script().unwrap();
    assert_eq!(bodies(back), [("delete from t\n where id in (1, 2)", 13)]);
    assert_eq!((first.upgrade_in_transaction, second.upgrade_in_transaction), (true, false));
}

#[rstest]
#[case::none("create table t (id int);", "missing")]
#[case::not_required("create table t (id int);\n--rollback not required", "explained not required")]
#[case::empty("create table t (id int);\n--rollback empty", "explained empty")]
#[case::comment_alone("create table t (id int);\n--rollback -- nothing to do", "explained nothing to do")]
#[case::block(
    "create table t (id int);\n/* liquibase rollback\ndrop table t;\n drop table u; */",
    "drop table t 6 drop table u 7"
)]
#[case::split("create table t (id int);\n--rollback a;\n--rollback b", "a 5 b 6")]
#[case::apart("--rollback a;\ncreate table t (id int);\n--rollback b;", "a 4 b 6")]
#[case::without_a_blank("create table t (id int);\n--rollbackdrop table t;", "missing")]
fn the_way_back_is_in_the_file(#[case] text: &str, #[case] expected: &str) {
    let history = of(&format!("\n--changeset a:1\n{text}\n"), SQLITE).unwrap();
    let found = match &history.revisions()[0].downgrade {
        Downgrade::Missing => "missing".to_owned(),
        Downgrade::Explained(_, why) => format!("explained {why}"),
        Downgrade::Empty(_) => "empty".to_owned(),
        Downgrade::Script(script) => {
            let all: Vec<_> = bodies(script).iter().map(|(body, line)| format!("{body} {line}")).collect();
            all.join(" ")
        }
    };
    assert_eq!(found, expected);
}

#[test]
fn a_rollback_may_be_another_changeset() {
    let text = "--changeset a:1\ncreate table t (id int);\n--changeset a:2\ndrop table t;\n--rollback changesetId:1 changesetAuthor:a\n";
    let history = of(text, SQLITE).unwrap();
    assert_eq!(bodies(history.revisions()[1].downgrade.script().unwrap()), [("create table t (id int)", 3)]);
}

/// `DatabaseList.definitionMatches`.
#[rstest]
#[case("", true, true)]
#[case("dbms:postgresql", true, false)]
#[case("dbms:sqlite,postgresql", true, true)]
#[case("dbms:mysql", false, false)]
#[case("dbms:!sqlite", true, false)]
#[case("dbms:!mysql,!h2", true, true)]
#[case("dbms:all", true, true)]
#[case("dbms:none", false, false)]
#[case("ignore:true", false, false)]
#[case("ignore:false dbms:sqlite", false, true)]
fn a_changeset_may_be_for_some(#[case] attributes: &str, #[case] postgres: bool, #[case] sqlite: bool) {
    for (backend, expected) in [(POSTGRES, postgres), (SQLITE, sqlite)] {
        let history = of(&format!("--changeset a:1 {attributes}\nselect 1;\n"), backend).unwrap();
        assert_eq!(!history.is_empty(), expected, "{backend}");
    }
}

#[test]
fn one_id_may_have_a_changeset_for_each_database() {
    let text = "--changeset a:1 dbms:postgresql\nselect 1;\n--changeset a:1 dbms:sqlite\nselect 2;\n";
    assert_eq!(bodies(&of(text, SQLITE).unwrap().revisions()[0].upgrade), [("select 2", 5)]);
    assert_eq!(bodies(&of(text, POSTGRES).unwrap().revisions()[0].upgrade), [("select 1", 3)]);
}

/// `StringUtil.processMultiLineSQL`; its tests and those of `SimpleSqlGrammar` have most of these.
#[rstest]
#[case::semicolons("a; b;\nc", None, &["a", " b", "\nc"])]
#[case::quoted("a ';' \";\" `;` -- ;\n/* ; */; b", None, &["a ';' \";\" `;` -- ;\n/* ; */", " b"])]
#[case::doubled("a 'it''s;'; b", None, &["a 'it''s;'", " b"])]
#[case::block("create trigger t begin a; b; end; c", None, &["create trigger t begin a; b; end", " c"])]
#[case::transaction("begin transaction; a; end transaction; b", None, &["begin transaction", " a", " end transaction", " b"])]
#[case::go("a\ngo\nb\n/\nc 4 / 2", None, &["a\n", "\nb\n", "\nc 4 / 2"])]
#[case::dollars_are_nothing("do $$ declare a int; begin b; end $$; c", None, &["do $$ declare a int", " begin b; end $$", " c"])]
#[case::case_ends_a_block("begin select case a when b then c end; d; end; e", None, &["begin select case a when b then c end", " d", " end", " e"])]
#[case::own("a; b//c;", Some("//"), &["a; b", "c;"])]
#[case::letter("a; b | c", Some("|"), &["a; b ", " c"])]
#[case::slash("a / b\n/\nc", Some("/"), &["a / b\n", "\nc"])]
#[case::word("a;\nGO\nb", Some("go"), &["a;\n", "\nb"])]
#[case::expression("a;\nGO\nb", Some(r"\ngo"), &["a;\n", "\nb"])]
#[case::dollars("a; b $$ c $$", Some("$$"), &["a; b ", " c "])]
#[case::unclosed("a ' b; c", None, &["a ' b", " c"])]
#[case::nothing(" ;; \n", None, &[])]
fn statements_end_where_liquibase_takes_them_to_end(
    #[case] text: &str,
    #[case] delimiter: Option<&str>,
    #[case] expected: &[&str],
) {
    let splitting = Splitting { split: true, delimiter: delimiter.map(str::to_owned) };
    let pieces = splitting.pieces(text).unwrap();
    let found: Vec<_> = pieces.into_iter().map(|piece| &text[piece]).collect();
    assert_eq!(found, expected);
}

#[rstest]
#[case::kept_together("splitStatements:false", "a; b", &["a; b"])]
#[case::own_end("endDelimiter:// stripComments:false", "a; b //\nc //", &["a; b", "c"])]
#[case::not_that_of_the_rollback("rollbackEndDelimiter:// rollbackSplitStatements:false", "a; b", &["a", "b"])]
fn the_changeset_says_how_it_is_cut(#[case] attributes: &str, #[case] text: &str, #[case] expected: &[&str]) {
    let history = of(&format!("--changeset a:1 {attributes}\n{text}\n"), SQLITE).unwrap();
    let found: Vec<_> = bodies(&history.revisions()[0].upgrade).into_iter().map(|(body, _)| body).collect();
    assert_eq!(found, expected);
}

#[test]
fn properties_are_replaced_and_others_stay() {
    let text = "--property name:t value:users\n--property name:t value:others\n--property name:kind value:jsonb dbms:postgresql\n--property name:kind value:text\n--changeset a:${t}\ncreate table ${t} (b ${kind}, c text default '${x}');\n";
    let history = of(text, SQLITE).unwrap();
    assert_eq!(ids(&history), "a:users");
    assert_eq!(
        bodies(&history.revisions()[0].upgrade)[0].0,
        "create table users (b text, c text default '${x}')"
    );
    let postgres = of(text, POSTGRES).unwrap();
    assert!(postgres.revisions()[0].upgrade.text.contains("b jsonb"));
}

#[test]
fn lines_may_be_ignored() {
    let text =
        "--changeset a:1\na;\n--ignoreLines:1\nb;\nc;\n--ignoreLines:start\nd;\n--ignoreLines:end\ne;\n";
    let history = of(text, SQLITE).unwrap();
    assert_eq!(bodies(&history.revisions()[0].upgrade), [("a", 3), ("c", 6), ("e", 10)]);
}

#[rstest]
#[case::no_sql(
    "--changeset a:1\n--comment x\n",
    "2: the changeset has no SQL, which makes Liquibase refuse the file"
)]
#[case::blank_before_the_id(
    "--changeset a: 1\nx;\n",
    "2: Liquibase refuses this line: write \"--changeset author:id\" without a blank around the colon"
)]
#[case::no_id(
    "--changeset a\nx;\n",
    "2: Liquibase refuses this line: write \"--changeset author:id\" without a blank around the colon"
)]
#[case::one_dash(
    "--changeset a:1\nx;\n-rollback y\n",
    "4: Liquibase refuses \"-rollback\": write \"--rollback\""
)]
#[case::comments(
    "--changeset a:1\n--comments y\nx;\n",
    "3: Liquibase refuses \"--comments\": write \"--comment\""
)]
#[case::twice("--changeset a:1\nx;\n--changeset a:1\ny;\n", "4: \"a:1\" is a changeset of this file already")]
#[case::open_block(
    "--changeset a:1\nx;\n/* liquibase rollback\ny;\n",
    "2: a rollback of this changeset begins with \"/*\" and does not end"
)]
#[case::may_fail(
    "--changeset a:1 failOnError:false\nx;\n",
    "2: \"failOnError\" is not understood here: leave it out"
)]
#[case::psql("--changeset a:1 runWith:psql\nx;\n", "2: \"runWith\" is not understood here: leave it out")]
#[case::unknown_rollback(
    "--changeset a:1\nx;\n--rollback changesetId:7 changesetAuthor:b\n",
    "4: the rollback is no changeset that stands before it in this file: write its SQL here"
)]
#[case::precondition(
    "--changeset a:1\n--preconditions onFail:MARK_RAN\n--precondition-sql-check expectedResult:0 select 1\nx;\n",
    "3: preconditions are not evaluated here: write preconditions = \"met\" under [history] if all of them are met on a database that starts from nothing"
)]
fn what_is_not_understood_is_said(#[case] text: &str, #[case] message: &str) {
    assert_eq!(of(text, SQLITE).unwrap_err().to_string(), format!("m/changelog.sql:{message}"));
}

#[test]
fn preconditions_may_be_met() {
    let options = Options { preconditions_met: true, ..Options::default() };
    let text = format!(
        "{HEAD}--changeset a:1\n--preconditions onFail:HALT\n--precondition-sql-check expectedResult:0 select 1\nx;\n"
    );
    let history = Layout.read_with(&tree(&[("c.sql", &text)]), SQLITE, &options).unwrap();
    assert_eq!(bodies(&history.revisions()[0].upgrade), [("x", 5)]);
}

const ONE: &str = "--liquibase formatted sql\n--changeset a:1\nx;\n";
const TWO: &str = "--liquibase formatted sql\n--changeset a:2\nx;\n";
const THREE: &str = "--liquibase formatted sql\n--changeset a:3\nx;\n";

#[rstest]
#[case::by_path(&[("b.sql", ONE), ("a/z.sql", TWO), ("notes.sql", "select 1;")], "a:2 a:1")]
#[case::xml(
    &[
        ("db.changelog-master.xml", "<?xml version=\"1.0\"?>\n<databaseChangeLog\n xmlns=\"http://x\">\n<!-- <include file=\"no\"/> -->\n<include file=\"db/two.sql\"/>\n<include relativeToChangelogFile='true' file='sub/one.sql'/></databaseChangeLog>"),
        ("two.sql", TWO), ("sub/one.sql", ONE), ("three.sql", THREE),
    ],
    "a:2 a:1"
)]
#[case::yaml(
    &[
        ("changelog.yaml", "databaseChangeLog:\n  # all of it\n  - include:\n      file: sub/more.yml\n      relativeToChangelogFile: true\n  - includeAll:\n      path: \"classpath:/db/changes/\"\n"),
        ("sub/more.yml", "databaseChangeLog:\n- include:\n    file: ../three.sql\n    relativeToChangelogFile: true\n"),
        ("three.sql", THREE), ("changes/b.sql", ONE), ("changes/a/c.sql", TWO),
    ],
    "a:3 a:2 a:1"
)]
#[case::raw(
    &[("master.yml", "databaseChangeLog:\n  - includeAll:\n      path: s\n"), ("s/1.sql", "x; y;"), ("s/2.sql", "z;")],
    "s/1.sql::raw::includeAll s/2.sql::raw::includeAll"
)]
#[case::same_id_in_two_files(&[("a.sql", ONE), ("b.sql", ONE), ("c.sql", TWO)], "a.sql::1::a b.sql::1::a a:2")]
fn files_have_an_order(#[case] files: &[(&str, &str)], #[case] expected: &str) {
    assert_eq!(ids(&history(files, SQLITE).unwrap()), expected);
}

#[rstest]
#[case::changeset_in_xml(
    &[("changelog.xml", "<databaseChangeLog>\n<changeSet id=\"1\"></changeSet></databaseChangeLog>")],
    "m/changelog.xml:2: only \"include\" with a file and \"includeAll\" with a path are understood here: put changesets into files of formatted SQL"
)]
#[case::changeset_in_yaml(
    &[("changelog.yaml", "databaseChangeLog:\n  - changeSet:\n      id: 1\n")],
    "m/changelog.yaml:2: only \"include\" with a file and \"includeAll\" with a path are understood here: put changesets into files of formatted SQL"
)]
#[case::filtered(
    &[("changelog.xml", "<databaseChangeLog><include file=\"a.sql\" contextFilter=\"x\"/></databaseChangeLog>")],
    "m/changelog.xml:1: only \"include\" with a file and \"includeAll\" with a path are understood here: put changesets into files of formatted SQL"
)]
#[case::missing(
    &[("changelog.yaml", "databaseChangeLog:\n- include:\n    file: a.sql\n")],
    "m/changelog.yaml:2: \"a.sql\" is not in \"m\""
)]
#[case::circle(
    &[("master.yaml", "databaseChangeLog:\n- include:\n    file: b/c.yaml\n"), ("b/c.yaml", "databaseChangeLog:\n- include:\n    file: master.yaml\n")],
    "m/master.yaml:1: the changelog includes itself"
)]
#[case::two(
    &[("a.yaml", "databaseChangeLog:\n"), ("b.xml", "<databaseChangeLog/>")],
    "m/a.yaml:1: 2 changelogs stand side by side: name the one that includes the others \"…master…\""
)]
fn a_master_that_is_not_understood(#[case] files: &[(&str, &str)], #[case] message: &str) {
    assert_eq!(history(files, SQLITE).unwrap_err().to_string(), message);
}

#[test]
fn the_bookkeeping_is_that_of_liquibase() {
    let history = of("--changeset it's:1\n--comment why\nx;\n", SQLITE).unwrap();
    let (tool, revision) = (history.tool(), &history.revisions()[0]);
    let Bookkeeping { tables, create } = tool.bookkeeping(SQLITE);
    let create = create.unwrap();
    assert_eq!(tables, ["DATABASECHANGELOG", "DATABASECHANGELOGLOCK"]);
    assert!(create.contains("CREATE TABLE DATABASECHANGELOG (ID VARCHAR(255) NOT NULL, "), "{create}");
    assert_eq!(tool.bookkeeping(POSTGRES).tables, ["databasechangelog", "databasechangeloglock"]);
    let record = tool.record(SQLITE, revision).unwrap();
    assert!(record.contains("VALUES ('1', 'it''s', 'changelog.sql', CURRENT_TIMESTAMP, "), "{record}");
    assert_eq!(
        tool.forget(POSTGRES, revision).unwrap(),
        "DELETE FROM public.databasechangelog WHERE ID = '1' AND AUTHOR = 'it''s' AND FILENAME = 'changelog.sql'"
    );
}

#[rstest]
#[case(&["db.changelog-master.xml"], true)]
#[case(&["changelog.sql"], true)]
#[case(&["changelog.yaml", "README.md"], true)]
#[case(&["CHANGELOG.md", "1_a.sql"], false)]
#[case(&["sub/changelog.sql"], false)]
fn a_folder_is_recognised(#[case] given: &[&str], #[case] expected: bool) {
    let tree = SourceTree::new("m", given.iter().map(|name| ((*name).to_owned(), Entry::File)));
    assert_eq!(Layout.claim(&tree) > Claim::Nothing, expected);
}

/// Lines of a changelog, and others.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        6 => prop::sample::select(vec![
            "--changeset a:1", "--changeset b:2 endDelimiter:// dbms:!sqlite", "--rollback x;", "--rollback empty",
            "--comment c", "/* liquibase rollback", "*/", "select 1; -- ;", "begin", "end;", "$$ ; $$", "a // b", "",
            "--ignoreLines:2", "--property name:x value:y", "${x} ${", "'", "ä;",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    /// No text panics, and every statement that is read stands on its line of the file.
    #[test]
    fn what_is_read_is_in_the_file(text in lines()) {
        let text = format!("{HEAD}{}", text.replace("${x}", "x"));
        for backend in [POSTGRES, SQLITE] {
            let Ok(history) = history(&[("c.sql", &text)], backend) else { continue };
            let lines: Vec<_> = text.split('\n').collect();
            for revision in history.revisions() {
                for direction in [Direction::Upgrade, Direction::Downgrade] {
                    let Some(script) = revision.script(direction) else { continue };
                    for statement in script.statements(backend) {
                        let first = statement.body.lines().next().unwrap_or_default();
                        let line = lines[statement.line as usize - 1];
                        prop_assert!(line.contains(first.trim_end_matches('\r')), "{:?} not in {:?}", first, line);
                    }
                }
            }
        }
    }

    /// The statements lie in the text, in order, and nothing but ends is between them.
    #[test]
    fn statements_lie_in_the_text(text in "(begin|end|;|'|\"|--|/\\*|\\*/|\n|go|\\$\\$|//|[aä ]){0,20}", own in any::<bool>()) {
        let splitting = Splitting { split: true, delimiter: own.then(|| "//".to_owned()) };
        let mut last = 0;
        for piece in splitting.pieces(&text).unwrap() {
            prop_assert!(last <= piece.start && piece.end <= text.len() && !text[piece.clone()].trim().is_empty());
            let between = text[last..piece.start].trim().to_lowercase();
            prop_assert!(between.chars().all(|letter| "; \ngo/".contains(letter)), "{:?}", between);
            last = piece.end;
        }
    }
}
