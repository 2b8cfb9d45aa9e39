//! PostgreSQL from a container, through testcontainers.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use testcontainers_modules::postgres::Postgres;
use testcontainers_modules::testcontainers::bollard::Docker;
use testcontainers_modules::testcontainers::bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, RemoveContainerOptions,
};
use testcontainers_modules::testcontainers::core::Mount;
use testcontainers_modules::testcontainers::core::client::docker_client_instance;
use testcontainers_modules::testcontainers::runners::AsyncRunner;
use testcontainers_modules::testcontainers::{ContainerAsync, ImageExt};
use tokio::sync::oneshot::{Receiver, Sender};
use tokio::time::timeout;

use super::cluster::SETTINGS;
use super::connect::connect;
use super::folder::{RunFolder, is_left};
use super::guardian::Remover;
use super::keeper::Keeper;
use super::run::{RunId, host, random_hex};
use super::url::DatabaseUrl;
use super::{Request, ServerError};

/// An engine answers a ping at once.
const ANSWERS: Duration = Duration::from_secs(5);
/// An image may have to be pulled first.
const COMES_UP: Duration = Duration::from_secs(180);
/// The official image.
const NAME: &str = "postgres";
const RUN: &str = "switchback.run";
const HOST: &str = "switchback.host";
const LEASE: &str = "switchback.lease";

/// A container that answers, and the keeper that holds it.
pub(crate) struct Contained {
    pub(crate) keeper: Keeper,
    /// The container's short id.
    pub(crate) id: String,
    pub(crate) url: DatabaseUrl,
    pub(crate) options: PgConnectOptions,
    pub(crate) version: String,
    pub(crate) source: String,
}

/// Why no container serves: what else fails here is a reason to look elsewhere, not an error.
pub(crate) struct Reason(pub(crate) String);

impl From<ServerError> for Reason {
    fn from(error: ServerError) -> Self {
        Self(error.to_string())
    }
}

/// Starts a container and waits until its server answers.
pub(crate) async fn serve(request: &Request, run: &RunId) -> Result<Contained, Reason> {
    let image = image(request);
    let plan = Plan {
        image: image.clone(),
        platform: request.platform.clone(),
        run: run.clone(),
        password: random_hex(16)?,
        wanted: request.version,
        keep: request.keep,
    };
    let (keeper, (id, url, options, version)) =
        Keeper::start(async move |ready, stop| plan.hold(ready, stop).await).await?;
    Ok(Contained { keeper, id, url, options, version, source: format!("container {image}") })
}

/// The image that a request asks for, from its registry unless it names one itself.
fn image(request: &Request) -> String {
    let official = || format!("{NAME}:{}", request.version.unwrap_or(super::range().1));
    let image = request.image.clone().unwrap_or_else(official);
    // What stands first is a host if it looks like one (Docker's documentation, "docker image tag").
    let is_host = |first: &str| first == "localhost" || first.contains(['.', ':']);
    match &request.registry {
        Some(registry) if !image.split_once('/').is_some_and(|(first, _)| is_host(first)) => {
            format!("{}/{image}", registry.trim_end_matches('/'))
        }
        _ => image,
    }
}

type Found = (String, DatabaseUrl, PgConnectOptions, String);

struct Plan {
    image: String,
    platform: Option<String>,
    run: RunId,
    password: String,
    wanted: Option<u32>,
    keep: bool,
}

impl Plan {
    async fn hold(self, ready: Sender<Result<Found, Reason>>, mut stop: Receiver<()>) {
        let docker = match engine().await {
            Ok(docker) => docker,
            Err(reason) => return drop(ready.send(Err(reason))),
        };
        let started = tokio::select! {
            started = self.start(&docker) => started,
            // The caller has given up.
            _ = &mut stop => Err(Reason("it was interrupted".to_owned())),
        };
        let held = match started {
            Ok((held, found)) => ready.send(Ok(found)).map(|()| held).ok(),
            Err(reason) => {
                // What was cut short may have made its container already.
                let run = self.run.to_string();
                let mine = |labels: &HashMap<String, String>| labels.get(RUN) == Some(&run);
                let _ = timeout(ANSWERS, remove(&docker, mine)).await;
                return drop(ready.send(Err(reason)));
            }
        };
        let Some((container, remover, lease)) = held else {
            return;
        };
        let _ = stop.await;
        if self.keep {
            remover.forget();
            let _ = timeout(COMES_UP, container.stop()).await;
            // Its drop would remove it.
            std::mem::forget(container);
        } else {
            let removed = timeout(COMES_UP, container.rm()).await;
            if matches!(removed, Ok(Ok(()))) {
                remover.forget();
            }
        }
        drop(lease);
    }

    async fn start(
        &self,
        docker: &Docker,
    ) -> Result<((ContainerAsync<Postgres>, Remover, RunFolder), Found), Reason> {
        let _ = timeout(ANSWERS, remove(docker, is_leftover)).await;
        let lease = RunFolder::lease(&self.run)?;
        let container = timeout(COMES_UP, self.request(lease.path()).start())
            .await
            .map_err(|_| Reason(format!("not up within {} seconds", COMES_UP.as_secs())))?
            .map_err(|e| Reason(one_line(&e)))?;
        let remover = Remover::of_container(container.id(), lease.path());
        let lacking = |e| Reason(one_line(&e));
        let host = container.get_host().await.map_err(lacking)?;
        let port = container.get_host_port_ipv4(5432).await.map_err(lacking)?;
        let password = &self.password;
        let url = DatabaseUrl::own(&format!("postgres://postgres:{password}@{host}:{port}/postgres"));
        let options = url.options().map_err(Reason)?.ssl_mode(PgSslMode::Disable);
        let mut connection = connect(&options).await.map_err(|no| Reason(no.reason))?;
        let version: String = sqlx::query_scalar("SHOW server_version")
            .fetch_one(&mut connection)
            .await
            .map_err(|e| Reason(one_line(&e)))?;
        let version = version.split_whitespace().next().unwrap_or_default().to_owned();
        let major = version.split('.').next().unwrap_or_default();
        if let Some(wanted) = self.wanted.filter(|wanted| wanted.to_string() != major) {
            let image = &self.image;
            return Err(Reason(format!("image {image} is PostgreSQL {version}, and {wanted} is asked for")));
        }
        let id = container.id().chars().take(12).collect();
        Ok(((container, remover, lease), (id, url, options, version)))
    }

    fn request(&self, lease: &Path) -> testcontainers_modules::testcontainers::ContainerRequest<Postgres> {
        // The last colon of a digest, too, is where the module wants to put one.
        let (name, tag) = match self.image.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (self.image.as_str(), "latest"),
        };
        let settings = SETTINGS.iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]);
        let request = Postgres::default()
            .with_password(&self.password)
            .with_cmd(settings)
            .with_name(name)
            .with_tag(tag)
            // Not in the volume that each image declares at a place of its own.
            .with_env_var("PGDATA", "/switchback/data")
            .with_env_var("POSTGRES_INITDB_ARGS", "--no-sync --locale=C --encoding=UTF8")
            .with_label(RUN, self.run.to_string())
            .with_label(HOST, namespace())
            .with_label("switchback.pid", std::process::id().to_string())
            .with_startup_timeout(COMES_UP);
        let request = match &self.platform {
            Some(platform) => request.with_platform(platform),
            None => request,
        };
        if self.keep {
            // What is kept must outlast the memory, and without a lease it is nobody's leftover.
            request
        } else {
            request.with_mount(Mount::tmpfs_mount("/switchback")).with_label(LEASE, lease.to_string_lossy())
        }
    }
}

/// An engine that answers.
async fn engine() -> Result<Docker, Reason> {
    let docker = docker_client_instance().await.map_err(|e| unreachable_engine(&e))?;
    match timeout(ANSWERS, docker.ping()).await {
        Ok(Ok(_)) => Ok(docker),
        Ok(Err(e)) => Err(unreachable_engine(&e)),
        Err(_) => {
            let seconds = ANSWERS.as_secs();
            Err(Reason(format!("Docker did not answer within {seconds} seconds")))
        }
    }
}

/// The images of PostgreSQL that the engine has, which need no pull.
///
/// # Errors
/// Why there is no engine, in a sentence.
pub(crate) async fn images() -> Result<Vec<String>, String> {
    let docker = engine().await.map_err(|reason| reason.0)?;
    let found = timeout(ANSWERS, docker.list_images(None::<ListImagesOptions>)).await;
    let found = found.map_err(|_| "Docker did not list its images".to_owned())?;
    let found = found.map_err(|error| format!("Docker: {}", one_line(&error)))?;
    let tags = found.into_iter().flat_map(|image| image.repo_tags);
    let is_postgres =
        |tag: &String| tag.rsplit_once(':').is_some_and(|(name, _)| name.rsplit('/').next() == Some(NAME));
    Ok(tags.filter(is_postgres).collect())
}

/// Removes the containers that are chosen by their labels, among those of any run.
async fn remove(docker: &Docker, chosen: impl Fn(&HashMap<String, String>) -> bool) {
    let filters = HashMap::from([("label".to_owned(), vec![RUN.to_owned()])]);
    let all = ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
    let found = docker.list_containers(Some(all)).await.unwrap_or_default();
    for container in found {
        let labels = container.labels.unwrap_or_default();
        if let Some(id) = container.id.filter(|_| chosen(&labels)) {
            let force = RemoveContainerOptions { force: true, v: true, ..Default::default() };
            let _ = docker.remove_container(&id, Some(force)).await;
        }
    }
}

/// Whether a container's owner is dead, which can be told only where the owner's lease can be seen.
fn is_leftover(labels: &HashMap<String, String>) -> bool {
    let here = labels.get(HOST).is_some_and(|host| *host == namespace());
    here && labels.get(LEASE).is_some_and(|lease| is_left(Path::new(lease)))
}

/// The machine and the file system that we see, which in a container are its own.
fn namespace() -> String {
    let mounts = std::fs::read_link("/proc/self/ns/mnt").unwrap_or_default();
    format!("{} {}", host(), mounts.display())
}

fn unreachable_engine(error: &(dyn std::error::Error + 'static)) -> Reason {
    let said = one_line(error);
    let absent = said.contains("No such file") || said.to_lowercase().contains("socket not found");
    Reason(if absent { "no Docker socket".to_owned() } else { format!("Docker: {said}") })
}

/// An error with its causes; each of the engine's own often says only half.
fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let more = e.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        cause = e.source();
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::official(None, None, "postgres:16")]
    #[case::from_a_mirror(None, Some("mirror.example/library"), "mirror.example/library/postgres:16")]
    #[case::with_a_slash(None, Some("mirror.example:5000/"), "mirror.example:5000/postgres:16")]
    #[case::named(Some("own.example/pg:16-alpine"), Some("mirror.example"), "own.example/pg:16-alpine")]
    #[case::of_this_machine(Some("localhost/pg"), Some("mirror.example"), "localhost/pg")]
    #[case::another_of_the_mirror(Some("team/pg:16"), Some("mirror.example"), "mirror.example/team/pg:16")]
    fn an_image_is_asked_for(
        #[case] named: Option<&str>,
        #[case] registry: Option<&str>,
        #[case] expected: &str,
    ) {
        let text = |text: &str| text.to_owned();
        let (named, registry) = (named.map(text), registry.map(text));
        let request = Request { image: named, registry, version: Some(16), ..Request::default() };
        assert_eq!(image(&request), expected);
    }
}
