//! Decimal numbers of any size, compared by value.

/// A decimal number's sign, digits without zeros at either end, and the power of ten that the last
/// digit stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads `-12.50e3`; nothing for what is no number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(place) => (&text[..place], text[place + 1..].parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let kept = digits.trim_end_matches('0');
        exponent = exponent.checked_add(i64::try_from(digits.len() - kept.len()).ok()?)?;
        let kept = kept.trim_start_matches('0');
        if kept.is_empty() {
            return Some(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        Some(Self { negative, digits: kept.to_owned(), exponent })
    }

    /// One spelling for all that have the same value.
    pub(super) fn normal(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        match (self.digits.as_str(), self.exponent) {
            ("", _) => "0".to_owned(),
            (digits, 0) => format!("{sign}{digits}"),
            (digits, exponent @ 1..=40) => {
                format!("{sign}{digits}{}", "0".repeat(usize::try_from(exponent).unwrap_or_default()))
            }
            (digits, exponent) => format!("{sign}{digits}e{exponent}"),
        }
    }
}

/// Whether two texts are the same number.
pub(super) fn equal(one: &str, other: &str) -> bool {
    match (Decimal::parse(one), Decimal::parse(other)) {
        (Some(one), Some(other)) => one == other,
        // `NaN` and `Infinity` are no digits.
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// The shortest text that reads back as the same floating point number.
pub(super) fn shortest(number: f64) -> String {
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1.10", "1.1", true)]
    #[case("1e3", "1000", true)]
    #[case("-0.0", "0", true)]
    #[case("12345678901234567890.1", "12345678901234567890", false)]
    #[case("1.0e+20", "100000000000000000000", true)]
    #[case("NaN", "nan", true)]
    #[case("-1", "1", false)]
    fn numbers_are_equal_by_value(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        assert_eq!(equal(one, other), same);
    }
}
