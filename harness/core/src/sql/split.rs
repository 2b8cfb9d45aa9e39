//! Where statements end.

use std::ops::Range;

use super::dialect::{Compound, Dialect};
use super::lex::{Lexer, Token};
use super::position::{line_ends, line_of};
use crate::Backend;

/// One statement with everything that stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The whole piece: white space and comments before the statement, and the `;` after it.
    pub text: &'a str,
    /// Where the piece starts in the source, in bytes.
    pub offset: usize,
    /// The statement alone, without the `;`. Comments inside stay.
    pub body: &'a str,
    /// Where the body starts in the source, in bytes.
    pub body_offset: usize,
    /// The 1-based line on which the body starts.
    pub line: u32,
}

impl Statement<'_> {
    /// Whether the piece holds nothing but white space, comments and perhaps a stray `;`.
    pub fn is_blank(&self) -> bool {
        self.body.is_empty()
    }
}

/// Cuts a text into statements as the server would. The pieces, one after the other, are the
/// whole text; what follows the last `;` is a piece of its own, often a blank one.
///
/// ```
/// use switchback_core::{Backend, sql::split};
///
/// let pieces = split("-- why\nSELECT 1;\nSELECT ';'", Backend::Sqlite);
/// assert_eq!(pieces[0].body, "SELECT 1");
/// assert_eq!((pieces[1].body, pieces[1].line), ("SELECT ';'", 3));
/// ```
pub fn split(text: &str, dialect: Backend) -> Vec<Statement<'_>> {
    statements(text, dialect).collect()
}

/// A piece of a text that is one statement whatever it holds, since somebody else has cut it. A `;` at
/// its end is not part of its body.
///
/// # Panics
///
/// If the range does not lie within the text, at boundaries of characters.
pub fn piece(text: &str, range: Range<usize>, dialect: Backend) -> Statement<'_> {
    let whole = &text[range.clone()];
    let mut tokens: Vec<_> = Lexer::new(whole, dialect).filter(Token::is_significant).collect();
    while tokens.last().is_some_and(|token| token.is_mark(";")) {
        tokens.pop();
    }
    let body = match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.offset..last.end(),
        _ => 0..0,
    };
    let body_offset = range.start + body.start;
    Statement {
        text: whole,
        offset: range.start,
        body: &whole[body],
        body_offset,
        line: line_of(text, body_offset),
    }
}

/// Like [`split`], one statement at a time.
pub fn statements(text: &str, dialect: Backend) -> Statements<'_> {
    Statements {
        text,
        lexer: Lexer::new(text, dialect),
        dialect: Dialect::of(dialect),
        start: 0,
        line: 1,
        counted: 0,
    }
}

/// The statements of a text, made by [`statements`].
#[derive(Clone, Debug)]
pub struct Statements<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    dialect: &'static Dialect,
    /// Where the next piece starts.
    start: usize,
    /// The line at the byte up to which lines have been counted.
    line: u32,
    counted: usize,
}

impl<'a> Statements<'a> {
    /// The line at `offset`, where a piece or a token starts: never between a CR and its LF.
    fn line_at(&mut self, offset: usize) -> u32 {
        self.line += line_ends(&self.text.as_bytes()[self.counted..offset]);
        self.counted = offset;
        self.line
    }

    fn piece(&mut self, body: Option<(usize, usize)>, end: usize) -> Statement<'a> {
        let offset = std::mem::replace(&mut self.start, end);
        let (body_offset, body_end) = body.unwrap_or((offset, offset));
        Statement {
            text: &self.text[offset..end],
            offset,
            body: &self.text[body_offset..body_end],
            body_offset,
            line: self.line_at(body_offset),
        }
    }
}

impl<'a> Iterator for Statements<'a> {
    type Item = Statement<'a>;

    fn next(&mut self) -> Option<Statement<'a>> {
        let mut place = Place::Start;
        let mut body: Option<(usize, usize)> = None;
        let mut previous: Option<Token<'a>> = None;
        while let Some(token) = self.lexer.next() {
            if !token.is_significant() {
                continue;
            }
            if token.is_mark(";") && place.is_top_level() {
                return Some(self.piece(body, token.end()));
            }
            place = place.after(token, previous, self.dialect);
            body = Some((body.map_or(token.offset, |(start, _)| start), token.end()));
            previous = Some(token);
        }
        (self.start < self.text.len()).then(|| self.piece(body, self.text.len()))
    }
}

/// Where in a statement a token stands, as far as it decides whether a `;` ends the statement.
#[derive(Clone, Copy, Debug)]
enum Place {
    Start,
    /// After `CREATE` and words such as `OR REPLACE`.
    Create,
    /// In a statement that ends at the next `;`.
    Simple,
    /// In a rule, within this many parentheses.
    Rule(u32),
    /// In a routine, before its body.
    Routine,
    /// In a routine's body, within this many `BEGIN ATOMIC` and `CASE`.
    Atomic(u32),
    /// In a trigger, before its body.
    Trigger,
    TriggerBody,
}

impl Place {
    fn is_top_level(self) -> bool {
        !matches!(self, Self::Rule(1..) | Self::Atomic(_) | Self::TriggerBody)
    }

    fn after(self, token: Token<'_>, previous: Option<Token<'_>>, dialect: &Dialect) -> Self {
        let follows_word = |word| previous.is_some_and(|token| token.is_word(word));
        let follows_mark = |mark| previous.is_some_and(|token| token.is_mark(mark));
        match self {
            Self::Start if token.is_word("EXPLAIN") => Self::Start,
            Self::Start if token.is_word("CREATE") => Self::Create,
            Self::Create => Self::created(token, dialect),
            Self::Rule(depth) if token.is_mark("(") => Self::Rule(depth + 1),
            Self::Rule(depth) if token.is_mark(")") => Self::Rule(depth.saturating_sub(1)),
            Self::Routine if token.is_word("ATOMIC") && follows_word("BEGIN") => Self::Atomic(1),
            // `t.end` and `AS end` are names.
            Self::Atomic(_) if follows_mark(".") || follows_word("AS") => self,
            Self::Atomic(depth) if token.is_word("CASE") => Self::Atomic(depth + 1),
            Self::Atomic(1) if token.is_word("END") => Self::Simple,
            Self::Atomic(depth) if token.is_word("END") => Self::Atomic(depth - 1),
            Self::Trigger if token.is_word("BEGIN") => Self::TriggerBody,
            // The END of a CASE never begins a statement (see `sqlite3_complete()`).
            Self::TriggerBody if token.is_word("END") && (follows_mark(";") || follows_word("BEGIN")) => {
                Self::Simple
            }
            Self::Start => Self::Simple,
            _ => self,
        }
    }

    fn created(token: Token<'_>, dialect: &Dialect) -> Self {
        if ["OR", "REPLACE", "TEMP", "TEMPORARY"].iter().any(|word| token.is_word(word)) {
            return Self::Create;
        }
        let compound = dialect.compounds.iter().find(|(word, _)| token.is_word(word));
        match compound {
            Some((_, Compound::Parenthesised)) => Self::Rule(0),
            Some((_, Compound::Atomic)) => Self::Routine,
            Some((_, Compound::Trigger)) => Self::Trigger,
            None => Self::Simple,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::Backend::{Postgres, Sqlite};
    use crate::sql::{is_blank, line_of, testing};

    fn bodies(text: &str, dialect: Backend) -> Vec<&str> {
        split(text, dialect).iter().map(|statement| statement.body).collect()
    }

    #[rstest]
    #[case("", &[])]
    #[case(" \n", &[""])]
    #[case("-- nothing", &[""])]
    #[case("a", &["a"])]
    #[case("a;", &["a"])]
    #[case(";;a;;", &["", "", "a", ""])]
    #[case("a; b ;c", &["a", "b", "c"])]
    #[case("a; -- end\n", &["a", ""])]
    #[case("/* ; */ a /* ; */ b /* ; */;", &["a /* ; */ b"])]
    #[case("a ';' \";\" b; c", &["a ';' \";\" b", "c"])]
    #[case("a -- ;\n b; c", &["a -- ;\n b", "c"])]
    #[case("a (; b", &["a (", "b"])]
    #[case("\u{feff}a; b", &["a", "b"])]
    #[case("a 'open; b", &["a 'open; b"])]
    #[case("BEGIN; SELECT CASE WHEN 1 THEN 2 END; END;", &["BEGIN", "SELECT CASE WHEN 1 THEN 2 END", "END"])]
    fn both_dialects(#[case] text: &str, #[case] expected: &[&str]) {
        for dialect in Backend::ALL {
            assert_eq!(bodies(text, dialect), expected, "{dialect}");
        }
    }

    #[rstest]
    #[case("DO $$BEGIN a; END$$; b", &["DO $$BEGIN a; END$$", "b"])]
    #[case("a /* /* ; */ ; */; b", &["a", "b"])]
    #[case("SELECT E'\\';'; b", &["SELECT E'\\';'", "b"])]
    #[case("SELECT 'a'\n';'; b", &["SELECT 'a'\n';'", "b"])]
    #[case("CREATE RULE r AS ON INSERT TO t DO (a; b;); c",
        &["CREATE RULE r AS ON INSERT TO t DO (a; b;)", "c"])]
    #[case("create or replace rule r AS ON INSERT TO t WHERE (x) DO ALSO (a (1); b); c",
        &["create or replace rule r AS ON INSERT TO t WHERE (x) DO ALSO (a (1); b)", "c"])]
    #[case("CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING; c",
        &["CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING", "c"])]
    #[case("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC a; b; END; c",
        &["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC a; b; END", "c"])]
    #[case("CREATE OR REPLACE PROCEDURE f() begin /* x */ atomic SELECT CASE x WHEN 1 THEN CASE y WHEN 1 THEN 2 END END; b; end; c",
        &["CREATE OR REPLACE PROCEDURE f() begin /* x */ atomic SELECT CASE x WHEN 1 THEN CASE y WHEN 1 THEN 2 END END; b; end", "c"])]
    #[case("CREATE FUNCTION f() BEGIN ATOMIC SELECT t.end AS end, \"end\" FROM t; b; END; c",
        &["CREATE FUNCTION f() BEGIN ATOMIC SELECT t.end AS end, \"end\" FROM t; b; END", "c"])]
    #[case("CREATE FUNCTION f() BEGIN ATOMIC END; c", &["CREATE FUNCTION f() BEGIN ATOMIC END", "c"])]
    #[case("CREATE FUNCTION f() RETURNS int RETURN CASE WHEN x THEN 1 END; c",
        &["CREATE FUNCTION f() RETURNS int RETURN CASE WHEN x THEN 1 END", "c"])]
    #[case("CREATE FUNCTION f(begin int) LANGUAGE sql AS 'SELECT 1; SELECT 2'; c",
        &["CREATE FUNCTION f(begin int) LANGUAGE sql AS 'SELECT 1; SELECT 2'", "c"])]
    #[case("CREATE TRIGGER t BEFORE UPDATE ON x FOR EACH ROW EXECUTE FUNCTION begin(); END; c",
        &["CREATE TRIGGER t BEFORE UPDATE ON x FOR EACH ROW EXECUTE FUNCTION begin()", "END", "c"])]
    #[case("SELECT begin atomic; c", &["SELECT begin atomic", "c"])]
    fn postgres(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(bodies(text, Postgres), expected);
    }

    #[rstest]
    #[case("CREATE TRIGGER t AFTER INSERT ON x BEGIN a; b; END; c",
        &["CREATE TRIGGER t AFTER INSERT ON x BEGIN a; b; END", "c"])]
    #[case("create temp trigger t AFTER INSERT ON x begin a; /* ; */ end ; c",
        &["create temp trigger t AFTER INSERT ON x begin a; /* ; */ end", "c"])]
    #[case("CREATE TEMPORARY TRIGGER IF NOT EXISTS t UPDATE ON x BEGIN SELECT CASE WHEN a THEN b END; c; END; d",
        &["CREATE TEMPORARY TRIGGER IF NOT EXISTS t UPDATE ON x BEGIN SELECT CASE WHEN a THEN b END; c; END", "d"])]
    #[case("CREATE TRIGGER t UPDATE ON x WHEN CASE WHEN a THEN 0 ELSE 1 END BEGIN a; END; d",
        &["CREATE TRIGGER t UPDATE ON x WHEN CASE WHEN a THEN 0 ELSE 1 END BEGIN a; END", "d"])]
    #[case("CREATE TRIGGER t UPDATE ON x BEGIN SELECT new.end, [end;] FROM end; END", &[
        "CREATE TRIGGER t UPDATE ON x BEGIN SELECT new.end, [end;] FROM end; END"])]
    #[case("EXPLAIN CREATE TRIGGER t UPDATE ON x BEGIN a; END; b",
        &["EXPLAIN CREATE TRIGGER t UPDATE ON x BEGIN a; END", "b"])]
    #[case("CREATE TRIGGER t UPDATE ON x; b", &["CREATE TRIGGER t UPDATE ON x", "b"])]
    #[case("CREATE TRIGGER t UPDATE ON x BEGIN END; b", &["CREATE TRIGGER t UPDATE ON x BEGIN END", "b"])]
    #[case("CREATE TABLE \"trigger\" (begin); END; b", &["CREATE TABLE \"trigger\" (begin)", "END", "b"])]
    #[case("SELECT `;`, [;]; b", &["SELECT `;`, [;]", "b"])]
    #[case("SELECT $$; b", &["SELECT $$", "b"])]
    fn sqlite(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(bodies(text, Sqlite), expected);
    }

    #[rstest]
    #[case("a;b", &[1, 1])]
    #[case("\n-- x\r\n\ra;\n\nb;", &[4, 6])]
    #[case("a\n;\r\n\r\n b; \n", &[1, 4, 4])]
    fn lines(#[case] text: &str, #[case] expected: &[u32]) {
        let found: Vec<_> = split(text, Sqlite).iter().map(|statement| statement.line).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(text in testing::text()) {
            for dialect in Backend::ALL {
                let mut end = 0;
                for statement in split(&text, dialect) {
                    prop_assert_eq!(statement.offset, end);
                    prop_assert!(!statement.text.is_empty());
                    end += statement.text.len();
                    prop_assert_eq!(&text[statement.offset..end], statement.text);
                    prop_assert!(text[statement.body_offset..end].starts_with(statement.body));
                    prop_assert_eq!(statement.line, line_of(&text, statement.body_offset));
                    prop_assert_eq!(statement.is_blank(), is_blank(statement.text, dialect));
                }
                prop_assert_eq!(end, text.len());
            }
        }

        #[test]
        fn a_body_is_one_statement(text in testing::text()) {
            for dialect in Backend::ALL {
                for statement in split(&text, dialect).iter().filter(|statement| !statement.is_blank()) {
                    prop_assert_eq!(bodies(statement.body, dialect), vec![statement.body]);
                }
            }
        }
    }
}
