//! What every service measures. Names and meanings are here only.

use std::time::{Duration, Instant};

use compute_config::version;
use compute_domain::Timestamp;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tonic::Code;

use crate::shutdown::Shutdown;

const BUILD: &str = "cybergis_build_info";
const CALLS: &str = "cybergis_grpc_calls_total";
const CALL_SECONDS: &str = "cybergis_grpc_call_seconds";
const CERTIFICATE_EXPIRES: &str = "cybergis_certificate_expires_timestamp_seconds";

/// Upper bounds of the histograms, seconds: from an answer out of memory to an
/// upload of gigabytes.
const BUCKETS: [f64; 15] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0,
];

/// How often what histograms have taken in is put into their buckets; otherwise it
/// would pile up until somebody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts collecting metrics; `None` if another part of this process has.
pub fn collect(shutdown: &Shutdown) -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .ok()?;
    let handle = builder.install_recorder().ok()?;
    describe();
    let (upkeep, stop) = (handle.clone(), shutdown.token.clone());
    shutdown.tasks.spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            upkeep.run_upkeep();
        }
    });
    Some(handle)
}

fn describe() {
    describe_gauge!(BUILD, "1, with version and commit of the program");
    gauge!(BUILD, "version" => version::NUMBER, "commit" => version::COMMIT).set(1.0);
    describe_counter!(CALLS, "gRPC calls, by method and code");
    describe_histogram!(
        CALL_SECONDS,
        Unit::Seconds,
        "time until a call was answered, by method"
    );
    describe_gauge!(
        CERTIFICATE_EXPIRES,
        Unit::Seconds,
        "until when the certificate for other services is good, since 1970"
    );
}

/// Until when the certificate of this process is good.
pub(crate) fn certificate_expires(at: Timestamp) {
    gauge!(CERTIFICATE_EXPIRES).set(at.seconds() as f64);
}

/// A gRPC call that is being answered.
pub(crate) struct Call {
    method: String,
    begun: Instant,
    is_told: bool,
}

impl Call {
    pub(crate) fn begin(method: &str) -> Self {
        Self {
            method: method.to_owned(),
            begun: Instant::now(),
            is_told: false,
        }
    }

    /// How long it took.
    pub(crate) fn end(mut self, code: Code) -> Duration {
        self.tell(code);
        self.begun.elapsed()
    }

    fn tell(&mut self, code: Code) {
        self.is_told = true;
        // Anybody can call what there is not, by any name.
        let method = match code {
            Code::Unimplemented => "other".to_owned(),
            _ => self.method.clone(),
        };
        counter!(CALLS, "method" => method.clone(), "code" => format!("{code:?}")).increment(1);
        histogram!(CALL_SECONDS, "method" => method).record(self.begun.elapsed());
    }
}

/// The caller has gone, or its deadline is over.
impl Drop for Call {
    fn drop(&mut self) {
        if !self.is_told {
            self.tell(Code::Cancelled);
        }
    }
}
