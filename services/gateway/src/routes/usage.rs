//! Usage of the caller's jobs, from the HPCs' accounting.

use axum::{
    Json,
    extract::{Query, State},
};
use compute_domain::job::Usage;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::{Authorized, TokenOnly},
    error::GatewayError,
    legacy::route_groups::ForAccount,
    state::AppState,
};

/// The format of the response.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Format {
    /// `False` for plain numbers (seconds, KiB).
    format: Option<String>,
}

/// Sums over all jobs of the caller.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum UsageView {
    /// For people.
    Formatted(FormattedUsage),
    /// For programs.
    Raw(RawUsage),
}

/// Sums for people.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FormattedUsage {
    nodes: i64,
    cpus: i64,
    #[schema(example = "00 days, 00 hours, 01 minutes, 07 seconds")]
    cpu_time: String,
    #[schema(example = "312.48gb")]
    memory: String,
    #[schema(example = "9.04mb")]
    memory_usage: String,
    #[schema(example = "00 days, 00 hours, 00 minutes, 07 seconds")]
    walltime: String,
}

/// Sums for programs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RawUsage {
    nodes: i64,
    cpus: i64,
    /// Seconds.
    cpu_time: i64,
    /// KiB.
    memory: i64,
    /// KiB.
    memory_usage: i64,
    /// Seconds.
    walltime: i64,
}

/// What the caller's jobs have used.
#[utoipa::path(get, path = "/user/slurm-usage", request_body = TokenOnly, tag = "user", params(Format),
    responses((status = OK, body = UsageView)))]
pub async fn slurm_usage(
    State(state): State<AppState>,
    Query(Format { format }): Query<Format>,
    caller: Authorized<ForAccount, TokenOnly>,
) -> Result<Json<UsageView>, GatewayError> {
    let raw = RawUsage::from(state.store.usage_of(&caller.user.id).await?);
    let wants_raw =
        format.is_some_and(|format| format.eq_ignore_ascii_case("false") || format == "0");
    Ok(Json(if wants_raw {
        UsageView::Raw(raw)
    } else {
        UsageView::Formatted(raw.into())
    }))
}

impl From<Usage> for RawUsage {
    fn from(usage: Usage) -> Self {
        Self {
            nodes: usage.nodes.unwrap_or(0),
            cpus: usage.cpus.unwrap_or(0),
            cpu_time: usage.cpu_time.unwrap_or(0),
            memory: usage.memory.unwrap_or(0),
            memory_usage: usage.memory_usage.unwrap_or(0),
            walltime: usage.walltime.unwrap_or(0),
        }
    }
}

impl From<RawUsage> for FormattedUsage {
    fn from(raw: RawUsage) -> Self {
        Self {
            nodes: raw.nodes,
            cpus: raw.cpus,
            cpu_time: time(raw.cpu_time),
            memory: size(raw.memory),
            memory_usage: size(raw.memory_usage),
            walltime: time(raw.walltime),
        }
    }
}

/// `00 days, 00 hours, 00 minutes, 00 seconds`.
fn time(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    format!(
        "{days:02} days, {:02} hours, {:02} minutes, {:02} seconds",
        hours % 24,
        minutes % 60,
        seconds % 60
    )
}

/// KiB in the largest unit of which it is one at least, with two decimals at most.
#[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
fn size(kib: i64) -> String {
    let mut units = ["kb", "mb", "gb", "tb"].into_iter();
    let mut size = kib as f64;
    loop {
        let unit = units.next().unwrap_or("pb");
        if size < 1024.0 || unit == "pb" {
            let rounded = (size * 100.0).round() / 100.0;
            return format!("{rounded}{unit}");
        }
        size /= 1024.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_for_people() {
        assert_eq!(time(0), "00 days, 00 hours, 00 minutes, 00 seconds");
        assert_eq!(time(93_784), "01 days, 02 hours, 03 minutes, 04 seconds");
        for (kib, words) in [
            (0, "0kb"),
            (1023, "1023kb"),
            (1024, "1mb"),
            (9257, "9.04mb"),
            (327_659_007, "312.48gb"),
            (1 << 40, "1pb"),
            (1 << 51, "2048pb"),
        ] {
            assert_eq!(size(kib), words);
        }
    }
}
