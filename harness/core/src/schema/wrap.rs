//! A long query on several lines, as a reader would set it.
//!
//! SQL that was read back from a database is one long line. It is broken only where there is a
//! single space, so joining the lines with one space each gives the text again.

/// Words before which a query is broken.
const CLAUSES: &[&str] = &[
    "select",
    "from",
    "where",
    "group",
    "order",
    "having",
    "window",
    "limit",
    "offset",
    "union",
    "intersect",
    "except",
    "returning",
    "left",
    "right",
    "full",
    "inner",
    "cross",
    "natural",
    "join",
];

/// The text on lines; nothing if it reads no better so.
pub(super) fn wrapped(text: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = text.split(' ').collect();
    if words.iter().any(|word| word.is_empty()) {
        return None;
    }
    let lines = query(&words);
    (lines.len() > 1).then_some(lines)
}

/// The word as a keyword: in small letters, without the semicolon.
fn keyword(word: &str) -> String {
    word.trim_end_matches(';').to_lowercase()
}

/// One line for each clause, set in as queries within queries are.
fn query(words: &[&str]) -> Vec<String> {
    let mut lines = Lines::default();
    let mut place = Place::default();
    let mut previous = String::new();
    for (at, word) in words.iter().enumerate() {
        let key = keyword(word);
        let goes_on = match key.as_str() {
            "from" => previous == "distinct",
            "join" => CLAUSES.contains(&previous.as_str()) || previous == "outer",
            "left" | "right" | "full" | "inner" | "cross" => previous == "natural",
            "order" | "group" => words.get(at + 1).is_none_or(|next| keyword(next) != "by"),
            "select" => matches!(previous.as_str(), "" | "as"),
            _ => false,
        };
        if place.is_outside() && place.in_query() && CLAUSES.contains(&key.as_str()) && !goes_on {
            lines.end();
            lines.indent = place.open.len();
        }
        lines.push(word);
        place.pass(word);
        previous = key;
    }
    lines.finish()
}

#[derive(Default)]
struct Lines {
    done: Vec<String>,
    line: String,
    indent: usize,
}

impl Lines {
    fn push(&mut self, word: &str) {
        if self.line.is_empty() {
            self.line = "  ".repeat(self.indent);
        } else {
            self.line.push(' ');
        }
        self.line.push_str(word);
    }

    fn end(&mut self) {
        if !self.line.is_empty() {
            self.done.push(std::mem::take(&mut self.line));
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.end();
        self.done
    }
}

/// Where in the text a word stands: between quotes, or in which parentheses.
#[derive(Default)]
struct Place {
    quote: Option<char>,
    /// For each open parenthesis, whether a query stands in it.
    open: Vec<bool>,
}

impl Place {
    fn is_outside(&self) -> bool {
        self.quote.is_none()
    }

    fn in_query(&self) -> bool {
        self.open.last().is_none_or(|query| *query)
    }

    /// Goes past a word.
    fn pass(&mut self, word: &str) {
        for (at, c) in word.char_indices() {
            match (self.quote, c) {
                (Some(begun), _) if begun == c => self.quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"' | '`') => self.quote = Some(c),
                (None, '(') => {
                    let inside = keyword(&word[at + 1..]);
                    self.open.push(matches!(inside.as_str(), "select" | "with"));
                }
                (None, ')') => {
                    self.open.pop();
                }
                (None, _) => {}
            }
        }
    }
}
