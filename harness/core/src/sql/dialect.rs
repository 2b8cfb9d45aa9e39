//! What the two dialects' lexers do differently, as data.

use sqlite3_parser::dialect::keyword_token;
use sqlparser::dialect::{Dialect as ParserDialect, PostgreSqlDialect, SQLiteDialect};

use super::lex::TokenKind;
use crate::Backend;

/// The lexical rules of one dialect.
///
/// Sources: PostgreSQL's manual, section 4.1 "Lexical Structure", and its `scan.l`; SQLite's
/// `tokenize.c` and the page "SQL As Understood By SQLite".
#[derive(Debug)]
pub(super) struct Dialect {
    /// Whether `/* /* */ */` is one comment.
    pub(super) nested_comments: bool,
    /// Whether a carriage return alone ends a `--` comment.
    pub(super) cr_ends_comment: bool,
    /// Everything that runs from an opening mark to a closing one.
    pub(super) quotations: &'static [Quotation],
    /// Whether `'a'`, a line end and `'b'` are the one string `'ab'`.
    pub(super) continued_strings: bool,
    /// Whether `$tag$ … $tag$` is a string.
    pub(super) dollar_quotes: bool,
    /// The letters which after a leading `0` announce a number of another radix.
    pub(super) radixes: &'static [u8],
    /// Whether letters right after a number belong to the same, then illegal, token.
    pub(super) numbers_take_letters: bool,
    pub(super) operators: Operators,
    /// What a parameter begins with, and whether digits or a name follow.
    pub(super) parameters: &'static [(u8, Parameter)],
    /// The word after `CREATE` that announces a statement with statements inside.
    pub(super) compounds: &'static [(&'static str, Compound)],
    /// Operators with two spellings, the second being the canonical one.
    pub(super) synonyms: &'static [(&'static str, &'static str)],
    /// Whether `"Name"` and `name` are the same identifier.
    pub(super) quoted_names_fold: bool,
    /// The dialect of the parser, for what tokens alone don't tell.
    pub(super) parser: &'static (dyn ParserDialect + Sync),
    keyword: fn(&str) -> bool,
}

impl Dialect {
    pub(super) fn of(backend: Backend) -> &'static Self {
        match backend {
            Backend::Postgres => &POSTGRES,
            Backend::Sqlite => &SQLITE,
        }
    }

    /// Whether a lower-case word means something else, or nothing, once its quotes are taken off.
    pub(super) fn is_keyword(&self, word: &str) -> bool {
        (self.keyword)(word)
    }
}

/// A token between an opening and a closing mark.
#[derive(Debug)]
pub(super) struct Quotation {
    /// Compared without regard to case.
    pub(super) open: &'static str,
    pub(super) close: u8,
    pub(super) kind: TokenKind,
    pub(super) escape: Escape,
}

impl Quotation {
    const fn new(open: &'static str, close: u8, kind: TokenKind, escape: Escape) -> Self {
        Self { open, close, kind, escape }
    }
}

/// How the closing mark can stand inside a quotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    Doubled,
    DoubledOrBackslash,
}

/// How operators are told apart.
#[derive(Debug)]
pub(super) enum Operators {
    /// Any run of these characters, within PostgreSQL's rules about comments and trailing signs.
    Composed { from: &'static [u8], keep_trailing_sign: &'static [u8], also: &'static [&'static str] },
    /// The longest of these that fits; longer ones come first.
    Listed(&'static [&'static str]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    /// One digit or more.
    Digits,
    /// Any number of digits.
    OptionalDigits,
    /// A name, perhaps with `::` and a parenthesised suffix.
    Name,
}

/// A statement inside which a `;` need not end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compound {
    /// `CREATE RULE … DO ( a; b )`.
    Parenthesised,
    /// `CREATE FUNCTION … BEGIN ATOMIC a; b; END`.
    Atomic,
    /// `CREATE TRIGGER … BEGIN a; b; END`.
    Trigger,
}

const POSTGRES: Dialect = Dialect {
    nested_comments: true,
    cr_ends_comment: true,
    quotations: &[
        Quotation::new("'", b'\'', TokenKind::String, Escape::Doubled),
        Quotation::new("\"", b'"', TokenKind::QuotedIdentifier, Escape::Doubled),
        Quotation::new("E'", b'\'', TokenKind::String, Escape::DoubledOrBackslash),
        Quotation::new("U&'", b'\'', TokenKind::String, Escape::Doubled),
        Quotation::new("U&\"", b'"', TokenKind::QuotedIdentifier, Escape::Doubled),
        Quotation::new("B'", b'\'', TokenKind::String, Escape::None),
        Quotation::new("X'", b'\'', TokenKind::String, Escape::None),
        Quotation::new("N'", b'\'', TokenKind::String, Escape::Doubled),
    ],
    continued_strings: true,
    dollar_quotes: true,
    radixes: b"xob",
    numbers_take_letters: false,
    operators: Operators::Composed {
        from: b"~!@#^&|`?+-*/%<>=",
        keep_trailing_sign: b"~!@#^&|`?%",
        also: &["::", ":=", ":", ".."],
    },
    parameters: &[(b'$', Parameter::Digits)],
    compounds: &[
        ("RULE", Compound::Parenthesised),
        ("FUNCTION", Compound::Atomic),
        ("PROCEDURE", Compound::Atomic),
    ],
    synonyms: &[("!=", "<>")],
    quoted_names_fold: false,
    parser: &PostgreSqlDialect {},
    keyword: |word| POSTGRES_KEYWORDS.split(' ').any(|keyword| keyword == word),
};

const SQLITE: Dialect = Dialect {
    nested_comments: false,
    cr_ends_comment: false,
    quotations: &[
        Quotation::new("'", b'\'', TokenKind::String, Escape::Doubled),
        Quotation::new("\"", b'"', TokenKind::QuotedIdentifier, Escape::Doubled),
        Quotation::new("`", b'`', TokenKind::QuotedIdentifier, Escape::Doubled),
        Quotation::new("[", b']', TokenKind::QuotedIdentifier, Escape::None),
        Quotation::new("X'", b'\'', TokenKind::String, Escape::None),
    ],
    continued_strings: false,
    dollar_quotes: false,
    radixes: b"x",
    numbers_take_letters: true,
    operators: Operators::Listed(&[
        "->>", "->", "==", "<=", "<>", "<<", ">=", ">>", "!=", "||", "-", "=", "<", ">", "|", "&", "~", "+",
        "*", "/", "%",
    ]),
    parameters: &[
        (b'?', Parameter::OptionalDigits),
        (b'$', Parameter::Name),
        (b'@', Parameter::Name),
        (b':', Parameter::Name),
        (b'#', Parameter::Name),
    ],
    compounds: &[("TRIGGER", Compound::Trigger)],
    synonyms: &[("!=", "<>"), ("==", "=")],
    quoted_names_fold: true,
    parser: &SQLiteDialect {},
    // TRUE and FALSE are ordinary words to SQLite's lexer, but constants where no column has the name.
    keyword: |word| {
        // The table takes no word shorter or longer than a keyword can be.
        (2..=17).contains(&word.len()) && keyword_token(word.as_bytes()).is_some()
            || matches!(word, "true" | "false")
    },
};

/// The words that PostgreSQL 13 to 18 don't take as any name unquoted (`pg_get_keywords()`, all
/// categories but "unreserved"), and those which join the type name or literal before them.
///
/// Words that only later versions quote, such as `json` since 17, are left out: a name must be
/// spelled the same by all of them.
///
/// The other keywords, such as `name` or `type`, mean the same with and without quotes.
const POSTGRES_KEYWORDS: &str = "\
    all analyse analyze and any array as asc asymmetric authorization between bigint binary \
    bit boolean both case cast char character check coalesce collate collation column \
    concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user day dec decimal default \
    deferrable desc distinct do double else end except exists extract false fetch float for \
    foreign freeze from full grant greatest group grouping having hour ilike in initially \
    inner inout int integer intersect interval into is isnull join \
    lateral leading least left like limit localtime localtimestamp \
    minute month national natural nchar none normalize not notnull null nullif \
    numeric offset on only or order out outer overlaps overlay placing position precision \
    primary real references returning right row second select session_user setof similar \
    smallint some substring symmetric table tablesample then time timestamp to \
    trailing treat trim true union unique user using values varchar variadic varying verbose \
    when where window with without xmlattributes xmlconcat xmlelement xmlexists xmlforest \
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable year";

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use Backend::{Postgres, Sqlite};

    #[rstest]
    #[case("select", true, true)]
    #[case("user", true, false)]
    #[case("key", false, true)]
    #[case("current_timestamp", true, true)]
    #[case("generated", false, true)]
    #[case("year", true, false)]
    #[case("name", false, false)]
    #[case("true", true, true)]
    #[case("e", false, false)]
    #[case("_", false, false)]
    #[case("a_name_longer_than_any_keyword", false, false)]
    #[case("", false, false)]
    fn keywords(#[case] word: &str, #[case] postgres: bool, #[case] sqlite: bool) {
        assert_eq!(Dialect::of(Postgres).is_keyword(word), postgres);
        assert_eq!(Dialect::of(Sqlite).is_keyword(word), sqlite);
    }
}
