//! What Istio calls each provider: a host of its registry, a port, a subset, a cluster.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::options::{Options, Variant};
use crate::config::{Config, ProviderConfig};

/// A provider's place in the mesh's registry.
pub(super) struct Place<'c> {
    pub provider: &'c ProviderConfig,
    /// The host that ServiceEntry and DestinationRule are about.
    pub host: String,
    /// The port of that host in the mesh.
    pub port: u16,
    /// The subset of that host, which makes a cluster that is the provider's alone: what else the
    /// proxy sends there goes another way, and two accounts do not share a key.
    pub subset: String,
    /// Whether the mesh knows the host already: a Service of the cluster.
    pub is_service: bool,
}

impl Place<'_> {
    /// The name that istiod gives to the cluster.
    pub fn cluster(&self) -> String {
        format!("outbound|{}|{}|{}", self.port, self.subset, self.host)
    }
}

/// Every provider's place, by the providers' names.
pub(super) fn places<'c>(config: &'c Config, options: &Options) -> Vec<Place<'c>> {
    let mut taken = BTreeSet::new();
    let providers = config.providers.values();
    providers
        .map(|provider| {
            let subset = unique(&label(&provider.name), &mut taken);
            place(provider, subset, options)
        })
        .collect()
}

/// Places with what they share: the hosts, each once, in order.
pub(super) fn by_host<'p, 'c>(places: &'p [Place<'c>]) -> Vec<Vec<&'p Place<'c>>> {
    let mut hosts: Vec<Vec<&Place<'_>>> = Vec::new();
    for place in places {
        match hosts.iter_mut().find(|host| host[0].host == place.host) {
            Some(host) => host.push(place),
            None => hosts.push(vec![place]),
        }
    }
    hosts
}

fn place<'c>(provider: &'c ProviderConfig, subset: String, options: &Options) -> Place<'c> {
    let endpoint = &provider.endpoint;
    let is_service = !endpoint.tls && is_service(&endpoint.host);
    Place {
        host: match endpoint.host.parse::<IpAddr>() {
            // An address needs a name to be found by.
            Ok(_) => format!("{subset}.{}.internal", options.name),
            Err(_) => endpoint.host.clone(),
        },
        port: match (options.variant, endpoint.tls, endpoint.port) {
            // Applications may speak TLS to the same port themselves: what the proxy shall
            // encrypt has a port of its own.
            (Variant::Sidecar, true, 443) => 8443,
            (_, _, port) => port,
        },
        subset,
        is_service,
        provider,
    }
}

/// Whether this is the full name of a Service in the cluster.
fn is_service(host: &str) -> bool {
    host.ends_with(".svc.cluster.local") || host.ends_with(".svc")
}

/// `name` as Kubernetes takes it in names and labels.
fn label(name: &str) -> String {
    let allowed = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() => c,
        _ => '-',
    };
    let label: String = name.chars().map(allowed).collect();
    label.trim_matches('-').to_owned()
}

/// `name`, or the first with a number behind it that is not taken.
fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|n| format!("{name}-{n}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(free.clone());
    free
}
