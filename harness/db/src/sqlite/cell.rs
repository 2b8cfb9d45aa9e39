//! A value of a row, in the spelling of `quote()`.

use sqlx::Row as _;
use sqlx_sqlite::SqliteRow;

/// The value at a place of a row that holds what [`Backend::cell`](switchback_core::Backend::cell) asks
/// for; none for NULL.
pub(super) fn at(row: &SqliteRow, place: usize) -> Result<Option<String>, sqlx::Error> {
    let cell: String = row.try_get(place)?;
    Ok(match cell.as_str() {
        "NULL" => None,
        text => Some(real(text).unwrap_or(cell)),
    })
}

/// A real number with as few digits as tell it from all others: how many `quote()` writes, and what it
/// makes of the infinite, differs from version to version.
fn real(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number: f64 = match digits {
        "Inf" => text.parse().ok()?,
        _ if digits.starts_with(|first: char| first.is_ascii_digit()) && digits.contains('.') => {
            text.parse().ok()?
        }
        _ => return None,
    };
    if number.is_infinite() {
        return Some(if number > 0.0 { "9.0e+999" } else { "-9.0e+999" }.to_owned());
    }
    let with_point = |text: String| if text.contains('.') { text } else { text + ".0" };
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    Some(match exponent {
        -4..15 => with_point(number.to_string()),
        _ => format!("{}e{exponent:+03}", with_point(mantissa.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0.1", "0.1")]
    #[case("-1.0", "-1.0")]
    #[case("3.33333333333333314829e-01", "0.3333333333333333")]
    #[case("0.33333333333333332", "0.3333333333333333")]
    #[case("1.0e+28", "1.0e+28")]
    #[case("1.0e-07", "1.0e-07")]
    #[case("-9.066232936455075126e+27", "-9.066232936455075e+27")]
    #[case("-9.06623293645507512608e+27", "-9.066232936455075e+27")]
    #[case("Inf", "9.0e+999")]
    #[case("-9.0e+999", "-9.0e+999")]
    fn a_real_number_has_one_spelling(#[case] text: &str, #[case] spelled: &str) {
        assert_eq!(real(text).as_deref(), Some(spelled));
    }

    #[rstest]
    #[case("12")]
    #[case("'1.5'")]
    #[case("X'2E'")]
    fn what_is_none_is_left_as_it_is(#[case] text: &str) {
        assert_eq!(real(text), None);
    }
}
