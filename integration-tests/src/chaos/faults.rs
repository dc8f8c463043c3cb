//! The faults, and what they strike.

use std::fmt;

/// A service of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// The gateway of that number.
    Gateway(usize),
    /// The maintainer of that number.
    Maintainer(usize),
    /// The connector.
    Connector,
}

impl Process {
    /// All services of the deployment.
    pub const ALL: [Self; 6] = [
        Self::Gateway(1),
        Self::Gateway(2),
        Self::Maintainer(1),
        Self::Maintainer(2),
        Self::Maintainer(3),
        Self::Connector,
    ];

    /// What it connects to.
    pub fn peers(self) -> &'static [Peer] {
        match self {
            Self::Gateway(_) => &[Peer::Clients, Peer::Database, Peer::Redis, Peer::Connector],
            Self::Maintainer(_) => &[Peer::Database, Peer::Redis, Peer::Connector],
            Self::Connector => &[Peer::Hpc],
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(n) => write!(f, "gateway-{n}"),
            Self::Maintainer(n) => write!(f, "maintainer-{n}"),
            Self::Connector => f.write_str("connector"),
        }
    }
}

/// The other end of a connection of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// The clients, who connect to a gateway.
    Clients,
    /// PostgreSQL.
    Database,
    /// Redis.
    Redis,
    /// The connector.
    Connector,
    /// The login node.
    Hpc,
}

/// A part that faults stop and start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Redis, which keeps its data.
    Redis,
    /// Redis, which loses its data.
    EmptiedRedis,
    /// PostgreSQL, stopped at once.
    Postgres,
    /// The SSH server of the login node; open sessions go on.
    Sshd,
    /// All open sessions on the login node.
    SshSessions,
    /// The controller of Slurm, which saves its state first.
    Slurmctld,
    /// The controller of Slurm, which forgets the jobs of the last seconds.
    KilledSlurmctld,
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// `kill -9`, and later a start.
    Kill(Process),
    /// SIGTERM, and later a start.
    Restart(Process),
    /// SIGSTOP, and later SIGCONT.
    Freeze(Process),
    /// Connections are closed and refused.
    Cut(Process, Peer),
    /// Connections stay open, and no byte passes.
    Stall(Process, Peer),
    /// Connections are closed after some COMMITs, before their answers pass.
    LoseCommits(Process),
    /// A part is stopped, and later started.
    Stop(Part),
}

impl Fault {
    /// The name of its kind, for the report.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Kill(Process::Gateway(_)) => "kill gateway",
            Self::Kill(Process::Maintainer(_)) => "kill maintainer",
            Self::Kill(Process::Connector) => "kill connector",
            Self::Restart(_) => "restart service",
            Self::Freeze(_) => "freeze service",
            Self::Cut(..) => "cut connection",
            Self::Stall(..) => "stall connection",
            Self::LoseCommits(_) => "lose COMMIT answers",
            Self::Stop(Part::Redis) => "kill redis",
            Self::Stop(Part::EmptiedRedis) => "kill and empty redis",
            Self::Stop(Part::Postgres) => "stop postgres at once",
            Self::Stop(Part::Sshd) => "kill sshd",
            Self::Stop(Part::SshSessions) => "kill ssh sessions",
            Self::Stop(Part::Slurmctld) => "restart slurmctld",
            Self::Stop(Part::KilledSlurmctld) => "kill slurmctld",
        }
    }

    /// What it strikes: two faults that strike the same do not overlap.
    pub fn struck(self) -> String {
        match self {
            Self::Kill(process) | Self::Restart(process) | Self::Freeze(process) => {
                process.to_string()
            }
            Self::Cut(process, peer) | Self::Stall(process, peer) => {
                format!("{process} to {peer:?}")
            }
            Self::LoseCommits(process) => format!("{process} to {:?}", Peer::Database),
            Self::Stop(Part::Redis | Part::EmptiedRedis) => "redis".to_owned(),
            Self::Stop(Part::Slurmctld | Part::KilledSlurmctld) => "slurmctld".to_owned(),
            Self::Stop(part) => format!("{part:?}"),
        }
    }
}
