//! The filter in the mesh's listener, and listeners of our own.

use serde_json::{Value, json};

use super::Part;
use crate::config::Config;
use crate::exchange::Role;
use crate::render::envoy::{classifiers, filters, listener, ratelimit, state, telemetry, tokens};

const CONNECTION_MANAGER: &str = "envoy.filters.network.http_connection_manager";
const CONNECTION_MANAGER_TYPE: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "envoy.filters.http.router";

impl Part<'_> {
    /// The listener's buffers, the filter in its chain, the access log, and what else listens.
    pub(super) fn listeners(&self) -> Vec<Value> {
        let config = self.scene.config;
        let limit = json!({ "per_connection_buffer_limit_bytes": listener::buffer_limit(config) });
        let buffers = self.patch("LISTENER", self.on_port(None), "MERGE", limit);
        let comment = format!(
            "{} Bodies are held whole, so the listener must be able to hold them.",
            self.way
        );
        let mut patches = vec![self.commented(comment, buffers)];
        patches.extend(self.filters());
        patches.push(self.log());
        patches.extend(self.inner());
        patches.extend(self.state());
        patches
    }

    /// What is before the router: each right before it, so the first stays first.
    fn filters(&self) -> Vec<Value> {
        let config = self.scene.config;
        let router = json!({ "name": CONNECTION_MANAGER, "subFilter": { "name": ROUTER } });
        let before = self.on_port(Some(router));
        let mut filters = vec![filters::filter(&self.scene, Role::Downstream)];
        filters.extend(tokens::listener_filters(config));
        filters.extend(ratelimit::filter(config));
        let off = |mut filter: Value| {
            filter["disabled"] = json!(true);
            self.patch("HTTP_FILTER", before.clone(), "INSERT_BEFORE", filter)
        };
        filters.into_iter().map(off).collect()
    }

    fn log(&self) -> Value {
        let manager = json!({ "name": CONNECTION_MANAGER });
        let place = self.on_port(Some(manager));
        let logs = json!({
            "name": CONNECTION_MANAGER,
            "typed_config": {
                "@type": CONNECTION_MANAGER_TYPE,
                "access_log": access_logs(self.scene.config),
            },
        });
        self.patch("NETWORK_FILTER", place, "MERGE", logs)
    }

    /// Proxies of a mesh can have listeners inside: Istio's own bootstrap says so.
    fn inner(&self) -> Option<Value> {
        let mut action = self.action();
        // A whole route, not a change of one: Envoy's own limit is 15 s.
        action["timeout"] = json!("0s");
        let listener = classifiers::listener(&self.scene, action)?;
        let comment = "Questions of classifiers to models come in here: inside of the proxy, where \
                       nobody else can.";
        let patch = self.patch("LISTENER", json!({}), "ADD", listener);
        Some(self.commented(comment.to_owned(), patch))
    }

    fn state(&self) -> Option<Value> {
        let listener = state::listener(&self.scene)?;
        let comment = "What has been observed, for whoever is in the pod or forwards a port of it.";
        let patch = self.patch("LISTENER", json!({}), "ADD", listener);
        Some(self.commented(comment.to_owned(), patch))
    }

    /// The mesh's listener, or a filter in its chains.
    fn on_port(&self, filter: Option<Value>) -> Value {
        let mut place = json!({ "portNumber": self.options.port });
        if let Some(filter) = filter {
            place["filterChain"] = json!({ "filter": filter });
        }
        json!({ "listener": place })
    }
}

/// The log of requests that the filter has seen; others on the listener are not ours to tell of.
fn access_logs(config: &Config) -> Vec<Value> {
    let mut logs = telemetry::access_logs(config);
    for log in &mut logs {
        log["filter"] = json!({ "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                "expression": "'wasm.pointsman_request_path' in filter_state",
            },
        }});
    }
    logs
}
