//! `job.json`: the job as its program may read it.

use compute_domain::job::Job;
use serde_json::{Map, Value, json};

use super::ProgramFolders;

/// The job's id, owner, parameters and folders, as one line of JSON.
pub fn render_job_json(job: &Job, param: &Map<String, Value>, at: &ProgramFolders) -> String {
    json!({
        "job_id": job.id,
        "user_id": job.user_id,
        "maintainer": job.maintainer,
        "hpc": job.hpc,
        "param": param,
        "env": job.env,
        "executable_folder": at.executable,
        "data_folder": at.data,
        "result_folder": at.result,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn as_the_older_server_wrote_it() {
        let job = fixtures::job();
        let json = render_job_json(&job, &job.param, &ProgramFolders::in_container());
        assert_eq!(
            json,
            concat!(
                r#"{"job_id":"1795457659HIT7v","user_id":"alice@127.0.0.1:8000","#,
                r#""maintainer":"community_contribution","hpc":"local_hpc","#,
                r#""param":{"input_a":50,"input_b":"foo"},"env":{},"#,
                r#""executable_folder":"/job/executable","data_folder":"/job/data","#,
                r#""result_folder":"/job/result"}"#
            )
        );
    }
}
