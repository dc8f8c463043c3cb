//! One entry of `jupyter-globus-map.json`.

use compute_domain::site::{Hub, Scheme, UserMapping};

use super::reader::Reader;

pub(super) fn read(host: &str, r: &mut Reader<'_>) -> Option<Hub> {
    if host.is_empty() || host.contains(['/', '@', ' ']) {
        r.wrong("", "its key must be a host, with port if any");
    }
    let schemes = [("https", Scheme::Https), ("http", Scheme::Http)];
    let mappings = [("iguide-mapping", UserMapping::Iguide)];
    Some(Hub {
        host: host.to_owned(),
        scheme: r.choice("scheme", &schemes).unwrap_or(Scheme::Https),
        comment: r.text("comment").unwrap_or_default(),
        endpoint: r.text("endpoint").unwrap_or_default(),
        root_path: r.text("root_path").unwrap_or_default(),
        container_home_path: r.text("container_home_path").unwrap_or_default(),
        user_mapping: r
            .choice("user_mapping", &mappings)
            .unwrap_or(UserMapping::Plain),
        services: r.texts("services"),
    })
}
