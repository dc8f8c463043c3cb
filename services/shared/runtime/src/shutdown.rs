//! Stopping: one token that says so, one tracker of everything that runs.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Token and tracker of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Cancelled when the process is to stop.
    pub token: CancellationToken,
    /// Everything that must end before it does.
    pub tasks: TaskTracker,
}

impl Shutdown {
    /// One that is set by SIGTERM or SIGINT.
    ///
    /// # Errors
    /// If the signals cannot be listened to.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let token = shutdown.token.clone();
        shutdown.tasks.spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = token.cancelled() => {}
            }
            tracing::info!("stopping");
            token.cancel();
        });
        Ok(shutdown)
    }

    /// Asks everything to stop and waits for it; false if something still runs
    /// after `limit`.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.token.cancel();
        self.tasks.close();
        let drained = tokio::time::timeout(limit, self.tasks.wait()).await.is_ok();
        if !drained {
            tracing::warn!(running = self.tasks.len(), "did not stop in time");
        }
        drained
    }
}
