//! Variables of the environment that goose fills in where a file says `-- +goose ENVSUB ON` (README.md,
//! "Environment Variable Substitution"; the forms are those of `mfridman/interpolate`).
//!
//! What is in production's environment is not known here, so a variable stands for its default; one
//! that has none is refused by its name.

/// A line with the defaults of its variables filled in, or the variable that has none.
pub(super) fn filled_in(line: &str) -> Result<String, String> {
    let mut filled = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('$') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        if let Some(before) = before.strip_suffix('\\') {
            filled.push_str(before);
            filled.push('$');
            rest = after;
            continue;
        }
        filled.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            rest = after;
        } else if let Some(inner) = after.strip_prefix('{') {
            let end = closing_brace(inner).ok_or_else(|| inner.to_owned())?;
            let name = &inner[..name_length(inner)];
            let default =
                inner[name.len()..end].strip_prefix(":-").or(inner[name.len()..end].strip_prefix('-'));
            let default = default.filter(|_| !name.is_empty()).ok_or_else(|| inner[..end].to_owned())?;
            filled.push_str(&filled_in(default)?);
            rest = &inner[end + 1..];
        } else if name_length(after) > 0 {
            return Err(after[..name_length(after)].to_owned());
        } else {
            filled.push('$');
            rest = after;
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// How long the name is that a text begins with.
fn name_length(text: &str) -> usize {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return 0;
    }
    text.len() - text.trim_start_matches(is_of_name).len()
}

/// Where the brace is closed that was opened before the text.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing("SELECT 1;", Ok("SELECT 1;"))]
    #[case::default("${A:-default}title4 text,", Ok("defaulttitle4 text,"))]
    #[case::default_if_unset("${A-b} ${C:-}", Ok("b "))]
    #[case::default_of_a_default("${A:-x${B:-y}}z", Ok("xyz"))]
    #[case::escaped("\\$A $$B $", Ok("$A $B $"))]
    #[case::parameter("f($1) $(x)", Ok("f($1) $(x)"))]
    #[case::bare("a $REGION b", Err("REGION"))]
    #[case::in_braces("a ${REGION}post", Err("REGION"))]
    #[case::required("${REGION?say it}", Err("REGION?say it"))]
    #[case::inner("${A:-$B}", Err("B"))]
    #[case::open("${A:-b", Err("A:-b"))]
    fn a_variable_stands_for_its_default(#[case] line: &str, #[case] expected: Result<&str, &str>) {
        assert_eq!(filled_in(line).as_deref().map_err(|name| name.as_str()), expected);
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[\\\\${}:a1é -]{0,20}") {
            let _ = filled_in(&line);
        }

        #[test]
        fn what_has_no_variable_stays(line in "[^$]*") {
            prop_assert_eq!(filled_in(&line), Ok(line));
        }
    }
}
