//! What a schema is made of: objects with a kind, a name and attributes.

use std::collections::BTreeMap;
use std::fmt;

use super::text;
use crate::sql::quoted_identifier;

/// Declares an enum whose variants have one fixed word each, so that the word, its parser and the
/// list of all variants can never disagree.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every variant, in the order in which they are written.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it in text forms and in rows read from a catalog.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The variant with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

vocabulary! {
    /// What kind of thing an object is. The order is the order of the text form.
    Kind {
        /// A setting stored in the database itself (SQLite's `user_version`, `application_id`).
        Setting = "setting",
        /// A namespace (PostgreSQL's `CREATE SCHEMA`).
        Namespace = "schema",
        /// An extension.
        Extension = "extension",
        /// A collation.
        Collation = "collation",
        /// An enum, domain, composite or range type; [`Attribute::Variety`] says which.
        Type = "type",
        /// A sequence.
        Sequence = "sequence",
        /// A function, procedure or aggregate; its name carries the argument types.
        Routine = "routine",
        /// A table, also partitioned, foreign or virtual.
        Table = "table",
        /// A view.
        View = "view",
        /// A materialized view.
        MaterializedView = "materialized view",
        /// A column of a table or view.
        Column = "column",
        /// A primary key.
        PrimaryKey = "primary key",
        /// A unique constraint.
        Unique = "unique",
        /// A foreign key.
        ForeignKey = "foreign key",
        /// A check constraint.
        Check = "check",
        /// An exclusion constraint.
        Exclusion = "exclusion",
        /// An index that no constraint owns.
        Index = "index",
        /// Extended statistics.
        Statistics = "statistics",
        /// A trigger.
        Trigger = "trigger",
        /// A rewrite rule.
        Rule = "rule",
        /// A row security policy.
        Policy = "policy",
        /// A publication.
        Publication = "publication",
        /// An event trigger.
        EventTrigger = "event trigger",
        /// Any other object that a user can create; [`Attribute::Variety`] says what it is.
        Other = "object",
    }
}

vocabulary! {
    /// What can be said of an object. The order is the order of the text form.
    Attribute {
        /// What sort of its kind it is: `enum`, `domain`, `procedure`, `partitioned`, `virtual`, …
        Variety = "variety",
        /// A column's or domain's type with its modifiers, as the backend spells it.
        Type = "type",
        /// Key columns of a constraint, or columns and expressions of an index with their order,
        /// nulls order, operator class and collation, in order.
        Columns = "columns",
        /// The columns of a table or view in their order; see [`super::diff`] for when it counts.
        ColumnOrder = "column order",
        /// Not null.
        NotNull = "not null",
        /// The default expression.
        Default = "default",
        /// `always` or `by default`.
        Identity = "identity",
        /// A generated column's expression with `stored` or `virtual`.
        Generated = "generated",
        /// A collation that is not the type's own.
        Collation = "collate",
        /// SQLite: a hidden column of a virtual table.
        Hidden = "hidden",
        /// SQLite: `AUTOINCREMENT`.
        Autoincrement = "autoincrement",
        /// What a foreign key refers to: `table (columns)`.
        References = "references",
        /// `ON DELETE`, left out when it is `no action`.
        OnDelete = "on delete",
        /// `ON UPDATE`, left out when it is `no action`.
        OnUpdate = "on update",
        /// `MATCH`, left out when it is `simple`.
        Match = "match",
        /// `deferrable` or `deferrable initially deferred`.
        Deferrable = "deferrable",
        /// A check's, domain's or policy's expression.
        Expression = "expression",
        /// SQLite: the `ON CONFLICT` clause of a constraint.
        OnConflict = "on conflict",
        /// A constraint that was added `NOT VALID` and has not been validated.
        NotValid = "not valid",
        /// PostgreSQL 18: a constraint that is `NOT ENFORCED`.
        NotEnforced = "not enforced",
        /// A constraint that is not inherited by children.
        NoInherit = "no inherit",
        /// An index's access method, left out when it is `btree`.
        Method = "using",
        /// A unique index.
        UniqueIndex = "unique",
        /// Columns that an index only carries along.
        Include = "include",
        /// A unique index or constraint in which nulls are equal.
        NullsNotDistinct = "nulls not distinct",
        /// A partial index's predicate, or a publication's row filter.
        Where = "where",
        /// Why the object cannot be used: an index that is not valid, a view that no longer reads.
        Invalid = "invalid",
        /// `unlogged`, left out when the table is an ordinary one.
        Persistence = "persistence",
        /// SQLite: `STRICT`.
        Strict = "strict",
        /// SQLite: `WITHOUT ROWID`.
        WithoutRowid = "without rowid",
        /// A partitioned table's key.
        PartitionBy = "partition by",
        /// A partition's parent and bounds.
        PartitionOf = "partition of",
        /// The parents that a table inherits from.
        Inherits = "inherits",
        /// `enabled` or `forced`.
        RowSecurity = "row security",
        /// A table's replica identity, left out when it is the default.
        ReplicaIdentity = "replica identity",
        /// Storage and other options.
        Options = "options",
        /// A table space other than the default.
        Tablespace = "tablespace",
        /// The table or server an object stands on.
        On = "on",
        /// `before`, `after` or `instead of`.
        Timing = "timing",
        /// What fires a trigger, rule or policy.
        Events = "events",
        /// `row` or `statement`.
        ForEach = "for each",
        /// A trigger's condition.
        When = "when",
        /// A trigger's transition tables.
        Transition = "referencing",
        /// What a trigger calls.
        Calls = "calls",
        /// A trigger's or rule's enabled state, left out when it is the ordinary one.
        Enabled = "enabled",
        /// `permissive` or `restrictive`.
        Permissive = "as",
        /// The roles of a policy.
        Roles = "to",
        /// A policy's check of new rows.
        WithCheck = "with check",
        /// A routine's arguments with names and defaults.
        Arguments = "arguments",
        /// What a routine returns.
        Returns = "returns",
        /// A routine's language.
        Language = "language",
        /// `immutable` or `stable`, left out when it is `volatile`.
        Volatility = "volatility",
        /// A routine's other properties: strict, security definer, leakproof, parallel, cost, rows.
        Properties = "properties",
        /// Settings that a routine runs with.
        Settings = "set",
        /// An enum's values, in order; a composite's fields.
        Values = "values",
        /// A sequence's column, or an object's owning object.
        OwnedBy = "owned by",
        /// A sequence's or identity's start value.
        Start = "start",
        /// A sequence's or identity's increment.
        Increment = "increment",
        /// A sequence's smallest value.
        Minimum = "minimum",
        /// A sequence's largest value.
        Maximum = "maximum",
        /// A sequence's cache.
        Cache = "cache",
        /// A sequence that starts again at its end.
        Cycle = "cycle",
        /// A setting's value.
        Value = "value",
        /// The tables of a publication, with column lists and row filters.
        Tables = "tables",
        /// The body of a view, rule, routine or trigger.
        Definition = "definition",
        /// The role that owns it, left out when it is the one that reads.
        Owner = "owner",
        /// Privileges, one entry for each grantee.
        Privileges = "privileges",
        /// The comment.
        Comment = "comment",
    }
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// The attribute is there or not, and has no value of its own.
    Flag,
    /// Text; SQL is kept in the canonical spelling of [`crate::sql::canonical`].
    Text(String),
    /// Several texts whose order counts.
    List(Vec<String>),
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Flag | Self::List(_) => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[String]> {
        match self {
            Self::List(list) => Some(list),
            Self::Flag | Self::Text(_) => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

/// What introspection found out about one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object(BTreeMap<Attribute, Value>);

impl Object {
    /// An object of which nothing is said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an attribute, replacing an earlier value.
    #[must_use]
    pub fn with(mut self, attribute: Attribute, value: impl Into<Value>) -> Self {
        self.set(attribute, value);
        self
    }

    /// Adds an attribute that has no value of its own.
    #[must_use]
    pub fn flag(mut self, attribute: Attribute) -> Self {
        self.set(attribute, Value::Flag);
        self
    }

    /// Sets an attribute, replacing an earlier value.
    pub fn set(&mut self, attribute: Attribute, value: impl Into<Value>) {
        self.0.insert(attribute, value.into());
    }

    /// The value of an attribute.
    pub fn get(&self, attribute: Attribute) -> Option<&Value> {
        self.0.get(&attribute)
    }

    /// Whether the attribute is there.
    pub fn has(&self, attribute: Attribute) -> bool {
        self.0.contains_key(&attribute)
    }

    /// The text of an attribute, if it has one.
    pub fn text(&self, attribute: Attribute) -> Option<&str> {
        self.get(attribute).and_then(Value::as_text)
    }

    /// The list of an attribute; empty if it has none.
    pub fn list(&self, attribute: Attribute) -> &[String] {
        self.get(attribute).and_then(Value::as_list).unwrap_or_default()
    }

    /// All attributes, in the order of the text form.
    pub fn attributes(&self) -> impl Iterator<Item = (Attribute, &Value)> {
        self.0.iter().map(|(attribute, value)| (*attribute, value))
    }
}

/// The name of an object that stands by itself: a table, a type, a routine, …
///
/// An object in the default namespace (PostgreSQL's `public`, SQLite's `main`) has no namespace
/// here, so that the same object has the same name on both backends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    namespace: Option<String>,
    local: String,
}

impl Name {
    /// A name in the default namespace.
    pub fn new(local: impl Into<String>) -> Self {
        Self { namespace: None, local: local.into() }
    }

    /// A name in a namespace of its own.
    pub fn within(namespace: impl Into<String>, local: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), local: local.into() }
    }

    /// The namespace, if it isn't the default one.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name without its namespace.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The name as SQL takes it, whatever it holds: `"audit"."Log"`.
    pub fn in_sql(&self) -> String {
        let parts = self.namespace().into_iter().chain([self.local()]);
        parts.map(quoted_identifier).collect::<Vec<_>>().join(".")
    }

    /// The name between double quotes, as messages write it: `"audit.Log"`.
    pub fn quoted(&self) -> String {
        let parts: Vec<&str> = self.namespace().into_iter().chain([self.local()]).collect();
        format!("\"{}\"", parts.join("."))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, "{}.", Quoted(namespace))?;
        }
        write!(f, "{}", Quoted(&self.local))
    }
}

/// Writes a name so that it can be told from what surrounds it: as it is where that is plain,
/// otherwise between double quotes.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stem, arguments) = self.0.split_at(self.0.find('(').unwrap_or(self.0.len()));
        let plain_stem = stem.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-'));
        let plain_arguments = arguments
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '(' | ')' | ',' | ' ' | '[' | ']'));
        let is_plain = !self.0.is_empty()
            && plain_stem
            && plain_arguments
            && (arguments.is_empty() || text::is_parenthesised(arguments));
        if is_plain { f.write_str(self.0) } else { f.write_str(&text::in_quotes(self.0)) }
    }
}

/// Which object: its group, and which part of the group if it isn't the group itself.
///
/// It is written the way reports name objects: `users`, `users.ix_users_email`, `audit.log`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The kind of the group.
    pub group_kind: Kind,
    /// The name of the group.
    pub group: Name,
    /// The kind and the name of the part.
    pub part: Option<(Kind, String)>,
}

impl ObjectId {
    /// An object that stands by itself.
    pub fn whole(kind: Kind, name: Name) -> Self {
        Self { group_kind: kind, group: name, part: None }
    }

    /// A part of a table or view.
    pub fn part(group_kind: Kind, group: Name, kind: Kind, name: impl Into<String>) -> Self {
        Self { group_kind, group, part: Some((kind, name.into())) }
    }

    /// The kind of the object itself.
    pub fn kind(&self) -> Kind {
        self.part.as_ref().map_or(self.group_kind, |(kind, _)| *kind)
    }

    /// Whether it is a column that a view's query gives.
    pub fn is_column_of_a_view(&self) -> bool {
        self.kind() == Kind::Column && matches!(self.group_kind, Kind::View | Kind::MaterializedView)
    }

    /// Kind and own name, as messages call it: `index "ix_users_email"`.
    pub fn described(&self) -> String {
        match &self.part {
            Some((kind, name)) => format!("{kind} \"{name}\""),
            None => match self.group.namespace() {
                Some(namespace) => {
                    format!("{} \"{namespace}.{}\"", self.group_kind, self.group.local())
                }
                None => format!("{} \"{}\"", self.group_kind, self.group.local()),
            },
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.group)?;
        match &self.part {
            Some((_, name)) => write!(f, ".{}", Quoted(name)),
            None => Ok(()),
        }
    }
}
