//! Statements that the recorder writes itself, in the SQL that both backends share.

use serde_json::Value;
use switchback_core::Backend;
use switchback_core::schema::Name;
pub(crate) use switchback_core::sql::{quoted_identifier as identifier, quoted_string as string};

/// A literal for a value from a file of rows: an object or array is written as its JSON text.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(true) => "TRUE".to_owned(),
        Value::Bool(false) => "FALSE".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text),
        Value::Array(_) | Value::Object(_) => string(&value.to_string()),
    }
}

/// An INSERT of a row that is there already, which instead gives `column` another value.
pub(crate) fn upsert(
    name: &Name,
    columns: &[&str],
    backend: Backend,
    key: &[String],
    column: &str,
    value: &str,
) -> String {
    let (target, overriding) = (name.in_sql(), backend.overriding());
    let columns: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
    let columns = columns.join(", ");
    let key: Vec<String> = key.iter().map(|column| identifier(column)).collect();
    format!(
        "INSERT INTO {target} ({columns}) {overriding}SELECT {columns} FROM {target} WHERE true LIMIT 1 \
         ON CONFLICT ({}) DO UPDATE SET {} = {value}",
        key.join(", "),
        identifier(column)
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::literal;

    #[rstest]
    #[case(json!(null), "NULL")]
    #[case(json!(true), "TRUE")]
    #[case(json!(-7), "-7")]
    #[case(json!("it's"), "'it''s'")]
    #[case(json!({"a": "it's"}), r#"'{"a":"it''s"}'"#)]
    fn literals_are_quoted(#[case] value: serde_json::Value, #[case] sql: &str) {
        assert_eq!(literal(&value), sql);
    }
}
