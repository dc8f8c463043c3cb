//! Proxies whose word about a client's address is taken.

use std::net::IpAddr;

use super::reader::Reader;

/// Addresses, or networks as `ADDRESS/BITS`, of the proxies in front of the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: u128,
    bits: u32,
}

impl TrustedProxies {
    /// Those of the list; `None` if one is no address and no network.
    pub fn parse(texts: &[&str]) -> Option<Self> {
        let networks: Option<Vec<_>> = texts.iter().map(|text| network(text)).collect();
        networks.map(Self)
    }

    /// Whether `address` is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = as_v6(address);
        let is_in = |network: &Network| {
            let rest = 128 - network.bits;
            (address ^ network.address).checked_shr(rest).unwrap_or(0) == 0
        };
        self.0.iter().any(is_in)
    }
}

pub(super) fn read(r: &mut Reader<'_>) -> TrustedProxies {
    let texts = r.texts("trusted_proxies");
    let mut proxies = Vec::new();
    for text in texts {
        match network(&text) {
            Some(network) => proxies.push(network),
            None => r.wrong(
                "trusted_proxies",
                &format!("must be IP addresses or networks like 10.0.0.0/8, {text:?} is neither"),
            ),
        }
    }
    TrustedProxies(proxies)
}

fn network(text: &str) -> Option<Network> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    (bits <= width).then(|| Network {
        address: as_v6(address),
        bits: 128 - width + bits,
    })
}

/// An IPv4 address as its mapped IPv6 address (RFC 4291, 2.5.5.2), as sockets show it.
fn as_v6(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks() {
        for (proxy, address, is_in) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("172.16.0.0/12", "172.31.9.9", true),
            ("172.16.0.0/12", "172.32.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let proxies = TrustedProxies(vec![network(proxy).unwrap()]);
            let contains = proxies.contains(address.parse().unwrap());
            assert_eq!(contains, is_in, "{proxy} {address}");
        }
        for text in [
            "",
            "proxy",
            "10.0.0.0/33",
            "10.0.0/8",
            "::1/129",
            "1.2.3.4/x",
        ] {
            assert_eq!(network(text), None, "{text}");
        }
        let nobody = TrustedProxies::default();
        assert!(!nobody.contains("127.0.0.1".parse().unwrap()));
    }
}
