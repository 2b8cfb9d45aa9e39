//! What is in a file of goose: annotations, and statements that end where goose says they do
//! (README.md, "SQL Migrations"; `internal/sqlparser/parser.go`).

use std::ops::Range;

use super::environment::filled_in;
use crate::history::Direction;

const MARK: &str = "+goose";

/// One direction of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What stands below its annotation: a part of the file, unless variables were filled in.
    pub(super) text: String,
    /// Where in the file the text begins, if the file has this direction at all.
    pub(super) offset: Option<usize>,
    /// Where the statements are in the text.
    pub(super) pieces: Vec<Range<usize>>,
    /// Whether it runs in a transaction.
    pub(super) transaction: bool,
}

/// Why goose refuses a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, from 1.
    pub(super) line: u32,
    pub(super) reason: String,
}

/// Whether a text has an annotation.
pub(super) fn is_annotated(text: &str) -> bool {
    text.lines().any(|line| is_annotation(line) && Annotation::of(line).is_ok())
}

fn is_annotation(line: &str) -> bool {
    line.trim().starts_with("--") && line.contains(MARK)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Annotation {
    Direction(Direction),
    StatementBegin,
    StatementEnd,
    NoTransaction,
    Variables(bool),
}

const ANNOTATIONS: [(&str, Annotation); 7] = [
    ("Up", Annotation::Direction(Direction::Upgrade)),
    ("Down", Annotation::Direction(Direction::Downgrade)),
    ("StatementBegin", Annotation::StatementBegin),
    ("StatementEnd", Annotation::StatementEnd),
    ("NO TRANSACTION", Annotation::NoTransaction),
    ("ENVSUB ON", Annotation::Variables(true)),
    ("ENVSUB OFF", Annotation::Variables(false)),
];

impl Annotation {
    fn of(line: &str) -> Result<Self, String> {
        if line.starts_with([' ', '\t']) {
            return Err("an annotation begins at the start of its line".to_owned());
        }
        let words = line.replace("--", "").replacen(MARK, "", 1);
        let words = words.trim();
        let found = ANNOTATIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(words));
        found.map(|(_, annotation)| *annotation).ok_or_else(|| {
            let known: Vec<_> = ANNOTATIONS.iter().map(|(known, _)| *known).collect();
            format!("\"{words}\" is not one of the annotations {}", known.join(", "))
        })
    }
}

/// Where the reading is with `StatementBegin` and `StatementEnd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statement {
    /// A statement ends with a line that ends with `;`.
    Plain,
    /// It ends with `StatementEnd`.
    Begun,
    /// The line is `StatementEnd`, or nothing has followed since an empty statement.
    Ended,
}

/// Reads one direction of a file. Either is read with the whole file, as goose does, so both find the
/// same faults but for those in a statement.
pub(super) fn part(text: &str, direction: Direction) -> Result<Part, Fault> {
    let mut reader = Reader {
        direction,
        section: None,
        statement: Statement::Plain,
        open: None,
        variables: false,
        line: 0,
        read: 0,
        part: Part { text: String::new(), offset: None, pieces: Vec::new(), transaction: true },
    };
    for line in text.split_inclusive('\n') {
        reader.line += 1;
        reader.read += line.len();
        reader.take(line)?;
    }
    reader.finish()
}

struct Reader {
    direction: Direction,
    /// The direction that the reading is in.
    section: Option<Direction>,
    statement: Statement,
    /// Where in the part's text a statement has begun, and its line.
    open: Option<(usize, u32)>,
    variables: bool,
    line: u32,
    /// How much of the file has been read, in bytes.
    read: usize,
    part: Part,
}

impl Reader {
    fn fault<T>(&self, reason: impl Into<String>) -> Result<T, Fault> {
        Err(Fault { line: self.line, reason: reason.into() })
    }

    /// Takes the next line, with its end.
    fn take(&mut self, whole: &str) -> Result<(), Fault> {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let annotation = if is_annotation(line) {
            Some(Annotation::of(line).or_else(|reason| self.fault(reason))?)
        } else {
            None
        };
        if let Some(Annotation::Direction(direction)) = annotation {
            return self.enter(direction);
        }
        let is_ours = self.section == Some(self.direction);
        let start = self.part.text.len();
        let fills = self.variables && is_ours && annotation.is_none() && !self.is_passed_over(line);
        if fills {
            let filled = filled_in(line).or_else(|reason| self.fault(reason))?;
            self.part.text.push_str(&filled);
            self.part.text.push_str(&whole[line.len()..]);
        } else if is_ours {
            self.part.text.push_str(whole);
        }
        match annotation {
            Some(Annotation::NoTransaction) => self.part.transaction = false,
            Some(Annotation::Variables(on)) => self.variables = on,
            Some(Annotation::StatementBegin) => {
                if self.section.is_none() || self.statement == Statement::Begun {
                    return self.fault(
                        "\"StatementBegin\" stands outside of \"Up\" and \"Down\", or within another",
                    );
                }
                self.statement = Statement::Begun;
            }
            Some(Annotation::StatementEnd) => {
                if self.statement != Statement::Begun {
                    return self.fault("no \"StatementBegin\" stands above");
                }
                self.statement = Statement::Ended;
                if self.open.is_some() {
                    self.close(start);
                }
            }
            _ => self.sql(line, start, is_ours)?,
        }
        Ok(())
    }

    /// Whether a line is a comment or empty, with no statement open.
    fn is_passed_over(&self, line: &str) -> bool {
        self.open.is_none() && (line.is_empty() || line.trim().starts_with("--"))
    }

    fn enter(&mut self, direction: Direction) -> Result<(), Fault> {
        match (direction, self.section) {
            (Direction::Upgrade, None) => {}
            (Direction::Downgrade, Some(Direction::Upgrade)) if self.statement != Statement::Begun => {
                self.refuse_open_statement()?;
            }
            (Direction::Downgrade, Some(Direction::Upgrade)) => {
                return self.fault("\"StatementEnd\" is missing above");
            }
            (Direction::Downgrade, None) => return self.fault("no \"Up\" stands above"),
            _ => return self.fault("there is one above already, and an \"Up\" comes before a \"Down\""),
        }
        self.section = Some(direction);
        self.statement = Statement::Plain;
        if direction == self.direction {
            self.part.offset = Some(self.read);
        }
        Ok(())
    }

    /// Takes a line that is no annotation, which the part's text has from `start` on.
    fn sql(&mut self, line: &str, start: usize, is_ours: bool) -> Result<(), Fault> {
        if self.is_passed_over(line) {
            return Ok(());
        }
        let Some(_) = self.section else {
            return if line.trim().is_empty() {
                Ok(())
            } else {
                self.fault("it stands before \"-- +goose Up\"")
            };
        };
        if !is_ours {
            return Ok(());
        }
        match self.statement {
            Statement::Begun => {
                self.open.get_or_insert((start, self.line));
            }
            Statement::Plain => {
                self.open.get_or_insert((start, self.line));
                if ends_statement(line) {
                    self.close(self.part.text.len());
                }
            }
            // goose takes this line for the end of an empty statement.
            Statement::Ended if line.trim().is_empty() => self.statement = Statement::Plain,
            Statement::Ended => {
                return self
                    .fault("goose loses this line, since nothing stands in the statement that ended above");
            }
        }
        Ok(())
    }

    fn close(&mut self, end: usize) {
        if let Some((start, _)) = self.open.take() {
            self.part.pieces.push(start..end);
        }
        self.statement = Statement::Plain;
    }

    /// An open statement of which only blanks are there ends without harm.
    fn refuse_open_statement(&self) -> Result<(), Fault> {
        let Some((start, line)) = self.open else {
            return Ok(());
        };
        let holds = |line: &str| !line.trim().is_empty() && !is_annotation(line);
        if self.part.text[start..].lines().any(holds) {
            return Err(Fault {
                line,
                reason: "the statement ends with no \";\" at the end of a line".to_owned(),
            });
        }
        Ok(())
    }

    fn finish(self) -> Result<Part, Fault> {
        if self.section.is_none() {
            return self.fault("there is no \"-- +goose Up\"");
        }
        if self.statement == Statement::Begun {
            return self.fault("\"-- +goose StatementEnd\" is missing");
        }
        self.refuse_open_statement()?;
        Ok(self.part)
    }
}

/// Whether the last word of a line, but for a comment at its end, ends with `;`.
fn ends_statement(line: &str) -> bool {
    let words = line.split_whitespace().take_while(|word| !word.starts_with("--"));
    words.last().is_some_and(|word| word.ends_with(';'))
}
