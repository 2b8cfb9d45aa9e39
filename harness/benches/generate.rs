//! Histories made for measuring.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// How the schema of a generated history behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Every revision adds a table.
    Growing,
    /// Thirty tables from the first revision on; the others move an index about.
    Constant,
    /// What projects do: tables, columns, indexes and rows, in turn.
    Mixed,
}

/// Writes a project with `count` reversible revisions, one folder for both backends.
pub(crate) fn project(folder: &Path, shape: Shape, count: usize) {
    let migrations = folder.join("migrations");
    fs::create_dir_all(&migrations).expect("the folder can be made");
    let config = "[history]\ntool = \"sqlx\"\npath = \"migrations\"\n";
    fs::write(folder.join("switchback.toml"), config).expect("the config can be written");
    for number in 1..=count {
        let (up, down) = revision(shape, number);
        let name = format!("{number:06}_revision");
        fs::write(migrations.join(format!("{name}.up.sql")), up).expect("a file can be written");
        fs::write(migrations.join(format!("{name}.down.sql")), down).expect("a file can be written");
    }
}

fn revision(shape: Shape, number: usize) -> (String, String) {
    match shape {
        Shape::Growing => (table(number), format!("DROP TABLE t{number:06};\n")),
        Shape::Constant if number == 1 => {
            let (mut up, mut down) = (String::new(), String::new());
            for table_number in 0..30 {
                up.push_str(&table(table_number));
                let _ = writeln!(down, "DROP TABLE t{table_number:06};");
            }
            (up, down)
        }
        Shape::Constant => {
            let make =
                |number: usize| format!("CREATE INDEX moving ON t{:06} (amount, name);\n", number % 30);
            match number {
                2 => (make(2), "DROP INDEX moving;\n".to_owned()),
                _ => (
                    format!("DROP INDEX moving;\n{}", make(number)),
                    format!("DROP INDEX moving;\n{}", make(number - 1)),
                ),
            }
        }
        Shape::Mixed => mixed(number),
    }
}

fn table(number: usize) -> String {
    format!(
        "CREATE TABLE t{number:06} (\n    id INTEGER NOT NULL CONSTRAINT pk_t{number:06} PRIMARY KEY,\n    \
         name VARCHAR(80) NOT NULL,\n    amount INTEGER NOT NULL DEFAULT 0,\n    note TEXT,\n    \
         CONSTRAINT ck_t{number:06}_amount CHECK (amount >= 0)\n);\n\
         CREATE INDEX ix_t{number:06}_name ON t{number:06} (name);\n"
    )
}

/// Five kinds of revision in turn, each about the table that the first of the five made.
fn mixed(number: usize) -> (String, String) {
    let (turn, kind) = ((number - 1) / 5, (number - 1) % 5);
    let name = format!("t{turn:06}");
    match kind {
        0 => (table(turn), format!("DROP TABLE {name};\n")),
        1 => (
            format!("ALTER TABLE {name} ADD COLUMN status VARCHAR(20) NOT NULL DEFAULT 'new';\n"),
            format!("ALTER TABLE {name} DROP COLUMN status;\n"),
        ),
        2 => (
            format!(
                "CREATE UNIQUE INDEX uq_{name}_name ON {name} (name);\nCREATE INDEX ix_{name}_status ON {name} (status, amount);\n"
            ),
            format!("DROP INDEX ix_{name}_status;\nDROP INDEX uq_{name}_name;\n"),
        ),
        3 => (
            (1..=20).fold(String::new(), |mut rows, id| {
                let _ =
                    writeln!(rows, "INSERT INTO {name} (id, name, amount) VALUES ({id}, 'name {id}', {id});");
                rows
            }),
            format!("DELETE FROM {name} WHERE id <= 20;\n"),
        ),
        _ => (
            format!(
                "CREATE TABLE {name}_lines (\n    id INTEGER NOT NULL CONSTRAINT pk_{name}_lines PRIMARY KEY,\n    parent_id INTEGER NOT NULL CONSTRAINT fk_{name}_lines_parent REFERENCES {name} (id)\n);\nCREATE VIEW {name}_totals AS SELECT status, count(*) AS entries FROM {name} GROUP BY status;\n"
            ),
            format!("DROP VIEW {name}_totals;\nDROP TABLE {name}_lines;\n"),
        ),
    }
}
