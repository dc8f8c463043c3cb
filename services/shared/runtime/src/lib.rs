//! What the services share at their edges: telemetry, health,
//! listening, stopping.

pub mod draining;
pub mod grpc;
pub mod health;
pub mod healthcheck;
pub mod listen;
pub mod meters;
pub mod seal;
pub mod serving;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
