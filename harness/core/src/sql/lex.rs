//! The lossless lexer.

use super::dialect::{Dialect, Operators, Parameter};
use super::number::number_end;
use super::quote::{quotation_at, quotation_end};
use crate::Backend;

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// Blanks and line ends, and a byte-order mark.
    Whitespace,
    /// `-- …`, without the line end.
    LineComment,
    /// `/* … */`, nested in PostgreSQL.
    BlockComment,
    /// A keyword or an unquoted identifier.
    Word,
    /// `"…"`, in PostgreSQL also `U&"…"`, in SQLite also `` `…` `` and `[…]`.
    QuotedIdentifier,
    /// `'…'` with its prefix, if any. In PostgreSQL also its continuation on the next line.
    String,
    /// `$tag$ … $tag$`, in PostgreSQL.
    DollarString,
    /// A numeric literal without a sign.
    Number,
    /// `$1` in PostgreSQL; `?`, `?1`, `:x`, `@x`, `$x`, `#x` in SQLite.
    Parameter,
    /// An operator, also `::`, `:=`, `:` and `..` in PostgreSQL.
    Operator,
    /// One of `( ) [ ] , ; .`.
    Punctuation,
    /// A character that begins no token of the dialect.
    Other,
}

/// A piece of SQL text that the dialect's lexer takes as one.
///
/// A token that the text ends before it is closed reaches to the end of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Exactly as it stands in the source.
    pub text: &'a str,
    /// Where it starts, in bytes.
    pub offset: usize,
}

impl Token<'_> {
    /// Where it ends, in bytes.
    pub fn end(&self) -> usize {
        self.offset + self.text.len()
    }

    /// Whether it is neither white space nor a comment.
    pub fn is_significant(&self) -> bool {
        !matches!(self.kind, TokenKind::Whitespace) && !self.is_comment()
    }

    /// Whether it is a comment of either form.
    pub fn is_comment(&self) -> bool {
        matches!(self.kind, TokenKind::LineComment | TokenKind::BlockComment)
    }

    /// Whether it is this word, unquoted, in any case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this punctuation mark.
    pub fn is_mark(&self, mark: &str) -> bool {
        self.kind == TokenKind::Punctuation && self.text == mark
    }
}

/// Cuts a text into tokens. Their texts, one after the other, are the whole text.
///
/// ```
/// use switchback_core::{Backend, sql::{TokenKind, lex}};
///
/// let tokens = lex("SELECT $$it's$$", Backend::Postgres);
/// assert_eq!(tokens[2].kind, TokenKind::DollarString);
/// assert_eq!(tokens[2].text, "$$it's$$");
/// ```
pub fn lex(text: &str, dialect: Backend) -> Vec<Token<'_>> {
    Lexer::new(text, dialect).collect()
}

/// The tokens of a text one by one, for texts too large to hold all their tokens.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    position: usize,
    dialect: &'static Dialect,
    run: OperatorRun,
}

/// What is known about a run of operator characters, so that a long one is read only once.
#[derive(Clone, Copy, Debug, Default)]
struct OperatorRun {
    end: usize,
    /// End of the last character that lets an operator end in a sign.
    after_keeper: usize,
    /// End of the last character that is no sign.
    after_plain: usize,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of `text`.
    pub fn new(text: &'a str, dialect: Backend) -> Self {
        Self { text, position: 0, dialect: Dialect::of(dialect), run: OperatorRun::default() }
    }

    fn scan(&mut self) -> (TokenKind, usize) {
        let start = self.position;
        let bytes = self.text.as_bytes();
        let first = bytes[start];
        if let Some(length) = blank_length(&bytes[start..]) {
            return (TokenKind::Whitespace, self.blanks_end(start + length));
        }
        if bytes[start..].starts_with(b"--") {
            return (TokenKind::LineComment, line_comment_end(bytes, start, self.dialect));
        }
        if bytes[start..].starts_with(b"/*") {
            return (TokenKind::BlockComment, block_comment_end(bytes, start, self.dialect));
        }
        if let Some(quotation) = quotation_at(bytes, start, self.dialect) {
            return (quotation.kind, quotation_end(bytes, start, quotation, self.dialect));
        }
        if let Some(end) = self.dollar_string_end(start) {
            return (TokenKind::DollarString, end);
        }
        if let Some(end) = parameter_end(bytes, start, self.dialect) {
            return (TokenKind::Parameter, end);
        }
        if is_word_start(first) {
            return (TokenKind::Word, skip_while(bytes, start, is_word_part));
        }
        let fraction = first == b'.' && bytes.get(start + 1).is_some_and(u8::is_ascii_digit);
        if first.is_ascii_digit() || fraction {
            return (TokenKind::Number, number_end(bytes, start, self.dialect));
        }
        if let Some(end) = self.operator_end(start) {
            return (TokenKind::Operator, end);
        }
        if b"()[],;.".contains(&first) {
            return (TokenKind::Punctuation, start + 1);
        }
        (TokenKind::Other, start + 1)
    }

    fn blanks_end(&self, mut at: usize) -> usize {
        while let Some(length) = blank_length(&self.text.as_bytes()[at..]) {
            at += length;
        }
        at
    }

    fn dollar_string_end(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        if !self.dialect.dollar_quotes || bytes[start] != b'$' {
            return None;
        }
        let tag_end = match bytes.get(start + 1) {
            Some(&byte) if is_word_start(byte) => {
                skip_while(bytes, start + 1, |byte| is_word_part(byte) && byte != b'$')
            }
            _ => start + 1,
        };
        if bytes.get(tag_end) != Some(&b'$') {
            return None;
        }
        let delimiter = &self.text[start..=tag_end];
        let rest = &self.text[tag_end + 1..];
        Some(match rest.find(delimiter) {
            Some(found) => tag_end + 1 + found + delimiter.len(),
            None => self.text.len(),
        })
    }

    fn operator_end(&mut self, start: usize) -> Option<usize> {
        let rest = &self.text[start..];
        let fitting = |listed: &[&str]| {
            let operator = listed.iter().find(|operator| rest.starts_with(**operator))?;
            Some(start + operator.len())
        };
        match self.dialect.operators {
            Operators::Listed(listed) => fitting(listed),
            Operators::Composed { from, keep_trailing_sign, also } => {
                if !from.contains(&rest.as_bytes()[0]) {
                    return fitting(also);
                }
                if self.run.end <= start {
                    self.run = operator_run(self.text.as_bytes(), start, from, keep_trailing_sign);
                }
                Some(if self.run.after_keeper > start {
                    self.run.end
                } else {
                    self.run.after_plain.max(start + 1)
                })
            }
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.position == self.text.len() {
            return None;
        }
        let offset = self.position;
        let (kind, end) = self.scan();
        self.position = end;
        Some(Token { kind, text: &self.text[offset..end], offset })
    }
}

impl std::iter::FusedIterator for Lexer<'_> {}

/// Reads a run of operator characters up to the comment that may begin within it.
///
/// An operator of several characters can't end in `+` or `-` unless it holds a character that
/// standard SQL's operators don't (manual section 4.1.3), so that `2*-1` means what it says.
fn operator_run(bytes: &[u8], start: usize, from: &[u8], keepers: &[u8]) -> OperatorRun {
    let mut run = OperatorRun { end: start, ..OperatorRun::default() };
    while let Some(&byte) = bytes.get(run.end)
        && from.contains(&byte)
        && !bytes[run.end..].starts_with(b"--")
        && !bytes[run.end..].starts_with(b"/*")
    {
        run.end += 1;
        if keepers.contains(&byte) {
            run.after_keeper = run.end;
        }
        if byte != b'+' && byte != b'-' {
            run.after_plain = run.end;
        }
    }
    run
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

pub(super) fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

pub(super) fn skip_while(bytes: &[u8], start: usize, accept: impl Fn(u8) -> bool) -> usize {
    bytes[start..].iter().position(|&byte| !accept(byte)).map_or(bytes.len(), |length| start + length)
}

/// The length of the blank at the start of `rest`. Only the blanks that both servers know count:
/// a no-break space is part of a word to them.
fn blank_length(rest: &[u8]) -> Option<usize> {
    match rest {
        [b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c', ..] => Some(1),
        [0xEF, 0xBB, 0xBF, ..] => Some(3),
        _ => None,
    }
}

pub(super) fn line_comment_end(bytes: &[u8], start: usize, dialect: &Dialect) -> usize {
    skip_while(bytes, start, |byte| byte != b'\n' && !(byte == b'\r' && dialect.cr_ends_comment))
}

fn block_comment_end(bytes: &[u8], start: usize, dialect: &Dialect) -> usize {
    let mut depth = 1u32;
    let mut at = start + 2;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            [b'/', b'*', ..] if dialect.nested_comments => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

fn parameter_end(bytes: &[u8], start: usize, dialect: &Dialect) -> Option<usize> {
    let &(_, parameter) = dialect.parameters.iter().find(|(mark, _)| *mark == bytes[start])?;
    let digits_end = skip_while(bytes, start + 1, |byte| byte.is_ascii_digit());
    match parameter {
        Parameter::Digits => (digits_end > start + 1).then_some(digits_end),
        Parameter::OptionalDigits => Some(digits_end),
        Parameter::Name => named_parameter_end(bytes, start),
    }
}

/// SQLite takes `::` and one parenthesised suffix into a name, for Tcl's sake.
fn named_parameter_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    let mut named = false;
    loop {
        match &bytes[at..] {
            [byte, ..] if is_word_part(*byte) => {
                named = true;
                at += 1;
            }
            [b':', b':', ..] => at += 2,
            [b'(', ..] if named => {
                let closing = skip_while(bytes, at, |byte| byte != b')' && !byte.is_ascii_whitespace());
                return Some(if bytes.get(closing) == Some(&b')') { closing + 1 } else { closing });
            }
            _ => return named.then_some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::TokenKind::*;
    use super::*;
    use crate::Backend::{Postgres, Sqlite};
    use crate::sql::testing;

    fn significant(text: &str, dialect: Backend) -> Vec<(TokenKind, &str)> {
        lex(text, dialect)
            .into_iter()
            .filter(|token| token.kind != Whitespace)
            .map(|token| (token.kind, token.text))
            .collect()
    }

    #[rstest]
    #[case("a", &[(Word, "a")])]
    #[case("_a1$é", &[(Word, "_a1$é")])]
    #[case("\u{a0}x", &[(Word, "\u{a0}x")])]
    #[case("\u{feff}x", &[(Word, "x")])]
    #[case("a.b,(c);", &[(Word, "a"), (Punctuation, "."), (Word, "b"), (Punctuation, ","), (Punctuation, "("),
        (Word, "c"), (Punctuation, ")"), (Punctuation, ";")])]
    #[case("'it''s' 'x'", &[(String, "'it''s'"), (String, "'x'")])]
    #[case(r"'\' x", &[(String, r"'\'"), (Word, "x")])]
    #[case("'open", &[(String, "'open")])]
    #[case("'", &[(String, "'")])]
    #[case("''''", &[(String, "''''")])]
    #[case(r#""a""b" "c"#, &[(QuotedIdentifier, r#""a""b""#), (QuotedIdentifier, "\"c")])]
    #[case("x'ff' X'0'", &[(String, "x'ff'"), (String, "X'0'")])]
    #[case("-- a -- b\nc", &[(LineComment, "-- a -- b"), (Word, "c")])]
    #[case("--", &[(LineComment, "--")])]
    #[case("/* a */b", &[(BlockComment, "/* a */"), (Word, "b")])]
    #[case("/**/", &[(BlockComment, "/**/")])]
    #[case("/*/ x", &[(BlockComment, "/*/ x")])]
    #[case("1 1.5 .5 1. 1e5 1.5E-3 1e+2", &[(Number, "1"), (Number, "1.5"), (Number, ".5"), (Number, "1."),
        (Number, "1e5"), (Number, "1.5E-3"), (Number, "1e+2")])]
    #[case("1_000 0xFf", &[(Number, "1_000"), (Number, "0xFf")])]
    #[case("a-1", &[(Word, "a"), (Operator, "-"), (Number, "1")])]
    #[case("a->>'b'", &[(Word, "a"), (Operator, "->>"), (String, "'b'")])]
    #[case("a<=b<>c!=d||e", &[(Word, "a"), (Operator, "<="), (Word, "b"), (Operator, "<>"), (Word, "c"),
        (Operator, "!="), (Word, "d"), (Operator, "||"), (Word, "e")])]
    #[case("a*-1", &[(Word, "a"), (Operator, "*"), (Operator, "-"), (Number, "1")])]
    #[case("1/*x*/+2", &[(Number, "1"), (BlockComment, "/*x*/"), (Operator, "+"), (Number, "2")])]
    #[case("a+--b", &[(Word, "a"), (Operator, "+"), (LineComment, "--b")])]
    #[case("\\", &[(Other, "\\")])]
    #[case("\0", &[(Other, "\0")])]
    fn both_dialects(#[case] text: &str, #[case] expected: &[(TokenKind, &str)]) {
        for dialect in Backend::ALL {
            let found = significant(text, dialect);
            assert_eq!(found, expected, "{dialect}");
        }
    }

    #[rstest]
    #[case(r"E'\'' e'a\\'", &[(String, r"E'\''"), (String, r"e'a\\'")])]
    #[case(r"E'\", &[(String, r"E'\")])]
    #[case(r"E'\é'x", &[(String, r"E'\é'"), (Word, "x")])]
    #[case("se'x'", &[(Word, "se"), (String, "'x'")])]
    #[case(r#"U&'a\0061' u&"b""#, &[(String, r"U&'a\0061'"), (QuotedIdentifier, "u&\"b\"")])]
    #[case("u & 'x'", &[(Word, "u"), (Operator, "&"), (String, "'x'")])]
    #[case("B'01' N'x'", &[(String, "B'01'"), (String, "N'x'")])]
    #[case("'a'\n 'b' 'c'", &[(String, "'a'\n 'b'"), (String, "'c'")])]
    #[case("'a' -- x\n  -- y\r\n'b';", &[(String, "'a' -- x\n  -- y\r\n'b'"), (Punctuation, ";")])]
    #[case("'a' -- x", &[(String, "'a'"), (LineComment, "-- x")])]
    #[case("'a' /* x */\n'b'", &[(String, "'a'"), (BlockComment, "/* x */"), (String, "'b'")])]
    #[case("E'a'\n'b\\'c;'", &[(String, "E'a'\n'b\\'c;'")])]
    #[case("\"a\"\n'b'", &[(QuotedIdentifier, "\"a\""), (String, "'b'")])]
    #[case("$$a;'$$b", &[(DollarString, "$$a;'$$"), (Word, "b")])]
    #[case("$f$ $$ $F$ $f$", &[(DollarString, "$f$ $$ $F$ $f$")])]
    #[case("$é$x$é$", &[(DollarString, "$é$x$é$")])]
    #[case("$a$ open", &[(DollarString, "$a$ open")])]
    #[case("a$$b", &[(Word, "a$$b")])]
    #[case("1$$x$$", &[(Number, "1"), (DollarString, "$$x$$")])]
    #[case("$1$2", &[(Parameter, "$1"), (Parameter, "$2")])]
    #[case("$1a$x$1a$", &[(Parameter, "$1"), (Word, "a$x$1a$")])]
    #[case("$a b", &[(Other, "$"), (Word, "a"), (Word, "b")])]
    #[case("/* a /* b */ c */d", &[(BlockComment, "/* a /* b */ c */"), (Word, "d")])]
    #[case("/* /* */", &[(BlockComment, "/* /* */")])]
    #[case("-- a\rb", &[(LineComment, "-- a"), (Word, "b")])]
    #[case("-- a\r\nb", &[(LineComment, "-- a"), (Word, "b")])]
    #[case("a::text", &[(Word, "a"), (Operator, "::"), (Word, "text")])]
    #[case("a[1:x]", &[(Word, "a"), (Punctuation, "["), (Number, "1"), (Operator, ":"), (Word, "x"), (Punctuation, "]")])]
    #[case("f(a:=1, b=>2)", &[(Word, "f"), (Punctuation, "("), (Word, "a"), (Operator, ":="), (Number, "1"),
        (Punctuation, ","), (Word, "b"), (Operator, "=>"), (Number, "2"), (Punctuation, ")")])]
    #[case("1..10", &[(Number, "1"), (Operator, ".."), (Number, "10")])]
    #[case("0b101 0o17 0xdead_beef 0b2", &[(Number, "0b101"), (Number, "0o17"), (Number, "0xdead_beef"),
        (Number, "0"), (Word, "b2")])]
    #[case("1a 1e 1_", &[(Number, "1"), (Word, "a"), (Number, "1"), (Word, "e"), (Number, "1"), (Word, "_")])]
    #[case("a ?| b @> c", &[(Word, "a"), (Operator, "?|"), (Word, "b"), (Operator, "@>"), (Word, "c")])]
    #[case("=-1", &[(Operator, "="), (Operator, "-"), (Number, "1")])]
    #[case("@-1", &[(Operator, "@-"), (Number, "1")])]
    #[case("+-+", &[(Operator, "+"), (Operator, "-"), (Operator, "+")])]
    #[case("@/*x*/-", &[(Operator, "@"), (BlockComment, "/*x*/"), (Operator, "-")])]
    #[case("`", &[(Operator, "`")])]
    #[case("{", &[(Other, "{")])]
    fn postgres(#[case] text: &str, #[case] expected: &[(TokenKind, &str)]) {
        assert_eq!(significant(text, Postgres), expected);
    }

    #[rstest]
    #[case("`a``b` [c\"d] [e", &[(QuotedIdentifier, "`a``b`"), (QuotedIdentifier, "[c\"d]"), (QuotedIdentifier, "[e")])]
    #[case("[a]]", &[(QuotedIdentifier, "[a]"), (Punctuation, "]")])]
    #[case("e'x'", &[(Word, "e"), (String, "'x'")])]
    #[case("'a'\n'b'", &[(String, "'a'"), (String, "'b'")])]
    #[case("? ?1 :x @y #z $w", &[(Parameter, "?"), (Parameter, "?1"), (Parameter, ":x"), (Parameter, "@y"),
        (Parameter, "#z"), (Parameter, "$w")])]
    #[case("$a::b(c d", &[(Parameter, "$a::b(c"), (Word, "d")])]
    #[case("$a(b;c) d", &[(Parameter, "$a(b;c)"), (Word, "d")])]
    #[case("$$ ::", &[(Parameter, "$$"), (Other, ":"), (Other, ":")])]
    #[case("/* a /* b */ c", &[(BlockComment, "/* a /* b */"), (Word, "c")])]
    #[case("-- a\rb", &[(LineComment, "-- a\rb")])]
    #[case("-- a\r\nb", &[(LineComment, "-- a\r"), (Word, "b")])]
    #[case("12ab 0xg", &[(Number, "12ab"), (Number, "0xg")])]
    #[case("a==b<<c", &[(Word, "a"), (Operator, "=="), (Word, "b"), (Operator, "<<"), (Word, "c")])]
    #[case("||-~", &[(Operator, "||"), (Operator, "-"), (Operator, "~")])]
    #[case("1..2", &[(Number, "1"), (Punctuation, "."), (Number, ".2")])]
    #[case("a \u{feff} b", &[(Word, "a"), (Word, "b")])]
    fn sqlite(#[case] text: &str, #[case] expected: &[(TokenKind, &str)]) {
        assert_eq!(significant(text, Sqlite), expected);
    }

    /// Each of these would take hours if reading one token looked at the rest of the text.
    #[rstest]
    fn large_inputs(
        #[values("+", "'", "$a", "$$", "(", "/*", "*/", "E'\\", "'a'\n", "--\n", "\n", "$a(", "1.", "é")]
        unit: &str,
    ) {
        let text = unit.repeat((1 << 20) / unit.len());
        for dialect in Backend::ALL {
            let length: usize = Lexer::new(&text, dialect).map(|token| token.text.len()).sum();
            assert_eq!(length, text.len());
        }
    }

    #[test]
    fn a_token_is_small() {
        assert!(size_of::<Token<'_>>() <= 4 * size_of::<usize>());
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(text in testing::text()) {
            for dialect in Backend::ALL {
                let mut end = 0;
                for token in lex(&text, dialect) {
                    prop_assert_eq!(token.offset, end);
                    prop_assert!(!token.text.is_empty());
                    end = token.end();
                    prop_assert_eq!(&text[token.offset..end], token.text);
                }
                prop_assert_eq!(end, text.len());
            }
        }

        #[test]
        fn separated_tokens_are_found_again(tokens in testing::tokens(), blank in testing::blank()) {
            for dialect in Backend::ALL {
                let text = tokens.join(blank);
                let found: Vec<_> = lex(&text, dialect)
                    .into_iter()
                    .filter(Token::is_significant)
                    .map(|token| token.text)
                    .collect();
                let expected: Vec<_> = tokens.iter().flat_map(|token| significant(token, dialect)).map(|(_, text)| text).collect();
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
