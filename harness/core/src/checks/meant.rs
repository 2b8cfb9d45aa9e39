//! What a revision says of rows, so that what it does to them is meant: the rows that it deletes, those
//! that go with them, and the tables that it makes anew from others.

use std::collections::{BTreeMap, BTreeSet};

use crate::Backend;
use crate::evidence::{Observation, Recording};
use crate::history::Script;
use crate::rows::{ForeignKey, foreign_keys};
use crate::schema::{Attribute, Group, Kind, Name, Object, Schema};
use crate::sql::{Token, TokenKind, lex, words};

/// What the script of a step says, given the schema before it.
pub(super) struct Meant<'a> {
    backend: Backend,
    script: Script,
    schema: &'a Schema,
}

impl<'a> Meant<'a> {
    pub(super) fn by(recording: &'a Recording, seen: &Observation) -> Option<Self> {
        let script = recording.script_of(seen)?;
        let schema = recording.expected(&recording.state_before(seen))?;
        Some(Self { backend: recording.backend, script, schema })
    }

    /// The tables of which it deletes rows in so many words.
    pub(super) fn deleted(&self) -> BTreeSet<Name> {
        self.deleted_by(&self.script.text)
    }

    fn deleted_by(&self, text: &str) -> BTreeSet<Name> {
        let mut found = BTreeSet::new();
        let tokens: Vec<_> = lex(text, self.backend).into_iter().filter(Token::is_significant).collect();
        let starts = |place: usize| {
            let is = |offset: usize, word: &str| {
                tokens.get(place + offset).is_some_and(|token| token.is_word(word))
            };
            is(0, "truncate") || is(0, "delete") && is(1, "from")
        };
        for place in (0..tokens.len()).filter(|place| starts(*place)) {
            let names = tokens[place..]
                .iter()
                .skip(1)
                .take_while(|token| !token.is_mark(";") && !token.is_word("where"));
            found.extend(names.filter_map(|token| self.table(bare(token.text))).cloned());
        }
        found
    }

    fn table(&self, name: &str) -> Option<&'a Name> {
        self.schema.tables().map(|(table, _)| table).find(|table| table.local().eq_ignore_ascii_case(name))
    }

    /// These tables and those whose rows go with theirs: a foreign key says so, or a trigger.
    pub(super) fn with_what_goes_along(&self, deleted: BTreeSet<Name>) -> BTreeSet<Name> {
        let mut gone = deleted;
        loop {
            let before = gone.len();
            let triggered: Vec<_> = gone.iter().flat_map(|name| self.deleted_by_triggers(name)).collect();
            gone.extend(triggered);
            for (name, group) in self.schema.tables() {
                let cascades = |key: &ForeignKey| {
                    let object = group.part(Kind::ForeignKey, &key.name);
                    object.and_then(|object| object.text(Attribute::OnDelete)) == Some("cascade")
                };
                let keys = foreign_keys(self.schema, group);
                if keys.iter().any(|key| gone.contains(&key.parent) && cascades(key)) {
                    gone.insert(name.clone());
                }
            }
            if gone.len() == before {
                return gone;
            }
        }
    }

    fn deleted_by_triggers(&self, table: &Name) -> BTreeSet<Name> {
        let group = self.schema.table(table);
        let texts = group.into_iter().flat_map(|group| triggers(self.schema, group, "delete"));
        texts.flat_map(|text| self.deleted_by(text)).collect()
    }

    /// The tables that it drops and makes again from others alone, so that what they hold follows from
    /// those: a row that follows from none was nobody's.
    pub(super) fn made_anew(&self) -> BTreeSet<Name> {
        let sources = self.sources();
        let dropped = sources.dropped.iter().filter_map(|name| self.table(name));
        let follows = |table: &&Name| {
            let from = sources.relations.get(&table.local().to_lowercase());
            from.is_some_and(|from| !from.is_empty() && !from.contains(*table))
        };
        dropped.filter(follows).cloned().collect()
    }

    /// The tables that it rebuilds with those rows alone that meet a condition.
    pub(super) fn kept_in_part(&self) -> BTreeSet<Name> {
        let sources = self.sources();
        let dropped = sources.dropped.iter().filter(|name| sources.chosen.contains(*name));
        let dropped = dropped.filter_map(|name| self.table(name));
        let keeps = |table: &&Name| {
            let from = sources.relations.get(&table.local().to_lowercase());
            from.is_some_and(|from| from.contains(*table))
        };
        dropped.filter(keeps).cloned().collect()
    }

    /// The tables that it drops and makes again without any of their rows, and of no others.
    pub(super) fn made_empty(&self) -> BTreeSet<Name> {
        let sources = self.sources();
        let dropped = sources.dropped.iter().filter_map(|name| self.table(name));
        let is_empty = |table: &&Name| {
            let from = sources.relations.get(&table.local().to_lowercase());
            from.is_some_and(BTreeSet::is_empty)
        };
        dropped.filter(is_empty).cloned().collect()
    }

    fn sources(&self) -> Sources<'_> {
        let mut sources = Sources::of(self);
        for statement in self.script.statements(self.backend) {
            sources.take(statement.body);
        }
        sources
    }
}

/// From which tables the rows of each relation come, as far as statements tell.
struct Sources<'a> {
    meant: &'a Meant<'a>,
    relations: BTreeMap<String, BTreeSet<Name>>,
    dropped: BTreeSet<String>,
    /// The relations all of whose rows a condition chose.
    chosen: BTreeSet<String>,
}

impl<'a> Sources<'a> {
    fn of(meant: &'a Meant<'a>) -> Self {
        let own = |name: &Name| (name.local().to_lowercase(), BTreeSet::from([name.clone()]));
        let relations = meant.schema.tables().map(|(name, _)| own(name)).collect();
        let mut sources = Self { meant, relations, dropped: BTreeSet::new(), chosen: BTreeSet::new() };
        let views = || {
            let is_view = |kind| matches!(kind, Kind::View | Kind::MaterializedView);
            meant.schema.groups().filter(move |(kind, ..)| is_view(*kind))
        };
        // A view may stand on others that come after it.
        loop {
            let known = sources.relations.clone();
            for (_, name, view) in views() {
                let from = sources.named_in(view.object().text(Attribute::Definition).unwrap_or_default());
                sources.relations.insert(name.local().to_lowercase(), from);
            }
            if sources.relations == known {
                return sources;
            }
        }
    }

    /// The tables whose rows a query may take.
    fn named_in(&self, query: &str) -> BTreeSet<Name> {
        let named = words(query, self.meant.backend);
        named.iter().filter_map(|word| self.relations.get(word)).flatten().cloned().collect()
    }

    fn take(&mut self, statement: &str) {
        let tokens: Vec<_> =
            lex(statement, self.meant.backend).into_iter().filter(Token::is_significant).collect();
        let is = |place: usize, word: &str| tokens.get(place).is_some_and(|token| token.is_word(word));
        let place = |word: &str| (0..tokens.len()).find(|place| is(*place, word));
        // The last part of the name that starts there.
        let name = |mut place: usize| {
            while is(place, "if") || is(place, "not") || is(place, "exists") || is(place, "only") {
                place += 1;
            }
            while tokens.get(place + 1).is_some_and(|token| token.is_mark(".")) {
                place += 2;
            }
            tokens.get(place).map(|token| bare(token.text).to_lowercase())
        };
        let from = |place: usize| {
            let start = tokens.get(place + 1).map_or(statement.len(), |token| token.offset);
            self.named_in(&statement[start..])
        };
        if is(0, "drop") && is(1, "table") {
            let end = |token: &&Token<'_>| !token.is_word("cascade") && !token.is_word("restrict");
            for token in tokens[2..].iter().take_while(end) {
                let name = bare(token.text).to_lowercase();
                if self.relations.remove(&name).is_some() {
                    self.dropped.insert(name);
                }
            }
        } else if is(0, "alter") && is(1, "table") {
            let Some((old, new)) = name(2).zip(place("to").and_then(|to| name(to + 1))) else { return };
            if place("rename").is_some_and(|rename| is(rename + 1, "to")) {
                let moved = self.relations.remove(&old).unwrap_or_default();
                if self.chosen.remove(&old) {
                    self.chosen.insert(new.clone());
                }
                self.relations.insert(new, moved);
                self.dropped.insert(old);
            }
        } else if is(0, "create") {
            let kinds = ["table", "view"];
            let Some(kind) = kinds.iter().filter_map(|kind| place(kind)).min().filter(|kind| *kind < 6)
            else {
                return;
            };
            let sources = place("as").map(from).unwrap_or_default();
            if let Some(name) = name(kind + 1) {
                self.choose(&name, &sources, &tokens);
                self.relations.insert(name, sources);
            }
        } else if let Some(into) = place("into").filter(|_| is(0, "insert") || is(0, "with")) {
            let (name, sources) = (name(into + 1).unwrap_or_default(), from(into + 1));
            self.choose(&name, &sources, &tokens);
            self.relations.entry(name).or_default().extend(sources);
        }
    }

    /// Notes whether what a statement puts into a relation was chosen, as all before it was.
    fn choose(&mut self, relation: &str, rows: &BTreeSet<Name>, statement: &[Token<'_>]) {
        let is_first = self.relations.get(relation).is_none_or(BTreeSet::is_empty);
        if rows.is_empty() {
            return;
        }
        if !has_condition(statement) {
            self.chosen.remove(relation);
        } else if is_first {
            self.chosen.insert(relation.to_owned());
        }
    }
}

/// Whether a query of its own, not one inside it, says which rows it takes by what they hold: WHERE
/// FALSE takes none to have the columns alone.
fn has_condition(statement: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    let place = statement.iter().position(|token| {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.is_word("where")
    });
    let constant = |token: &Token<'_>| ["true", "false", "null"].iter().any(|word| token.is_word(word));
    let names = |token: &Token<'_>| {
        matches!(token.kind, TokenKind::QuotedIdentifier) || token.kind == TokenKind::Word && !constant(token)
    };
    place.is_some_and(|place| statement[place + 1..].iter().any(names))
}

fn bare(name: &str) -> &str {
    name.trim_matches(['"', '`', '[', ']'])
}

/// What the triggers of a table run at an event.
pub(super) fn triggers<'a>(
    schema: &'a Schema,
    group: &'a Group,
    event: &'a str,
) -> impl Iterator<Item = &'a str> {
    let fires = move |trigger: &Object| {
        let events = trigger.list(Attribute::Events);
        events.iter().any(|one| one.split(' ').next().is_some_and(|one| one.eq_ignore_ascii_case(event)))
    };
    let triggers = group.parts_of(Kind::Trigger).map(|(_, trigger)| trigger);
    triggers.filter(move |trigger| fires(trigger)).filter_map(|trigger| {
        let Some(calls) = trigger.text(Attribute::Calls) else { return trigger.text(Attribute::Definition) };
        let stem = |name: &str| name.split('(').next().unwrap_or_default().to_owned();
        let routines = schema.groups().filter(|(kind, ..)| *kind == Kind::Routine);
        let called = routines.into_iter().find(|(_, name, _)| stem(&name.to_string()) == stem(calls));
        called.and_then(|(.., routine)| routine.object().text(Attribute::Definition))
    })
}

/// The columns that the text of a trigger gives values, in lower case.
pub(super) fn assigned(text: &str, backend: Backend) -> BTreeSet<String> {
    let tokens: Vec<_> = lex(text, backend).into_iter().filter(Token::is_significant).collect();
    let is_any = |place: Option<usize>, words: &[&str]| {
        let token = place.and_then(|place| tokens.get(place));
        token.is_none_or(|token| words.iter().any(|word| token.text.eq_ignore_ascii_case(word)))
    };
    let gives = |place: &usize| {
        let of_new = is_any(place.checked_sub(1), &["."]) && is_any(place.checked_sub(2), &["new"]);
        let before = place.checked_sub(if of_new { 3 } else { 1 });
        let assigns = tokens.get(place + 1).is_some_and(|token| matches!(token.text, "=" | ":="));
        match of_new {
            true => {
                let starts = is_any(before, &[";", "begin", "then", "else", "loop"]);
                starts && assigns || before.is_some() && is_any(before, &["into"])
            }
            false => before.is_some() && is_any(before, &["set", ","]) && assigns,
        }
    };
    (0..tokens.len()).filter(gives).map(|place| bare(tokens[place].text).to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::checks::testing::schema;
    use crate::schema::ObjectId;

    /// Tables `posts`, `users` and `posts_fast`, and a view of the first two; a trigger of posts deletes
    /// from the third.
    fn tables() -> Schema {
        let mut schema = schema(&["posts", "users", "posts_fast", "notes"]);
        let view = Object::new().with(Attribute::Definition, "select * from posts join users using (id)");
        schema.insert(ObjectId::whole(Kind::View, Name::new("posts_view")), view);
        let trigger = Object::new()
            .with(Attribute::Events, vec!["delete".to_owned()])
            .with(Attribute::Calls, "refresh()");
        let id = ObjectId::part(Kind::Table, Name::new("posts"), Kind::Trigger, "refresh");
        schema.insert(id, trigger);
        let body = "begin delete from posts_fast where id = old.id; return old; end";
        let routine = Object::new().with(Attribute::Definition, body);
        schema.insert(ObjectId::whole(Kind::Routine, Name::new("refresh()")), routine);
        schema
    }

    #[rstest]
    #[case::from_a_view("DROP TABLE posts_fast; CREATE TABLE posts_fast AS SELECT * FROM posts_view;", true)]
    #[case::filled(
        "DROP TABLE posts_fast; CREATE TABLE posts_fast (id INT); INSERT INTO posts_fast SELECT id FROM posts;",
        true
    )]
    #[case::from_a_new_view(
        "DROP TABLE IF EXISTS a, posts_fast CASCADE; CREATE VIEW v AS SELECT * FROM posts; CREATE TABLE posts_fast AS TABLE v;",
        true
    )]
    #[case::rebuilt(
        "CREATE TABLE n AS SELECT * FROM posts_fast WHERE false; DROP TABLE posts_fast; ALTER TABLE n RENAME TO posts_fast;",
        false
    )]
    #[case::renamed(
        "ALTER TABLE posts_fast RENAME TO old; CREATE TABLE posts_fast AS SELECT * FROM old;",
        false
    )]
    #[case::joined(
        "CREATE TABLE n AS TABLE posts_fast; DROP TABLE posts_fast; CREATE TABLE posts_fast AS SELECT * FROM posts JOIN n USING (id);",
        false
    )]
    #[case::empty("DROP TABLE posts_fast; CREATE TABLE posts_fast (id INT);", false)]
    #[case::given(
        "DROP TABLE posts_fast; CREATE TABLE posts_fast (id INT); INSERT INTO posts_fast VALUES (1);",
        false
    )]
    #[case::not_dropped("INSERT INTO posts_fast SELECT * FROM posts;", false)]
    fn a_table_is_made_anew_if_nothing_of_it_is_kept(#[case] text: &str, #[case] anew: bool) {
        let (script, schema) = (Script::new("up.sql", text), tables());
        let meant = Meant { backend: Backend::Postgres, script, schema: &schema };
        assert_eq!(meant.made_anew().contains(&Name::new("posts_fast")), anew);
    }

    #[rstest]
    #[case::plainly("DROP TABLE posts; CREATE TABLE posts (id INT);", true)]
    #[case::by_another_name(
        "CREATE TABLE n (id INT); DROP TABLE posts; ALTER TABLE n RENAME TO posts;",
        true
    )]
    #[case::copied("CREATE TABLE n AS TABLE posts; DROP TABLE posts; ALTER TABLE n RENAME TO posts;", false)]
    #[case::of_others("DROP TABLE posts; CREATE TABLE posts AS SELECT id FROM users;", false)]
    #[case::not_made_again("DROP TABLE posts;", false)]
    fn a_table_is_made_empty_if_none_of_its_rows_are_copied(#[case] text: &str, #[case] empty: bool) {
        let (script, schema) = (Script::new("up.sql", text), tables());
        let meant = Meant { backend: Backend::Sqlite, script, schema: &schema };
        assert_eq!(meant.made_empty().contains(&Name::new("posts")), empty);
    }

    #[rstest]
    #[case::chosen("INSERT INTO n SELECT id FROM posts WHERE id IN (SELECT id FROM users)", true)]
    #[case::in_two_parts(
        "INSERT INTO n SELECT id FROM posts WHERE id < 9; INSERT INTO n SELECT id FROM posts WHERE id > 9",
        true
    )]
    #[case::all("INSERT INTO n SELECT id FROM posts", false)]
    #[case::all_the_same("INSERT INTO n SELECT id, (SELECT 1 FROM users WHERE id = 1) FROM posts", false)]
    #[case::all_beside(
        "INSERT INTO n SELECT id FROM posts; INSERT INTO n SELECT id FROM posts WHERE id > 9",
        false
    )]
    #[case::columns_alone("INSERT INTO n SELECT id FROM posts WHERE false", false)]
    #[case::of_another("INSERT INTO n SELECT id FROM users WHERE id > 9", false)]
    #[case::none("", false)]
    fn a_table_is_kept_in_part_if_a_condition_says_which_rows(#[case] fills: &str, #[case] in_part: bool) {
        let says = |text: &str| {
            let schema = tables();
            let meant =
                Meant { backend: Backend::Sqlite, script: Script::new("up.sql", text), schema: &schema };
            meant.kept_in_part().contains(&Name::new("posts"))
        };
        let rebuilt =
            format!("CREATE TABLE n (id INT); {fills}; DROP TABLE posts; ALTER TABLE n RENAME TO posts;");
        assert_eq!(says(&rebuilt), in_part);
        // The old one is put aside first.
        let aside = fills.replace("posts", "old").replace("INTO n", "INTO posts");
        let aside =
            format!("ALTER TABLE posts RENAME TO old; CREATE TABLE posts (id INT); {aside}; DROP TABLE old;");
        assert_eq!(says(&aside), in_part);
    }

    #[rstest]
    #[case("begin new.a := lower(new.b); return new; end", "a")]
    #[case("begin if new.b = 'x' then new.a = 1; end if; select 1 into new.c; return new; end", "a c")]
    #[case("update t set a = new.b, \"C\" = 1 where b = new.b", "a c")]
    #[case("insert into audit (a, b) values (new.a, new.b)", "")]
    fn assignments_are_told_from_mentions(#[case] text: &str, #[case] columns: &str) {
        let found: Vec<String> = assigned(text, Backend::Postgres).into_iter().collect();
        assert_eq!(found.join(" "), columns);
    }

    #[test]
    fn what_a_trigger_deletes_goes_along() {
        let (script, schema) = (Script::new("up.sql", "DELETE FROM posts;"), tables());
        let meant = Meant { backend: Backend::Postgres, script, schema: &schema };
        let gone = meant.with_what_goes_along(meant.deleted());
        assert_eq!(gone, ["posts", "posts_fast"].map(Name::new).into());
    }
}
