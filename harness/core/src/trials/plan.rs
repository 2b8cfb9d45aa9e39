//! Which questions there are: for every promise that one of the two backends makes, the values that
//! break it and those at its edge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::constants::{Constants, short, swapped};
use super::{Action, Common, Heads, Promise, Question, Reading, Row};
use crate::Backend;
use crate::family::{ColumnType, Family};
use crate::rows::{Datum, ForeignKey, foreign_keys, only_names, primary_key, unique_keys};
use crate::schema::{Attribute, Group, Kind, Name, Object, ObjectId};

/// The questions to the backends, sorted by table. If there is only one, nothing is asked but what
/// it can be held against by itself.
pub fn plan(heads: &Heads<'_>, common: &Common, types: bool) -> Vec<Arc<Question>> {
    let mut questions = Vec::new();
    let tables: BTreeSet<&Name> = common.unusual.keys().chain(common.plain.keys()).collect();
    for name in tables {
        let rows = |rows: &'_ BTreeMap<Name, Vec<Row>>| rows.get(name).cloned().unwrap_or_default();
        let (unusual, plain) = (rows(&common.unusual), rows(&common.plain));
        if let Some(table) = Table::of(heads, common, name, &unusual) {
            table.kept(&mut questions);
        }
        if let Some(table) =
            Table::of(heads, common, name, &plain).filter(|_| heads.len() == Backend::ALL.len())
        {
            table.ask(types, &mut questions);
        }
    }
    questions.into_iter().map(Arc::new).collect()
}

/// A table that all backends have, with rows to ask with.
pub(super) struct Table<'a> {
    pub(super) heads: &'a Heads<'a>,
    pub(super) common: &'a Common,
    pub(super) name: &'a Name,
    pub(super) groups: BTreeMap<Backend, &'a Group>,
    /// The columns that a row may give values for, with what they are on each backend.
    pub(super) columns: BTreeMap<&'a str, BTreeMap<Backend, &'a Object>>,
    /// Rows that both took, which are not there.
    pub(super) spare: &'a [Row],
}

impl<'a> Table<'a> {
    fn of(heads: &'a Heads<'a>, common: &'a Common, name: &'a Name, spare: &'a [Row]) -> Option<Self> {
        let groups: BTreeMap<Backend, &Group> = heads
            .iter()
            .map(|(backend, schema)| Some((*backend, schema.table(name)?.as_ref())))
            .collect::<Option<_>>()?;
        let first = spare.first()?;
        let mut columns = BTreeMap::new();
        for column in first.keys() {
            let objects =
                groups.iter().map(|(backend, group)| Some((*backend, group.part(Kind::Column, column)?)));
            if let Some(objects) = objects.collect::<Option<BTreeMap<_, _>>>() {
                columns.insert(column.as_str(), objects);
            }
        }
        Some(Self { heads, common, name, groups, columns, spare })
    }

    /// What is written must be what is read.
    fn kept(&self, questions: &mut Vec<Question>) {
        for row in self.spare {
            let key = self.key(row);
            // Without a key, the row is found when it is alone.
            let alone = Action::Delete { table: self.name.clone(), key: Row::new() };
            let columns = self.columns.keys().map(|column| (*column).to_owned()).collect();
            questions.push(Question {
                promise: Promise::Kept,
                object: ObjectId::whole(Kind::Table, self.name.clone()),
                what: format!("a row of table {}", self.name.quoted()),
                prepare: if key.is_none() { vec![alone] } else { Vec::new() },
                action: self.row(row.clone()),
                reading: Some(Reading::of(self.name, columns, key.unwrap_or_default())),
            });
        }
    }

    /// A column that counts on one of the two must on the other.
    fn counting(&self, column: &str, questions: &mut Vec<Question>) {
        if !self.counts(column) {
            return;
        }
        let mut row = self.spare[0].clone();
        row.remove(column);
        let key = Row::from_iter([(column.to_owned(), Datum::Null)]);
        questions.push(Question {
            promise: Promise::Counting,
            object: self.part(Kind::Column, column),
            what: format!("a row without {}", self.called(column)),
            prepare: Vec::new(),
            action: self.row(row),
            reading: Some(Reading::of(self.name, vec![column.to_owned()], key)),
        });
    }

    fn ask(&self, types: bool, questions: &mut Vec<Question>) {
        for column in self.columns.keys() {
            self.counting(column, questions);
            self.nulls(column, questions);
            self.defaults(column, questions);
            self.equality(column, questions);
            self.order(column, questions);
            if types {
                self.types(column, questions);
            }
        }
        self.uniqueness(questions);
        self.parts_of_rows(questions);
        self.exclusions(questions);
        self.references(questions);
        self.deferred(questions);
        self.checks(questions);
    }

    fn nulls(&self, column: &str, questions: &mut Vec<Question>) {
        if self.any(column, |object| object.has(Attribute::NotNull)) && !self.counts(column) {
            let what = format!("NULL in {}", self.called(column));
            questions.push(self.insert(Promise::NotNull, column, what, [(column, Datum::Null)]));
        }
    }

    fn defaults(&self, column: &str, questions: &mut Vec<Question>) {
        if !self.any(column, |object| object.has(Attribute::Default)) || self.counts(column) {
            return;
        }
        let mut row = self.spare[0].clone();
        row.remove(column);
        let reading = self.key(&row).map(|key| Reading::of(self.name, vec![column.to_owned()], key));
        questions.push(Question {
            promise: Promise::Default,
            object: self.part(Kind::Column, column),
            what: format!("a row without {}", self.called(column)),
            prepare: Vec::new(),
            action: Action::Insert { table: self.name.clone(), row },
            reading,
        });
    }

    /// Whether texts that differ in case are equal, where one of the two says something about that.
    fn equality(&self, column: &str, questions: &mut Vec<Question>) {
        let Some((text, other)) = self.cases(column).filter(|_| self.has_a_collation(column)) else { return };
        let key = Row::from_iter([(column.to_owned(), Datum::Text(other.clone()))]);
        let what = format!("{text:?} as {other:?} in {}", self.called(column));
        let mut question = self.insert(Promise::Equality, column, what, [(column, Datum::Text(text))]);
        question.reading = Some(Reading::of(self.name, vec![column.to_owned()], key));
        questions.push(question);
    }

    /// Whether one of the two says which texts are equal and in which order they come.
    pub(super) fn has_a_collation(&self, column: &str) -> bool {
        let by_domain = |(backend, object): (&Backend, &&Object)| {
            let schema = self.heads[backend];
            let domain = ColumnType::of(*backend, schema, object).domain;
            let group = domain.and_then(|domain| schema.group(Kind::Type, &domain));
            group.is_some_and(|group| group.object().has(Attribute::Collation))
        };
        self.any(column, |object| object.has(Attribute::Collation))
            || self.types_of(column).any(|column_type| column_type.folds_case)
            || self.columns.get(column).is_some_and(|objects| objects.iter().any(by_domain))
    }

    fn types(&self, column: &str, questions: &mut Vec<Question>) {
        if self.counts(column) {
            return;
        }
        let types: Vec<ColumnType> = self.types_of(column).collect();
        let all = |test: fn(&ColumnType) -> bool| types.iter().all(test);
        if all(|one| one.family == Family::Text)
            && let Some(length) = types.iter().filter(|one| !one.padded).filter_map(|one| one.length).min()
            && length < LONGEST
        {
            let text = "x".repeat(length as usize + 1);
            let what = format!("{} characters in {}", length + 1, self.called(column));
            questions.push(self.insert(Promise::Length, column, what, [(column, Datum::Text(text))]));
        }
        if all(|one| one.family == Family::Integer)
            && let Some(bits) = types.iter().filter_map(|one| one.bits).min().filter(|bits| *bits < 64)
        {
            let number = 1_i128 << (bits - 1);
            let what = format!("{number} in {}", self.called(column));
            questions.push(self.insert(Promise::Range, column, what, [(column, Datum::Integer(number))]));
        }
        if all(|one| HOLDS_NO_WORDS.contains(&one.family)) {
            let what = format!("the text 'switchback' in {}", self.called(column));
            let word = Datum::Verbatim("switchback".to_owned());
            questions.push(self.insert(Promise::Type, column, what, [(column, word)]));
        }
    }

    fn uniqueness(&self, questions: &mut Vec<Question>) {
        for key in self.unique_keys() {
            let object = self.object_of(&key);
            let columns = key.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
            let of = |what: &str| format!("{what} in {columns} of table {}", self.name.quoted());
            let ask = |promise, what, prepare: Option<Row>, row| Question {
                promise,
                object: object.clone(),
                what,
                prepare: prepare.into_iter().map(|row| self.row(row)).collect(),
                action: self.row(row),
                reading: None,
            };
            let with_key = |row: &Row, from: &Row| {
                let mut row = row.clone();
                row.extend(key.iter().filter_map(|column| Some((column.clone(), from.get(column)?.clone()))));
                row
            };
            if let Some(known) = self.seeded().first()
                && key.iter().all(|column| known.get(column).is_some_and(|value| *value != Datum::Null))
            {
                let row = with_key(&self.spare[0], known);
                questions.push(ask(Promise::Unique, of("the values of another row"), None, row));
            }
            let [first, second, ..] = self.spare else { continue };
            let nullable = |column: &&String| !self.any(column, |object| object.has(Attribute::NotNull));
            if let Some(column) = key.iter().find(nullable).filter(|column| !self.counts(column)) {
                let mut one = first.clone();
                one.insert(column.clone(), Datum::Null);
                let row = with_key(second, &one);
                questions.push(ask(Promise::UniqueNulls, of("NULL a second time"), Some(one), row));
            }
            // Where a column says which texts are equal, that is asked of the column itself.
            if let [column] = key.as_slice()
                && !self.has_a_collation(column)
                && let Some((text, other)) = self.cases(column)
            {
                let mut one = first.clone();
                one.insert(column.clone(), Datum::Text(text.clone()));
                let mut row = second.clone();
                row.insert(column.clone(), Datum::Text(other.clone()));
                let what = of(&format!("{other:?} beside {text:?}"));
                questions.push(ask(Promise::UniqueCase, what, Some(one), row));
            }
        }
    }

    fn references(&self, questions: &mut Vec<Question>) {
        for key in self.foreign_keys() {
            if key.columns.iter().any(|column| !self.columns.contains_key(column.as_str())) {
                continue;
            }
            let object = self.object_of_reference(&key);
            let columns =
                key.columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
            let here = format!("{columns} of table {}", self.name.quoted());
            if let Some(absent) = self.absent(&key) {
                let mut row = self.spare[0].clone();
                row.extend(key.columns.iter().cloned().zip(absent));
                questions.push(Question {
                    promise: Promise::ForeignKey,
                    object: object.clone(),
                    what: format!("a row of no parent in {here}"),
                    prepare: Vec::new(),
                    action: self.row(row),
                    reading: None,
                });
            }
            self.actions(&key, &object, &here, questions);
        }
    }

    /// What becomes of a row when its parent goes, or changes its key.
    fn actions(&self, key: &ForeignKey, object: &ObjectId, here: &str, questions: &mut Vec<Question>) {
        let refers = |row: &&Row| {
            key.columns.iter().all(|column| row.get(column).is_some_and(|one| *one != Datum::Null))
        };
        let Some(child) = self.seeded().iter().find(refers) else { return };
        let Some(own_key) = self.key(child) else { return };
        let pairs = key.columns.iter().zip(&key.parent_columns);
        let parent_key: Row =
            pairs.filter_map(|(own, parent)| Some((parent.clone(), child.get(own)?.clone()))).collect();
        // A key that is part of the row's own would not find the row again.
        let moves = own_key.keys().any(|column| key.columns.contains(column));
        let reading = Reading::of(self.name, key.columns.clone(), own_key);
        let of = |what: &str| format!("{what} of the row that {here} refers to");
        questions.push(Question {
            promise: Promise::OnDelete,
            object: object.clone(),
            what: of("DELETE"),
            prepare: Vec::new(),
            action: Action::Delete { table: key.parent.clone(), key: parent_key.clone() },
            reading: Some(reading.clone()),
        });
        let [(parent_column, _)] = parent_key.iter().collect::<Vec<_>>()[..] else { return };
        let parent =
            |backend: &Backend| self.heads[backend].table(&key.parent)?.part(Kind::Column, parent_column);
        let counts = self.heads.keys().filter_map(parent).any(|object| object.has(Attribute::Identity));
        if let Some(absent) = self.absent(key).filter(|_| !moves && !counts && key.parent != *self.name) {
            let set = Row::from_iter([(parent_column.clone(), absent[0].clone())]);
            questions.push(Question {
                promise: Promise::OnUpdate,
                object: object.clone(),
                what: of("UPDATE of the key"),
                prepare: Vec::new(),
                action: Action::Update { table: key.parent.clone(), key: parent_key.clone(), set },
                reading: Some(reading),
            });
        }
    }

    fn checks(&self, questions: &mut Vec<Question>) {
        let mut asked = BTreeSet::new();
        for (backend, group) in &self.groups {
            for (name, check) in group.parts_of(Kind::Check) {
                let Some(expression) = check.text(Attribute::Expression) else { continue };
                let constants = Constants::of(expression, *backend);
                for column in
                    self.columns.keys().filter(|column| constants.names.contains(&column.to_lowercase()))
                {
                    for value in self.edges(column, &constants) {
                        let shown = value.plain();
                        if !asked.insert((*column, shown.clone())) {
                            continue;
                        }
                        let what = format!("{} in {}", short(&shown), self.called(column));
                        let mut question = self.insert(Promise::Check, column, what, [(*column, value)]);
                        question.object = self.part(Kind::Check, name);
                        questions.push(question);
                    }
                }
            }
        }
    }

    /// The values at the edges of what a check says, as the column can hold them on both backends.
    fn edges(&self, column: &str, constants: &Constants) -> Vec<Datum> {
        let families: BTreeSet<Family> = self.types_of(column).map(|one| one.family).collect();
        let mut found = Vec::new();
        if families.iter().all(|family| matches!(family, Family::Integer)) {
            for number in &constants.numbers {
                found.extend([number - 1, *number, number + 1].map(Datum::Integer));
            }
        } else if families.iter().all(|family| matches!(family, Family::Text)) {
            let most = self.types_of(column).filter_map(|one| one.length).min().unwrap_or(LONGEST) as usize;
            let mut texts = vec![String::new(), " ".to_owned()];
            for text in &constants.texts {
                texts.extend([text.clone(), swapped(text), format!("{text} "), format!("{text}x")]);
                texts.push(text.replace(['%', '_'], "x"));
                texts.push(swapped(&text.replace(['%', '_'], "x")));
            }
            let lengths = constants.numbers.iter().filter_map(|number| usize::try_from(*number).ok());
            for length in lengths.filter(|length| *length < LONGEST as usize) {
                texts.extend([length.saturating_sub(1), length, length + 1].map(|length| "é".repeat(length)));
            }
            texts.retain(|text| text.chars().count() <= most);
            found.extend(texts.into_iter().map(Datum::Text));
        }
        found
    }

    /// Values of a foreign key that no parent has.
    fn absent(&self, key: &ForeignKey) -> Option<Vec<Datum>> {
        let value = |column: &String| {
            let known = self.spare[0].get(column).filter(|value| **value != Datum::Null);
            let known = known.or_else(|| self.seeded().iter().find_map(|row| row.get(column)));
            Some(match known? {
                Datum::Integer(_) => Datum::Integer(30_303),
                Datum::Uuid(_) => Datum::Uuid([0x5b; 16]),
                Datum::Text(text) if !text.is_empty() => Datum::Text(
                    text.chars().rev().map(|letter| if letter == 'z' { 'y' } else { 'z' }).collect(),
                ),
                _ => return None,
            })
        };
        key.columns.iter().map(value).collect()
    }

    pub(super) fn insert<const N: usize>(
        &self,
        promise: Promise,
        column: &str,
        what: String,
        values: [(&str, Datum); N],
    ) -> Question {
        let mut row = self.spare[0].clone();
        row.extend(values.into_iter().map(|(column, value)| (column.to_owned(), value)));
        Question {
            promise,
            object: self.part(Kind::Column, column),
            what,
            prepare: Vec::new(),
            action: self.row(row),
            reading: None,
        }
    }

    pub(super) fn row(&self, row: Row) -> Action {
        Action::Insert { table: self.name.clone(), row }
    }

    fn seeded(&self) -> &[Row] {
        self.common.seeded.get(self.name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The values by which a row is found again.
    fn key(&self, row: &Row) -> Option<Row> {
        let mut keys = self.groups.values().map(|group| primary_key(group)).filter(|key| !key.is_empty());
        // A column that one of the two lacks would find nothing there.
        let shared = |key: &Vec<String>| key.iter().all(|column| self.columns.contains_key(column.as_str()));
        let key = keys.find(shared)?;
        key.iter().map(|column| Some((column.clone(), row.get(column)?.clone()))).collect()
    }

    pub(super) fn any(&self, column: &str, test: impl Fn(&Object) -> bool) -> bool {
        self.columns.get(column).is_some_and(|objects| objects.values().any(|object| test(object)))
    }

    /// Whether a column counts up by itself on one of the two.
    pub(super) fn counts(&self, column: &str) -> bool {
        self.groups.iter().any(|(backend, group)| counting_column(*backend, group).as_deref() == Some(column))
    }

    pub(super) fn types_of(&self, column: &str) -> impl Iterator<Item = ColumnType> {
        let objects = self.columns.get(column).into_iter().flatten();
        objects.map(|(backend, object)| ColumnType::of(*backend, self.heads[backend], object))
    }

    /// A text and the same one in other letters, if the column takes texts of that length.
    pub(super) fn cases(&self, column: &str) -> Option<(String, String)> {
        let fits =
            |one: ColumnType| one.family == Family::Text && one.length.is_none_or(|length| length >= 10);
        let all = self.columns.contains_key(column) && self.types_of(column).all(fits);
        all.then(|| ("Switchback".to_owned(), "sWITCHBACK".to_owned()))
    }

    /// The sets of columns that are unique on one of the two; not those that an expression or a
    /// predicate makes so.
    fn unique_keys(&self) -> BTreeSet<Vec<String>> {
        let mut keys = BTreeSet::new();
        for group in self.groups.values() {
            let whole = |columns: &Vec<String>| {
                group.parts().any(|(kind, _, part)| {
                    let unique = matches!(kind, Kind::PrimaryKey | Kind::Unique)
                        || kind == Kind::Index && part.has(Attribute::UniqueIndex);
                    let listed = part.list(Attribute::Columns);
                    unique && !part.has(Attribute::Where) && only_names(listed).as_ref() == Some(columns)
                })
            };
            keys.extend(unique_keys(group).into_iter().filter(whole));
        }
        keys.retain(|key| key.iter().all(|column| self.columns.contains_key(column.as_str())));
        keys
    }

    fn foreign_keys(&self) -> Vec<ForeignKey> {
        let mut keys: Vec<ForeignKey> = Vec::new();
        for (backend, group) in &self.groups {
            for key in foreign_keys(self.heads[backend], group) {
                let same = |one: &ForeignKey| one.columns == key.columns && one.parent == key.parent;
                if !keys.iter().any(same) {
                    keys.push(key);
                }
            }
        }
        keys
    }

    fn object_of(&self, key: &[String]) -> ObjectId {
        let found = self.groups.values().find_map(|group| {
            group.parts().find_map(|(kind, name, part)| {
                let same = only_names(part.list(Attribute::Columns)).is_some_and(|columns| columns == key);
                let unique = matches!(kind, Kind::PrimaryKey | Kind::Unique | Kind::Index);
                (same && unique).then(|| self.part(kind, name))
            })
        });
        found.unwrap_or_else(|| ObjectId::whole(Kind::Table, self.name.clone()))
    }

    pub(super) fn object_of_reference(&self, key: &ForeignKey) -> ObjectId {
        self.part(Kind::ForeignKey, &key.name)
    }

    pub(super) fn part(&self, kind: Kind, name: &str) -> ObjectId {
        ObjectId::part(Kind::Table, self.name.clone(), kind, name)
    }

    pub(super) fn called(&self, column: &str) -> String {
        format!("column \"{column}\" of table {}", self.name.quoted())
    }
}

/// No longer text is tried.
const LONGEST: u32 = 2000;

/// The families whose columns hold no word.
const HOLDS_NO_WORDS: &[Family] = &[
    Family::Integer,
    Family::Decimal,
    Family::Real,
    Family::Boolean,
    Family::Uuid,
    Family::Json,
    Family::Timestamp,
    Family::TimestampTz,
    Family::Date,
    Family::Time,
];

/// The column whose values the database counts up by itself, if a row leaves it out.
pub fn counting_column(backend: Backend, group: &Group) -> Option<String> {
    let key = primary_key(group);
    let sequence =
        |object: &Object| object.text(Attribute::Default).is_some_and(|one| one.starts_with("nextval("));
    let found = group.columns().into_iter().find(|(name, object)| {
        object.has(Attribute::Identity)
            || sequence(object)
            || backend.counts_keys()
                && object.text(Attribute::Type).is_some_and(|one| one.eq_ignore_ascii_case("INTEGER"))
                && !group.object().has(Attribute::WithoutRowid)
                && key == [*name]
    });
    found.map(|(name, _)| name.to_owned())
}
