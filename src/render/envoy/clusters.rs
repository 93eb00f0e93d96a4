//! The providers' clusters, their wrappers and chains.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::chains::{self, Chain};
use super::{MAX_CHAINS, Scene, TooManyChains, filters, millis, socket_address, typed};
use crate::config::{Endpoint, ProviderConfig};
use crate::exchange::Topology;
use crate::exchange::handoff::{DEAD_END, VIA_PREFIX};

/// Where Debian, Ubuntu and Envoy's own images keep the public authorities.
const SYSTEM_CA_FILE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Every cluster that plans can name, and their members.
pub(in crate::render) fn clusters(scene: &Scene<'_>) -> Result<Vec<Value>, TooManyChains> {
    match scene.topology {
        Topology::PerAttempt => Ok(per_attempt(scene)),
        Topology::StaticChain => chains::all(scene.config, MAX_CHAINS)
            .map(|chains| static_chains(scene, &chains))
            .map_err(|needed| TooManyChains { needed }),
    }
}

fn per_attempt(scene: &Scene<'_>) -> Vec<Value> {
    let providers = scene.config.providers.values();
    let mut clusters = vec![dead_end()];
    for provider in providers {
        let options = filters::protocol_options(scene, &[provider]);
        let mut cluster = provider_cluster(provider, &provider.name);
        cluster["typed_extension_protocol_options"] = options.clone();
        let members = [provider.name.as_str(), DEAD_END];
        let name = format!("{VIA_PREFIX}{}", provider.name);
        clusters.push(cluster);
        clusters.push(aggregate(&name, &members, provider, options));
    }
    clusters
}

fn static_chains(scene: &Scene<'_>, chains: &[Chain]) -> Vec<Value> {
    let mut members: BTreeMap<&str, &ProviderConfig> = BTreeMap::new();
    let mut aggregates = Vec::new();
    for chain in chains {
        let providers: Vec<&ProviderConfig> = chain
            .members
            .iter()
            .filter_map(|m| scene.config.providers.get(&m.provider))
            .collect();
        let Some(first) = providers.first() else {
            continue;
        };
        members.extend(
            chain
                .members
                .iter()
                .map(|m| m.cluster.as_str())
                .zip(providers.clone()),
        );
        let mut distinct = providers.clone();
        distinct.sort_by(|a, b| a.name.cmp(&b.name));
        distinct.dedup_by(|a, b| a.name == b.name);
        let options = filters::protocol_options(scene, &distinct);
        let names: Vec<&str> = chain.members.iter().map(|m| m.cluster.as_str()).collect();
        aggregates.push(aggregate(&chain.name, &names, first, options));
    }
    let members = members.into_iter().map(|(name, provider)| {
        let mut cluster = provider_cluster(provider, name);
        if provider.http2 {
            // Of a chain, the member says how it is spoken to.
            cluster["typed_extension_protocol_options"] = filters::protocol(true);
        }
        cluster
    });
    members.chain(aggregates).collect()
}

fn provider_cluster(provider: &ProviderConfig, name: &str) -> Value {
    let endpoint = &provider.endpoint;
    let is_ip = endpoint.host.parse::<IpAddr>().is_ok();
    let outliers = provider.outlier_detection;
    let mut cluster = json!({
        "name": name,
        "type": if is_ip { "STATIC" } else { "STRICT_DNS" },
        "connect_timeout": millis(provider.connect_timeout_ms),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{
                "metadata": { "filter_metadata": { "pointsman": { "cluster": name } } },
                "endpoint": { "address": socket_address(&endpoint.host, endpoint.port) },
            }]}],
        },
        "circuit_breakers": circuit_breakers(provider),
        "outlier_detection": {
            "consecutive_5xx": outliers.consecutive_failures,
            "interval": millis(outliers.interval_ms),
            "base_ejection_time": millis(outliers.ejection_ms),
            "max_ejection_percent": 100,
        },
    });
    if !is_ip {
        cluster["dns_lookup_family"] = json!("V4_PREFERRED");
    }
    if endpoint.tls {
        cluster["transport_socket"] = tls(endpoint, is_ip, provider.http2);
    }
    if provider.preconnect > 0 {
        let ratio = 1.0 + f64::from(provider.preconnect) / 100.0;
        cluster["preconnect_policy"] = json!({ "per_upstream_preconnect_ratio": ratio });
    }
    cluster
}

/// A cluster of a server that is no provider: Envoy itself asks it.
pub(super) fn endpoint_cluster(name: &str, endpoint: &Endpoint) -> Value {
    server_cluster(name, endpoint, false)
}

/// The same; `http2` says what TLS shall agree on.
pub(super) fn server_cluster(name: &str, endpoint: &Endpoint, http2: bool) -> Value {
    let is_ip = endpoint.host.parse::<IpAddr>().is_ok();
    let mut cluster = json!({
        "name": name,
        "type": if is_ip { "STATIC" } else { "STRICT_DNS" },
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{
                "endpoint": { "address": socket_address(&endpoint.host, endpoint.port) },
            }]}],
        },
    });
    if !is_ip {
        cluster["dns_lookup_family"] = json!("V4_PREFERRED");
    }
    if endpoint.tls {
        cluster["transport_socket"] = tls(endpoint, is_ip, http2);
    }
    cluster
}

fn circuit_breakers(provider: &ProviderConfig) -> Value {
    let breaker = provider.circuit_breaker;
    let mut thresholds = json!({
        "max_connections": breaker.max_connections,
        "max_pending_requests": breaker.max_pending_requests,
        "max_requests": breaker.max_requests,
    });
    match breaker.retry_percent {
        Some(percent) => {
            let budget = json!({ "budget_percent": { "value": percent } });
            thresholds["retry_budget"] = budget;
        }
        None => thresholds["max_retries"] = json!(breaker.max_retries),
    }
    json!({ "thresholds": [thresholds] })
}

/// The name is fixed here, because what the filter sets as authority comes too late for TLS.
fn tls(endpoint: &Endpoint, is_ip: bool, http2: bool) -> Value {
    let kind = if is_ip { "IP_ADDRESS" } else { "DNS" };
    let mut context = json!({ "common_tls_context": {
        "validation_context": {
            "trusted_ca": { "filename": endpoint.ca_file.as_deref().unwrap_or(SYSTEM_CA_FILE) },
            "match_typed_subject_alt_names": [
                { "san_type": kind, "matcher": { "exact": endpoint.host } },
            ],
        },
        "alpn_protocols": [if http2 { "h2" } else { "http/1.1" }],
    }});
    if !is_ip {
        context["sni"] = json!(endpoint.host);
    }
    typed(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        context,
    )
}

/// A cluster whose members are other clusters; it has a filter chain of its own.
pub(in crate::render) fn aggregate(
    name: &str,
    members: &[&str],
    first: &ProviderConfig,
    options: Value,
) -> Value {
    json!({
        "name": name,
        "connect_timeout": millis(first.connect_timeout_ms),
        "lb_policy": "CLUSTER_PROVIDED",
        "cluster_type": typed(
            "envoy.clusters.aggregate",
            "envoy.extensions.clusters.aggregate.v3.ClusterConfig",
            json!({ "clusters": members }),
        ),
        "circuit_breakers": circuit_breakers(first),
        "typed_extension_protocol_options": options,
    })
}

/// Fails to connect at once, and so leads to the next attempt.
pub(in crate::render) fn dead_end() -> Value {
    json!({
        "name": DEAD_END,
        "type": "STATIC",
        "connect_timeout": "0.1s",
        "circuit_breakers": { "thresholds": [{ "max_retries": 1024 }] },
        "load_assignment": {
            "cluster_name": DEAD_END,
            "endpoints": [{ "lb_endpoints": [{
                "metadata": { "filter_metadata": { "pointsman": { "cluster": DEAD_END } } },
                "endpoint": { "address": { "pipe": { "path": "/nonexistent/pointsman" } } },
            }]}],
        },
    })
}
