//! The only place where command lines for a login node are made.
//!
//! What runs over there is one of a few fixed scripts, with values only as its
//! positional arguments, under `timeout`. Each run belongs to the process, not to
//! the caller: if the caller goes away, the run still comes to its end.

mod frame;
mod pump;
mod reply;
mod script;

use std::{sync::Arc, time::Duration};

use openssh::{Session, Stdio};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::{
    error::Error,
    meters,
    pool::{Lent, Pool},
};
pub(crate) use pump::Input;
pub(crate) use reply::Reply;
use reply::{chain, cut, settle};
use script::command_line;
pub(crate) use script::{Script, Shell};

/// The login node of one HPC, as the place where scripts run. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pool: Arc<Pool>,
    tasks: TaskTracker,
}

/// Beyond a script's own limit: for connecting, and for an answer on its way.
const GRACE: Duration = Duration::from_secs(15);

impl Remote {
    /// Scripts run over connections of `pool`, in tasks of `tasks`.
    pub(crate) fn new(pool: Arc<Pool>, tasks: TaskTracker) -> Self {
        Self { pool, tasks }
    }

    /// The connections.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs a script.
    ///
    /// # Errors
    /// [`Error::Cut`] if it may or may not have done its work; [`Error::Login`]
    /// and [`Error::Busy`] if it has not been started.
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
    /// As [`run`](Self::run), and the input's own.
    pub(crate) async fn feed(
        &self,
        script: &'static Script,
        arguments: Vec<String>,
        input: Input,
    ) -> Result<Reply, Error> {
        let pool = Arc::clone(&self.pool);
        let run = async move {
            let meter = meters::RemoteCommand::begin(pool.hpc(), script.name);
            let reply = Box::pin(run(&pool, script, &arguments, input)).await;
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
    let mut lent = pool.lend().await?;
    let mut child = start(&lent, &line, input.is_nothing()).await;
    if matches!(child, Err(openssh::Error::Disconnected)) {
        // The connection had ended by itself, before anything was sent over it.
        drop(child);
        drop(lent);
        lent = pool.lend().await?;
        child = start(&lent, &line, input.is_nothing()).await;
    }
    let child = child.map_err(|error| not_started(pool, script, &error))?;
    let whole = Box::pin(pump::pump(child, input, script.max_output));
    let Ok(pumped) = tokio::time::timeout(script.limit + GRACE, whole).await else {
        return Err(cut(script, "no answer came in time"));
    };
    let pumped = pumped?;
    let alive = pumped.status.is_ok() || lent.is_alive().await;
    settle(script, &mark, pumped, alive)
}

async fn start(
    lent: &Lent,
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
    Arc::clone(lent.session())
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
            Error::Argument("an argument for the HPC holds a NUL character".to_owned())
        }
        other => cut(script, &chain(other)),
    }
}
