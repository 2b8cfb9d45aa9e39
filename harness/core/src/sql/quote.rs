//! What runs from an opening mark to a closing one: strings and quoted identifiers.

use super::dialect::{Dialect, Escape, Quotation};
use super::lex::{TokenKind, line_comment_end};

/// The quotation whose opening mark stands at `start`.
pub(super) fn quotation_at<'d>(bytes: &[u8], start: usize, dialect: &'d Dialect) -> Option<&'d Quotation> {
    dialect.quotations.iter().find(|quotation| {
        bytes
            .get(start..start + quotation.open.len())
            .is_some_and(|mark| mark.eq_ignore_ascii_case(quotation.open.as_bytes()))
    })
}

/// Where the quotation that starts at `start` ends, with its continuations.
pub(super) fn quotation_end(bytes: &[u8], start: usize, quotation: &Quotation, dialect: &Dialect) -> usize {
    let mut end = segment_end(bytes, start + quotation.open.len(), quotation);
    while let Some(content) = continuation(bytes, end, quotation, dialect) {
        end = segment_end(bytes, content, quotation);
    }
    end
}

/// Where the quotation whose content starts at `content` ends: after its closing mark, or with the text.
pub(super) fn segment_end(bytes: &[u8], content: usize, quotation: &Quotation) -> usize {
    let mut at = content;
    while at < bytes.len() {
        if bytes[at] == b'\\' && quotation.escape == Escape::DoubledOrBackslash {
            at += 2;
        } else if bytes[at] != quotation.close {
            at += 1;
        } else if quotation.escape != Escape::None && bytes.get(at + 1) == Some(&quotation.close) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    bytes.len()
}

/// Where the content of a string goes on after its closing mark at `end`, if it does: at least one
/// line end must stand between the two, and comments may (manual section 4.1.2.1).
pub(super) fn continuation(
    bytes: &[u8],
    end: usize,
    quotation: &Quotation,
    dialect: &Dialect,
) -> Option<usize> {
    if !dialect.continued_strings || quotation.kind != TokenKind::String {
        return None;
    }
    let mut at = end;
    let mut on_next_line = false;
    loop {
        match bytes.get(at..)? {
            [b'\n' | b'\r', ..] => {
                on_next_line = true;
                at += 1;
            }
            [b' ' | b'\t' | b'\x0b' | b'\x0c', ..] => at += 1,
            [b'-', b'-', ..] => at = line_comment_end(bytes, at, dialect),
            [b'\'', ..] if on_next_line => return Some(at + 1),
            _ => return None,
        }
    }
}

/// A string with its prefix in upper case and the parts of a continued one joined.
pub(super) fn joined(text: &str, dialect: &Dialect) -> String {
    let bytes = text.as_bytes();
    let Some(quotation) = quotation_at(bytes, 0, dialect) else {
        return text.to_owned();
    };
    let mut out = quotation.open.to_owned();
    let mut content = quotation.open.len();
    loop {
        let end = segment_end(bytes, content, quotation);
        let Some(next) = continuation(bytes, end, quotation, dialect) else {
            out.push_str(&text[content..end]);
            return out;
        };
        if quotation.escape == Escape::DoubledOrBackslash {
            // An escape such as \x4 ends with its part and must not swallow the next one's digits.
            out.push_str(&text[content..end]);
            out.push_str("\n'");
        } else {
            out.push_str(&text[content..end - 1]);
        }
        content = next;
    }
}
