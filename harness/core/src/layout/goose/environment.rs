//! Variables of the environment that goose fills in where a file says `-- +goose ENVSUB ON` (README.md,
//! "Environment Variable Substitution"; the forms are those of `mfridman/interpolate`).
//!
//! What is in production's environment is not known here, so a variable stands for its default; one
//! that has none is refused by its name.

/// A line with the defaults of its variables filled in, or why that cannot be done.
pub(super) fn filled_in(line: &str) -> Result<String, String> {
    let mut filled = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['$', '\\']) {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let plain = PLAIN.iter().find_map(|(written, meant)| Some((rest.strip_prefix(written)?, meant)));
        if let Some((after, meant)) = plain.filter(|_| rest != "$") {
            filled.push_str(meant);
            rest = after;
            continue;
        }
        let after = &rest[1..];
        if after.is_empty() {
            break;
        }
        let Some(inner) = after.strip_prefix('{') else {
            return Err(without_default(&after[..name_length(after)]));
        };
        let name = &inner[..name_length(inner)];
        let default = inner[name.len()..].strip_prefix(":-").or(inner[name.len()..].strip_prefix('-'));
        let (Some(default), false) = (default, name.is_empty()) else {
            return Err(without_default(name));
        };
        let end = closing_brace(default).ok_or("a \"${\" is not closed")?;
        filled.push_str(&filled_in(&default[..end])?);
        rest = &default[end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

/// What is no variable, and what it stands for; the longer ones first.
const PLAIN: [(&str, &str); 5] = [("\\\\", "\\\\"), ("\\$", "$"), ("\\", "\\"), ("$$", "$"), ("$(", "$(")];

fn without_default(name: &str) -> String {
    if name.is_empty() {
        return "no name follows a \"$\" here, where variables are filled in; write \"$$\" for one"
            .to_owned();
    }
    format!(
        "the variable \"{name}\" of the environment is not known here; give it a default, as in \"${{{name}:-…}}\""
    )
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
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '{' if before == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        before = letter;
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
    #[case::backslashes("a\\b\\\\$(x) ${A-{}}", Ok("a\\b\\\\$(x) {}"))]
    #[case::bare("a $REGION b", Err("REGION"))]
    #[case::in_braces("a ${REGION}post", Err("REGION"))]
    #[case::required("${REGION?say it}", Err("REGION"))]
    #[case::inner("${A:-$B}", Err("B"))]
    fn a_variable_stands_for_its_default(#[case] line: &str, #[case] expected: Result<&str, &str>) {
        let expected = expected.map(str::to_owned).map_err(without_default);
        assert_eq!(filled_in(line), expected);
    }

    #[rstest]
    #[case::parameter(
        "f($1)",
        "no name follows a \"$\" here, where variables are filled in; write \"$$\" for one"
    )]
    #[case::open("${A:-b", "a \"${\" is not closed")]
    fn what_goose_cannot_read_says_why(#[case] line: &str, #[case] message: &str) {
        assert_eq!(filled_in(line), Err(message.to_owned()));
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
