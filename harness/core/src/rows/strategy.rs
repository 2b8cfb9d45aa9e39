//! proptest strategies for the values of each type, and the values at its edges.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest as _, Sha256};

use super::datum::{Datum, OffsetMoment};
use super::moment::{DAY, SECOND, date_text, days, timestamp_text};
use super::number::shortest;
use super::wanted::Wanted;
use crate::family::Family;

/// The largest text that is made up; it compresses well, so that an index takes it, too.
const LONG: usize = 4000;

/// The same value for the same seed and parts, in whichever order values are asked for.
pub(super) fn pick<T: std::fmt::Debug>(
    strategy: &impl Strategy<Value = T>,
    seed: u64,
    parts: &[&str],
) -> Option<T> {
    let mut hash = Sha256::new_with_prefix(seed.to_be_bytes());
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &hash.finalize());
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    strategy.new_tree(&mut runner).ok().map(|tree| tree.current())
}

/// Any value that is wanted, often one of the edges.
pub(super) fn any_value(wanted: &Wanted) -> BoxedStrategy<Datum> {
    let edges = edges(wanted);
    if edges.is_empty() {
        return inner(wanted);
    }
    prop_oneof![1 => select(edges), 1 => inner(wanted)].boxed()
}

fn inner(wanted: &Wanted) -> BoxedStrategy<Datum> {
    let limit = i128::from(i64::MAX) >> (64 - wanted.bits.clamp(2, 64));
    let moments = days(1, 1, 2)..days(9999, 12, 30);
    let unit = 10_i64.pow(6 - wanted.fraction.min(6));
    let instant = (moments.clone(), 0..DAY).prop_map(move |(day, time)| day * DAY + time / unit * unit);
    match wanted.family {
        Family::Boolean => any::<bool>().prop_map(Datum::Boolean).boxed(),
        Family::Integer => (-limit - 1..=limit).prop_map(Datum::Integer).boxed(),
        Family::Decimal => decimal(wanted),
        Family::Real if wanted.bits <= 32 => {
            (-1e30_f32..1e30).prop_map(|number| Datum::Real(as_single(number))).boxed()
        }
        // SQLite reads no more than 15 digits of a literal exactly.
        Family::Real => (-1e15..1e15)
            .prop_map(|number: f64| Datum::Real(format!("{number:.14e}").parse().unwrap_or(number)))
            .boxed(),
        Family::Text | Family::Any => {
            let most = wanted.length.map_or(60, |length| length.min(60) as usize);
            let letters = prop_oneof![4 => prop::char::range(' ', '~'), 1 => any::<char>()];
            let padded = wanted.padded;
            prop::collection::vec(letters, 0..=most)
                .prop_map(move |letters| letters.into_iter().filter(|char| *char != '\0').collect::<String>())
                .prop_map(move |text| Datum::Text(if padded { text.trim_end().to_owned() } else { text }))
                .boxed()
        }
        Family::Bytes => prop::collection::vec(any::<u8>(), 0..40).prop_map(Datum::Bytes).boxed(),
        Family::Json => (any::<i64>(), "[ -~]{0,12}", any::<bool>())
            .prop_map(|(number, text, truth)| {
                let text = serde_json::Value::String(text);
                Datum::Json(format!("{{\"text\": {text}, \"list\": [{number}, {truth}, null]}}"))
            })
            .boxed(),
        Family::Uuid => any::<[u8; 16]>()
            .prop_map(|mut bytes| {
                bytes[6] = bytes[6] & 0x0f | 0x40;
                bytes[8] = bytes[8] & 0x3f | 0x80;
                Datum::Uuid(bytes)
            })
            .boxed(),
        Family::Timestamp => instant.prop_map(Datum::Timestamp).boxed(),
        Family::TimestampTz => (instant, -12 * 4..14 * 4)
            .prop_map(|(micros, quarters)| {
                Datum::TimestampTz(OffsetMoment { micros, offset: quarters * 900 })
            })
            .boxed(),
        Family::Date => moments.prop_map(Datum::Date).boxed(),
        Family::Time => (0..DAY).prop_map(move |time| Datum::Time(time / unit * unit)).boxed(),
        Family::TimeTz => (0..DAY, -12 * 4..14 * 4)
            .prop_map(move |(time, quarters)| Datum::TimeTz(time / unit * unit, quarters * 900))
            .boxed(),
        Family::Interval => (0_i64..1000, 0_i64..1000, 0..DAY)
            .prop_map(move |(months, days, time)| Datum::Interval {
                months,
                days,
                micros: time / unit * unit,
            })
            .boxed(),
        Family::Enum => match wanted.words.is_empty() {
            true => Just(Datum::Text(String::new())).boxed(),
            false => select(wanted.words.clone()).prop_map(Datum::Text).boxed(),
        },
        Family::Array => match wanted.elements.first() {
            Some(element) => prop::collection::vec(any_value(element), 0..4).prop_map(Datum::Array).boxed(),
            None => Just(Datum::Array(Vec::new())).boxed(),
        },
        Family::Range => {
            let wanted = wanted.clone();
            (0_u32..1000).prop_map(move |number| Datum::Verbatim(range(&wanted, number))).boxed()
        }
        Family::Composite => {
            let fields: Vec<_> = wanted.elements.iter().map(any_value).collect();
            fields.prop_map(|fields| Datum::Verbatim(composite(&fields))).boxed()
        }
        Family::Other => select(other(wanted)).prop_map(Datum::Verbatim).boxed(),
    }
}

/// The value that a column of single precision keeps, in the digits that it shows.
fn as_single(number: f32) -> f64 {
    shortest_single(number).parse().unwrap_or_default()
}

fn shortest_single(number: f32) -> String {
    format!("{number:?}")
}

fn decimal(wanted: &Wanted) -> BoxedStrategy<Datum> {
    let (digits, scale) = wanted.precision.unwrap_or((18, 6));
    let digits = digits.clamp(1, 38);
    let most = 10_i128.pow(digits) - 1;
    (-most..=most).prop_map(move |number| Datum::Decimal(scaled(number, scale))).boxed()
}

/// A number with its point moved to the left.
fn scaled(number: i128, scale: i32) -> String {
    let Ok(scale) = usize::try_from(scale) else {
        return format!("{number}{}", "0".repeat(usize::try_from(-scale).unwrap_or_default()));
    };
    if scale == 0 {
        return number.to_string();
    }
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// The values at the edges of what is wanted, the most telling ones first.
pub(super) fn edges(wanted: &Wanted) -> Vec<Datum> {
    let limit = i128::from(i64::MAX) >> (64 - wanted.bits.clamp(2, 64));
    let fits = |text: &String| wanted.length.is_none_or(|length| text.chars().count() <= length as usize);
    let instants = || instants(wanted.fraction);
    match wanted.family {
        Family::Boolean => vec![Datum::Boolean(true), Datum::Boolean(false)],
        Family::Integer => {
            let mut edges = vec![limit, -limit - 1, 0, -1, 1, limit - 1];
            edges.extend(Some((1 << 53) + 1).filter(|_| wanted.bits >= 64));
            edges.into_iter().map(Datum::Integer).collect()
        }
        Family::Decimal => {
            let (digits, scale) = wanted.precision.unwrap_or((38, 18));
            let most = 10_i128.pow(digits.clamp(1, 38)) - 1;
            let numbers = [most, -most, 1, 0, -1];
            numbers.into_iter().map(|number| Datum::Decimal(scaled(number, scale))).collect()
        }
        Family::Real if wanted.bits <= 32 => {
            let numbers = [0.1, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 16_777_217.0];
            numbers.into_iter().map(|number| Datum::Real(as_single(number))).collect()
        }
        Family::Real => {
            let numbers = [0.1, -0.0, 1e300, -1e300, 1e-300, 9_007_199_254_740_993.0, 0.1 + 0.2];
            numbers.into_iter().map(Datum::Real).collect()
        }
        Family::Text | Family::Any => {
            let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
            texts.insert(
                2,
                "long ".repeat(wanted.length.map_or(LONG, |length| (length as usize).min(LONG)) / 5),
            );
            if wanted.padded {
                texts = texts.into_iter().map(|text| text.trim_end().to_owned()).collect();
            }
            texts.into_iter().filter(fits).map(Datum::Text).collect()
        }
        Family::Bytes => {
            let all: Vec<u8> = (0..=255).collect();
            vec![
                Datum::Bytes(Vec::new()),
                Datum::Bytes(vec![0, 0xff, b'\'', b'\\']),
                Datum::Bytes(all.repeat(16)),
            ]
        }
        Family::Json => JSON.iter().map(|text| Datum::Json((*text).to_owned())).collect(),
        Family::Uuid => vec![Datum::Uuid([0xff; 16]), Datum::Uuid([0; 16])],
        Family::Timestamp => instants().map(Datum::Timestamp).collect(),
        Family::TimestampTz => {
            let offsets = [0, 19_800, -12_600, 50_400].into_iter().cycle();
            let moments = instants().zip(offsets).map(|(micros, offset)| OffsetMoment { micros, offset });
            moments.map(Datum::TimestampTz).collect()
        }
        Family::Date => {
            DATES.iter().map(|(year, month, day)| Datum::Date(days(*year, *month, *day))).collect()
        }
        Family::Time => vec![Datum::Time(0), Datum::Time(last_of_day(wanted.fraction))],
        Family::TimeTz => {
            vec![Datum::TimeTz(0, 19_800), Datum::TimeTz(last_of_day(wanted.fraction), -12_600)]
        }
        Family::Interval => vec![
            Datum::Interval { months: 0, days: 0, micros: 0 },
            Datum::Interval { months: 13, days: 31, micros: 3_723 * SECOND },
            Datum::Interval { months: 0, days: -1, micros: -SECOND },
        ],
        Family::Enum => wanted.words.iter().rev().cloned().map(Datum::Text).collect(),
        Family::Array => {
            let elements = wanted.elements.first().map(edges).unwrap_or_default();
            let few: Vec<Datum> = elements.iter().take(3).cloned().collect();
            let holes = few.iter().take(1).cloned().chain([Datum::Null]).collect();
            vec![Datum::Array(few), Datum::Array(Vec::new()), Datum::Array(holes)]
        }
        Family::Range | Family::Composite => Vec::new(),
        Family::Other => other(wanted).into_iter().map(Datum::Verbatim).collect(),
    }
}

/// Quotes, every plane of Unicode, what folds or composes, and what looks like something else.
const TEXTS: &[&str] = &[
    "it's \"quoted\" \\ `so` $$too$$ %_",
    "",
    "é ß 日本語 𐍈 🦀 \u{2fa1f} \u{31350} \u{e0041} \u{f0000} \u{10fffd}",
    " blanks around\t\r\n ",
    "NULL",
    "İi ıI ſ e\u{301} \u{200b}\u{202e}",
    "0",
    "-",
];

const JSON: &[&str] = &[
    r#"{"a": [1, {"b": [null, true, []]}, {}], "it's": "\"é🦀\\"}"#,
    r#"{"large": 12345678901234567890123, "exact": 0.1, "small": 1e-7, "negative": -0.5}"#,
    "{}",
    r#"{"": {"": {"": {"": [[[[[]]]]]}}}}"#,
];

/// Before 1970, leap days, the days on which clocks are set, and the ends of 32 bits and of years
/// with four digits.
const DATES: &[(i64, i64, i64)] = &[
    (1969, 12, 31),
    (2024, 2, 29),
    (2024, 3, 31),
    (2024, 11, 3),
    (2038, 1, 19),
    (1900, 1, 1),
    (9999, 12, 30),
    (1, 1, 2),
];

/// A moment on each of these days: in the hours that there are twice or not at all.
fn instants(fraction: u32) -> impl Iterator<Item = i64> {
    let unit = 10_i64.pow(6 - fraction.min(6));
    let times = [last_of_day(6), 0, 9_000 * SECOND, 5_400 * SECOND + 1, 11_648 * SECOND].into_iter().cycle();
    let dates = DATES.iter().map(|(year, month, day)| days(*year, *month, *day));
    dates.zip(times).map(move |(date, time)| date * DAY + time / unit * unit)
}

fn last_of_day(fraction: u32) -> i64 {
    let unit = 10_i64.pow(6 - fraction.min(6));
    (DAY - 1) / unit * unit
}

/// A range that meets none of another number.
pub(super) fn range(wanted: &Wanted, number: u32) -> String {
    let (low, high) = (i64::from(number) * 10, i64::from(number) * 10 + 5);
    let today = days(2024, 5, 17);
    let at = |n: i64| match wanted.elements.first().map(|element| element.family) {
        Some(Family::Timestamp) => format!("\"{}\"", timestamp_text((today + n) * DAY, ' ')),
        Some(Family::TimestampTz) => format!("\"{}+00\"", timestamp_text((today + n) * DAY, ' ')),
        Some(Family::Date) => date_text(today + n),
        Some(Family::Text) => format!("a{n:08}"),
        Some(Family::Real) => shortest(n as f64).trim_end_matches(".0").to_owned(),
        _ => n.to_string(),
    };
    format!("[{},{})", at(low), at(high))
}

/// The text of a composite value, as PostgreSQL shows it.
pub(super) fn composite(fields: &[Datum]) -> String {
    let text = |field: &Datum| {
        let plain = match field {
            Datum::Null => return String::new(),
            Datum::Boolean(value) => if *value { "t" } else { "f" }.to_owned(),
            Datum::Bytes(bytes) => format!("\\x{}", super::hex(bytes)),
            // What an array holds would have to be quoted twice; an empty one says as much here.
            Datum::Array(_) => "{}".to_owned(),
            field => field.plain(),
        };
        let is_plain = |char: char| !char.is_whitespace() && !"(),\"\\".contains(char);
        if !plain.is_empty() && plain.chars().all(is_plain) {
            return plain;
        }
        format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\"\""))
    };
    format!("({})", fields.iter().map(text).collect::<Vec<_>>().join(","))
}

/// Values of types that belong to no family, by the end of their name.
const OTHERS: &[(&str, &[&str])] = &[
    ("inet", &["192.168.0.1", "2001:db8::1/64", "0.0.0.0/0"]),
    ("cidr", &["192.168.0.0/24", "2001:db8::/32"]),
    ("macaddr", &["08:00:2b:01:02:03"]),
    ("macaddr8", &["08:00:2b:01:02:03:04:05"]),
    ("point", &["(1.5,-2)", "(0,0)"]),
    ("line", &["{1,-1,0}"]),
    ("lseg", &["[(0,0),(1,1)]"]),
    ("box", &["(1,1),(0,0)"]),
    ("path", &["((0,0),(1,1),(1,0))"]),
    ("polygon", &["((0,0),(1,1),(1,0))"]),
    ("circle", &["<(0,0),1>"]),
    ("tsvector", &["'a' 'fat':2 'it''s'", ""]),
    ("tsquery", &["'fat' & 'rat'"]),
    ("xml", &["<a b=\"c\">é</a>"]),
    ("pg_lsn", &["16/B374D848"]),
    ("jsonpath", &["$.\"a\""]),
    ("hstore", &["\"a\"=>\"1\", \"b\"=>NULL", ""]),
    ("ltree", &["a.b.c", "a"]),
    ("lquery", &["a.*"]),
    ("cube", &["(1, 2)"]),
    ("regclass", &["pg_class"]),
    ("regtype", &["integer"]),
    ("regproc", &["now"]),
    ("xid", &["1"]),
    ("cid", &["1"]),
    ("tid", &["(0,1)"]),
    ("txid_snapshot", &["1:1:"]),
    ("pg_snapshot", &["1:1:"]),
    ("int4multirange", &["{[1,3),[5,7)}"]),
    ("int8multirange", &["{[1,3),[5,7)}"]),
    ("nummultirange", &["{[1,3),[5,7)}"]),
    ("datemultirange", &["{[2024-01-01,2024-02-01)}"]),
    ("tsmultirange", &["{[\"2024-01-01 00:00:00\",\"2024-02-01 00:00:00\")}"]),
    ("tstzmultirange", &["{[\"2024-01-01 00:00:00+00\",\"2024-02-01 00:00:00+00\")}"]),
    ("geometry", &["POINT(1 2)"]),
    ("geography", &["POINT(1 2)"]),
];

/// Values of a type that belongs to no family.
pub(super) fn other(wanted: &Wanted) -> Vec<String> {
    let spelled = wanted.spelled.split('(').next().unwrap_or_default().trim();
    let bare = spelled.rsplit_once('.').map_or(spelled, |(_, bare)| bare);
    if matches!(bare, "bit" | "bit varying" | "varbit") {
        let length = wanted.length.unwrap_or(if bare == "bit" { 1 } else { 8 }) as usize;
        return vec!["1".repeat(length), "0".repeat(length)];
    }
    if matches!(bare, "vector" | "halfvec") {
        let length = wanted.length.unwrap_or(3) as usize;
        return vec![format!("[{}]", vec!["1"; length].join(","))];
    }
    let known = OTHERS.iter().find(|(name, _)| *name == bare);
    let samples = known.map_or(UNKNOWN, |(_, samples)| samples);
    samples.iter().map(|sample| (*sample).to_owned()).collect()
}

/// What a type of which nothing is known may take.
pub(super) const UNKNOWN: &[&str] = &["1", "a", ""];
