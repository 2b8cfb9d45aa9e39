//! What the texts of one table or view say, before the database is asked for anything more.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlite3_parser::ast::{Cmd, Stmt, TriggerEvent, TriggerTime};
use sqlite3_parser::lexer::sql::Parser;
use sqlite3_parser::{Bump, FallibleIterator as _};
use switchback_core::schema::{Attribute, Group, Kind, Name, Object, ObjectId, Schema};

use super::catalog::{Entry, Unit};
use super::constraint::{self, ForeignKey};
use super::spelling::{self, KeyColumn, canonical, identifier};
use super::table;

/// What the texts of one table or view say.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) kind: Kind,
    pub(super) name: Name,
    pub(super) group: Arc<Group>,
    pub(super) missing: Missing,
    /// The names of the primary key's columns.
    pub(super) primary_key: Vec<String>,
    /// The names, in lower case, of whatever else decides what is missing: the tables and views that
    /// a view names, those whose keys are referred to. `None` if that can't be told.
    pub(super) mentions: Option<BTreeSet<String>>,
    /// The tables in which a virtual table's module keeps its data.
    pub(super) shadows: Vec<String>,
}

/// What the texts leave open.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Nothing,
    /// Foreign keys, by name, to a table whose primary key they don't spell out.
    ReferencedKeys(Vec<(String, String)>),
    /// The columns of a view or virtual table.
    Columns,
    /// The text is none that the parser accepts.
    Everything,
}

/// Adds objects to one group.
pub(super) struct Builder {
    kind: Kind,
    name: Name,
    schema: Schema,
}

impl Builder {
    pub(super) fn new(kind: Kind, name: Name) -> Self {
        Self { kind, name, schema: Schema::new() }
    }

    /// Starts from a group that exists, which is left as it is.
    pub(super) fn from(parsed: &Parsed) -> Self {
        let mut builder = Self::new(parsed.kind, parsed.name.clone());
        builder.schema.insert_group(parsed.kind, parsed.name.clone(), Arc::clone(&parsed.group));
        builder
    }

    pub(super) fn whole(&mut self, object: Object) {
        self.schema.insert(ObjectId::whole(self.kind, self.name.clone()), object);
    }

    pub(super) fn part(&mut self, kind: Kind, name: impl Into<String>, object: Object) {
        self.schema.insert(ObjectId::part(self.kind, self.name.clone(), kind, name), object);
    }

    pub(super) fn finish(mut self) -> Arc<Group> {
        self.schema.remove_group(self.kind, &self.name).unwrap_or_default()
    }
}

impl Parsed {
    pub(super) fn new(unit: &Unit<'_>) -> Self {
        let kind = if unit.is_view { Kind::View } else { Kind::Table };
        let name = Name::new(unit.name);
        let mut builder = Builder::new(kind, name.clone());
        let mut parsed = Self {
            kind,
            name,
            group: Arc::default(),
            missing: if unit.is_view { Missing::Columns } else { Missing::Everything },
            primary_key: Vec::new(),
            mentions: None,
            shadows: Vec::new(),
        };
        let mut columns = Vec::new();
        let understood = with_statement(unit.sql, |statement| match statement {
            Stmt::CreateTable { body, .. } => {
                columns = table::key_columns(body);
                table::read(body).map(|table| parsed.table(table, &mut builder))
            }
            Stmt::CreateVirtualTable { module_name, args, .. } => {
                let module = spelling::name(module_name).to_ascii_lowercase();
                parsed.shadows = shadows(&module, unit.name);
                parsed.missing = Missing::Columns;
                parsed.mentions = Some(BTreeSet::new());
                builder.whole(virtual_table(module, args.unwrap_or_default()));
                Some(())
            }
            Stmt::CreateView { select, columns, .. } => {
                let mut object = Object::new().with(Attribute::Definition, spelling::written(select));
                if let Some(columns) = columns {
                    let names: Vec<String> =
                        columns.iter().map(|column| spelling::name(&column.col_name)).collect();
                    object.set(Attribute::ColumnOrder, names);
                }
                parsed.mentions = Some(spelling::names_in(*select));
                builder.whole(object);
                Some(())
            }
            _ => None,
        });
        if understood.is_none() {
            builder.whole(Object::new().with(Attribute::Definition, canonical(unit.sql)));
        }
        for entry in &unit.parts {
            parsed.part(entry, &columns, &mut builder);
        }
        parsed.group = builder.finish();
        parsed
    }

    fn table(&mut self, table: table::Table, builder: &mut Builder) {
        builder.whole(table.object);
        for column in table.columns {
            builder.part(Kind::Column, column.name, column.object);
        }
        let mut referenced = Vec::new();
        for (name, constraint) in constraint::named(table.constraints) {
            if let Some(ForeignKey { table, columns: None }) = constraint.foreign_key {
                referenced.push((name.clone(), table));
            }
            builder.part(constraint.kind, name, constraint.object);
        }
        self.primary_key = table.primary_key;
        self.mentions = Some(referenced.iter().map(|(_, table)| table.to_ascii_lowercase()).collect());
        self.missing =
            if referenced.is_empty() { Missing::Nothing } else { Missing::ReferencedKeys(referenced) };
    }

    fn part(&mut self, entry: &Entry<'_>, columns: &[KeyColumn], builder: &mut Builder) {
        let (kind, object) = match entry.kind {
            "index" => (Kind::Index, with_statement(entry.sql, |statement| index(statement, columns))),
            _ => (
                Kind::Trigger,
                with_statement(entry.sql, |statement| trigger(statement, &self.name, columns)),
            ),
        };
        if kind == Kind::Index && object.is_none() {
            self.missing = Missing::Everything;
        }
        let whole_text = || Object::new().with(Attribute::Definition, canonical(entry.sql));
        builder.part(kind, entry.name, object.unwrap_or_else(whole_text));
    }
}

/// Parses a text that holds one statement and nothing else.
fn with_statement<T>(sql: &str, read: impl FnOnce(&Stmt<'_>) -> Option<T>) -> Option<T> {
    let bump = Bump::new();
    let mut parser = Parser::new(&bump, sql.as_bytes());
    let Ok(Some(Cmd::Stmt(statement))) = parser.next() else { return None };
    matches!(parser.next(), Ok(None)).then(|| read(&statement))?
}

fn virtual_table(module: String, arguments: &[&str]) -> Object {
    let object = Object::new().with(Attribute::Variety, "virtual").with(Attribute::Method, module);
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.trim().to_owned()).collect();
    if arguments.is_empty() { object } else { object.with(Attribute::Arguments, arguments) }
}

/// The tables that a module makes beside its virtual table. SQLite 3.37 and later name them in
/// `pragma_table_list`; earlier versions know them only by these names, which are documented with
/// each module: <https://sqlite.org/fts5.html>, <https://sqlite.org/fts3.html>,
/// <https://sqlite.org/rtree.html>, <https://sqlite.org/geopoly.html>, <https://sqlite.org/spellfix1.html>.
fn shadows(module: &str, table: &str) -> Vec<String> {
    let suffixes: &[&str] = match module {
        "fts3" | "fts4" => &["content", "segments", "segdir", "docsize", "stat"],
        "fts5" => &["data", "idx", "content", "docsize", "config"],
        "rtree" | "rtree_i32" | "geopoly" => &["node", "rowid", "parent"],
        "spellfix1" => &["vocab"],
        _ => &[],
    };
    suffixes.iter().map(|suffix| format!("{table}_{suffix}").to_ascii_lowercase()).collect()
}

fn index(statement: &Stmt<'_>, columns: &[KeyColumn]) -> Option<Object> {
    let Stmt::CreateIndex { unique, columns: terms, where_clause, .. } = statement else { return None };
    let terms: Vec<String> = terms.iter().map(|term| spelling::term(term, columns).0).collect();
    let mut object = Object::new().with(Attribute::Columns, terms);
    if *unique {
        object = object.flag(Attribute::UniqueIndex);
    }
    if let Some(condition) = where_clause {
        object.set(Attribute::Where, spelling::expression(condition));
    }
    Some(object)
}

fn trigger(statement: &Stmt<'_>, on: &Name, columns: &[KeyColumn]) -> Option<Object> {
    let Stmt::CreateTrigger { time, event, when_clause, commands, .. } = statement else { return None };
    let timing = match time {
        None | Some(TriggerTime::Before) => "before",
        Some(TriggerTime::After) => "after",
        Some(TriggerTime::InsteadOf) => "instead of",
    };
    let event = match event {
        TriggerEvent::Delete => "delete".to_owned(),
        TriggerEvent::Insert => "insert".to_owned(),
        TriggerEvent::Update => "update".to_owned(),
        TriggerEvent::UpdateOf(watched) => {
            let watched = watched.iter().map(|column| spelling::declared(&spelling::name(column), columns));
            let watched: Vec<String> = watched.map(|column| identifier(&column)).collect();
            format!("update of ({})", watched.join(", "))
        }
    };
    let body: Vec<String> =
        commands.iter().map(|command| format!("{};", spelling::written(command))).collect();
    let mut object = Object::new()
        .with(Attribute::On, on.local())
        .with(Attribute::Timing, timing)
        .with(Attribute::Events, vec![event])
        .with(Attribute::Definition, body.join("\n"));
    if let Some(condition) = when_clause {
        object.set(Attribute::When, spelling::expression(condition));
    }
    Some(object)
}
