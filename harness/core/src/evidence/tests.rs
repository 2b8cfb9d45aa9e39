use super::*;

#[test]
fn an_excerpt_says_what_it_leaves_out() {
    let mut lines = vec!["x".repeat(EXCERPT_WIDTH + 1)];
    lines.extend((2..=EXCERPT_LINES + 1).map(|line| format!("line {line}")));
    let failure = Failure {
        statement: Some(lines.join("\n")),
        ordinal: Some((7, 9)),
        detail: Some("Key (id)=(1)\nis there".to_owned()),
        ..Failure::new("duplicate key")
    };
    let excerpt = failure.excerpt().expect("there is a statement");
    let shown: Vec<&str> = excerpt.lines().collect();
    assert_eq!(shown[0], "-- statement 7 of 9");
    assert_eq!(shown[1], format!("{}…", "x".repeat(EXCERPT_WIDTH)));
    assert_eq!(shown[2], "line 2");
    let end = ["-- and 1 more line", "-- Key (id)=(1)", "-- is there"];
    assert_eq!(shown[EXCERPT_LINES + 1..], end);
}

#[test]
fn rows_are_the_same_in_whichever_order_their_columns_stand() {
    let rows = |columns: [&str; 2], rows: &[[&str; 2]]| TableRows {
        columns: columns.map(str::to_owned).to_vec(),
        key: Vec::new(),
        rows: rows.iter().map(|row| row.map(|cell| Some(cell.to_owned())).to_vec()).collect(),
        digest: None,
    };
    let one = rows(["a", "b"], &[["1", "y"], ["2", "x"]]);
    assert!(one.is_same_as(&rows(["b", "a"], &[["x", "2"], ["y", "1"]])));
    assert!(!one.is_same_as(&rows(["b", "a"], &[["x", "1"], ["y", "2"]])));
    assert!(!one.is_same_as(&rows(["a", "c"], &[["1", "y"], ["2", "x"]])));
}

#[test]
fn a_failure_without_a_statement_has_no_excerpt() {
    assert_eq!(Failure::new("connection lost").excerpt(), None);
}
