//! Dates, times and spans as numbers, and their texts in ISO 8601. The calendar is the Gregorian
//! one at all times, as in both databases.

/// Microseconds in a second.
pub(super) const SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub(super) const DAY: i64 = 86_400 * SECOND;

/// Days since 1970-01-01 (algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub(super) const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// `2024-02-29`.
pub(super) fn date_text(date: i64) -> String {
    let (year, month, day) = civil(date);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `23:59:59.999999`, with as many digits after the second as are needed.
pub(super) fn time_text(micros: i64) -> String {
    let seconds = micros.div_euclid(SECOND);
    let fraction = micros.rem_euclid(SECOND);
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text
}

/// A date and a time of day with `between` them.
pub(super) fn timestamp_text(micros: i64, between: char) -> String {
    format!("{}{between}{}", date_text(micros.div_euclid(DAY)), time_text(micros.rem_euclid(DAY)))
}

/// `+05:30`.
pub(super) fn offset_text(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Days since 1970-01-01.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut number = |digits: usize| {
        let part = parts.next().filter(|part| part.len() >= digits && all_digits(part))?;
        part.parse::<i64>().ok()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let date = days(year, month, day);
    (civil(date) == (year, month, day)).then_some(date)
}

/// Microseconds since midnight.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts =
        whole.split(':').map(|part| Some(part).filter(|part| part.len() == 2 && all_digits(part)));
    let mut number = || parts.next().map(|part| part.and_then(|part| part.parse::<i64>().ok()));
    let (hour, minute, second) = (number()??, number()??, number().unwrap_or(Some(0))?);
    if number().is_some() || hour > 24 || minute > 59 || second > 60 || !all_digits(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    Some((hour * 3600 + minute * 60 + second) * SECOND + fraction.parse::<i64>().ok()?)
}

/// A text without its offset at the end, and that offset in seconds.
pub(super) fn split_offset(text: &str) -> (&str, Option<i32>) {
    if let Some(rest) = text.strip_suffix(['Z', 'z']).or_else(|| text.strip_suffix(" UTC")) {
        return (rest, Some(0));
    }
    let after_date = text.find([':']).unwrap_or(0);
    let Some(place) = text.rfind(['+', '-']).filter(|place| *place > after_date) else {
        return (text, None);
    };
    let negative = text.as_bytes()[place] == b'-';
    let digits: String = text[place + 1..].chars().filter(|c| *c != ':').collect();
    if !all_digits(&digits) || !matches!(digits.len(), 2 | 4 | 6) {
        return (text, None);
    }
    let part = |at: usize| digits.get(at..at + 2).and_then(|part| part.parse::<i32>().ok()).unwrap_or(0);
    let seconds = part(0) * 3600 + part(2) * 60 + part(4);
    (text[..place].trim_end(), Some(if negative { -seconds } else { seconds }))
}

/// A date and a time: microseconds since 1970, as they stand there, and the offset, if any.
pub(super) fn parse_timestamp(text: &str) -> Option<(i64, Option<i32>)> {
    let text = text.trim();
    let Some(place) = text.find(['T', 't', ' ']) else {
        return parse_date(text).map(|date| (date * DAY, None));
    };
    let (date, time) = (&text[..place], &text[place + 1..]);
    let (time, offset) = split_offset(time);
    Some((parse_date(date)? * DAY + parse_time(time)?, offset))
}

/// Months, days and microseconds as PostgreSQL writes a span: `1 year 2 mons -3 days 04:05:06.7`.
pub(super) fn parse_interval(text: &str) -> Option<(i64, i64, i64)> {
    let (mut months, mut days, mut micros) = (0, 0, 0);
    let mut words = text.split_whitespace();
    let mut empty = true;
    while let Some(word) = words.next() {
        empty = false;
        if word.contains(':') {
            let (negative, clock) = match word.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, word.strip_prefix('+').unwrap_or(word)),
            };
            let (hours, rest) = clock.split_once(':')?;
            let span =
                hours.parse::<i64>().ok()?.checked_mul(3600 * SECOND)? + parse_time(&format!("00:{rest}"))?;
            micros += if negative { -span } else { span };
            continue;
        }
        let number: i64 = word.parse().ok()?;
        match words.next()?.trim_end_matches('s') {
            "year" => months += number * 12,
            "mon" => months += number,
            "day" => days += number,
            _ => return None,
        }
    }
    (!empty).then_some((months, days, micros))
}

/// The same, as PostgreSQL reads it.
pub(super) fn interval_text(months: i64, days: i64, micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    format!("{months} mons {days} days {sign}{}", time_text(micros.abs()))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1970-01-01 00:00:00", 0, None)]
    #[case("1969-12-31T23:59:59.999999", -1, None)]
    #[case("2024-01-01 05:30:00+05:30", 1_704_087_000 * SECOND, Some(19_800))]
    #[case("2024-01-01T00:00:00.000Z", 1_704_067_200 * SECOND, Some(0))]
    #[case("2024-01-01 00:00:00-03", 1_704_067_200 * SECOND, Some(-10_800))]
    fn moments_are_read(#[case] text: &str, #[case] micros: i64, #[case] offset: Option<i32>) {
        assert_eq!(parse_timestamp(text), Some((micros, offset)));
    }

    #[rstest]
    #[case("2023-02-29")]
    #[case("0044-03-15 BC")]
    #[case("infinity")]
    #[case("2024-1-1")]
    fn what_is_no_date_is_refused(#[case] text: &str) {
        assert_eq!(parse_timestamp(text), None);
    }

    #[rstest]
    #[case("1 year 2 mons -3 days -04:05:06.7", (14, -3, -14_706_700_000))]
    #[case("00:00:00", (0, 0, 0))]
    fn spans_are_read(#[case] text: &str, #[case] expected: (i64, i64, i64)) {
        assert_eq!(parse_interval(text), Some(expected));
    }

    proptest! {
        #[test]
        fn a_moment_reads_back(micros in days(1, 1, 1) * DAY..days(9999, 12, 31) * DAY) {
            prop_assert_eq!(parse_timestamp(&timestamp_text(micros, ' ')), Some((micros, None)));
        }
    }
}
