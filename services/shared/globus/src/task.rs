//! How a transfer goes (Transfer API, "task" document).

use serde::Deserialize;

use crate::GlobusError;

/// Where a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskStatus {
    /// In progress, including faults after which Globus tries again.
    Active,
    /// Stopped until somebody renews the credentials of an endpoint.
    Inactive,
    /// Done.
    Succeeded,
    /// Over, and not done.
    Failed,
}

impl TaskStatus {
    /// Globus' word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether nothing will happen any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// A transfer as Globus sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub status: TaskStatus,
    /// Globus' words about it, for people; may be empty.
    pub detail: String,
    /// Files found so far.
    pub files: i64,
    /// Bytes sent so far.
    pub bytes_transferred: i64,
}

#[derive(Deserialize)]
pub(crate) struct TaskAnswer {
    task_id: String,
    status: String,
    nice_status: Option<String>,
    nice_status_details: Option<String>,
    fatal_error: Option<FatalError>,
    files: Option<i64>,
    bytes_transferred: Option<i64>,
}

#[derive(Deserialize)]
struct FatalError {
    description: Option<String>,
}

impl TryFrom<TaskAnswer> for Task {
    type Error = GlobusError;

    fn try_from(answer: TaskAnswer) -> Result<Self, GlobusError> {
        let all = [
            TaskStatus::Active,
            TaskStatus::Inactive,
            TaskStatus::Succeeded,
            TaskStatus::Failed,
        ];
        let status = all
            .into_iter()
            .find(|status| status.as_str() == answer.status)
            .ok_or_else(|| GlobusError::Odd(format!("unknown status {}", answer.status)))?;
        let detail = answer
            .fatal_error
            .and_then(|error| error.description)
            .or(answer.nice_status_details)
            .or(answer.nice_status)
            .unwrap_or_default();
        Ok(Self {
            id: answer.task_id,
            status,
            detail,
            files: answer.files.unwrap_or(0),
            bytes_transferred: answer.bytes_transferred.unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn task(answer: Value) -> Result<Task, GlobusError> {
        let answer: TaskAnswer = serde_json::from_value(answer).map_err(GlobusError::odd)?;
        answer.try_into()
    }

    #[test]
    fn what_people_are_told() {
        let failed = task(
            json!({"task_id": "t", "status": "FAILED", "nice_status": "X",
            "fatal_error": {"code": "NO_SPACE", "description": "No space left"}}),
        );
        let failed = failed.unwrap();
        assert_eq!(
            (failed.status, failed.detail.as_str()),
            (TaskStatus::Failed, "No space left")
        );
        let active = task(json!({"task_id": "t", "status": "ACTIVE", "nice_status": "OK"}));
        assert_eq!(active.unwrap().detail, "OK");
        assert!(task(json!({"task_id": "t", "status": "GONE"})).is_err());
    }
}
