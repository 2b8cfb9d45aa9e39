//! A report, written for people or for programs.

pub(super) mod grid;
mod json;
mod text;

use switchback_core::report::Report;

pub use text::Style;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: a versioned document.
    Json,
}

impl Format {
    /// Writes the report.
    pub fn render(self, report: &Report, style: Style) -> String {
        match self {
            Self::Text => text::render(report, style),
            Self::Json => json::render(report),
        }
    }
}
