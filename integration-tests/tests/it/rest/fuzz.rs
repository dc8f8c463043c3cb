//! Generated requests to the running gateway: those that its OpenAPI document allows,
//! and those that it does not.

use compute_integration_tests::{Template, World};
use tokio::process::Command;

/// Checks of every response.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";

#[tokio::test]
async fn nothing_that_is_asked_gets_an_answer_outside_of_the_document() -> anyhow::Result<()> {
    let world = World::with([Template::bare("quick", "true")]).await?;
    let cache = std::env::var("CYBERGIS_CACHE")
        .unwrap_or_else(|_| "/var/cache/cybergis-compute".to_owned());
    let base = format!("http://{}", world.gateway.address());
    let headers = tempfile::NamedTempFile::new()?;
    std::fs::write(
        headers.path(),
        format!(
            "[headers]\nAuthorization = \"Bearer {}\"\n",
            world.client("alice")?.token()
        ),
    )?;
    let output = Command::new(format!("{cache}/checks/bin/schemathesis"))
        .arg("--config-file")
        .arg(headers.path())
        .args([
            "run",
            &format!("{base}/api-docs/openapi.json"),
            "--url",
            &base,
        ])
        .args([
            "--checks",
            CHECKS,
            "--seed",
            "1",
            "--max-examples",
            "40",
            "--no-color",
        ])
        .args(["--workers", "2", "--generation-database", "none"])
        .current_dir(world.folder())
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let log = world.gateway.log();
    assert!(!log.contains("panicked"), "{log}");
    Ok(())
}
