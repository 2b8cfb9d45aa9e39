//! Progress on a terminal; nothing when standard error is piped.

use std::collections::BTreeMap;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use switchback_core::Backend;
use switchback_db::record::Progress;

/// A bar for each backend that is at work.
pub(super) struct Bars {
    all: MultiProgress,
    bars: Mutex<BTreeMap<Backend, ProgressBar>>,
}

impl Bars {
    /// Bars on standard error, which draw nothing where that is not a terminal.
    pub(super) fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { all, bars: Mutex::default() }
    }

    /// Takes the bars away.
    pub(super) fn clear(&self) {
        // Bars that cannot be cleared stay; the report follows all the same.
        let _ = self.all.clear();
    }
}

impl Progress for Bars {
    fn step(&self, backend: Backend, done: usize, total: usize, doing: &str) {
        let Ok(mut bars) = self.bars.lock() else { return };
        let bar = bars.entry(backend).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new(0));
            let style = ProgressStyle::with_template("  {prefix:<9} {bar:24} {pos:>4}/{len:<4} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(backend.name());
            bar
        });
        bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        bar.set_message(doing.to_owned());
    }
}
