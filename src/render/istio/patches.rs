//! EnvoyFilters: the filter in both roles, provider clusters with it, the candidate map.

use serde_json::{Value, json};

use super::entry::{MODELS, NOT_FOUND, RETRY_ON, selector};
use super::options::{KeySupply, Module, Options, Variant};
use super::places::Place;
use super::version::gate;
use super::{Document, object};
use crate::config::Config;
use crate::exchange::handoff::{CHAIN, DEAD_END, VIA_PREFIX};
use crate::exchange::{Role, Topology};
use crate::render::commented::COMMENT;
use crate::render::envoy::{
    Delivery, Scene, TooManyChains, clusters, filters, listener, millis, ratelimit, telemetry,
    tokens,
};

const CONNECTION_MANAGER: &str = "envoy.filters.network.http_connection_manager";
const CONNECTION_MANAGER_TYPE: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "envoy.filters.http.router";

/// What the patches of one topology need.
struct Part<'c> {
    scene: Scene<'c>,
    /// Which proxies they are for.
    gate: String,
    places: &'c [Place<'c>],
    options: &'c Options,
}

pub(super) fn documents(
    config: &Config,
    document: &str,
    places: &[Place<'_>],
    options: &Options,
) -> Result<Vec<Document>, TooManyChains> {
    let parts: Vec<Part<'_>> = [Topology::PerAttempt, Topology::StaticChain]
        .into_iter()
        .filter_map(|topology| {
            Some(Part {
                gate: gate(&options.versions, topology)?,
                scene: Scene {
                    config,
                    document,
                    topology,
                    module: options.module.code(),
                    delivery: Delivery::Discovered(match options.module {
                        Module::File(_) => &discovery_of_file,
                        Module::Remote { .. } => &discovery_of_remote,
                    }),
                },
                places,
                options,
            })
        })
        .collect();
    let mut upstream = Vec::new();
    for part in &parts {
        upstream.extend(part.clusters()?);
    }
    let keys = match options.keys {
        KeySupply::Files => "files",
        KeySupply::Environment => "variables",
    };
    Ok(vec![
        envoy_filter(
            options,
            "module",
            10,
            parts.iter().flat_map(Part::modules).collect(),
            "The module in both roles, with pointsman.yaml. Proxies \
            take a change of it without a new listener or cluster: no connection is lost.",
        ),
        envoy_filter(
            options,
            "downstream",
            20,
            listener_patches(options, config, &parts),
            "Downstream, once for each request: \
            decides who shall serve it. Off by default, and on for the routes that say so.",
        ),
        envoy_filter(
            options,
            "upstream",
            20,
            upstream,
            &format!(
                "Upstream, once for each attempt: keys from {keys}, then the \
            filter, which leaves the one that the provider wants and removes all others. Every cluster that a plan can name has it."
            ),
        ),
        envoy_filter(
            options,
            "routes",
            30,
            parts.iter().flat_map(Part::routes).collect(),
            "The candidate map, and the retries that walk it.",
        ),
    ])
}

fn envoy_filter(
    options: &Options,
    part: &str,
    priority: u32,
    patches: Vec<Value>,
    comment: &str,
) -> Document {
    let spec = json!({
        "workloadSelector": { "labels": selector(options) },
        "priority": priority,
        "configPatches": patches,
    });
    Document {
        comment: comment.to_owned(),
        object: object(
            "networking.istio.io/v1alpha3",
            "EnvoyFilter",
            &options.named(part),
            options,
            spec,
        ),
    }
}

fn discovery(type_urls: Value) -> Value {
    json!({
        "config_source": { "ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3" },
        "type_urls": type_urls,
    })
}

fn discovery_of_file(_role: Role) -> Value {
    discovery(json!([format!(
        "type.googleapis.com/{}",
        filters::WASM_TYPE
    )]))
}

/// The agent puts a filter that refuses all requests where it cannot fetch the module.
fn discovery_of_remote(_role: Role) -> Value {
    discovery(json!([
        format!("type.googleapis.com/{}", filters::WASM_TYPE),
        "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
    ]))
}

impl Part<'_> {
    fn patch(&self, apply_to: &str, also: Value, operation: &str, value: Value) -> Value {
        let mut place = json!({
            "context": self.options.context(),
            "proxy": { "proxyVersion": self.gate },
        });
        if let (Value::Object(place), Value::Object(also)) = (&mut place, also) {
            place.extend(also);
        }
        json!({
            "applyTo": apply_to,
            "match": place,
            "patch": { "operation": operation, "value": value },
        })
    }

    fn commented(&self, comment: String, patch: Value) -> Value {
        let mut with = json!({ COMMENT: comment });
        if let (Value::Object(with), Value::Object(patch)) = (&mut with, patch) {
            with.extend(patch);
        }
        with
    }

    fn way(&self) -> &'static str {
        match self.scene.topology {
            Topology::PerAttempt => "Istio 1.31 and later: each attempt chooses its own cluster.",
            Topology::StaticChain => {
                "Istio 1.30 and earlier: a cluster for each order of candidates."
            }
        }
    }

    fn modules(&self) -> Vec<Value> {
        let module = |role| {
            let mut value = filters::wasm(&self.scene, role);
            let configuration = &mut value["typed_config"]["config"]["configuration"]["value"];
            *configuration = json!(readable(configuration));
            self.patch("EXTENSION_CONFIG", json!({}), "ADD", value)
        };
        let first = self.commented(self.way().to_owned(), module(Role::Downstream));
        vec![first, module(Role::Upstream)]
    }

    /// Provider clusters with the filter, and those that Istio has no word for.
    fn clusters(&self) -> Result<Vec<Value>, TooManyChains> {
        let mut patches = match self.scene.topology {
            Topology::PerAttempt => self.wrapped(),
            Topology::StaticChain => clusters::clusters(&self.scene)?
                .into_iter()
                .map(|cluster| self.patch("CLUSTER", json!({}), "ADD", cluster))
                .collect(),
        };
        let servers = tokens::clusters(self.scene.config).into_iter();
        let servers = servers.chain(telemetry::cluster(self.scene.config));
        let servers = servers.chain(ratelimit::cluster(self.scene.config));
        patches.extend(servers.map(|cluster| self.patch("CLUSTER", json!({}), "ADD", cluster)));
        let comment = match self.scene.topology {
            Topology::PerAttempt => self.way().to_owned(),
            Topology::StaticChain => format!(
                "{} Its members say by metadata who they are, which the clusters that istiod makes \
                 cannot: here the DestinationRules have no effect, and pointsman.yaml has.",
                self.way()
            ),
        };
        if let Some(first) = patches.first_mut() {
            *first = self.commented(comment, first.take());
        }
        Ok(patches)
    }

    fn wrapped(&self) -> Vec<Value> {
        let mut patches = vec![self.patch("CLUSTER", json!({}), "ADD", clusters::dead_end())];
        for place in self.places {
            let options = self.protocol_options(place);
            let via = format!("{VIA_PREFIX}{}", place.provider.name);
            let cluster = place.cluster();
            let mut aggregate =
                clusters::aggregate(&via, &[&cluster, DEAD_END], place.provider, options.clone());
            aggregate["metadata"] = metadata(place);
            let merged = json!({
                "metadata": metadata(place),
                "typed_extension_protocol_options": options,
            });
            let found = json!({ "cluster": {
                "service": place.host,
                "portNumber": place.port,
                "subset": place.subset,
            }});
            patches.push(self.commented(
                format!(
                    "Provider {}. What istiod says of HTTP to this cluster is replaced whole, and so \
                     said again: the protocol, and idle connections.",
                    place.provider.name
                ),
                self.patch("CLUSTER", found, "MERGE", merged),
            ));
            patches.push(
                self.commented(
                    "The same, but an ejected provider leads on to the next candidate at once."
                        .to_owned(),
                    self.patch("CLUSTER", json!({}), "ADD", aggregate),
                ),
            );
        }
        patches
    }

    fn protocol_options(&self, place: &Place<'_>) -> Value {
        let mut options = filters::protocol_options(&self.scene, &[place.provider]);
        let http = &mut options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
        http["common_http_protocol_options"] = json!({ "idle_timeout": IDLE_CONNECTION });
        options
    }

    fn routes(&self) -> Vec<Value> {
        let enabled = json!({ Role::Downstream.plugin_name(): {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "config": {},
        }});
        let mut models = json!({ "typed_per_filter_config": enabled, "route": self.action() });
        if let Some(Value::Object(limits)) = ratelimit::per_route(self.scene.config) {
            let both = models["typed_per_filter_config"].as_object_mut();
            both.into_iter()
                .for_each(|both| both.extend(limits.clone()));
        }
        let not_found = json!({ "typed_per_filter_config": enabled });
        vec![
            self.commented(self.way().to_owned(), self.route_patch(MODELS, models)),
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

    fn action(&self) -> Value {
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
        if let Some(ms) = listener::longest_silence_ms(self.scene.config) {
            action["idle_timeout"] = json!(millis(ms));
        }
        action["retry_policy"] = policy;
        action
    }
}

/// Envoy's own default, written down so that it can be found.
const IDLE_CONNECTION: &str = "3600s";

/// What the upstream filter is told of who it serves.
fn metadata(place: &Place<'_>) -> Value {
    json!({ "filter_metadata": { "pointsman": { "cluster": place.provider.name } } })
}

/// The plugin's configuration over several lines, so that a change of it can be read.
fn readable(configuration: &Value) -> String {
    let text = configuration.as_str().unwrap_or_default();
    let value = serde_json::from_str(text).unwrap_or_default();
    let mut readable = String::new();
    lines(&mut readable, &value, 0);
    readable.push('\n');
    readable
}

/// What is short stands on one line.
const LINE: usize = 80;

fn lines(out: &mut String, value: &Value, indent: usize) {
    let short = value.to_string();
    let (open, close, items): (_, _, Vec<(String, &Value)>) = match value {
        Value::Object(fields) if short.len() + indent > LINE => {
            let named = |(name, value)| (format!("{}: ", json!(name)), value);
            ('{', '}', fields.iter().map(named).collect())
        }
        Value::Array(items) if short.len() + indent > LINE => (
            '[',
            ']',
            items.iter().map(|item| (String::new(), item)).collect(),
        ),
        _ => return out.push_str(&short),
    };
    out.push(open);
    for (i, (name, item)) in items.into_iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        out.push_str(&format!("{comma}\n{:1$}{name}", "", indent + 2));
        lines(out, item, indent + 2);
    }
    out.push_str(&format!("\n{:1$}{close}", "", indent));
}

/// The listener's buffers, the filter in its chain, the access log: the same for all proxies that
/// have the filter at all.
fn listener_patches(options: &Options, config: &Config, parts: &[Part<'_>]) -> Vec<Value> {
    let mut patches = Vec::new();
    for part in parts {
        let listener = json!({ "portNumber": options.port });
        let limit = json!({ "per_connection_buffer_limit_bytes": listener::buffer_limit(config) });
        patches.push(part.commented(
            format!(
                "{} Bodies are held whole, so the listener must be able to hold them.",
                part.way()
            ),
            part.patch("LISTENER", json!({ "listener": listener }), "MERGE", limit),
        ));
        let router = json!({ "name": CONNECTION_MANAGER, "subFilter": { "name": ROUTER } });
        let before = json!({ "listener": {
            "portNumber": options.port,
            "filterChain": { "filter": router },
        }});
        // Each right before the router, so the first stays first.
        let ours = filters::filter(&part.scene, Role::Downstream);
        for mut filter in [ours].into_iter().chain(ratelimit::filter(config)) {
            filter["disabled"] = json!(true);
            patches.push(part.patch("HTTP_FILTER", before.clone(), "INSERT_BEFORE", filter));
        }
        let manager = json!({ "name": CONNECTION_MANAGER });
        patches.push(part.patch(
            "NETWORK_FILTER",
            json!({ "listener": { "portNumber": options.port, "filterChain": { "filter": manager } } }),
            "MERGE",
            json!({
                "name": CONNECTION_MANAGER,
                "typed_config": {
                    "@type": CONNECTION_MANAGER_TYPE,
                    "access_log": access_logs(config),
                },
            }),
        ));
    }
    patches
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
