//! `CREATE TABLE`, as far as its text says everything.

use std::convert::Infallible;

use sqlite3_parser::ast::fmt::{ToTokens, TokenStream};
use sqlite3_parser::ast::{
    ColumnConstraint, ColumnDefinition, CreateTableBody, DeferSubclause, Expr, ForeignKeyClause,
    IndexedColumn, InitDeferredPred, NamedTableConstraint, RefAct, RefArg, ResolveType, SortOrder,
    SortedColumn, TabFlags, TableConstraint,
};
use sqlite3_parser::dialect::TokenType;
use switchback_core::schema::{Attribute, Kind, Object, Value};

use super::constraint::{Constraint, ForeignKey};
use super::spelling::{self, KeyColumn, identifier, unquoted};

/// What the text of a `CREATE TABLE` says.
pub(super) struct Table {
    pub(super) object: Object,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    /// The names of the primary key's columns.
    pub(super) primary_key: Vec<String>,
}

/// One column.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) object: Object,
}

/// Reads the body of a `CREATE TABLE`; nothing for `CREATE TABLE … AS`, which SQLite never stores.
pub(super) fn read(body: &CreateTableBody<'_>) -> Option<Table> {
    let CreateTableBody::ColumnsAndConstraints { columns, constraints, flags } = body else { return None };
    let keys = columns.iter().map(key_column).collect();
    let mut reading = Reading { keys, constraints: Vec::new(), primary_key: Vec::new(), rowid_alias: None };
    let mut columns: Vec<Column> = columns.iter().map(|column| reading.column(column)).collect();
    for constraint in constraints.unwrap_or_default() {
        reading.table_constraint(constraint, &mut columns);
    }
    let without_rowid = flags.contains(TabFlags::WithoutRowid);
    let strict = flags.contains(TabFlags::Strict);
    for (place, column) in columns.iter_mut().enumerate() {
        // https://sqlite.org/withoutrowid.html and https://sqlite.org/stricttables.html: there a
        // primary key's columns are not null without saying so.
        let implied = without_rowid || strict && reading.rowid_alias != Some(place);
        if implied && reading.primary_key.contains(&column.name) {
            column.object.set(Attribute::NotNull, Value::Flag);
        }
    }
    let order: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut object = Object::new().with(Attribute::ColumnOrder, order);
    if strict {
        object = object.flag(Attribute::Strict);
    }
    if without_rowid {
        object = object.flag(Attribute::WithoutRowid);
    }
    let Reading { constraints, primary_key, .. } = reading;
    Some(Table { object, columns, constraints, primary_key })
}

/// The columns of a table whose text is given, for the indexes that stand on it.
pub(super) fn key_columns(body: &CreateTableBody<'_>) -> Vec<KeyColumn> {
    match body {
        CreateTableBody::ColumnsAndConstraints { columns, .. } => columns.iter().map(key_column).collect(),
        CreateTableBody::AsSelect(_) => Vec::new(),
    }
}

fn key_column(column: &ColumnDefinition<'_>) -> KeyColumn {
    let mut collations = column.constraints.iter().filter_map(|one| match &one.constraint {
        ColumnConstraint::Collate { collation_name } => Some(spelling::name(collation_name)),
        _ => None,
    });
    let collation = collations.next_back().unwrap_or_else(|| "BINARY".to_owned()).to_ascii_uppercase();
    KeyColumn { name: spelling::name(&column.col_name), collation }
}

struct Reading {
    keys: Vec<KeyColumn>,
    constraints: Vec<Constraint>,
    primary_key: Vec<String>,
    rowid_alias: Option<usize>,
}

impl Reading {
    fn column(&mut self, definition: &ColumnDefinition<'_>) -> Column {
        let name = spelling::name(&definition.col_name);
        let mut object = Object::new();
        let mut declared = String::new();
        if let Some(column_type) = &definition.col_type {
            declared = spelling::declared_type(column_type);
            object.set(Attribute::Type, declared.clone());
        }
        for named in definition.constraints {
            let own_name = named.name.as_ref().map(spelling::name);
            match &named.constraint {
                ColumnConstraint::NotNull { nullable: true, .. } => {}
                ColumnConstraint::NotNull { nullable: false, conflict_clause } => {
                    object = conflict(object.flag(Attribute::NotNull), *conflict_clause);
                }
                ColumnConstraint::Default(value) => {
                    object.set(Attribute::Default, spelling::expression(value));
                }
                ColumnConstraint::Collate { collation_name } => {
                    let collation = spelling::name(collation_name).to_ascii_uppercase();
                    if collation != "BINARY" {
                        object.set(Attribute::Collation, collation);
                    }
                }
                ColumnConstraint::Generated { expr, typ } => {
                    let kept = typ.as_ref().is_some_and(|word| word.0.eq_ignore_ascii_case("stored"));
                    let kept = if kept { "stored" } else { "virtual" };
                    let text = format!("({}) {kept}", spelling::expression(expr));
                    object.set(Attribute::Generated, text);
                }
                ColumnConstraint::PrimaryKey { order, conflict_clause, auto_increment } => {
                    if *auto_increment {
                        object = object.flag(Attribute::Autoincrement);
                    }
                    let descending = *order == Some(SortOrder::Desc);
                    if declared == "INTEGER" && !descending {
                        self.rowid_alias = self.place(&name);
                    }
                    let key = identifier(&name) + if descending { " desc" } else { "" };
                    let key = Object::new().with(Attribute::Columns, vec![key]);
                    let key = conflict(key, *conflict_clause);
                    self.primary_key = vec![name.clone()];
                    self.add(Kind::PrimaryKey, own_name, vec![name.clone()], key);
                }
                ColumnConstraint::Unique(conflict_clause) => {
                    let key = Object::new().with(Attribute::Columns, vec![identifier(&name)]);
                    let key = conflict(key, *conflict_clause);
                    self.add(Kind::Unique, own_name, vec![name.clone()], key);
                }
                ColumnConstraint::Check(expression) => self.check(own_name, expression),
                ColumnConstraint::ForeignKey { clause, defer_clause } => {
                    self.foreign_key(own_name, vec![name.clone()], clause, defer_clause.as_ref());
                }
                ColumnConstraint::Defer(defer) => {
                    // It belongs to the foreign key before it, as in SQLite's own grammar.
                    let keys = self.constraints.iter_mut().rev();
                    if let Some(key) = keys.into_iter().find(|one| one.kind == Kind::ForeignKey) {
                        key.object = deferrable(std::mem::take(&mut key.object), Some(defer));
                    }
                }
            }
        }
        Column { name, object }
    }

    fn table_constraint(&mut self, named: &NamedTableConstraint<'_>, columns: &mut [Column]) {
        let own_name = named.name.as_ref().map(spelling::name);
        match &named.constraint {
            TableConstraint::PrimaryKey { columns: terms, auto_increment, conflict_clause } => {
                let (mut keys, about) = self.terms(terms);
                if let [only] = about.as_slice()
                    && let Some(place) = self.place(only)
                {
                    let column = &mut columns[place].object;
                    if *auto_increment {
                        column.set(Attribute::Autoincrement, Value::Flag);
                    }
                    if column.text(Attribute::Type) == Some("INTEGER") {
                        // The rowid itself has no order, whatever is written here:
                        // https://sqlite.org/lang_createtable.html#rowid
                        keys = vec![identifier(only)];
                        self.rowid_alias = Some(place);
                    }
                }
                self.primary_key.clone_from(&about);
                let key = conflict(Object::new().with(Attribute::Columns, keys), *conflict_clause);
                self.add(Kind::PrimaryKey, own_name, about, key);
            }
            TableConstraint::Unique { columns: terms, conflict_clause } => {
                let (keys, about) = self.terms(terms);
                let key = conflict(Object::new().with(Attribute::Columns, keys), *conflict_clause);
                self.add(Kind::Unique, own_name, about, key);
            }
            // SQLite accepts a conflict clause here and ignores it.
            TableConstraint::Check(expression, _) => self.check(own_name, expression),
            TableConstraint::ForeignKey { columns, clause, defer_clause } => {
                let columns = names(columns);
                let columns = columns.iter().map(|name| spelling::declared(name, &self.keys)).collect();
                self.foreign_key(own_name, columns, clause, defer_clause.as_ref());
            }
        }
    }

    fn add(&mut self, kind: Kind, name: Option<String>, about: Vec<String>, object: Object) {
        self.constraints.push(Constraint { kind, name, about, object, foreign_key: None });
    }

    fn check(&mut self, name: Option<String>, expression: &Expr<'_>) {
        let mut mentioned = Mentioned { columns: &self.keys, found: Vec::new() };
        let Ok(()) = expression.to_tokens(&mut mentioned);
        let about = mentioned.found;
        let object = Object::new().with(Attribute::Expression, spelling::expression(expression));
        self.add(Kind::Check, name, about, object);
    }

    fn foreign_key(
        &mut self,
        name: Option<String>,
        columns: Vec<String>,
        clause: &ForeignKeyClause<'_>,
        defer: Option<&DeferSubclause>,
    ) {
        let keys: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
        let foreign_key =
            ForeignKey { table: spelling::name(&clause.tbl_name), columns: clause.columns.map(names) };
        let mut object = Object::new().with(Attribute::Columns, keys);
        object.set(Attribute::References, foreign_key.to_string());
        let (mut on_delete, mut on_update) = (RefAct::NoAction, RefAct::NoAction);
        for argument in clause.args {
            match argument {
                RefArg::OnDelete(action) => on_delete = *action,
                RefArg::OnUpdate(action) => on_update = *action,
                // Parsed by SQLite, and ignored.
                RefArg::OnInsert(_) => {}
                RefArg::Match(word) => {
                    let word = spelling::name(word).to_ascii_lowercase();
                    if word != "simple" && word != "none" {
                        object.set(Attribute::Match, word);
                    }
                }
            }
        }
        for (attribute, action) in [(Attribute::OnDelete, on_delete), (Attribute::OnUpdate, on_update)] {
            if let Some(word) = action_word(action) {
                object.set(attribute, word);
            }
        }
        let object = deferrable(object, defer);
        let foreign_key = Some(foreign_key);
        self.constraints.push(Constraint {
            kind: Kind::ForeignKey,
            name,
            about: columns,
            object,
            foreign_key,
        });
    }

    /// The terms of a key, and the names of its columns.
    fn terms(&self, terms: &[SortedColumn<'_>]) -> (Vec<String>, Vec<String>) {
        let terms = terms.iter().map(|term| spelling::term(term, &self.keys));
        let (texts, columns): (Vec<_>, Vec<_>) = terms.unzip();
        (texts, columns.into_iter().flatten().collect())
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.keys.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

fn names(columns: &[IndexedColumn<'_>]) -> Vec<String> {
    columns.iter().map(|column| spelling::name(&column.col_name)).collect()
}

/// `abort` is what SQLite does without a clause.
fn conflict(object: Object, clause: Option<ResolveType>) -> Object {
    let word = match clause {
        None | Some(ResolveType::Abort) => return object,
        Some(ResolveType::Rollback) => "rollback",
        Some(ResolveType::Fail) => "fail",
        Some(ResolveType::Ignore) => "ignore",
        Some(ResolveType::Replace) => "replace",
    };
    object.with(Attribute::OnConflict, word)
}

/// `no action` is what SQLite does without a clause.
fn action_word(action: RefAct) -> Option<&'static str> {
    match action {
        RefAct::NoAction => None,
        RefAct::Restrict => Some("restrict"),
        RefAct::Cascade => Some("cascade"),
        RefAct::SetNull => Some("set null"),
        RefAct::SetDefault => Some("set default"),
    }
}

fn deferrable(object: Object, clause: Option<&DeferSubclause>) -> Object {
    match clause {
        Some(DeferSubclause { deferrable: true, init_deferred }) => {
            let deferred = *init_deferred == Some(InitDeferredPred::InitiallyDeferred);
            let word = if deferred { "deferrable initially deferred" } else { "deferrable" };
            object.with(Attribute::Deferrable, word)
        }
        _ => object,
    }
}

/// Which columns an expression names, in the order in which it does.
struct Mentioned<'a> {
    columns: &'a [KeyColumn],
    found: Vec<String>,
}

impl TokenStream for Mentioned<'_> {
    type Error = Infallible;

    fn append(&mut self, token: TokenType, value: Option<&str>) -> Result<(), Infallible> {
        if token == TokenType::TK_ID
            && let Some(raw) = value
        {
            let name = unquoted(raw);
            let column = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&name));
            if let Some(column) = column
                && !self.found.contains(&column.name)
            {
                self.found.push(column.name.clone());
            }
        }
        Ok(())
    }
}
