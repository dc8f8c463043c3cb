//! The connectors, through which the gateway checks logins and folders on HPCs and removes
//! expired folders.

use std::{collections::BTreeMap, sync::Arc};

use compute_config::Site;
use compute_proto::ConnectorClient;
use compute_runtime::{
    grpc::{AddressError, Transport},
    health::CheckResult,
    tls::Role,
};
use futures::future::join_all;

/// The connectors, by HPC. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connectors(Arc<BTreeMap<String, ConnectorClient>>);

impl Connectors {
    /// Clients that connect when first used.
    ///
    /// # Errors
    /// If an address is invalid.
    pub fn of(site: &Site, transport: &Transport) -> Result<Self, AddressError> {
        let clients = site.hpcs.values().map(|hpc| {
            let channel = transport.channel(site.connector_address(hpc), Role::Connector)?;
            let connector = ConnectorClient::for_hpc(channel, &hpc.name);
            Ok((hpc.name.clone(), connector))
        });
        Ok(Self(Arc::new(clients.collect::<Result<_, _>>()?)))
    }

    /// Whether the connector of each HPC responds.
    pub async fn checks(self) -> Vec<(String, CheckResult)> {
        let asked = self.0.iter().map(async |(hpc, connector)| {
            let answer = connector.ping().await.map_err(|error| error.to_string());
            (format!("connector of {hpc}"), answer)
        });
        join_all(asked).await
    }

    /// The connector of `hpc`.
    pub fn of_hpc(&self, hpc: &str) -> Option<&ConnectorClient> {
        self.0.get(hpc)
    }
}
