//! Values of a job cannot name a file that its owner has created: no module
//! file, no file of Slurm or of a mailer.

use compute_integration_tests::{Template, World, WorldOptions, attack::report};
use serde_json::{Value, json};

/// A module file of the attacker. Its command runs where the module is loaded.
const EVIL: &str = "#%Module1.0\nexec touch /tmp/evil\n";

fn writer() -> Template {
    Template::new("writer", "cp evil \"$result_folder\"").file("evil", EVIL)
}

/// Submits a job with these Slurm options. Returns the status and the error.
async fn submitted(world: &World, slurm: &Value) -> anyhow::Result<(u16, String)> {
    let mallory = world.client("alice")?;
    let id = mallory.prepare("hello", json!({"slurm": slurm})).await?;
    let answer = mallory
        .post(&format!("/job/{id}/submit"), json!({}))
        .await?;
    let words = answer.body["error"].as_str().unwrap_or_default();
    Ok((answer.status, words.to_owned()))
}

#[tokio::test]
async fn no_value_names_a_file_of_the_users_making() -> anyhow::Result<()> {
    let world = World::with([writer(), Template::new("hello", "true")]).await?;
    let mallory = world.client("alice")?;
    let first = mallory.submit("writer", json!({})).await?;
    let first = mallory.over(&first, crate::SOON).await?;
    let folder = first["remoteResultFolder"]["hpcPath"]
        .as_str()
        .unwrap_or_default();
    assert!(
        std::path::Path::new(folder).join("evil").exists(),
        "{first}"
    );

    let id = folder.rsplit('/').next().unwrap_or_default();
    let modules = [
        format!("{folder}/evil"),
        format!("../{id}/evil"),
        format!("./../{id}/evil"),
        format!("gcc/../../{id}/evil"),
        format!("~/../{id}/evil"),
        format!("file:{folder}/evil"),
        ".evil".to_owned(),
        "-q".to_owned(),
        "gcc evil".to_owned(),
        "$HOME/evil".to_owned(),
        "gcc\nmodule load evil".to_owned(),
    ];
    let others = [
        json!({"mail_user": format!("{folder}/mail")}),
        json!({"mail_user": "|touch x"}),
        json!({"mail_user": "-oQ/tmp"}),
        json!({"mail_user": "a@example.org,b@example.org"}),
        json!({"mail_user": ["a@example.org", "b@example.org"]}),
        json!({"mail_user": "a%example.org@relay.example.org"}),
        json!({"mail_user": ["alice"]}),
        json!({"mail_type": ["END", format!("{folder}/x")]}),
        json!({"partition": format!("{folder}/x")}),
        json!({"partition": "../x"}),
        json!({"time": "00:10:00\n#SBATCH --output=/etc/x"}),
        json!({"memory": "1G /etc"}),
        json!({"num_of_task": "1 --chdir=/"}),
    ];
    let modules = modules
        .iter()
        .map(|module| json!({"modules": ["gcc", module]}));
    for slurm in modules.chain(others) {
        let (status, words) = submitted(&world, &slurm).await?;
        assert_eq!(status, 402, "{slurm}: {words}");
        assert!(words.starts_with("slurm config "), "{slurm}: {words}");
        report("names a file", &slurm.to_string(), words);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_client_sends_is_taken() -> anyhow::Result<()> {
    let world = World::with([Template::new("hello", "true")]).await?;
    let slurm = json!({"num_of_task": 1, "time": "00:10:00", "mail_user": ["alice@example.org"],
        "mail_type": ["FAIL", "END", "BEGIN"], "modules": ["gcc", "openmpi/4.1"]});
    let (status, words) = submitted(&world, &slurm).await?;
    assert_eq!((status, words.as_str()), (200, ""));
    Ok(())
}

#[tokio::test]
async fn an_hpc_says_which_modules_and_which_domains() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        hpc: json!({"modules": ["gcc", "openmpi/4.1"], "mail_domains": ["example.org"]}),
        templates: vec![Template::new("hello", "true")],
        ..WorldOptions::default()
    })
    .await?;
    for (slurm, words) in [
        (
            json!({"modules": ["gcc", "evil"]}),
            "slurm config modules must be one of gcc, openmpi/4.1 on local_hpc (current value evil)",
        ),
        (
            json!({"modules": "openmpi"}),
            "slurm config modules must be one of gcc, openmpi/4.1 on local_hpc (current value openmpi)",
        ),
        (
            json!({"mail_user": ["alice@example.org.evil.net"]}),
            "slurm config mail_user must be an address of one of example.org on local_hpc (current \
             value alice@example.org.evil.net)",
        ),
    ] {
        let refused = submitted(&world, &slurm).await?;
        assert_eq!(refused, (402, words.to_owned()), "{slurm}");
        report("names what is not in a list", &slurm.to_string(), refused.1);
    }
    let fine = json!({"modules": ["openmpi/4.1"], "mail_user": "Alice@EXAMPLE.org"});
    assert_eq!(submitted(&world, &fine).await?.0, 200);
    Ok(())
}
