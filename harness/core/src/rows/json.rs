//! JSON compared by value, with numbers of any size.

use super::number::Decimal;

/// One spelling for all documents of the same value, or nothing for what is not JSON. Of a key that
/// is there twice, the last counts, as for PostgreSQL's `jsonb`.
pub(super) fn normal(text: &str) -> Option<String> {
    // The grammar is serde's; what it would bend, the numbers and the order of keys, is read here.
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut reader = Reader { text, at: 0 };
    Some(reader.value())
}

/// Reads what is known to be JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> String {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string(),
            _ => self.word(),
        }
    }

    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn object(&mut self) -> String {
        self.at += 1;
        let mut members = std::collections::BTreeMap::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    let key = self.string();
                    self.peek();
                    self.at += 1;
                    let value = self.value();
                    members.insert(key, value);
                }
                Some(b',') => self.at += 1,
                _ => break,
            }
        }
        self.at += 1;
        let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        format!("{{{}}}", members.join(","))
    }

    fn array(&mut self) -> String {
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') | None => break,
                Some(_) => elements.push(self.value()),
            }
        }
        self.at += 1;
        format!("[{}]", elements.join(","))
    }

    fn string(&mut self) -> String {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let raw = &self.text[start..self.at.min(self.text.len())];
        let decoded = serde_json::from_str::<String>(raw);
        decoded.map_or_else(|_| raw.to_owned(), |text| serde_json::Value::String(text).to_string())
    }

    fn word(&mut self) -> String {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
        self.at += length.max(1);
        let word = &rest[..length];
        Decimal::parse(word).map_or_else(|| word.to_owned(), |number| number.normal())
    }
}

/// Whether the bytes are a document in SQLite's binary form, which no text tells of (SQLite manual,
/// "The JSONB Format").
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    let Some((header, rest)) = bytes.split_first() else { return false };
    let width = match header >> 4 {
        size @ 0..=11 => return header & 0x0f <= 12 && rest.len() == usize::from(size),
        12 => 1,
        13 => 2,
        14 => 4,
        _ => 8,
    };
    let Some((size, payload)) = rest.split_at_checked(width) else { return false };
    let size = size.iter().fold(0_u128, |size, byte| size << 8 | u128::from(*byte));
    header & 0x0f <= 12 && size == payload.len() as u128
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::normal;

    #[rstest]
    #[case(r#"{"b": 1.0, "a": [true, null]}"#, r#"{"a":[true,null],"b":1}"#)]
    #[case(r#"{"a": 1, "a": 2}"#, r#"{"a":2}"#)]
    #[case("12345678901234567890123.50", "1234567890123456789012350e-2")]
    #[case(r#""\u00e9\"""#, r#""é\"""#)]
    #[case("[]", "[]")]
    fn one_spelling_for_one_value(#[case] text: &str, #[case] expected: &str) {
        let expected = normal(expected).unwrap();
        assert_eq!(normal(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_json_has_none() {
        assert_eq!(normal("{a: 1}"), None);
    }
}
