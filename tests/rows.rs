//! Made-up rows: the same ones on both backends and in every run of one seed, and every table of the
//! scenarios gets them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use rstest::rstest;
use support::command::Project;
use support::{is_skipped, record};
use switchback::evidence::{Evidence, Walk};
use switchback::rows::Candidate;
use switchback::{Backend, Check};

/// A scenario that gives no rows of its own.
fn without_fixtures(scenario: &str) -> Project {
    let project = Project::copy_of(&format!("scenarios/{scenario}"));
    let config = project.read("switchback.toml").replace("fixtures = \"rows.json\"", "");
    project.with("switchback.toml", config)
}

fn made_up(evidence: &Evidence, backend: Backend) -> BTreeMap<(String, u32), Candidate> {
    let seeded = evidence.recordings[&backend].seeded.iter().flat_map(|seeded| &seeded.rows);
    seeded.map(|row| ((row.table.to_string(), row.number), row.clone())).collect()
}

#[rstest]
fn every_table_of_the_scenarios_gets_the_same_rows_on_both_backends(
    #[values("calista", "entries", "homesec", "queue_jobs", "syfthub")] scenario: &str,
) {
    let project = without_fixtures(scenario);
    let evidence = record(&Check::new(project.root()));
    for recording in evidence.recordings.values() {
        let trunk = recording.walk(Walk::Trunk).iter().filter_map(|seen| seen.schema.as_ref());
        let tables: BTreeSet<String> =
            trunk.flat_map(|schema| schema.tables().map(|(name, _)| name.to_string())).collect();
        let fed: BTreeSet<String> =
            made_up(&evidence, recording.backend).into_keys().map(|(table, _)| table).collect();
        assert_eq!(tables, fed, "{}", recording.backend);
    }
    if is_skipped(Backend::Postgres) {
        return;
    }
    let (postgres, sqlite) = (made_up(&evidence, Backend::Postgres), made_up(&evidence, Backend::Sqlite));
    let shared: Vec<_> = postgres.keys().filter(|key| sqlite.contains_key(*key)).collect();
    assert_eq!(shared.len(), postgres.len().max(sqlite.len()), "{postgres:#?}\n{sqlite:#?}");
    for key in shared {
        let (one, other) = (&postgres[key], &sqlite[key]);
        for (column, value) in &one.cells {
            assert!(other.cells[column].same(value), "{key:?} {column}: {value:?} {:?}", other.cells[column]);
        }
    }
}

#[test]
fn a_seed_gives_the_same_rows_each_time_and_another_one_others() {
    let project = without_fixtures("entries");
    let of = |seed: u64| {
        let check = Check::new(project.root()).backend(Backend::Sqlite).seed(seed);
        made_up(&record(&check), Backend::Sqlite)
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}
