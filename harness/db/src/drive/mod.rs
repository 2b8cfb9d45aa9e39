//! Tools that run their revisions themselves. Switchback tells them which one, in which direction and
//! on which of its own databases; how it is done is theirs, as in production.

mod alembic;
mod command;
mod place;
mod process;
mod python;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use switchback_core::Backend;
use switchback_core::config::HistoryConfig;
use switchback_core::evidence::Outcome;
use switchback_core::history::{Direction, History, HistoryError, Revision, RevisionId};
use switchback_core::schema::ObjectId;

pub use alembic::{folders as alembic_folders, is_configured as has_alembic};
pub use place::Place;
pub use process::stop;

use self::alembic::Alembic;
use self::command::Commands;

/// The names of these tools, as `[history] tool` in the config spells them.
pub const TOOLS: [&str; 2] = [ALEMBIC, command::NAME];
/// The one of them that is recognised.
pub const ALEMBIC: &str = alembic::NAME;

/// A tool that runs its revisions itself, for one backend.
#[derive(Clone, Debug)]
pub struct Driver(Arc<Mutex<Tool>>);

#[derive(Debug)]
enum Tool {
    Alembic(Alembic),
    Commands(Commands),
}

/// Why a tool cannot be driven. The project's revisions are not to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DriveError {
    /// What happened, with what the tool itself said.
    message: String,
    /// What to do about it.
    help: Option<String>,
}

impl DriveError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(crate) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn hidden(self, place: &Place) -> Self {
        Self { message: place.hidden(&self.message), ..self }
    }

    pub(crate) fn without_settings(root: &Path) -> Self {
        Self::new(format!("no alembic.ini was found in \"{}\" or below it", root.display()))
            .with_help("name the folder that holds it with [history] path")
    }

    /// What to do about it, if that can be said.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The same in one text.
    pub fn told(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.message),
            None => self.message.clone(),
        }
    }
}

impl From<HistoryError> for DriveError {
    fn from(error: HistoryError) -> Self {
        Self::new(error.to_string())
    }
}

/// A step that a tool is to take.
#[derive(Clone, Debug)]
pub struct Order {
    /// The direction.
    pub direction: Direction,
    /// The revision.
    pub revision: Revision,
    /// The revision before it in the history, if there is one.
    pub previous: Option<RevisionId>,
}

/// What came of an order.
#[derive(Clone, Debug)]
pub struct Done {
    /// Whether the step was taken.
    pub outcome: Outcome,
    /// The SQL that the tool sent, if it tells.
    pub sent: Option<Arc<str>>,
    /// What the tool's books say is applied afterwards, if it tells: these, and all before them.
    pub heads: Option<Vec<RevisionId>>,
}

impl Done {
    /// The same without the password of its database: what a tool says is the tool's own affair.
    fn hidden(mut self, place: &Place) -> Self {
        hide(&mut self.outcome, place);
        self.sent = self.sent.map(|sent| place.hidden(&sent).into());
        self
    }
}

fn hide(outcome: &mut Outcome, place: &Place) {
    if let Outcome::Failed(failure) = outcome {
        failure.message = place.hidden(&failure.message);
        failure.detail = failure.detail.as_deref().map(|text| place.hidden(text));
        failure.statement = failure.statement.as_deref().map(|text| place.hidden(text));
    }
}

/// What building the declared schema came to.
#[derive(Clone, Debug)]
pub enum Declaring {
    /// The project declares none, and why that is known.
    Nothing(String),
    /// The file that declares it, and whether it could be built.
    Built(String, Outcome),
}

impl Declaring {
    fn hidden(mut self, place: &Place) -> Self {
        if let Self::Built(_, outcome) = &mut self {
            hide(outcome, place);
        }
        self
    }
}

impl Driver {
    /// The driver of a tool for one backend, with the history that the tool knows. `root` is the
    /// project's folder, and `folder` the one of the tool below it.
    ///
    /// # Errors
    ///
    /// If the tool does not start, or does not tell its history.
    pub fn open(
        config: &HistoryConfig,
        root: &Path,
        folder: &str,
        backend: Backend,
    ) -> Result<(Self, History), DriveError> {
        let (tool, history) = match config.tool.as_deref() {
            Some(command::NAME) => {
                let (commands, history) = Commands::open(config, root, folder, backend)?;
                (Tool::Commands(commands), history)
            }
            _ => {
                let (alembic, history) = Alembic::open(config, root, folder, backend)?;
                (Tool::Alembic(alembic), history)
            }
        };
        Ok((Self(Arc::new(Mutex::new(tool))), history))
    }

    /// Takes a step on a database.
    ///
    /// # Errors
    ///
    /// If the tool could not do so for reasons that are not the revision's.
    pub async fn step(&self, place: Place, order: Order) -> Result<Done, DriveError> {
        self.ask(move |tool| {
            let done = match tool {
                Tool::Alembic(alembic) => alembic.step(&place, &order),
                Tool::Commands(commands) => commands.step(&place, &order),
            };
            done.map(|done| done.hidden(&place)).map_err(|error| error.hidden(&place))
        })
        .await
    }

    /// Builds what the application declares in an empty database.
    ///
    /// # Errors
    ///
    /// If the tool could not do so for reasons that are not the declaration's.
    pub async fn declare(&self, place: Place) -> Result<Declaring, DriveError> {
        self.ask(move |tool| match tool {
            Tool::Alembic(alembic) => alembic
                .declare(&place)
                .map(|declaring| declaring.hidden(&place))
                .map_err(|error| error.hidden(&place)),
            Tool::Commands(_) => Ok(Declaring::Nothing("commands declare no schema".to_owned())),
        })
        .await
    }

    /// Sees to it that the tool is not in a database any more, which it may stay in between steps.
    pub async fn leave(&self, place: Place) {
        let left = self.ask(move |tool| {
            match tool {
                Tool::Alembic(alembic) => alembic.leave(&place),
                Tool::Commands(_) => {}
            }
            Ok(())
        });
        // There is no error: a tool that has gone is as far away as one can be.
        let _ = left.await;
    }

    /// The SQL that leads from one revision to another, or from base where none is named, as the tool writes
    /// it without a database.
    ///
    /// # Errors
    ///
    /// If the tool writes none, as when a revision looks into the database.
    pub fn sql(&self, direction: Direction, from: Option<&str>, to: &str) -> Result<String, DriveError> {
        match &mut *lock(&self.0) {
            Tool::Alembic(alembic) => alembic.sql(direction, from, to),
            Tool::Commands(_) => Err(DriveError::new("a tool that is driven by its commands tells no SQL")
                .with_help(
                    "\"switchback check --log-sql FOLDER\" writes down what it sends where that can be seen",
                )),
        }
    }

    /// Which of these objects the project leaves out when what it declares is compared.
    ///
    /// # Errors
    ///
    /// If the tool does not tell.
    pub async fn left_out(&self, objects: Vec<ObjectId>) -> Result<Vec<ObjectId>, DriveError> {
        self.ask(move |tool| match tool {
            Tool::Alembic(alembic) => alembic.left_out(&objects),
            Tool::Commands(_) => Ok(Vec::new()),
        })
        .await
    }

    /// The tool is asked on a thread of its own, since it may take its time.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Tool) -> Result<T, DriveError> + Send + 'static,
    ) -> Result<T, DriveError> {
        let tool = Arc::clone(&self.0);
        let asked = tokio::task::spawn_blocking(move || ask(&mut lock(&tool)));
        asked.await.unwrap_or_else(|error| Err(DriveError::new(format!("the tool's driver ended: {error}"))))
    }
}

fn lock(tool: &Mutex<Tool>) -> MutexGuard<'_, Tool> {
    tool.lock().unwrap_or_else(PoisonError::into_inner)
}
