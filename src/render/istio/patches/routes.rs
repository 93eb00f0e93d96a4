//! The candidate map, and the retries that walk it.

use serde_json::{Value, json};

use super::Part;
use crate::exchange::handoff::{CHAIN, DEAD_END, VIA_PREFIX};
use crate::exchange::{Role, Topology};
use crate::render::envoy::{listener, millis, ratelimit, tokens};
use crate::render::istio::entry::{MODELS, NOT_FOUND, RETRY_ON};
use crate::render::istio::options::Variant;

impl Part<'_> {
    pub(super) fn routes(&self) -> Vec<Value> {
        let on = json!({
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "config": {},
        });
        let enabled = json!({ Role::Downstream.plugin_name(): on });
        let mut models = json!({ "typed_per_filter_config": enabled, "route": self.action() });
        for filter in tokens::listener_filters(self.scene.config) {
            let name = filter["name"].as_str().unwrap_or_default();
            models["typed_per_filter_config"][name] = on.clone();
        }
        if let Some(Value::Object(limits)) = ratelimit::per_route(self.scene.config) {
            let both = models["typed_per_filter_config"].as_object_mut();
            both.into_iter()
                .for_each(|both| both.extend(limits.clone()));
        }
        let not_found = json!({ "typed_per_filter_config": enabled });
        vec![
            self.commented(self.way.clone(), self.route_patch(MODELS, models)),
            self.commented(
                "Also here: it tells which models there are, and why a path is not served."
                    .to_owned(),
                self.route_patch(NOT_FOUND, not_found),
            ),
        ]
    }

    fn route_patch(&self, route: &str, value: Value) -> Value {
        let options = self.options;
        let found = match options.variant {
            Variant::Gateway => json!({
                "gateway": format!("{}/{}", options.namespace, options.name),
                "vhost": { "route": { "name": route } },
            }),
            Variant::Sidecar => json!({
                "portNumber": options.port,
                "vhost": {
                    "name": format!("{}:{}", options.host, options.port),
                    "route": { "name": route },
                },
            }),
        };
        self.patch(
            "HTTP_ROUTE",
            json!({ "routeConfiguration": found }),
            "MERGE",
            value,
        )
    }

    /// The way to the candidates.
    pub(super) fn action(&self) -> Value {
        let mut policy = listener::retry_policy(&self.scene);
        policy["retry_on"] = json!(RETRY_ON);
        let mut action = match self.scene.topology {
            Topology::PerAttempt => {
                let places = self.places.iter();
                let known = places.flat_map(|place| {
                    let name = &place.provider.name;
                    let via = format!("{VIA_PREFIX}{name}");
                    [(name.clone(), place.cluster()), (via.clone(), via)]
                });
                json!({ "inline_cluster_specifier_plugin": listener::matcher(known, DEAD_END) })
            }
            Topology::StaticChain => json!({ "cluster_header": CHAIN }),
        };
        if let Some(ms) = listener::longest_silence_ms(&self.scene) {
            action["idle_timeout"] = json!(millis(ms));
        }
        action["retry_policy"] = policy;
        action
    }
}
