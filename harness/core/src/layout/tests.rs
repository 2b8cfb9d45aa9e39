//! What all layouts have in common, and what their tests share.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// A folder `m` of text files.
pub(super) fn tree(files: &[(&str, &str)]) -> SourceTree {
    let entries = files.iter().map(|(name, text)| ((*name).to_owned(), Entry::Text((*text).into())));
    SourceTree::new("m", entries)
}

pub(super) fn names(history: &History) -> Vec<&str> {
    history.revisions().iter().map(|revision| revision.name.as_str()).collect()
}

#[rstest]
#[case::sqlx(&["1_a.sql"], &["sqlx"])]
#[case::pairs(&["README.md", "0001_init.up.sql", "0001_init.down.sql"], &["golang-migrate", "sqlx"])]
#[case::diesel(&["2020-01-01-000000_a/up.sql"], &["diesel"])]
#[case::diesel_with_variants(&["1_a/up.sqlite.sql", "1_a/up.postgres.sql"], &["diesel"])]
#[case::both(&["1_a.sql", "2_b/up.sql"], &["diesel", "sqlx"])]
#[case::numbers(&["1-a.sql", "2.sql"], &["numbered"])]
#[case::neither(&["schema.sql", "notes_old.sql", "V1_a.sql"], &[])]
#[case::refinery(&["V1__a.sql", "U2__b.sql"], &["flyway", "refinery"])]
#[case::folder_per_dialect(&["sqlite/1_a.sql", "postgres/1_a/up.sql"], &[])]
#[case::flyway(&["V1.1__a.sql", "R__b.sql"], &["flyway"])]
#[case::nothing(&[], &[])]
fn a_folder_is_recognised_by_its_names(#[case] files: &[&str], #[case] expected: &[&str]) {
    let tree = SourceTree::new("m", files.iter().map(|name| ((*name).to_owned(), Entry::File)));
    let found = recognise(&tree, &Manifests::default(), LAYOUTS);
    let found: Vec<_> = found.iter().map(|layout| layout.name()).collect();
    assert_eq!(found, expected);
    for name in found {
        assert_eq!(named(name).map(Layout::name), Some(name));
    }
}

#[rstest]
#[case::nothing("", None)]
#[case::white_space(" \r\n\t", None)]
#[case::byte_order_mark("\u{feff}", None)]
#[case::stray_semicolon(";\n", None)]
#[case::template("-- ask the tool\n", None)]
#[case::bare_comment("--\n/* */", None)]
#[case::line("-- the column is gone for good\n", Some("the column is gone for good"))]
#[case::lines("-- ask the tool\n-- dropped\r\n-- for good\r\n", Some("dropped for good"))]
#[case::block("/*\n * dropped\n * for good\n */", Some("dropped for good"))]
#[case::block_on_one_line("/* irreversible */;", Some("irreversible"))]
fn a_downgrade_without_statements_is_empty_or_explained(#[case] text: &str, #[case] reason: Option<&str>) {
    let script = Script::new("1_a.down.sql", text);
    let expected = match reason {
        None => Downgrade::Empty(script.clone()),
        Some(reason) => Downgrade::Explained(script.clone(), reason.to_owned()),
    };
    assert_eq!(downgrade(Some(script), Backend::Postgres, &["ask the tool"]), expected);
}

#[test]
fn a_downgrade_with_a_statement_is_a_script() {
    let script = Script::new("1_a.down.sql", "-- why\nDROP TABLE a;");
    assert_eq!(downgrade(Some(script.clone()), Backend::Sqlite, &[]), Downgrade::Script(script));
    assert_eq!(downgrade(None, Backend::Sqlite, &[]), Downgrade::Missing);
}

#[rstest]
#[case::utf8(b"SELECT '\xc3\xa4'".to_vec(), Entry::Text("SELECT 'ä'".into()))]
#[case::byte_order_mark(b"\xef\xbb\xbfSELECT 1".to_vec(), Entry::Text("\u{feff}SELECT 1".into()))]
#[case::latin1(b"-- a\n-- \xe4\n".to_vec(), Entry::NotUtf8 { offset: 8, line: 2 })]
#[case::utf16(b"\xff\xfeS\0".to_vec(), Entry::NotUtf8 { offset: 0, line: 1 })]
#[case::utf16_without_a_mark(b"S\0".to_vec(), Entry::NotUtf8 { offset: 1, line: 1 })]
fn bytes_are_text_or_not(#[case] bytes: Vec<u8>, #[case] expected: Entry) {
    assert_eq!(Entry::from_bytes(bytes), expected);
}

#[test]
fn a_byte_order_mark_is_kept_and_told() {
    let tree = tree(&[("1_a.sql", "\u{feff}-- no-transaction\nSELECT 1;")]);
    let history = sqlx::Layout.read(&tree, Backend::Postgres).unwrap();
    let revision = &history.revisions()[0];
    assert!(revision.upgrade.has_byte_order_mark());
    // sqlx looks for the annotation at the very start, where the mark now stands.
    assert!(revision.upgrade_in_transaction);
}

#[test]
fn a_folder_of_a_tree_is_a_tree() {
    let tree = tree(&[("sqlite/1_a.sql", "x"), ("sqlite/sub/b.sql", "y"), ("sqlite3", "z")]);
    assert_eq!(tree.folders().into_iter().collect::<Vec<_>>(), ["sqlite"]);

    let folder = tree.folder("sqlite");
    assert_eq!(folder.path(), "m/sqlite");
    assert_eq!(folder.top_level().map(|(name, _)| name).collect::<Vec<_>>(), ["1_a.sql"]);
    assert_eq!(folder.script("sub/b.sql").unwrap(), Script::new("m/sqlite/sub/b.sql", "y"));
}

#[rstest]
#[case(Some(Entry::Unreadable("permission denied".into())), "\"m/a.sql\" cannot be read: permission denied")]
#[case(Some(Entry::NotUtf8 { offset: 8, line: 2 }), "\"m/a.sql\" is not text in UTF-8: line 2, byte 8; save it as UTF-8")]
#[case(Some(Entry::Folder), "\"m/a.sql\" cannot be read: it is a folder")]
#[case(None, "\"m/a.sql\" cannot be read: there is no such file")]
fn what_is_no_script_says_why(#[case] entry: Option<Entry>, #[case] message: &str) {
    let tree = SourceTree::new("m", entry.map(|entry| ("a.sql".to_owned(), entry)));
    assert_eq!(tree.script("a.sql").unwrap_err().to_string(), message);
}

/// Names made of the pieces that the layouts look for, and any others.
fn names_of_files() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "1", "01", "-1", ".go", "99999999999999999999", "_", "a", ".", "/", ".up", ".down", ".sql", ".pg", ".sqlite",
            ".mysql", "up.sql", "down.sql", "metadata.toml", "V", "__", "ä", "2020-01-01-000000", "\u{feff}",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn entries() -> impl Strategy<Value = Entry> {
    prop_oneof![
        Just(Entry::Folder),
        Just(Entry::File),
        Just(Entry::Unreadable("no".into())),
        any::<Vec<u8>>().prop_map(Entry::from_bytes),
        any::<String>().prop_map(|text| Entry::Text(text.into())),
        "run_in_transaction *= *(true|false|1)?".prop_map(|text| Entry::Text(text.into())),
        "-- (migrate:|\\+goose )(up|down)( transaction:false)?\n(a;\n)?-- (migrate:|\\+goose )down"
            .prop_map(|text| Entry::Text(text.into())),
    ]
}

proptest! {
    #[test]
    fn no_name_or_content_panics(files in proptest::collection::btree_map(names_of_files(), entries(), 0..6)) {
        let tree = SourceTree::new("m", files);
        for layout in LAYOUTS {
            let _ = layout.claim(&tree);
            for backend in Backend::ALL {
                if let Ok(history) = layout.read(&tree, backend) {
                    for revision in history.revisions() {
                        let _ = history.tool().record(backend, revision);
                        let _ = history.tool().forget(backend, revision);
                        // What was read is where the message will say it is.
                        prop_assert!(tree.script(revision.upgrade.path.strip_prefix("m/").unwrap()).is_ok());
                    }
                }
            }
        }
        let _ = dialect::folders(&tree);
    }
}
