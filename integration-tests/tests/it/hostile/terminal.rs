//! Text of templates and users on the operator's terminal.

use compute_domain::printable::is_hidden;
use compute_integration_tests::{Template, World, attack::report};
use serde_json::{Value, json};

const HOSTILE: &str = "\u{1b}[31mX\u{9b}2J\u{7f}\u{202e}\u{200b}\u{7}";

fn is_harmless(what: &str, output: &std::process::Output) -> anyhow::Result<()> {
    for text in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(text)?;
        let seen = text
            .chars()
            .find(|c| is_hidden(*c) && *c != '\n' && *c != '\t');
        assert_eq!(seen, None, "{what}: {text:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_terminal_obeys_nothing_that_others_have_written() -> anyhow::Result<()> {
    let world = World::with([Template::bare(
        "quick",
        "printf '\\033[2J\\302\\233\\342\\200\\256'",
    )])
    .await?;
    let elsewhere = tempfile::tempdir_in(world.folder().join("templates"))?;
    let broken =
        |key: &str| Template::bare(&format!("broken-{key}"), "true").with(key, json!(HOSTILE));
    for (at, template) in [
        broken("connector"),
        broken("name"),
        broken("container"),
        broken("param_rules"),
        broken("default_hpc"),
        Template::bare("rules", "true").with("param_rules", json!({HOSTILE: {"type": HOSTILE}})),
        Template::bare("slurm", "true").with("slurm_input_rules", json!({HOSTILE: 1})),
        Template::bare("supported", "true").with("supported_hpc", json!([HOSTILE])),
        Template::of_manifest("not-an-object", json!([HOSTILE])),
        Template::bare("unknown", "true").with(HOSTILE, json!(1)),
    ]
    .into_iter()
    .enumerate()
    {
        let address = template.write(elsewhere.path())?;
        for json in [false, true] {
            let name = format!("hostile-{at}-{json}");
            let mut args = vec!["template", "add", &name, &address];
            args.extend(json.then_some("--json"));
            let output = world.command(&args)?.output()?;
            is_harmless(&template.id, &output)?;
        }
        report(
            "15 a hostile manifest",
            &template.id,
            "escape and bidirectional characters are shown escaped",
        );
    }
    let output = world.command(&["template", "list"])?.output()?;
    is_harmless("template list", &output)?;

    let alice = world.client("alice")?;
    let settings =
        json!({"name": "al\u{202e}ice\u{200b}", "param": {"x": HOSTILE}, "env": {"a": HOSTILE}});
    let id = alice.submit("quick", settings).await?;
    alice.over(&id, crate::SOON).await?;
    for args in [
        &["job", "list"][..],
        &["job", "show", &id],
        &["job", "show", HOSTILE],
        &["hpc", "check", HOSTILE],
    ] {
        for json in [false, true] {
            let mut args = args.to_vec();
            args.extend(json.then_some("--json"));
            let output = world.command(&args)?.output()?;
            is_harmless(&args.join(" "), &output)?;
            if json {
                serde_json::from_slice::<Value>(&output.stdout)?;
            }
        }
        report("names on a terminal", &args.join(" "), "shown escaped");
    }
    for service in [&world.gateway, &world.connector, &world.maintainers[0]] {
        let log = service.log();
        let seen = log.chars().find(|c| is_hidden(*c) && *c != '\n');
        assert_eq!(seen, None, "{log}");
    }
    Ok(())
}
