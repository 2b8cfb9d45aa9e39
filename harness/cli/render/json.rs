//! A report as a JSON document.

use switchback_core::report::Report;

pub(super) fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has nothing that JSON cannot say");
    text.push('\n');
    text
}
