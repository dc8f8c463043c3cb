//! The ids in log lines: the request that is handled, and the job that it concerns.
//!
//! They are fields of spans, `request.id` and `job.id`, so that every line below has
//! them; a call to another service takes those of the current span with it as
//! headers, and the other service opens a span with them.

mod ids;
mod remember;

pub use ids::Ids;
pub use remember::{layer, spans};

use tracing::Span;

/// Header with the id of a request: of clients, and between services.
pub const REQUEST_HEADER: &str = "x-request-id";

/// Header with the id of the job that a call between services is about.
pub const JOB_HEADER: &str = "x-job-id";

/// Longest id, bytes. A UUID has 36.
const LONGEST: usize = 64;

/// Whether `text` may stand in logs as an id: short, of letters, digits, `-`, `_`,
/// `.` and `:`.
pub fn is_fit(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(fits)
}

/// Returns the span in which a job runs. It has no parent: a job outlives the call that
/// started it.
pub fn job(id: &str) -> Span {
    tracing::info_span!(parent: None, "job", job.id = id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        assert!(is_fit("1795457659sRX9w") && is_fit("a-b_c.d:e"));
        assert!(is_fit(&"x".repeat(64)));
        for text in ["", "a b", "a\nb", "a\"b", "é", "$(x)", &"x".repeat(65)] {
            assert!(!is_fit(text), "{text:?}");
        }
    }
}
