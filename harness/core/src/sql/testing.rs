//! Inputs for the property tests of this module.

use proptest::prelude::*;

/// Whole tokens, pairwise separable by a blank, of both dialects.
const WHOLE: &[&str] = &[
    "SELECT",
    "create",
    "Trigger",
    "FUNCTION",
    "RULE",
    "BEGIN",
    "ATOMIC",
    "CASE",
    "END",
    "AS",
    "users",
    "Größe",
    "e",
    "x",
    "n",
    "\"users\"",
    "\"Users\"",
    "\"order\"",
    "\"a\"\"b\"",
    "'it''s'",
    "'a'",
    "X'ff'",
    "1",
    "1.5e-3",
    ".5",
    "0x1f",
    "+",
    "-",
    "*",
    "<>",
    "!=",
    "||",
    "->>",
    "(",
    ")",
    ",",
    ";",
    ".",
    "$1",
    "?1",
];

/// Pieces that only make sense, or trouble, together.
const LOOSE: &[&str] = &[
    "'",
    "\"",
    "`",
    "[",
    "]",
    "--",
    "/*",
    "*/",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "$",
    "$$",
    "$a$",
    "E'",
    "e'\\'",
    "U&'",
    "u&\"",
    "B'",
    "N'",
    ":",
    "::",
    ":x",
    "@x",
    "#",
    "?",
    "..",
    "=",
    "==",
    "+-",
    "@-",
    "~",
    "\\",
    "\0",
    "\u{feff}",
    "\u{a0}",
    "é",
    "1",
    "1.",
    "1e",
    "0x",
    "_",
    "a",
    "'a'\n'b'",
    "E'a'\n'b'",
];

/// A list of whole tokens.
pub(super) fn tokens() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(WHOLE), 0..24)
}

/// Any text at all, most often one that looks like SQL.
pub(super) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(WHOLE).prop_map(str::to_owned),
        4 => prop::sample::select(LOOSE).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// White space or a comment that both dialects skip, and that joins no strings.
pub(super) fn blank() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&[" ", "\t", "  ", "/* ; ' */", " /**/ ", " /* \" $$ */ "][..])
}
