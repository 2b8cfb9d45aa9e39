//! Where in a script a statement stands.

use switchback_core::Backend;
use switchback_core::evidence::Failure;
use switchback_core::history::Script;
use switchback_core::report::Location;
use switchback_core::sql::Statement;

/// Says that the statement with this index is the one that failed.
pub(crate) fn blame(
    mut failure: Failure,
    script: &Script,
    statements: &[Statement<'_>],
    index: usize,
) -> Failure {
    if let Some(statement) = statements.get(index) {
        failure.statement = Some(statement.body.to_owned());
        failure.ordinal = Some((index + 1, statements.len()));
        failure.location = Some(Location { file: script.path.clone(), line: statement.line });
    }
    failure
}

/// Says that the failure stands at a byte offset of the script, and in which statement that is.
pub(crate) fn blame_offset(failure: Failure, script: &Script, dialect: Backend, offset: usize) -> Failure {
    let statements = script.statements(dialect);
    let index = statements.iter().rposition(|statement| statement.offset <= offset).unwrap_or_default();
    let mut failure = blame(failure, script, &statements, index);
    let line = script.line_of(offset);
    failure.location = Some(Location { file: script.path.clone(), line });
    failure
}

/// Says that it was not the script that failed, but the statement by which its tool notes the step.
pub(crate) fn blame_bookkeeping(failure: Failure, statement: &str) -> Failure {
    let detail = "so the tool notes the step, in the session that the file leaves to it".to_owned();
    Failure { statement: Some(statement.to_owned()), detail: Some(detail), ..failure }
}

/// Says in which file it was, when more is not known.
pub(crate) fn blame_file(mut failure: Failure, script: &Script) -> Failure {
    if failure.location.is_none() && !script.path.is_empty() {
        failure.location = Some(Location { file: script.path.clone(), line: script.line_of(0) });
    }
    if script.has_byte_order_mark() {
        let note = "the file starts with a byte-order mark, which the tool sends along: save it without one";
        failure.detail = Some(match failure.detail {
            Some(detail) => format!("{detail}\n{note}"),
            None => note.to_owned(),
        });
    }
    failure
}
