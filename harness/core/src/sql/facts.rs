//! Small questions about a text or one statement, answered by its tokens.

use std::collections::BTreeSet;

use super::lex::{Lexer, Token, TokenKind, lex};
use crate::Backend;

fn significant(text: &str, dialect: Backend) -> impl Iterator<Item = Token<'_>> {
    Lexer::new(text, dialect).filter(Token::is_significant)
}

/// Whether a text holds nothing but white space, comments and stray semicolons.
pub fn is_blank(text: &str, dialect: Backend) -> bool {
    significant(text, dialect).all(|token| token.is_mark(";"))
}

/// The comments of a text with their marks, in order.
pub fn comments(text: &str, dialect: Backend) -> Vec<&str> {
    Lexer::new(text, dialect).filter(Token::is_comment).map(|token| token.text).collect()
}

/// The unquoted words that a statement begins with, in upper case: at most `limit`, and only up to
/// the first token that is no word.
pub fn leading_words(statement: &str, dialect: Backend, limit: usize) -> Vec<String> {
    significant(statement, dialect)
        .take_while(|token| token.kind == TokenKind::Word)
        .take(limit)
        .map(|token| token.text.to_ascii_uppercase())
        .collect()
}

/// Whether a statement opens a transaction block: `BEGIN`, `START TRANSACTION`, or a
/// `COMMIT` or `ROLLBACK` that says `AND CHAIN`.
pub fn opens_transaction(statement: &str, dialect: Backend) -> bool {
    let words = leading_words(statement, dialect, 4);
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["BEGIN", ..] | ["START", "TRANSACTION", ..] => true,
        ["COMMIT" | "END" | "ROLLBACK" | "ABORT", rest @ ..] => {
            matches!(rest, ["AND", "CHAIN"] | ["WORK" | "TRANSACTION", "AND", "CHAIN"])
        }
        _ => false,
    }
}

/// Whether a statement ends the transaction block it stands in: `COMMIT`, `END`, `ROLLBACK`,
/// `ABORT`, `PREPARE TRANSACTION`. Going back to a savepoint does not, and neither does finishing
/// another, prepared transaction.
pub fn ends_transaction(statement: &str, dialect: Backend) -> bool {
    let words = leading_words(statement, dialect, 3);
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["COMMIT" | "ROLLBACK", "PREPARED"] => false,
        ["ROLLBACK", "TO", ..] | ["ROLLBACK", "WORK" | "TRANSACTION", "TO", ..] => false,
        ["COMMIT" | "END" | "ROLLBACK" | "ABORT", ..] | ["PREPARE", "TRANSACTION"] => true,
        _ => false,
    }
}

/// Whether a statement of SQLite's leads to another file than the database that it runs in: `ATTACH`, but
/// for one in memory or a temporary one, and `VACUUM INTO` (manual, "ATTACH DATABASE" and "VACUUM").
pub fn reaches_for_a_file(statement: &str) -> bool {
    let tokens = lex(statement, Backend::Sqlite).into_iter().filter(Token::is_significant);
    let mut tokens = tokens.skip_while(|token| token.is_word("explain") || token.is_mark(";"));
    match tokens.next() {
        Some(first) if first.is_word("attach") => {
            let file = tokens.find(|token| !token.is_word("database")).map(|token| token.text);
            !file.is_some_and(|file| matches!(file.trim_matches(['\'', '"']), "" | ":memory:"))
        }
        Some(first) if first.is_word("vacuum") => tokens.any(|token| token.is_word("into")),
        _ => false,
    }
}

/// What a statement of PostgreSQL's drops that belongs to the whole server: roles, databases and tablespaces,
/// each as `role "name"` (manual, "DROP ROLE", "DROP DATABASE" and "DROP TABLESPACE").
pub fn dropped_from_the_server(statement: &str) -> Vec<String> {
    let mut tokens = lex(statement, Backend::Postgres).into_iter().filter(Token::is_significant).peekable();
    if !tokens.next().is_some_and(|first| first.is_word("drop")) {
        return Vec::new();
    }
    let kinds = [("role", "role"), ("user", "role"), ("group", "role"), ("database", "database")];
    let kinds = kinds.into_iter().chain([("tablespace", "tablespace")]);
    let Some(second) = tokens.next() else { return Vec::new() };
    let mut kinds = kinds.filter(|(word, _)| second.is_word(word)).map(|(_, kind)| kind);
    let Some(kind) = kinds.next() else { return Vec::new() };
    if tokens.next_if(|token| token.is_word("if")).is_some() {
        tokens.next();
    }
    let mut dropped = Vec::new();
    for token in tokens.filter(|token| !token.is_mark(",")) {
        match token.kind {
            TokenKind::Word => dropped.push(format!("{kind} \"{}\"", token.text.to_lowercase())),
            TokenKind::QuotedIdentifier => {
                let name = token.text.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
                dropped.push(format!("{kind} \"{}\"", name.unwrap_or(token.text).replace("\"\"", "\"")));
            }
            _ => break,
        }
    }
    dropped
}

/// The words and names of a text, in lower case and without their quotes: what it may be about.
pub fn words(text: &str, backend: Backend) -> BTreeSet<String> {
    let tokens = lex(text, backend).into_iter();
    let named = tokens.filter(|one| matches!(one.kind, TokenKind::Word | TokenKind::QuotedIdentifier));
    named.map(|token| token.text.trim_matches(['"', '`', '[', ']']).to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use Backend::{Postgres, Sqlite};

    #[rstest]
    #[case("ATTACH 'other.db' AS other", true)]
    #[case("-- why\nattach database \"other.db\" as other", true)]
    #[case("ATTACH 'file:' || 'other.db' AS other", true)]
    #[case("ATTACH :memory AS other", true)]
    #[case("VACUUM INTO 'copy.db'", true)]
    #[case("VACUUM main INTO 'copy.db'", true)]
    #[case("ATTACH ':memory:' AS other", false)]
    #[case("ATTACH '' AS other", false)]
    #[case("VACUUM", false)]
    #[case("DETACH other", false)]
    #[case("CREATE TABLE attach (a)", false)]
    fn a_file_that_is_reached_for(#[case] statement: &str, #[case] expected: bool) {
        assert_eq!(reaches_for_a_file(statement), expected);
    }

    #[rstest]
    #[case("DROP ROLE app", &["role \"app\""])]
    #[case("-- x\ndrop user if exists App, \"A\"\"b\" ;", &["role \"app\"", "role \"A\"b\""])]
    #[case("DROP GROUP g", &["role \"g\""])]
    #[case("DROP TABLESPACE IF EXISTS fast", &["tablespace \"fast\""])]
    #[case("DROP DATABASE shop", &["database \"shop\""])]
    #[case("DROP OWNED BY app", &[])]
    #[case("DROP TABLE role", &[])]
    #[case("ALTER ROLE app RENAME TO b", &[])]
    #[case("DROP ROLE", &[])]
    fn what_a_statement_drops_from_the_server(#[case] statement: &str, #[case] expected: &[&str]) {
        assert_eq!(dropped_from_the_server(statement), expected);
    }

    #[rstest]
    #[case("", true)]
    #[case(" ;\n; -- why\n/* ; */", true)]
    #[case("\u{feff}-- only a comment", true)]
    #[case("/* a", true)]
    #[case("x", false)]
    #[case("'", false)]
    fn blank(#[case] text: &str, #[case] expected: bool) {
        for dialect in Backend::ALL {
            assert_eq!(is_blank(text, dialect), expected, "{dialect}");
        }
    }

    #[test]
    fn nesting_decides_what_is_blank() {
        let text = "/* /* */ DROP TABLE t; */";
        assert!(is_blank(text, Postgres));
        assert!(!is_blank(text, Sqlite));
    }

    #[test]
    fn comments_are_listed_with_their_marks() {
        let text = "-- one\nSELECT '-- no' /* two */;-- three";
        for dialect in Backend::ALL {
            assert_eq!(comments(text, dialect), ["-- one", "/* two */", "-- three"]);
        }
    }

    #[rstest]
    #[case("create /* x */ Table users (id int)", 5, &["CREATE", "TABLE", "USERS"])]
    #[case("create table users", 2, &["CREATE", "TABLE"])]
    #[case("create table \"users\" x", 5, &["CREATE", "TABLE"])]
    #[case("alter table app.users add", 5, &["ALTER", "TABLE", "APP"])]
    #[case("(select 1)", 5, &[])]
    #[case("", 5, &[])]
    fn words(#[case] text: &str, #[case] limit: usize, #[case] expected: &[&str]) {
        for dialect in Backend::ALL {
            assert_eq!(leading_words(text, dialect, limit), expected);
        }
    }

    #[rstest]
    #[case("BEGIN", true, false)]
    #[case("begin /* now */ immediate", true, false)]
    #[case("-- x\nBEGIN ISOLATION LEVEL SERIALIZABLE", true, false)]
    #[case("START TRANSACTION READ ONLY", true, false)]
    #[case("START", false, false)]
    #[case("COMMIT", false, true)]
    #[case("COMMIT WORK", false, true)]
    #[case("COMMIT AND CHAIN", true, true)]
    #[case("ROLLBACK TRANSACTION AND CHAIN", true, true)]
    #[case("COMMIT AND NO CHAIN", false, true)]
    #[case("COMMIT PREPARED 'x'", false, false)]
    #[case("PREPARE TRANSACTION 'x'", false, true)]
    #[case("PREPARE q AS SELECT 1", false, false)]
    #[case("END", false, true)]
    #[case("END TRANSACTION", false, true)]
    #[case("ABORT", false, true)]
    #[case("ROLLBACK", false, true)]
    #[case("ROLLBACK TO a", false, false)]
    #[case("ROLLBACK TO SAVEPOINT \"a\"", false, false)]
    #[case("ROLLBACK TRANSACTION TO \"a\"", false, false)]
    #[case("ROLLBACK WORK TO SAVEPOINT a", false, false)]
    #[case("SAVEPOINT a", false, false)]
    #[case("RELEASE SAVEPOINT a", false, false)]
    #[case("SELECT 'BEGIN'", false, false)]
    #[case("\"BEGIN\"", false, false)]
    #[case("", false, false)]
    fn transactions(#[case] text: &str, #[case] opens: bool, #[case] ends: bool) {
        for dialect in Backend::ALL {
            assert_eq!(opens_transaction(text, dialect), opens, "{dialect}");
            assert_eq!(ends_transaction(text, dialect), ends, "{dialect}");
        }
    }
}
