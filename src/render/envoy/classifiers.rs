//! What the filter's own calls need: a cluster for each webhook, and for questions to models and
//! what keeps connections open the inner listener.
//!
//! A call from the filter goes straight to a cluster. It must not enter a cluster that holds the
//! filter again: the host would call into a module that is still at work, which ends it. So
//! those to providers take the way of a client's request, through a listener inside of Envoy.
//!
//! Source: Envoy's documentation, "Internal Listener", read 2026-11-21.

use serde_json::{Value, json};

use super::clusters::endpoint_cluster;
use super::{Scene, filters, listener, typed};
use crate::config::{Classifier, Config, Source, Webhook};
use crate::exchange::Role;
use crate::exchange::handoff::INNER;
use crate::exchange::keep_warm::kept_warm;

/// Whether the filter itself calls providers.
pub(in crate::render) fn calls_providers(config: &Config) -> bool {
    let is_model = |classifier: &Classifier| matches!(classifier.source, Source::Model(_));
    config.classifiers.values().any(is_model) || kept_warm(config).next().is_some()
}

/// The clusters that questions go to.
pub(in crate::render) fn clusters(config: &Config) -> Vec<Value> {
    let webhooks = config.webhooks();
    let webhooks = webhooks.map(|(name, source)| webhook(config, &name, source));
    webhooks
        .chain(calls_providers(config).then(inner))
        .collect()
}

/// A dead one is left alone by the filter itself.
fn webhook(config: &Config, name: &str, webhook: &Webhook) -> Value {
    let mut cluster = endpoint_cluster(name, &webhook.endpoint);
    if let Some(key) = &webhook.key {
        cluster["typed_extension_protocol_options"] = filters::webhook_options(config, name, key);
    }
    cluster
}

fn inner() -> Value {
    let raw = typed(
        "envoy.transport_sockets.raw_buffer",
        "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
        json!({}),
    );
    json!({
        "name": INNER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": { "thresholds": [{
            "max_connections": 1_000_000, "max_pending_requests": 1_000_000, "max_requests": 1_000_000,
        }]},
        "load_assignment": {
            "cluster_name": INNER,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": {
                "envoy_internal_address": { "server_listener_name": INNER },
            }}}]}],
        },
        "transport_socket": typed(
            "envoy.transport_sockets.internal_upstream",
            "envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
            json!({ "transport_socket": raw }),
        ),
    })
}

/// The inner listener, when a provider is called; `action` leads to the candidates.
pub(in crate::render) fn listener(scene: &Scene<'_>, action: Value) -> Option<Value> {
    calls_providers(scene.config).then(|| {
        json!({
            "name": INNER,
            "internal_listener": {},
            "per_connection_buffer_limit_bytes": listener::buffer_limit(scene.config),
            "filter_chains": [{ "filters": [connection_manager(scene, action)] }],
        })
    })
}

pub(super) fn extension() -> Value {
    typed(
        "envoy.bootstrap.internal_listener",
        "envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
        json!({}),
    )
}

fn connection_manager(scene: &Scene<'_>, action: Value) -> Value {
    typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({
            "stat_prefix": "pointsman_inner",
            "codec_type": "HTTP1",
            "route_config": {
                "name": "pointsman-inner",
                "virtual_hosts": [{
                    "name": "pointsman-inner",
                    "domains": ["*"],
                    "routes": [{
                        "name": "questions",
                        "match": { "prefix": "/" },
                        "route": action,
                    }],
                }],
            },
            "http_filters": listener::http_filters(scene, Role::Inner),
        }),
    )
}
