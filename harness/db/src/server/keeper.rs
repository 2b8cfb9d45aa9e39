//! A thread that holds what must live as long as the server: the connection with the run's lock,
//! or a container. It has a runtime of its own, since the caller's may end earlier: every
//! `#[tokio::test]` has its own, and several may share a server.

use std::thread::JoinHandle;

use tokio::sync::oneshot::{self, Receiver, Sender};

use super::ServerError;

/// Ends what it holds when dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Runs `hold` on the thread and waits for its word that it holds what it is to hold. It
    /// should let go and return when the receiver fires, for whatever reason.
    pub(crate) async fn start<T, E, F>(hold: F) -> Result<(Self, T), E>
    where
        T: Send + 'static,
        E: From<ServerError> + Send + 'static,
        F: AsyncFnOnce(Sender<Result<T, E>>, Receiver<()>) + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let (ready, word) = oneshot::channel();
        let thread = std::thread::Builder::new().name("switchback-keeper".to_owned());
        let thread = thread
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                match runtime {
                    Ok(runtime) => runtime.block_on(hold(ready, stopped)),
                    Err(e) => drop(ready.send(Err(refused(&e).into()))),
                }
            })
            .map_err(|e| refused(&e))?;
        let keeper = Self { stop: Some(stop), thread: Some(thread) };
        match word.await {
            Ok(Ok(held)) => Ok((keeper, held)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ServerError::Query {
                doing: "hold the server".to_owned(),
                reason: "the thread that was to hold it ended".to_owned(),
            }
            .into()),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It bounds its own time; a panic in it has been printed already.
            let _ = thread.join();
        }
    }
}

fn refused(error: &std::io::Error) -> ServerError {
    ServerError::Query { doing: "start a thread".to_owned(), reason: error.to_string() }
}
