//! Starts an HPC by hand, with the commands of deploy/local/README.md.

use std::{fs, process::Command};

use compute_integration_tests::{
    Terminal, World,
    document::{Block, project, typed_by},
};

/// Stops the HPC, even if the scenario fails.
struct Down(String);

impl Drop for Down {
    fn drop(&mut self) {
        let script = project().join("deploy/local/hpc");
        let _ = Command::new(script).args(["down", &self.0]).status();
    }
}

#[tokio::test]
async fn an_hpc_by_hand() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let folder = world.folder().join("by-hand").display().to_string();
    let words = [("/tmp/hpc", folder.as_str())];
    let mut blocks = typed_by("documented_parts::an_hpc_by_hand", &words)?;
    let [by_hand, fault] = &mut blocks[..] else {
        panic!("{blocks:?}");
    };
    let (before, down) = by_hand.text.trim().rsplit_once('\n').expect("lines");
    assert!(down.contains("hpc down"), "{down}");
    // The second block needs the running HPC.
    let look = "\"$(fact faults_dir)/squeue\" 2>&1 || true\n";
    let fault = Block {
        text: format!("{}{look}", fault.text),
        ..fault.clone()
    };
    let down = Block {
        text: format!("{down}\n"),
        ..by_hand.clone()
    };
    by_hand.text = format!("{before}\n");
    let by_hand = by_hand.clone();
    let _down = Down(folder.clone());
    let said = Terminal::new(&world, project())?.run(&[by_hand, fault, down])?;
    assert!(said[0].contains("Submitted batch job"), "{said:?}");
    assert!(said[1].contains("Socket timed out"), "{said:?}");
    assert!(!fs::exists(format!("{folder}/facts.json"))?, "it is down");
    Ok(())
}
