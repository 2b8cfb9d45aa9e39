//! Where Liquibase takes a statement to end: `StringUtil.processMultiLineSQL` and its `SimpleSqlGrammar`,
//! which knows quotes and comments, but not PostgreSQL's dollar quotes.

use std::ops::Range;

use regex::RegexBuilder;

/// How a changeset is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splitting {
    /// `splitStatements`.
    pub(super) split: bool,
    /// `endDelimiter`.
    pub(super) delimiter: Option<String>,
}

impl Default for Splitting {
    fn default() -> Self {
        Self { split: true, delimiter: None }
    }
}

impl Splitting {
    /// The statements of a text, without what ends them.
    pub(super) fn pieces(&self, text: &str) -> Result<Vec<Range<usize>>, String> {
        if !self.split {
            return Ok(std::iter::once(0..text.len()).collect());
        }
        let end = End::new(self.delimiter.as_deref())?;
        let tokens = merged(tokens(text), text, self.delimiter.as_deref());
        let mut pieces = Vec::new();
        let mut start = 0;
        let mut blocks = 0_usize;
        for (at, token) in tokens.iter().enumerate() {
            let piece = &text[token.clone()];
            let before = at.checked_sub(1).map(|before| &text[tokens[before].clone()]);
            let after = tokens[at + 1..].iter().map(|token| text[token.clone()].trim());
            let after = after.filter(|after| !after.is_empty()).take(1).collect::<String>().to_lowercase();
            let is = |word: &str| piece.eq_ignore_ascii_case(word);
            let of_a_transaction = ["transaction", "trans", "tran"].contains(&after.as_str());
            if is("begin") && !of_a_transaction {
                blocks += 1;
            } else if is("end") && !of_a_transaction {
                blocks = blocks.saturating_sub(1);
            }
            if blocks == 0 && end.is_at(piece, before) {
                pieces.push(start..token.start);
                start = token.end;
            }
        }
        pieces.push(start..text.len());
        pieces.retain(|piece| !text[piece.clone()].trim().is_empty());
        Ok(pieces)
    }
}

/// `isDelimiter`.
enum End {
    /// A semicolon, or `GO` or `/` at the start of a line.
    Usual,
    /// One character.
    Letter(String),
    /// Several, as they are or as a regular expression for what ends with them.
    Words(String, regex::Regex),
}

impl End {
    fn new(delimiter: Option<&str>) -> Result<Self, String> {
        let Some(delimiter) = delimiter else { return Ok(Self::Usual) };
        if delimiter.chars().count() == 1 {
            return Ok(Self::Letter(delimiter.to_owned()));
        }
        let regex = format!("\\A[\\s\\n\\r]*(?:{})\\z", delimiter.to_lowercase());
        let regex = RegexBuilder::new(&regex).size_limit(1 << 20).build();
        // What is no regular expression is the delimiter as it stands.
        let regex = regex.or_else(|_| regex::Regex::new("\\z.\\A")).map_err(|error| error.to_string())?;
        Ok(Self::Words(delimiter.to_owned(), regex))
    }

    fn is_at(&self, piece: &str, before: Option<&str>) -> bool {
        let at_start_of_line = before.is_none_or(|before| before.ends_with('\n'));
        match self {
            Self::Usual => {
                piece == ";" || ((piece == "/" || piece.eq_ignore_ascii_case("go")) && at_start_of_line)
            }
            Self::Letter(letter) => piece.eq_ignore_ascii_case(letter) && (letter != "/" || at_start_of_line),
            Self::Words(words, regex) => {
                let last = format!("{}{piece}", before.unwrap_or_default()).to_lowercase();
                piece.eq_ignore_ascii_case(words) || regex.is_match(&last)
            }
        }
    }
}

/// The tokens of a text, which cover all of it.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let until = |is_part: fn(char) -> bool| rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let closed = |mark: &str, from: usize| rest[from..].find(mark).map(|at| from + at + mark.len());
        let length = match first {
            _ if is_blank(first) => until(is_blank),
            '-' if rest.starts_with("--") => rest.find(['\r', '\n']).unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => closed("*/", 2).unwrap_or(1),
            // Two quotes within are two literals side by side, which comes to the same.
            '\'' => closed("'", 1).unwrap_or(1),
            '"' => closed("\"", 1).unwrap_or(1),
            '`' => closed("`", 1).unwrap_or(1),
            _ if is_of_a_word(first) => until(is_of_a_word),
            _ => first.len_utf8(),
        };
        tokens.push(start..start + length);
        start += length;
    }
    tokens
}

fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || letter == '\u{feff}'
}

fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || "$_@#".contains(letter)
}

/// `mergeTokens`: a delimiter of several tokens is one.
fn merged(tokens: Vec<Range<usize>>, text: &str, delimiter: Option<&str>) -> Vec<Range<usize>> {
    let Some(delimiter) = delimiter else { return tokens };
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(tokens.len());
    let mut covered = 0;
    for token in tokens {
        if token.start < covered {
            continue;
        }
        let end = token.start + delimiter.len();
        let is_delimiter = text.get(token.start..end) == Some(delimiter) && token.end <= end;
        covered = if is_delimiter { end } else { token.end };
        merged.push(token.start..covered);
    }
    merged
}
