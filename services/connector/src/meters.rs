//! Metrics of the connector: names and descriptions.

use std::time::Instant;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::error::Error;

const COMMANDS: &str = "cybergis_connector_remote_commands_total";
const COMMAND_SECONDS: &str = "cybergis_connector_remote_command_seconds";
const LOGINS: &str = "cybergis_connector_logins_total";
const CONNECTIONS: &str = "cybergis_connector_ssh_connections";
const SESSIONS: &str = "cybergis_connector_ssh_sessions";
const PAUSED: &str = "cybergis_connector_logins_paused";

/// Registers the descriptions.
pub(crate) fn describe() {
    describe_counter!(
        COMMANDS,
        "commands run on a login node, by hpc, kind and outcome"
    );
    describe_histogram!(
        COMMAND_SECONDS,
        Unit::Seconds,
        "duration of such a command, including the wait for a session"
    );
    describe_counter!(LOGINS, "SSH login attempts, by hpc and outcome");
    describe_gauge!(CONNECTIONS, "SSH connections that are open, by hpc");
    describe_gauge!(SESSIONS, "commands in progress over them, by hpc");
    describe_gauge!(PAUSED, "1 while logins are paused after failures, by hpc");
}

/// A command in progress on a login node.
pub(crate) struct RemoteCommand {
    hpc: String,
    kind: &'static str,
    begun: Instant,
}

impl RemoteCommand {
    pub(crate) fn begin(hpc: &str, kind: &'static str) -> Self {
        Self {
            hpc: hpc.to_owned(),
            kind,
            begun: Instant::now(),
        }
    }

    pub(crate) fn end<T>(self, result: &Result<T, Error>) {
        let outcome = match result {
            Ok(_) => "answered",
            Err(Error::Login { .. } | Error::Password(_) | Error::Busy(_)) => "not_started",
            Err(_) => "cut",
        };
        let Self { hpc, kind, begun } = self;
        counter!(COMMANDS, "hpc" => hpc.clone(), "kind" => kind, "outcome" => outcome).increment(1);
        histogram!(COMMAND_SECONDS, "hpc" => hpc, "kind" => kind).record(begun.elapsed());
    }
}

pub(crate) fn login<T>(hpc: &str, opened: &Result<T, Error>) {
    // A login node that rejects a password works.
    let (outcome, paused) = match opened {
        Ok(_) => ("ok", 0.0),
        Err(Error::Password(_)) => ("refused", 0.0),
        Err(_) => ("failed", 1.0),
    };
    counter!(LOGINS, "hpc" => hpc.to_owned(), "outcome" => outcome).increment(1);
    gauge!(PAUSED, "hpc" => hpc.to_owned()).set(paused);
}

pub(crate) fn connections(hpc: &str, change: f64) {
    gauge!(CONNECTIONS, "hpc" => hpc.to_owned()).increment(change);
}

pub(crate) fn sessions(hpc: &str, change: f64) {
    gauge!(SESSIONS, "hpc" => hpc.to_owned()).increment(change);
}
