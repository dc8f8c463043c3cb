//! What the stages of a template run in on an HPC.

use std::collections::BTreeMap;

use crate::{
    manifest::{ConnectorVariant, Manifest},
    site::{Container, ContainerRuntime, Hpc, Kernel},
};

/// What the stages of a template run in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Software<'a> {
    /// Nothing: they run as the account itself.
    Bare,
    /// The shell of a kernel of the SingCVMFS connector.
    Kernel(&'a Kernel),
    /// The image of a container.
    Image {
        /// The container.
        container: &'a Container,
        /// Path of its image on the HPC.
        path: &'a str,
    },
}

/// Why a template cannot run on an HPC. The operator has to complete `container.json` or
/// `kernel.json`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoftwareError {
    /// `kernel.json` has no such kernel.
    #[error("unknown kernel {0}")]
    UnknownKernel(String),
    /// `container.json` has no such container.
    #[error("unknown container {0}")]
    UnknownContainer(String),
    /// The container has no `hpc_path` for the HPC.
    #[error("container {container} is not set up on {hpc}")]
    NotSetUp {
        /// The container.
        container: String,
        /// The HPC.
        hpc: String,
    },
}

impl Manifest {
    /// Returns what the stages run in on `hpc`.
    ///
    /// # Errors
    /// [`SoftwareError`] if the manifest names something that is not configured. On an HPC
    /// without containers every template runs bare.
    pub fn software<'a>(
        &self,
        hpc: &Hpc,
        containers: &'a BTreeMap<String, Container>,
        kernels: &'a BTreeMap<String, Kernel>,
    ) -> Result<Software<'a>, SoftwareError> {
        let name = &self.container;
        if hpc.container_runtime == ContainerRuntime::None {
            return Ok(Software::Bare);
        }
        match self.connector {
            ConnectorVariant::Slurm => Ok(Software::Bare),
            ConnectorVariant::SingCvmfs => kernels
                .get(name)
                .map(Software::Kernel)
                .ok_or_else(|| SoftwareError::UnknownKernel(name.clone())),
            ConnectorVariant::Singularity => {
                let container = containers
                    .get(name)
                    .ok_or_else(|| SoftwareError::UnknownContainer(name.clone()))?;
                let path = container.image_on(hpc)?;
                Ok(Software::Image { container, path })
            }
        }
    }
}

impl Container {
    /// Returns the path of the image on `hpc`.
    ///
    /// # Errors
    /// [`SoftwareError::NotSetUp`] if it has none there.
    pub fn image_on(&self, hpc: &Hpc) -> Result<&str, SoftwareError> {
        let path = self.hpc_path.get(&hpc.name).map(String::as_str);
        path.ok_or_else(|| SoftwareError::NotSetUp {
            container: self.name.clone(),
            hpc: hpc.name.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::fixtures;

    fn manifest(connector: &str, container: &str) -> Manifest {
        let raw = json!({"name": "hello", "container": container, "connector": connector,
            "execution_stage": "python3 main.py"});
        Manifest::parse(&raw, "hello", None).unwrap()
    }

    fn container() -> Container {
        Container {
            name: "python".to_owned(),
            hpc_path: [("local_hpc".to_owned(), "/images/python".to_owned())].into(),
            mount: BTreeMap::new(),
            public: Map::new(),
        }
    }

    fn software(manifest: &Manifest, hpc: &Hpc) -> Result<String, String> {
        let containers = [("python".to_owned(), container())].into();
        let kernel = Kernel {
            name: "cjw".to_owned(),
            init: vec!["module load cjw".to_owned()],
        };
        let kernels = [("cjw".to_owned(), kernel)].into();
        match manifest.software(hpc, &containers, &kernels) {
            Ok(Software::Bare) => Ok("bare".to_owned()),
            Ok(Software::Kernel(kernel)) => Ok(kernel.name.clone()),
            Ok(Software::Image { path, .. }) => Ok(path.to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn what_is_configured_is_found_and_the_rest_is_named() {
        let hpc = fixtures::hpc();
        let other = Hpc {
            name: "other".to_owned(),
            ..fixtures::hpc()
        };
        let bare = Hpc {
            container_runtime: ContainerRuntime::None,
            ..fixtures::hpc()
        };
        for (connector, name, hpc, expected) in [
            ("SingularityConnector", "python", &hpc, Ok("/images/python")),
            (
                "SingularityConnector",
                "r",
                &hpc,
                Err("unknown container r"),
            ),
            ("SingularityConnector", "r", &bare, Ok("bare")),
            (
                "SingularityConnector",
                "python",
                &other,
                Err("container python is not set up on other"),
            ),
            ("SingCVMFSConnector", "cjw", &hpc, Ok("cjw")),
            ("SingCVMFSConnector", "r", &hpc, Err("unknown kernel r")),
            ("SlurmConnector", "r", &hpc, Ok("bare")),
        ] {
            let found = software(&manifest(connector, name), hpc);
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected, "{connector} {name}");
        }
    }
}
