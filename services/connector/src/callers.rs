//! Which service may call which method of the connector.

use compute_runtime::{grpc::Callers, tls::Role};

/// Maintainers run the jobs. Gateways check logins, remove expired folders, and check
/// folders before Globus reads them. The operator's command checks whether an HPC works.
pub(crate) const CALLERS: Callers = Callers(&[
    ("Check", &[Role::Operator]),
    ("CheckLogin", &[Role::Gateway]),
    ("MakeFolder", &[Role::Maintainer]),
    ("UploadFolder", &[Role::Maintainer]),
    ("WriteFile", &[Role::Maintainer]),
    ("CopyFolder", &[Role::Maintainer]),
    ("WriteJobFile", &[Role::Maintainer]),
    ("ReadJobFile", &[Role::Maintainer]),
    ("StoreLogs", &[Role::Maintainer]),
    ("RemoveJob", &[Role::Gateway, Role::Maintainer]),
    ("RaiseFence", &[Role::Maintainer]),
    ("Submit", &[Role::Maintainer]),
    ("FindSubmission", &[Role::Maintainer]),
    ("JobStates", &[Role::Maintainer]),
    ("DeploymentJobs", &[Role::Maintainer]),
    ("Cancel", &[Role::Maintainer]),
    ("Suspend", &[Role::Maintainer]),
    ("Resume", &[Role::Maintainer]),
    ("Usage", &[Role::Maintainer]),
    ("ReadFile", &[Role::Maintainer]),
    ("ListFolder", &[Role::Maintainer]),
    ("RemoveFolder", &[Role::Gateway, Role::Maintainer]),
    ("CheckFolder", &[Role::Gateway, Role::Maintainer]),
]);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use compute_proto::FILE_DESCRIPTOR_SET;
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn every_method_of_the_contract_is_for_somebody_and_no_other_is_listed() {
        let contract = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let services = contract.file.iter().flat_map(|file| &file.service);
        let connector = services.filter(|service| service.name() == "Connector");
        let methods: BTreeSet<_> = connector
            .flat_map(|service| service.method.iter().map(|method| method.name()))
            .collect();
        let listed: BTreeSet<_> = CALLERS.0.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, methods);
        assert_eq!(listed.len(), CALLERS.0.len(), "none is listed twice");
        assert!(CALLERS.0.iter().all(|(_, roles)| !roles.is_empty()));
    }
}
