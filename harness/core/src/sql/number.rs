//! Numeric literals.

use super::dialect::Dialect;
use super::lex::{is_word_part, skip_while};

/// Where the number that starts at `start` ends.
pub(super) fn number_end(bytes: &[u8], start: usize, dialect: &Dialect) -> usize {
    let end = radix_number_end(bytes, start, dialect).unwrap_or_else(|| decimal_end(bytes, start));
    if dialect.numbers_take_letters { skip_while(bytes, end, is_word_part) } else { end }
}

fn radix_number_end(bytes: &[u8], start: usize, dialect: &Dialect) -> Option<usize> {
    let letter = bytes.get(start + 1)?.to_ascii_lowercase();
    if bytes[start] != b'0' || !dialect.radixes.contains(&letter) {
        return None;
    }
    let is_digit = |byte: u8| match letter {
        b'x' => byte.is_ascii_hexdigit(),
        b'o' => (b'0'..=b'7').contains(&byte),
        _ => byte == b'0' || byte == b'1',
    };
    let end = digits_end(bytes, start + 2, is_digit);
    (end > start + 2).then_some(end)
}

fn decimal_end(bytes: &[u8], start: usize) -> usize {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let mut end = if bytes[start] == b'.' { start } else { digits_end(bytes, start, is_digit) };
    // `1..10` is a range of PL/pgSQL.
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') {
        end += 1;
        if bytes.get(end).is_some_and(u8::is_ascii_digit) {
            end = digits_end(bytes, end, is_digit);
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits_end(bytes, end + 1 + sign, is_digit);
        }
    }
    end
}

/// Digits, and single underscores before digits.
fn digits_end(bytes: &[u8], start: usize, is_digit: impl Fn(u8) -> bool) -> usize {
    let digit_at = |at: usize| bytes.get(at).is_some_and(|&byte| is_digit(byte));
    let mut at = start;
    loop {
        if digit_at(at) {
            at += 1;
        } else if bytes.get(at) == Some(&b'_') && digit_at(at + 1) {
            at += 2;
        } else {
            return at;
        }
    }
}
