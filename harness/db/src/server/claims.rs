//! What revisions of this run make on the whole of a server that somebody else runs, roles and
//! databases: theirs to be taken back, however the run ends, and nobody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::PgConnection;

use super::connect::{execute, identifier, literal};
use super::neighbours::{self, Object, Standings};
use super::run::{RunId, tag, tagged};
use super::{Server, ServerError};

/// The label of the database whose comment tells the next run what this one has made.
const LABEL: &str = "claims";

/// What is this run's on a server, which its keeper takes back when the run is cut short.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    made: BTreeMap<String, Option<i64>>,
    /// What was there before the revisions that run now, and their text.
    running: Vec<(Standings, String)>,
    /// The database that holds the comment.
    noted: Option<String>,
}

impl Claims {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back what revisions made, also those that were cut short. The databases of the run must
    /// have been dropped.
    pub(crate) async fn undo(&self, on: &mut PgConnection, major: u32) -> Result<(), ServerError> {
        let (made, running) = {
            let known = self.known();
            (known.made.clone(), known.running.clone())
        };
        if made.is_empty() && running.is_empty() {
            return Ok(());
        }
        let ours = |object: &Object| {
            made.get(&object.name).is_some_and(|oid| *oid == object.oid)
                || running
                    .iter()
                    .any(|(before, text)| !object.was_among(before) && is_named(&object.name, text))
        };
        neighbours::undo(on, major, ours).await
    }
}

impl Server {
    /// Lists the objects of the whole server before a revision with this text, and takes those that
    /// it makes for this run's.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn before_revision(&self, text: &str) -> Result<Standings, ServerError> {
        let before = self.listed(ends_sessions(text)).await?;
        let before: Standings = before.into_iter().map(Object::standing).collect();
        if !self.is_ours() {
            self.claims.known().running.push((before.clone(), text.to_owned()));
        }
        Ok(before)
    }

    /// Whether an object of the whole server was there before this run, which then is not to drop it.
    pub(crate) fn is_theirs(&self, object: &str, before: &Standings) -> bool {
        !self.is_ours() && before.contains_key(object) && !self.claims.known().made.contains_key(object)
    }

    /// Lists them after that revision, and which of them it made: they were not there before, and its
    /// text names them. What came meanwhile without being named is somebody else's.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn after_revision(
        &self,
        text: &str,
        before: &Standings,
    ) -> Result<(Standings, Vec<String>), ServerError> {
        let found = self.listed(ends_sessions(text)).await?;
        // One that has only got another name is not the revision's.
        let is_made = |object: &&Object| !object.was_among(before) && is_named(&object.name, text);
        let made: Vec<&Object> = found.iter().filter(is_made).collect();
        if !self.is_ours() {
            let noted = {
                let mut known = self.claims.known();
                known.made.extend(made.iter().map(|object| (object.name.clone(), object.oid)));
                known.running.retain(|(_, running)| running != text);
                if made.is_empty() { None } else { Some(known.made.clone()) }
            };
            if let Some(made) = noted {
                self.note(&made).await?;
            }
        }
        let made = made.into_iter().map(|object| object.name.clone()).collect();
        Ok((found.into_iter().map(Object::standing).collect(), made))
    }

    /// Writes down what this run has made, for the next one in case this one is killed: in the comment
    /// of a database, since that says whose it is and goes away with the run.
    async fn note(&self, made: &BTreeMap<String, Option<i64>>) -> Result<(), ServerError> {
        let noted = self.claims.known().noted.clone();
        let name = match noted {
            Some(name) => name,
            None => {
                let name = self.create_database(LABEL).await?.name().to_owned();
                self.claims.known().noted.insert(name).clone()
            }
        };
        let lines = made.iter().filter_map(|(object, oid)| Some(format!("\n{} {object}", (*oid)?)));
        let comment = tag(&self.run, self.keep) + &lines.collect::<String>();
        let comment = format!("COMMENT ON DATABASE {} IS {}", identifier(&name), literal(&comment));
        let mut admin = self.admin().await?;
        execute(&mut admin, comment)
            .await
            .map_err(|e| ServerError::query("note what revisions made on the whole server", &e))
    }
}

/// What dead runs of this role have noted: each object by its name and its number, so that one which
/// was made anew since then is not taken for theirs. Others' notes are not to be trusted.
pub(crate) async fn of_the_dead(
    on: &mut PgConnection,
    is_dead: impl Fn(&str, &RunId) -> bool,
) -> Result<BTreeSet<(String, i64)>, sqlx::Error> {
    let comments: Vec<(String, String)> = sqlx::query_as(
        "SELECT datname::text, shobj_description(oid, 'pg_database') FROM pg_database \
         WHERE shobj_description(oid, 'pg_database') IS NOT NULL AND pg_get_userbyid(datdba) = current_user",
    )
    .fetch_all(on)
    .await?;
    let mut noted = BTreeSet::new();
    for (database, comment) in comments {
        let mut lines = comment.lines();
        let run = lines.next().and_then(tagged).filter(|run| RunId::of(&database).as_ref() == Some(run));
        if !run.is_some_and(|run| is_dead(&database, &run)) {
            continue;
        }
        noted.extend(lines.filter_map(|line| {
            let (oid, object) = line.split_once(' ')?;
            Some((object.to_owned(), oid.parse().ok()?))
        }));
    }
    Ok(noted)
}

/// Whether a text may end the sessions of others.
pub(crate) fn ends_sessions(text: &str) -> bool {
    text.to_ascii_lowercase().contains("pg_terminate_backend")
}

/// Whether a text has all the names of an object, which stand in quotes, or else as its last word.
fn is_named(object: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |name: &str| text.contains(&name.to_lowercase());
    match object.contains('"') {
        true => object.split('"').skip(1).step_by(2).all(has),
        false => object.rsplit(' ').next().is_some_and(has),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("role \"app\"", "CREATE ROLE App;", true)]
    #[case("role \"app\"", "DO $$ BEGIN EXECUTE 'CREATE ROLE \"app\"'; END $$", true)]
    #[case("role \"neighbour\"", "CREATE ROLE app;", false)]
    #[case("membership of \"ada\" in \"team\"", "GRANT team TO ada;", true)]
    #[case("membership of \"ada\" in \"team\"", "CREATE ROLE team;", false)]
    #[case("setting work_mem", "ALTER SYSTEM SET work_mem = '8MB';", true)]
    #[case("setting work_mem", "CREATE ROLE app;", false)]
    fn an_object_is_a_revisions_only_if_it_names_it(
        #[case] object: &str,
        #[case] text: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(is_named(object, text), expected);
    }
}
