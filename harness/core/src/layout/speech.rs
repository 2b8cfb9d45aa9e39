//! Which database a project's SQL is written for, where neither its folders nor its config say so.

use crate::Backend;
use crate::history::History;
use crate::sql::{Lexer, Token, TokenKind};

/// A piece of SQL that only one backend understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// As it stands in the file.
    pub text: String,
    /// The file, relative to the project.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// What only one backend understands, as words that follow one another and as other tokens, by
/// their kind and the start of their text.
struct Speech {
    backend: Backend,
    phrases: &'static [&'static [&'static str]],
    tokens: &'static [(TokenKind, &'static str)],
}

/// What the other backend refuses wherever it stands. SQLite takes any name for a type, so `jsonb`
/// is not here.
const CERTAIN: &[Speech] = &[
    Speech {
        backend: Backend::Postgres,
        phrases: &[
            &["ADD", "CONSTRAINT"],
            &["ALTER", "COLUMN"],
            &["COMMENT", "ON"],
            &["CREATE", "EXTENSION"],
            &["CREATE", "FUNCTION"],
            &["CREATE", "OR", "REPLACE"],
            &["CREATE", "SCHEMA"],
            &["CREATE", "SEQUENCE"],
            &["CREATE", "TYPE"],
            &["DEFAULT", "NOW"],
            &["INDEX", "CONCURRENTLY"],
            &["LANGUAGE", "PLPGSQL"],
            &["USING", "BTREE"],
            &["USING", "GIN"],
            &["USING", "GIST"],
        ],
        tokens: &[(TokenKind::DollarString, ""), (TokenKind::Operator, "::")],
    },
    Speech {
        backend: Backend::Sqlite,
        phrases: &[
            &["AUTOINCREMENT"],
            &["INSERT", "OR", "IGNORE"],
            &["INSERT", "OR", "REPLACE"],
            &["PRAGMA"],
            &["SQLITE_MASTER"],
            &["SQLITE_SCHEMA"],
            &["STRFTIME"],
            &["WITHOUT", "ROWID"],
        ],
        tokens: &[(TokenKind::QuotedIdentifier, "`"), (TokenKind::QuotedIdentifier, "[")],
    },
];

/// What people write for one backend, although the other may let it pass, or it may be the name of
/// a column.
const LIKELY: &[Speech] = &[
    Speech { backend: Backend::Postgres, phrases: &[&["BIGSERIAL"], &["SERIAL"]], tokens: &[] },
    Speech { backend: Backend::Sqlite, phrases: &[&["BLOB"], &["DATETIME"]], tokens: &[] },
];

/// The one backend that the upgrades of a history are written for, with what shows it; nothing if
/// they may be for both.
pub fn written_for(history: &History) -> Option<(Backend, Mark)> {
    for speeches in [CERTAIN, LIKELY] {
        let mark = |speech: &Speech| Some((speech.backend, speech.first_in_history(history)?));
        let mut marks: Vec<_> = speeches.iter().filter_map(mark).collect();
        match marks.len() {
            0 => {}
            1 => return marks.pop(),
            _ => return None,
        }
    }
    None
}

impl Speech {
    fn first_in_history(&self, history: &History) -> Option<Mark> {
        history.revisions().iter().find_map(|revision| {
            let script = &revision.upgrade;
            let (offset, text) = self.first_in(&script.text)?;
            let line = script.line_of(offset);
            Some(Mark { text: text.to_owned(), file: script.path.clone(), line })
        })
    }

    /// The first mark in a text and where it starts.
    fn first_in<'a>(&self, text: &'a str) -> Option<(usize, &'a str)> {
        let longest = self.phrases.iter().map(|phrase| phrase.len()).max().unwrap_or(1);
        let mut recent: Vec<Token<'a>> = Vec::with_capacity(longest + 1);
        for token in Lexer::new(text, self.backend).filter(Token::is_significant) {
            let of_kind = |(kind, start): &(TokenKind, &str)| {
                token.kind == *kind && token.text.starts_with(start) && !is_subscript(text, &token)
            };
            if self.tokens.iter().any(of_kind) {
                // A quoted body may be long; how it begins is enough.
                return Some((token.offset, token.text.lines().next().unwrap_or_default()));
            }
            recent.push(token);
            if recent.len() > longest {
                recent.remove(0);
            }
            for phrase in self.phrases {
                let Some(start) = recent.len().checked_sub(phrase.len()) else {
                    continue;
                };
                let words = &recent[start..];
                if words.iter().zip(*phrase).all(|(token, word)| token.is_word(word)) {
                    let offset = words[0].offset;
                    return Some((offset, &text[offset..token.end()]));
                }
            }
        }
        None
    }
}

/// Whether a bracket follows a word or another bracket at once, as in `tags[1]` and `text[]`: what
/// SQLite takes for a quoted name is PostgreSQL's subscript there.
fn is_subscript(text: &str, token: &Token<'_>) -> bool {
    let before = text[..token.offset].chars().next_back();
    let follows = before.is_some_and(|letter| letter.is_alphanumeric() || "_\")]".contains(letter));
    token.text.starts_with('[') && follows
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::tests::tree;
    use super::super::{Layout as _, sqlx};
    use super::*;

    #[rstest]
    #[case::either("CREATE TABLE a (id BIGINT PRIMARY KEY, body JSONB, made TIMESTAMPTZ);", None)]
    #[case::extension("create  extension pgcrypto;", Some("postgres create  extension"))]
    #[case::cast("SELECT 1::text;", Some("postgres ::"))]
    #[case::body("DO $a$\nSELECT 1\n$a$;", Some("postgres $a$"))]
    #[case::likely("CREATE TABLE a (id SERIAL);", Some("postgres SERIAL"))]
    #[case::trigger("CREATE TRIGGER a AFTER INSERT OR DELETE ON b EXECUTE FUNCTION c();", None)]
    #[case::rowid("CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT);", Some("sqlite AUTOINCREMENT"))]
    #[case::certain_outweighs_likely(
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, b BIGSERIAL);",
        Some("sqlite AUTOINCREMENT")
    )]
    #[case::backtick("CREATE TABLE `a` (b INT);", Some("sqlite `a`"))]
    #[case::bracket("CREATE TABLE [a] ([b] INT);", Some("sqlite [a]"))]
    #[case::arrays(
        "ALTER TABLE a ADD tags text[]; UPDATE a SET tags = ARRAY[b] || (tags)[1:2] || tags[1:2][1];",
        None
    )]
    #[case::type_of_sqlite("CREATE TABLE a (b DATETIME);", Some("sqlite DATETIME"))]
    #[case::name_of_a_column("ALTER TABLE a ALTER COLUMN blob TYPE BYTEA;", Some("postgres ALTER COLUMN"))]
    #[case::in_a_comment("-- PRAGMA, SERIAL\nSELECT 'BLOB';", None)]
    #[case::quoted("CREATE TABLE a (\"serial\" TEXT, \"datetime\" TEXT);", None)]
    #[case::both("PRAGMA foreign_keys = on; CREATE TYPE a AS ENUM ('x');", None)]
    fn a_history_may_be_written_for_one_backend(#[case] text: &str, #[case] expected: Option<&str>) {
        let history = sqlx::Layout.read(&tree(&[("1_a.sql", text)]), Backend::Postgres).unwrap();
        let found = written_for(&history).map(|(backend, mark)| format!("{backend} {}", mark.text));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_mark_has_its_place() {
        let tree = tree(&[("1_a.sql", "SELECT 1;"), ("2_b.sql", "-- first\n\nPRAGMA user_version = 1;\n")]);
        let history = sqlx::Layout.read(&tree, Backend::Sqlite).unwrap();
        let (_, mark) = written_for(&history).unwrap();
        assert_eq!((mark.file.as_str(), mark.line), ("m/2_b.sql", 3));
    }
}
