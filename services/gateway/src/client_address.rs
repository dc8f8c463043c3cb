//! The address of a request's client: the peer, or what a trusted proxy reports.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::extract::Request;
use compute_config::TrustedProxies;
use compute_runtime::serving::Peer;

/// Each proxy on the way appends the address of its client.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client for limits; of an IPv6 address the network of 64 bits, which
/// belongs to one site. The header is read from its end, up to the first address that is not
/// a trusted proxy: a client may have written what stands before.
pub fn client_address(proxies: &TrustedProxies, request: &Request) -> IpAddr {
    // Without a connection, in tests, all are one client.
    let peer = request.extensions().get::<Peer>();
    let mut address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let headers = request.headers().get_all(FORWARDED_FOR);
    let said: Vec<&str> = headers
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for before in said.iter().rev() {
        if !proxies.contains(address) {
            break;
        }
        let Ok(before) = before.trim().parse() else {
            break;
        };
        address = before;
    }
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !0 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use compute_config::TrustedProxies;

    use super::*;

    fn address(proxies: &[&str], peer: &str, said: &[&str]) -> String {
        let proxies = TrustedProxies::parse(proxies).unwrap();
        let mut request = Request::new(Body::empty());
        let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 1);
        request.extensions_mut().insert(Peer(peer));
        for said in said {
            let headers = request.headers_mut();
            headers.append(FORWARDED_FOR, said.parse().unwrap());
        }
        client_address(&proxies, &request).to_string()
    }

    #[test]
    fn only_proxies_that_are_trusted_are_believed() {
        let proxy = &["10.0.0.0/8"][..];
        for (proxies, peer, said, expected) in [
            (&[][..], "192.0.2.1", &["198.51.100.1"][..], "192.0.2.1"),
            (proxy, "192.0.2.1", &["198.51.100.1"], "192.0.2.1"),
            (proxy, "10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (
                proxy,
                "10.0.0.1",
                &["1.1.1.1, 198.51.100.1"],
                "198.51.100.1",
            ),
            (
                proxy,
                "10.0.0.1",
                &["1.1.1.1", "198.51.100.1"],
                "198.51.100.1",
            ),
            (
                proxy,
                "10.0.0.1",
                &["198.51.100.1, 10.9.9.9"],
                "198.51.100.1",
            ),
            (proxy, "10.0.0.1", &["198.51.100.1, nonsense"], "10.0.0.1"),
            (proxy, "10.0.0.1", &[], "10.0.0.1"),
            (proxy, "::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (proxy, "10.0.0.1", &["2001:db8:1:2:3::4"], "2001:db8:1:2::"),
        ] {
            assert_eq!(address(proxies, peer, said), expected, "{peer} {said:?}");
        }
    }
}
