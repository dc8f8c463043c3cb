//! The connectors, for the little that the gateway asks of HPCs: to have a login
//! checked, and expired folders removed.

use std::{collections::BTreeMap, sync::Arc};

use compute_proto::{ConnectorClient, RemoteError};
use compute_runtime::config::Site;

/// The connectors, by HPC. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connectors(Arc<BTreeMap<String, ConnectorClient>>);

impl Connectors {
    /// Clients that connect when first used.
    ///
    /// # Errors
    /// If an address is none.
    pub fn of(site: &Site) -> Result<Self, RemoteError> {
        let clients = site.hpcs.values().map(|hpc| {
            let address = hpc
                .connector_address
                .as_ref()
                .unwrap_or(&site.server.connector_address);
            Ok((hpc.name.clone(), ConnectorClient::connect_lazy(address)?))
        });
        Ok(Self(Arc::new(clients.collect::<Result<_, RemoteError>>()?)))
    }

    /// The connector of that HPC.
    pub fn of_hpc(&self, hpc: &str) -> Option<&ConnectorClient> {
        self.0.get(hpc)
    }
}
