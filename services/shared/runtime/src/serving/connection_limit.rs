//! Connections of one address: no more than so many, so that one client cannot take them all.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use compute_config::TrustedProxies;

/// The connections of all addresses.
pub(super) struct ConnectionLimit {
    most: usize,
    /// All who come through a proxy have its address.
    proxies: TrustedProxies,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection, counted until it is dropped.
pub(super) struct CountedConnection {
    address: IpAddr,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl ConnectionLimit {
    pub(super) fn new(most: usize, proxies: TrustedProxies) -> Self {
        Self {
            most,
            proxies,
            addresses: Arc::default(),
        }
    }

    /// Counts a connection of `address`; `None` if there are too many.
    pub(super) fn admit(&self, address: IpAddr) -> Option<CountedConnection> {
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let connections = addresses.entry(address).or_default();
        if *connections >= self.most && !self.proxies.contains(address) {
            return None;
        }
        *connections += 1;
        Some(CountedConnection {
            address,
            addresses: Arc::clone(&self.addresses),
        })
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = addresses.get_mut(&self.address) {
            *connections -= 1;
            if *connections == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_so_many_but_a_proxy() {
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let proxy = "10.0.0.1".parse().unwrap();
        let limit = ConnectionLimit::new(2, TrustedProxies::parse(&["10.0.0.1"]).unwrap());
        let first = limit.admit(one).unwrap();
        let _second = limit.admit(one).unwrap();
        assert!(limit.admit(one).is_none());
        drop(limit.admit(other).unwrap());
        let many: Vec<_> = (0..10).map(|_| limit.admit(proxy).unwrap()).collect();
        assert_eq!(many.len(), 10);
        drop(first);
        drop(limit.admit(one).unwrap());
        drop(many);
        assert_eq!(limit.addresses.lock().unwrap().len(), 1);
    }
}
