//! Benchmarks: ratios within one run, side by side with what a user would do by hand.
//!
//! `make bench` runs all of them, `cargo bench -- replay` only those whose name holds the word. Each
//! figure is the median of several runs; the machine's speed cancels out in a ratio.

#![allow(clippy::print_stdout, unreachable_pub, reason = "a benchmark is a program that prints")]

mod alembic;
mod databases;
mod generate;
mod large;
mod measure;
mod replay;
mod scale;
mod server;

fn main() {
    if databases::is_child() || server::is_child() {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let benches: [(&str, fn()); 6] = [
        ("replay", replay::run),
        ("server", server::run),
        ("databases", databases::run),
        ("scale", scale::run),
        ("alembic", alembic::run),
        ("large", large::run),
    ];
    for (name, run) in benches {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            run();
        }
    }
}
