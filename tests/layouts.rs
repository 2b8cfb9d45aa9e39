//! One small history in the files of each tool: each is clean, and all make the same schema.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rstest::rstest;
use support::{is_skipped, record, report, repository, scenario};
use switchback::{Backend, Check};

#[rstest]
fn the_history_of_a_tool_is_clean(
    #[values("dbmate", "flyway", "golang-migrate", "goose", "liquibase", "numbered", "pattern", "refinery")]
    tool: &str,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let report = report(&scenario(&format!("layouts/{tool}"), backend));
    let open: Vec<_> = report.open().collect();
    assert!(open.is_empty(), "{open:#?}");
    for run in report.backends {
        // Up, down and up again, the trunk, and from head to base and back; refinery only goes up.
        let steps = if tool == "refinery" { 2 } else { 6 };
        assert_eq!((run.revisions, run.steps), (4, 4 * steps));
    }
}

#[rstest]
fn both_backends_of_a_tool_agree(
    #[values("dbmate", "flyway", "golang-migrate", "goose", "liquibase", "numbered", "pattern", "refinery")]
    tool: &str,
) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let report = report(&Check::new(repository("scenarios/layouts").join(tool)));
    let open: Vec<_> = report.open().collect();
    assert!(open.is_empty(), "{open:#?}");
}

#[rstest]
fn all_tools_make_the_same_schema(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let mut heads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for folder in fs::read_dir(repository("scenarios/layouts")).unwrap() {
        let tool = folder.unwrap().file_name().into_string().unwrap();
        let evidence = record(&scenario(&format!("layouts/{tool}"), backend));
        let head = evidence.recordings[&backend].head().to_string();
        heads.entry(head).or_default().insert(tool);
    }
    let tools: Vec<_> = heads.values().collect();
    assert_eq!(tools.len(), 1, "they differ: {tools:?}");
    let (head, _) = heads.pop_first().unwrap();
    match backend {
        Backend::Postgres => insta::assert_snapshot!(head, @r#"
        routine authors_keep_name(): returns trigger, language plpgsql
            definition
            | begin raise exception 'the name of an author stays';
            | end;

        table authors
          id: uuid, not null
          name: text, not null
          primary key pk_authors (id)
          trigger authors_keep_name: before, events (update of name), for each row, calls authors_keep_name()

        table books
          id: uuid, not null
          author_id: uuid, not null
          title: text, not null
          language: text, not null, default ''::text
          primary key pk_books (id)
          foreign key fk_books_author_id (author_id): references authors (id)
          index ix_books_author_id (author_id)
        "#),
        Backend::Sqlite => insta::assert_snapshot!(head, @r#"
        table authors
          id: CHAR(36), not null
          name: TEXT, not null
          primary key pk_authors (id)
          trigger authors_keep_name: on authors, before update of (name)
              definition select raise(abort, 'the name of an author stays');

        table books
          id: CHAR(36), not null
          author_id: CHAR(36), not null
          title: TEXT, not null
          language: TEXT, not null, default ''
          primary key pk_books (id)
          foreign key fk_books_author_id (author_id): references authors (id)
          index ix_books_author_id (author_id)
        "#),
    }
}
