//! Mutual TLS between services.

use compute_domain::{ErrorKind, ids::JobId, job::Mark};
use compute_integration_tests::{Template, World, WorldOptions, eventually};
use compute_proto::ConnectorClient;
use compute_runtime::{grpc::Transport, tls::Role};
use serde_json::json;

use crate::SOON;

async fn start() -> anyhow::Result<World> {
    World::start(WorldOptions {
        mutual_tls: true,
        templates: vec![
            Template::new("hello", "echo hello"),
            Template::bare("slow", "sleep 300"),
        ],
        ..WorldOptions::default()
    })
    .await
}

fn connector(world: &World, transport: &Transport) -> anyhow::Result<ConnectorClient> {
    let address = format!("{}://{}", transport.scheme(), world.connector.address());
    let channel = transport.channel(&address, Role::Connector)?;
    Ok(ConnectorClient::for_hpc(channel, "local_hpc"))
}

#[tokio::test]
async fn a_job_runs_and_is_cancelled_and_an_operator_looks_at_the_hpc() -> anyhow::Result<()> {
    let world = start().await?;
    let alice = world.client("alice")?;
    let job = alice.submit("hello", json!({"hpc": "local_hpc"})).await?;
    alice.until(&job, &["ended"], SOON).await?;
    let slow = alice.submit("slow", json!({"hpc": "local_hpc"})).await?;
    alice.until(&slow, &["running"], SOON).await?;
    alice.put(&format!("/job/{slow}/cancel"), json!({})).await?;
    alice.until(&slow, &["cancelled"], SOON).await?;
    let log = world.gateway.log();
    assert!(!log.contains("could not notify the maintainer"), "{log}");
    world.operator(&["hpc", "check", "local_hpc"])?;
    Ok(())
}

#[tokio::test]
async fn only_gateway_and_maintainer_may_call_the_connector_each_for_its_own() -> anyhow::Result<()>
{
    let world = start().await?;
    let mark = Mark {
        deployment: world.deployment(),
        job: JobId::from_text("1700000000aaaaa".to_owned()),
    };
    for role in Role::ALL {
        let as_role = connector(&world, &world.certificates.transport(role)?)?;
        let submitted = as_role.submit(&mark, None, true).await;
        let looked = as_role.check().await;
        let kinds = (
            submitted.unwrap_err().kind(),
            looked.map_err(|error| error.kind()),
        );
        match role {
            // The call is allowed; the error is that there is no script.
            Role::Maintainer => assert_ne!(kinds.0, ErrorKind::PermissionDenied),
            _ => assert_eq!(kinds.0, ErrorKind::PermissionDenied, "{role:?}"),
        }
        match role {
            Role::Operator => assert!(kinds.1.is_ok(), "{kinds:?}"),
            _ => assert_eq!(
                kinds.1.unwrap_err(),
                ErrorKind::PermissionDenied,
                "{role:?}"
            ),
        }
    }
    let without = connector(&world, &Transport::Plain)?;
    without.check().await.unwrap_err();
    // The caller may have its error before the connector has logged it.
    eventually("the refused connection is logged", SOON, async || {
        let log = world.connector.log();
        Ok(log.contains("a connection was refused").then_some(()))
    })
    .await
}

#[tokio::test]
async fn certificates_are_renewed_while_jobs_run() -> anyhow::Result<()> {
    let mut world = start().await?;
    let alice = world.client("alice")?;
    let slow = alice.submit("slow", json!({"hpc": "local_hpc"})).await?;
    alice.until(&slow, &["running"], SOON).await?;
    world.certificates.renew()?;
    for name in ["connector", "gateway", "maintainer"] {
        eventually("the new certificate is taken up", SOON, async || {
            let service = match name {
                "connector" => &world.connector,
                "gateway" => &world.gateway,
                _ => &world.maintainers[0],
            };
            let taken = service.log().contains("new certificate taken up");
            Ok(taken.then_some(()))
        })
        .await?;
    }
    // Every connection is opened again, with the new certificates.
    world.connector.kill()?;
    world.connector.restart()?;
    alice.put(&format!("/job/{slow}/cancel"), json!({})).await?;
    alice.until(&slow, &["cancelled"], SOON).await?;
    let job = alice.submit("hello", json!({"hpc": "local_hpc"})).await?;
    alice.until(&job, &["ended"], SOON).await?;
    Ok(())
}
