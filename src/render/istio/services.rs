//! Who can be asked, in Istio's own terms: ServiceEntry and DestinationRule.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::options::{Options, Variant};
use super::places::{Place, by_host};
use super::{Document, object};
use crate::render::envoy::millis;

const NETWORKING: &str = "networking.istio.io/v1";

/// The providers' ServiceEntry, unless the mesh knows the host, and its DestinationRule.
pub(super) fn documents(places: &[Place<'_>], options: &Options) -> Vec<Document> {
    let mut documents = Vec::new();
    for host in by_host(places) {
        if !host[0].is_service {
            documents.push(service_entry(&host, options));
        }
        documents.push(destination_rule(&host, options));
    }
    documents
}

/// Where requests go that the filter has not seen: nowhere.
pub(super) fn dead_end(options: &Options) -> Document {
    let spec = json!({
        "hosts": [options.dead_end_host()],
        "location": "MESH_EXTERNAL",
        "resolution": "STATIC",
        "exportTo": ["."],
        "ports": [{ "number": 80, "name": "http", "protocol": "HTTP" }],
        "endpoints": [{ "address": "unix:///nonexistent/pointsman" }],
    });
    Document {
        comment: "Nothing listens here. Requests end here when a proxy has not got the filter, \
                  or not all that it needs: nobody sees a prompt or a key by accident."
            .to_owned(),
        object: object(
            NETWORKING,
            "ServiceEntry",
            &options.named("dead-end"),
            options,
            spec,
        ),
    }
}

fn service_entry(host: &[&Place<'_>], options: &Options) -> Document {
    let first = host[0];
    let endpoint = &first.provider.endpoint;
    let mut ports: Vec<Value> = host.iter().map(|place| port(place, options)).collect();
    ports.dedup();
    let is_ip = endpoint.host.parse::<IpAddr>().is_ok();
    let mut spec = json!({
        "hosts": [first.host],
        "location": "MESH_EXTERNAL",
        "resolution": if is_ip { "STATIC" } else { "DNS" },
        "exportTo": ["."],
        "ports": ports,
    });
    if first.host != endpoint.host {
        spec["endpoints"] = json!([{ "address": endpoint.host }]);
    }
    Document {
        comment: format!("The host of {}, for this namespace only.", names(host)),
        object: object(
            NETWORKING,
            "ServiceEntry",
            &named(first, options),
            options,
            spec,
        ),
    }
}

fn port(place: &Place<'_>, options: &Options) -> Value {
    let protocol = protocol(place, options);
    let mut port = json!({
        "number": place.port,
        "name": format!("{}-{}", protocol.to_lowercase(), place.port),
        "protocol": protocol,
    });
    if place.port != place.provider.endpoint.port {
        port["targetPort"] = json!(place.provider.endpoint.port);
    }
    port
}

/// The providers of a host, as people say them.
fn names(host: &[&Place<'_>]) -> String {
    let names: Vec<&str> = host.iter().map(|p| p.provider.name.as_str()).collect();
    names.join(" and ")
}

/// HTTP where applications could reach it too: encryption is the DestinationRule's.
fn protocol(place: &Place<'_>, options: &Options) -> &'static str {
    let is_encrypted = place.provider.endpoint.tls && options.variant == Variant::Gateway;
    match (place.provider.http2, is_encrypted) {
        (true, _) => "HTTP2",
        (false, true) => "HTTPS",
        (false, false) => "HTTP",
    }
}

fn destination_rule(host: &[&Place<'_>], options: &Options) -> Document {
    let subsets: Vec<Value> = host.iter().map(|place| subset(place)).collect();
    let spec = json!({ "host": host[0].host, "exportTo": ["."], "subsets": subsets });
    Document {
        comment: format!(
            "Connections, ejection and TLS of {}. Its subset makes a cluster that only plans can \
             reach. Yours to edit, but for what the proxies replace: idleTimeout, \
             maxRequestsPerConnection, maxConnectionDuration and useClientProtocol have no effect \
             here; {} says them instead.",
            names(host),
            options.named("upstream")
        ),
        object: object(
            NETWORKING,
            "DestinationRule",
            &named(host[0], options),
            options,
            spec,
        ),
    }
}

fn subset(place: &Place<'_>) -> Value {
    let mut policy = json!({
        "connectionPool": connection_pool(place),
        "outlierDetection": outliers(place),
    });
    if place.provider.endpoint.tls {
        policy["tls"] = tls(place);
    }
    json!({ "name": place.subset, "trafficPolicy": policy })
}

fn named(place: &Place<'_>, options: &Options) -> String {
    options.named(&place.subset)
}

fn connection_pool(place: &Place<'_>) -> Value {
    let breaker = place.provider.circuit_breaker;
    json!({
        "tcp": {
            "maxConnections": breaker.max_connections,
            "connectTimeout": duration(place.provider.connect_timeout_ms),
        },
        "http": {
            "http1MaxPendingRequests": breaker.max_pending_requests,
            "http2MaxRequests": breaker.max_requests,
            "maxRetries": breaker.max_retries,
        },
    })
}

fn outliers(place: &Place<'_>) -> Value {
    let outliers = place.provider.outlier_detection;
    json!({
        "consecutive5xxErrors": outliers.consecutive_failures,
        "interval": duration(outliers.interval_ms),
        "baseEjectionTime": duration(outliers.ejection_ms),
        "maxEjectionPercent": 100,
        // Istio's own 0 would leave the last candidate unasked once it is ejected.
        "minHealthPercent": 50,
    })
}

/// Said here, because what Istio would guess by itself is lost when the filter comes in.
fn tls(place: &Place<'_>) -> Value {
    let endpoint = &place.provider.endpoint;
    let mut tls = json!({ "mode": "SIMPLE" });
    if endpoint.host.parse::<IpAddr>().is_err() {
        tls["sni"] = json!(endpoint.host);
    }
    tls["subjectAltNames"] = json!([endpoint.host]);
    if let Some(file) = &endpoint.ca_file {
        tls["caCertificates"] = json!(file);
    }
    tls
}

/// As Istio writes durations: whole seconds, or milliseconds.
fn duration(ms: u64) -> String {
    match ms.is_multiple_of(1000) {
        true => millis(ms),
        false => format!("{ms}ms"),
    }
}
