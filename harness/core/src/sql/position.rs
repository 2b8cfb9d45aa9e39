//! Lines and columns of a text.

/// The 1-based line on which the byte at `offset` stands. LF, CRLF and a lone CR each end a line.
pub fn line_of(text: &str, offset: usize) -> u32 {
    let before = &text.as_bytes()[..offset.min(text.len())];
    // A line is over once its end is complete, so the LF of a CRLF is still on the old line.
    let open = before.last() == Some(&b'\r') && text.as_bytes().get(before.len()) == Some(&b'\n');
    1 + line_ends(before) - u32::from(open)
}

/// The 1-based column of the byte at `offset`, in characters.
pub fn column_of(text: &str, offset: usize) -> u32 {
    let bytes = text.as_bytes();
    let offset = offset.min(bytes.len());
    let is_crlf = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    let start = (0..offset)
        .rev()
        .find(|&at| match bytes[at] {
            b'\n' => true,
            b'\r' => !(is_crlf(at) && at + 1 == offset),
            _ => false,
        })
        .map_or(0, |at| at + 1);
    // Continuation bytes belong to the character before them; a byte-order mark is not seen.
    let characters = bytes[start..offset].iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
    let unseen = usize::from(start == 0 && offset >= 3 && text.starts_with('\u{feff}'));
    u32::try_from(1 + characters - unseen).unwrap_or(u32::MAX)
}

/// How many line ends `bytes` holds, a CRLF being one.
pub(super) fn line_ends(bytes: &[u8]) -> u32 {
    let mut count = 0u32;
    let mut previous = 0u8;
    for &byte in bytes {
        let ends = byte == b'\r' || (byte == b'\n' && previous != b'\r');
        count = count.saturating_add(u32::from(ends));
        previous = byte;
    }
    count
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", 0, 1, 1)]
    #[case("abc", 2, 1, 3)]
    #[case("a\nb", 1, 1, 2)]
    #[case("a\nb", 2, 2, 1)]
    #[case("a\r\nb", 1, 1, 2)]
    #[case("a\r\nb", 2, 1, 3)]
    #[case("a\r\nb", 3, 2, 1)]
    #[case("a\rb", 2, 2, 1)]
    #[case("a\r\rb", 3, 3, 1)]
    #[case("a\n\rb", 3, 3, 1)]
    #[case("é\u{1F600}x", 6, 1, 3)]
    #[case("\u{feff}x", 3, 1, 1)]
    #[case("ab", 99, 1, 3)]
    fn places(#[case] text: &str, #[case] offset: usize, #[case] line: u32, #[case] column: u32) {
        assert_eq!((line_of(text, offset), column_of(text, offset)), (line, column));
    }
}
