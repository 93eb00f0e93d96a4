//! The listener that tells what has been observed: on loopback, and only when it is asked for.

use serde_json::{Value, json};

use super::{Scene, filters, socket_address, typed};
use crate::exchange::Role;

pub(in crate::render) fn listener(scene: &Scene<'_>) -> Option<Value> {
    let port = scene.config.envoy.state_port?;
    Some(json!({
        "name": "pointsman-state",
        "address": socket_address("127.0.0.1", port),
        "filter_chains": [{ "filters": [connection_manager(scene)] }],
    }))
}

fn connection_manager(scene: &Scene<'_>) -> Value {
    typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({
            "stat_prefix": "pointsman_state",
            "route_config": {
                "name": "pointsman-state",
                "virtual_hosts": [{
                    "name": "pointsman-state",
                    "domains": ["*"],
                    "routes": [{
                        "match": { "prefix": "/" },
                        "direct_response": { "status": 404 },
                    }],
                }],
            },
            "http_filters": [
                filters::filter(scene, Role::State),
                typed(
                    "envoy.filters.http.router",
                    "envoy.extensions.filters.http.router.v3.Router",
                    json!({}),
                ),
            ],
        }),
    )
}
