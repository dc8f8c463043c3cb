//! What the operator approves of a template apart: stages outside of containers, and MPI.

use serde_json::json;

use crate::{
    operator::Operator,
    template::{commit, manifest, only},
};

/// What runs outside of a container is approved in words of its own.
#[tokio::test]
async fn raw_stages_want_an_approval_of_their_own() {
    let operator = Operator::new().await;
    let raw = json!({"name": "raw", "container": "python", "supported_hpc": ["local_hpc"],
        "execution_stage_in_raw_sbatch": ["hostname"]});
    let (address, _) = commit(&operator, "raw", &raw.to_string());
    let refused = "it runs outside of a container on local_hpc (*_in_raw_sbatch), which is refused: \
        read it, then `template approve raw --raw-sbatch`";
    let raw_without_approve = ["template", "add", "raw", &address, "--raw-sbatch"];
    assert_ne!(operator.run(&raw_without_approve).code, 0);
    let text = operator.good(&["template", "add", "raw", &address, "--approve"]);
    assert!(text.contains(&format!("warning: {refused}")), "{text}");
    let template = only(&operator);
    assert_eq!(
        (
            &template["isApproved"],
            &template["isRawApproved"],
            &template["problem"]
        ),
        (&json!(true), &json!(false), &json!(refused))
    );

    let text = operator.good(&["template", "approve", "raw", "--raw-sbatch"]);
    assert!(!text.contains("warning"), "{text}");
    let template = only(&operator);
    assert_eq!(
        (&template["isRawApproved"], &template["problem"]),
        (&json!(true), &json!(null))
    );
    assert!(
        operator
            .good(&["template", "list"])
            .contains("yes, raw too")
    );

    operator.good(&["template", "withdraw", "raw", "--raw-sbatch"]);
    let template = only(&operator);
    assert_eq!(
        (&template["isApproved"], &template["isRawApproved"]),
        (&json!(true), &json!(false))
    );
    operator.good(&["template", "approve", "raw", "--raw-sbatch"]);
    operator.good(&["template", "withdraw", "raw"]);
    operator.good(&["template", "approve", "raw"]);
    let template = only(&operator);
    assert_eq!(
        (&template["isApproved"], &template["isRawApproved"]),
        (&json!(true), &json!(false)),
        "withdrawing takes back both"
    );
}

/// So is MPI, whose interface leads out of the container.
#[tokio::test]
async fn mpi_wants_an_approval_of_its_own() {
    let operator = Operator::new().await;
    let (address, _) = commit(&operator, "hello", &manifest("hello"));
    let approvals = |operator: &Operator| {
        let template = only(operator);
        ["isApproved", "isRawApproved", "isMpiApproved"].map(|key| template[key] == json!(true))
    };
    assert_ne!(
        operator
            .run(&["template", "add", "hello", &address, "--mpi"])
            .code,
        0
    );
    operator.good(&["template", "add", "hello", &address, "--approve"]);
    assert_eq!(approvals(&operator), [true, false, false]);
    operator.good(&["template", "approve", "hello", "--mpi"]);
    assert_eq!(approvals(&operator), [true, false, true]);
    assert!(
        operator
            .good(&["template", "list"])
            .contains("yes, MPI too")
    );
    operator.good(&["template", "approve", "hello", "--raw-sbatch"]);
    assert!(
        operator
            .good(&["template", "list"])
            .contains("yes, raw and MPI too")
    );
    let text = operator.good(&["template", "withdraw", "hello", "--mpi"]);
    assert_eq!(
        text.trim(),
        "contained tasks of template hello are independent programs"
    );
    assert_eq!(approvals(&operator), [true, true, false]);
    operator.good(&["template", "approve", "hello", "--mpi"]);
    operator.good(&["template", "withdraw", "hello"]);
    operator.good(&["template", "approve", "hello"]);
    assert_eq!(
        approvals(&operator),
        [true, false, false],
        "withdrawing takes back all"
    );
}

/// A newer commit that begins to do so is shown in the list.
#[tokio::test]
async fn a_newer_commit_that_leaves_the_container_is_told() {
    let operator = Operator::new().await;
    let (address, _) = commit(&operator, "hello", &manifest("hello"));
    operator.good(&["template", "add", "hello", &address, "--approve"]);
    assert_eq!(only(&operator)["problem"], json!(null));
    let bare = json!({"name": "hello", "connector": "SlurmConnector", "execution_stage": "id",
        "supported_hpc": ["local_hpc"]});
    commit(&operator, "hello", &bare.to_string());
    operator.good(&["template", "update", "hello"]);
    let problem = only(&operator)["problem"].to_string();
    assert!(problem.contains("local_hpc (SlurmConnector)"), "{problem}");
}
