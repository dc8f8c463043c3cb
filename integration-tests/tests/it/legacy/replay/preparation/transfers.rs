//! Events at Globus before some cases.

use std::fs;

use anyhow::Context as _;
use compute_integration_tests::{Client, eventually};
use serde_json::json;

use super::{FLOW, done};
use crate::{SOON, legacy::replay::world::Scene};

/// Result folder of the job that the recording follows.
const RESULT: &str = "1795457905CwpWD";

/// Brings Globus to its state when that case was recorded.
///
/// # Errors
/// If that state is not reached.
pub(super) async fn before(case: &str, scene: &mut Scene) -> anyhow::Result<()> {
    let alice = scene.alice.clone();
    let folder = scene.names.text(RESULT);
    match case {
        "261" => {
            scene
                .globus
                .log_in(&scene.world, "tester@example.org")
                .await?;
            scene.globus.hold(true);
            let body = json!({"jobId": scene.names.text(FLOW), "toEndpoint": "te",
                "toPath": "/to/p", "fromPath": "/sub"});
            let path = format!("/folder/{folder}/download/globus-init");
            done(alice.post(&path, body).await?)
        }
        "263" => {
            scene.globus.hold(false);
            until(&alice, &folder, "SUCCEEDED").await
        }
        "264" => {
            scene.globus.hold(true);
            Ok(())
        }
        "265" => {
            let root = scene.world.parts.text("hpc", "root_path")?;
            let wanted = format!("{root}/{folder}/sub");
            fs::rename(&wanted, format!("{wanted}-gone")).context("no such result")?;
            scene.globus.hold(false);
            until(&alice, &folder, "FAILED").await
        }
        "296" => {
            let data = json!({"type": "globus", "endpoint": "ep", "path": "/some/path"});
            let settings = json!({"hpc": "local_hpc", "localDataFolder": data});
            let id = alice.submit("quick", settings).await?;
            alice.over(&id, SOON).await?;
            scene.names.bind("1795458927TDPZj", &id);
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn until(alice: &Client, folder: &str, status: &str) -> anyhow::Result<()> {
    let path = format!("/folder/{folder}/download/globus-status");
    eventually(&format!("transfer {status}"), SOON, async || {
        let answer = alice.get(&path).await?;
        Ok((answer.body["status"] == status).then_some(()))
    })
    .await
}
