//! The command line.

mod args;
mod baseline;
mod check;
mod explain;
mod init;
mod matrix;
mod progress;
pub mod render;
mod report;
mod show;
mod versions;

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use clap::Parser as _;
use switchback_core::Backend;
use switchback_core::report::NotRun;

use crate::error::{Error, ExitCode};
use args::{Args, Command, ReportCommand};

/// Runs the command line of this process, and says with which code it ends.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are asked for, anything else is a mistake.
            let asked = !error.use_stderr();
            let _ = error.print();
            return if asked { ExitCode::Clean } else { ExitCode::Usage };
        }
    };
    let done = match args.command {
        Command::Check(args) => check::main(&args),
        Command::Init(args) => init::main(&args),
        Command::Baseline(args) => baseline::main(&args),
        Command::Explain(args) => explain::main(&args),
        Command::History(args) => show::history(&args),
        Command::Schema(args) => show::schema(&args),
        Command::Diff(args) => show::diff(&args),
        Command::Sql(args) => show::sql(&args),
        Command::Versions(args) => versions::main(&args),
        Command::Report(ReportCommand::Merge(args)) => report::merge(&args),
        Command::Matrix(args) => matrix::main(&args),
    };
    done.unwrap_or_else(|error| {
        tell(&error);
        ExitCode::of_error(&error)
    })
}

fn tell(error: &Error) {
    let red = AnsiColor::Red.on_default().bold();
    let bold = Style::new().bold();
    let mut out = anstream::stderr().lock();
    // There is nowhere left to say that standard error is closed.
    let _ = writeln!(out, "{red}error{red:#}{bold}: {error}{bold:#}");
    if let Some(help) = error.help() {
        let green = AnsiColor::Green.on_default().bold();
        let _ = writeln!(out, "   = {green}help{green:#}: {}", indented(&help));
    }
}

/// The lines after the first below the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n           ").replace("           \n", "\n")
}

/// Says on standard error which backends are not among what was asked for.
fn tell_not_run(not_run: &[NotRun]) {
    let mut out = anstream::stderr().lock();
    for one in not_run.iter().filter(|one| one.check.is_none() && one.revision.is_none() && !one.failed) {
        let name = one.backend.map_or("both backends", Backend::name);
        let _ = writeln!(out, "note: {name} left out: {}", one.reason);
    }
}

/// What was meant to run and could not, in one message.
fn failures(not_run: &[NotRun]) -> Option<String> {
    let told = |one: &NotRun| match one.backend {
        Some(backend) => format!("{} ({backend})", one.reason),
        None => one.reason.clone(),
    };
    let reasons: Vec<String> = not_run.iter().filter(|one| one.failed).map(told).collect();
    if reasons.is_empty() { None } else { Some(reasons.join("; ")) }
}

/// Writes to standard output. A reader that has gone away, such as `head`, has seen enough.
fn print(text: &str) {
    let _ = anstream::stdout().lock().write_all(text.as_bytes());
}

/// Runs a future until it is done or the process is asked to stop; what it held is then dropped.
fn block_on<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let done = runtime.block_on(async {
        // Before anything is made that a signal would leave behind.
        let stop = asked_to_stop();
        tokio::select! {
            done = future => done,
            () = stop => Err(Error::Interrupted),
        }
    });
    if matches!(done, Err(Error::Interrupted)) {
        // A step that another program takes is not waited for.
        switchback_db::drive::stop();
    }
    done
}

/// Hears signals from now on; done once one asks to stop.
fn asked_to_stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut waiting = Vec::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        waiting.extend(signal(kind));
    }
    std::future::poll_fn(move |context| {
        if waiting.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
}
