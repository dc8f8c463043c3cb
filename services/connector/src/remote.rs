//! The only place that runs commands on a login node.
//!
//! A command is one of a few fixed scripts, run by `timeout`; values are only its
//! positional arguments. It runs in a task of this process: if the caller goes away,
//! the command still runs to its end.

mod frame;
mod reply;
mod script;
mod stdio;

use std::{sync::Arc, time::Duration};

use openssh::{Session, Stdio};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::{
    error::Error,
    fence::Fence,
    meters,
    pool::{Pool, SessionGuard},
};
pub(crate) use reply::Reply;
use reply::{chain, cut, settle};
#[cfg(test)]
pub(crate) use script::command_line;
#[cfg(not(test))]
use script::command_line;
pub(crate) use script::{Script, Shell};
pub(crate) use stdio::Input;

/// Runs scripts on the login node of one HPC. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pool: Arc<Pool>,
    tasks: TaskTracker,
    fence: Fence,
}

/// Added to the limit of a script: for connecting and for the transfer of its output.
const GRACE: Duration = Duration::from_secs(15);

impl Remote {
    /// Runs scripts over the connections of `pool`, in `tasks`.
    pub(crate) fn new(pool: Arc<Pool>, tasks: TaskTracker) -> Self {
        Self {
            pool,
            tasks,
            fence: Fence::default(),
        }
    }

    /// The same for a caller with this fence.
    pub(crate) fn fenced(&self, fence: &Fence) -> Self {
        Self {
            fence: fence.clone(),
            ..self.clone()
        }
    }

    /// The connections.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs a script.
    ///
    /// # Errors
    /// [`Error::Cut`] if it is unknown whether the script did its work;
    /// [`Error::Login`] and [`Error::Busy`] if it was not started.
    pub(crate) async fn run(
        &self,
        script: &'static Script,
        arguments: Vec<String>,
    ) -> Result<Reply, Error> {
        self.feed(script, arguments, Input::Nothing).await
    }

    /// Runs a script that reads `input`.
    ///
    /// # Errors
    /// Those of [`run`](Self::run) and of the input.
    pub(crate) async fn feed(
        &self,
        script: &'static Script,
        arguments: Vec<String>,
        input: Input,
    ) -> Result<Reply, Error> {
        let pool = Arc::clone(&self.pool);
        let mut all = self.fence.arguments();
        all.extend(arguments);
        let run = async move {
            let meter = meters::RemoteCommand::begin(pool.hpc(), script.name);
            let reply = Box::pin(run(&pool, script, &all, input)).await;
            meter.end(&reply);
            reply
        };
        let run = self.tasks.spawn(run.in_current_span());
        run.await
            .unwrap_or_else(|error| Err(Error::Internal(format!("{}: {error}", script.name))))
    }
}

async fn run(
    pool: &Pool,
    script: &'static Script,
    arguments: &[String],
    input: Input,
) -> Result<Reply, Error> {
    let mark = format!("cgc-{:016x}", rand::random::<u64>());
    let line = command_line(script, &mark, arguments);
    let mut guard = pool.acquire().await?;
    let mut child = start(&guard, &line, input.is_nothing()).await;
    if matches!(child, Err(openssh::Error::Disconnected)) {
        // The idle connection had ended before anything was sent.
        drop(child);
        drop(guard);
        guard = pool.acquire().await?;
        child = start(&guard, &line, input.is_nothing()).await;
    }
    let child = child.map_err(|error| not_started(pool, script, &error))?;
    let whole = Box::pin(stdio::exchange(child, input, script.max_output));
    let Ok(output) = tokio::time::timeout(script.limit + GRACE, whole).await else {
        return Err(cut(script, "no output came in time"));
    };
    let output = output?;
    let alive = output.status.is_ok() || guard.is_alive().await;
    settle(script, &mark, output, alive)
}

async fn start(
    guard: &SessionGuard,
    line: &[String],
    without_input: bool,
) -> Result<openssh::Child<Arc<Session>>, openssh::Error> {
    let (program, arguments) = line.split_first().ok_or(openssh::Error::InvalidCommand)?;
    let stdin = if without_input {
        Stdio::null()
    } else {
        Stdio::piped()
    };
    // `arc_command` and `args` quote every word for the login shell.
    Arc::clone(guard.session())
        .arc_command(program.as_str())
        .args(arguments)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .await
}

fn not_started(pool: &Pool, script: &Script, error: &openssh::Error) -> Error {
    match error {
        openssh::Error::SshMux(source) if source.to_string().contains("refused") => {
            Error::Busy(pool.hpc().to_owned())
        }
        openssh::Error::InvalidCommand => {
            Error::Argument("an argument for the HPC contains a NUL character".to_owned())
        }
        other => cut(script, &chain(other)),
    }
}
