//! From the rows of a catalog query to groups.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;
use sqlx::postgres::types::Oid;
use switchback_core::schema::{Attribute, Kind, Name, Object, ObjectId, Schema, Value};

use super::IntrospectError;
use super::spelling::spelled;

/// Where an object is in the catalogs: catalog, oid, column number.
type Address = (u32, u32, i32);

/// The oids of the two catalogs whose objects can be read by themselves; they never change.
const PG_CLASS: u32 = 1259;
const PG_PROC: u32 = 1255;

/// One row: an address, the names of the object there (if this row introduces it) and attributes.
pub(super) type Row =
    (Oid, Oid, i32, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>, String);

/// What the rows of a query said.
pub(super) struct Read {
    /// The objects, with their groups complete.
    pub(super) schema: Schema,
    /// The oid of each relation and routine, with the group that it is.
    pub(super) groups: HashMap<u32, (Kind, Name)>,
}

/// Several rows may speak of one object: the one that introduces it, and others that add what few
/// objects have. Rows about objects that no row introduces belong to what is left out.
pub(super) fn read(rows: Vec<Row>, default_namespace: &str) -> Result<Read, IntrospectError> {
    let mut found: HashMap<Address, (ObjectId, Object)> = HashMap::with_capacity(rows.len());
    let mut additions = Vec::new();
    for (class, oid, sub, kind, namespace, group, part_kind, part, attributes) in rows {
        let address = (class.0, oid.0, sub);
        let (Some(kind), Some(group)) = (kind, group) else {
            additions.push((address, attributes));
            continue;
        };
        let kind = kind_named(&kind)?;
        let name = match namespace {
            Some(namespace) => Name::within(namespace, group),
            None => Name::new(group),
        };
        let id = match (part_kind, part) {
            (Some(part_kind), Some(part)) => ObjectId::part(kind, name, kind_named(&part_kind)?, part),
            _ => ObjectId::whole(kind, name),
        };
        let mut object = Object::new();
        say(&mut object, &id, &attributes)?;
        found.insert(address, (id, object));
    }
    for (address, attributes) in additions {
        if let Some((id, object)) = found.get_mut(&address) {
            say(object, id, &attributes)?;
        }
    }
    Ok(assemble(found, default_namespace))
}

fn assemble(found: HashMap<Address, (ObjectId, Object)>, default_namespace: &str) -> Read {
    let mut read = Read { schema: Schema::new(), groups: HashMap::new() };
    let mut orders: BTreeMap<u32, BTreeMap<i32, String>> = BTreeMap::new();
    for ((_, oid, sub), (id, _)) in &found {
        if let Some((Kind::Column, name)) = &id.part {
            orders.entry(*oid).or_default().insert(*sub, name.clone());
        }
    }
    for ((class, oid, _), (id, mut object)) in found {
        if id.part.is_none() {
            if is_default_namespace(&id, default_namespace) && is_usual(&object, default_namespace) {
                continue;
            }
            if matches!(id.group_kind, Kind::Table | Kind::View | Kind::MaterializedView) {
                let order = orders.remove(&oid).unwrap_or_default();
                object.set(Attribute::ColumnOrder, order.into_values().collect::<Vec<_>>());
            }
            if matches!(class, PG_CLASS | PG_PROC) {
                read.groups.insert(oid, (id.group_kind, id.group.clone()));
            }
        }
        read.schema.insert(id, object);
    }
    read
}

/// Whether nothing is to be said of the default namespace. One that was made for a run, with a name
/// and a comment of the run's own, is to be told of only when it is gone.
fn is_usual(object: &Object, default_namespace: &str) -> bool {
    match default_namespace {
        "public" => object.attributes().next().is_none(),
        _ => !object.has(Attribute::Invalid),
    }
}

fn is_default_namespace(id: &ObjectId, default_namespace: &str) -> bool {
    id.group_kind == Kind::Namespace && id.group.local() == default_namespace
}

fn kind_named(word: &str) -> Result<Kind, IntrospectError> {
    Kind::from_word(word).ok_or_else(|| IntrospectError::UnknownKind(word.to_owned()))
}

/// Adds what a row says of an object.
fn say(object: &mut Object, id: &ObjectId, attributes: &str) -> Result<(), IntrospectError> {
    let said: serde_json::Map<String, Json> = serde_json::from_str(attributes)
        .map_err(|problem| IntrospectError::Attributes { object: id.described(), problem })?;
    let language = said.get(Attribute::Language.word()).and_then(Json::as_str).map(str::to_owned);
    for (word, value) in said {
        let attribute = Attribute::from_word(&word).ok_or_else(|| IntrospectError::UnknownAttribute {
            object: id.described(),
            word: word.clone(),
        })?;
        let spell = |text: String| spelled(id.kind(), attribute, language.as_deref(), text);
        match value {
            Json::Null | Json::Bool(false) => {}
            Json::Bool(true) => object.set(attribute, Value::Flag),
            Json::String(text) => object.set(attribute, spell(text)),
            Json::Array(items) => {
                let texts = items.into_iter().map(|item| match item {
                    Json::String(text) => spell(text),
                    other => other.to_string(),
                });
                let list: Vec<String> = texts.collect();
                if !list.is_empty() {
                    object.set(attribute, list);
                }
            }
            other => object.set(attribute, other.to_string()),
        }
    }
    Ok(())
}
