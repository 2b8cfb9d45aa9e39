//! `switchback check`.

use super::args::{CheckArgs, Deny};
use super::progress::Bars;
use super::render::Style;
use super::{block_on, print};
use crate::error::{Error, ExitCode};

pub(super) fn main(args: &CheckArgs) -> Result<ExitCode, Error> {
    let mut check = args.server.apply(args.project.check());
    for id in &args.check {
        check = check.only(id);
    }
    for id in &args.skip {
        check = check.skip(id);
    }
    if let Some(seed) = args.seed {
        check = check.seed(seed);
    }
    if let Some(shard) = args.shard {
        check = check.shard(shard.index(), shard.of());
    }
    if let Some(folder) = &args.log_sql {
        check = check.log_sql(folder);
    }
    let bars = Bars::new();
    let report = block_on(check.run_with(&bars));
    bars.clear();
    let report = report?;
    print(&args.format.render(&report, Style { accepted: args.accepted, ..Style::default() }));
    Ok(ExitCode::of_report(&report, args.deny == Some(Deny::Warnings)))
}
