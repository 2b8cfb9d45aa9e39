//! Twice the revisions: how much longer, and how much memory.

use crate::generate::{Shape, project};
use crate::measure;
use crate::replay::{check, missing, replay_log};
use crate::server::Private;

/// The aims: twice the revisions at most 2.2 times as long, under 200 MB at a thousand. Beside it,
/// how the same statements grow when `psql` and `sqlite3` run them.
pub(crate) fn run() {
    if let Some(missing) = missing() {
        println!("scale   not run: {missing}");
        return;
    }
    let server = Private::start();
    for shape in [Shape::Constant, Shape::Growing] {
        let mut before: Option<(f64, f64)> = None;
        for count in [250, 500, 1000] {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            project(folder.path(), shape, count);
            let log = folder.path().join("log");
            let taken = measure::run(check(folder.path(), &server).arg("--log-sql").arg(&log));
            let (ours, replayed) = (taken.wall.as_secs_f64(), replay_log(&log, &server));
            let growth = before.map(|(ours_before, replayed_before)| {
                let (ours, replayed) = (ours / ours_before, replayed / replayed_before);
                let verdict = if ours <= 2.2 { "reached" } else { "missed" };
                format!(
                    "; {ours:.2} times the half (aim 2.2 or less, {verdict}), by hand {replayed:.2} times"
                )
            });
            println!(
                "scale   {} schema, {count} revisions: {ours:.2} s, {} MB (aim under 200), by hand {replayed:.2} s{}",
                format!("{shape:?}").to_lowercase(),
                taken.peak / 1_000_000,
                growth.unwrap_or_default()
            );
            before = Some((ours, replayed));
        }
    }
}
