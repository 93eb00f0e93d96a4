//! The listener: the downstream role, the route with its retries, the access log.

use serde_json::{Map, Value, json};

use super::{Scene, filters, millis, ratelimit, socket_address, telemetry, tokens, typed};
use crate::catalog::Backend;
use crate::config::{Config, Timeouts};
use crate::exchange::handoff::{
    CHAIN, CLUSTER, DEAD_END, ESCALATE, MOST_ATTEMPTS, RETRIABLE_STATUS, VIA_PREFIX, WAIT,
};
use crate::exchange::{Role, Topology};
use crate::operation::Operation;
use crate::surface::SURFACES;

/// What is left above the body limits for what Envoy itself buffers.
const BUFFER_SLACK_BYTES: u64 = 1024 * 1024;

pub(super) fn listener(scene: &Scene<'_>) -> Value {
    let envoy = &scene.config.envoy;
    json!({
        "name": "pointsman",
        "address": socket_address(&envoy.address, envoy.port),
        "per_connection_buffer_limit_bytes": buffer_limit(scene.config),
        "filter_chains": [{ "filters": [connection_manager(scene)] }],
    })
}

/// Bodies are held whole in both directions; Envoy must never hit its own limit first.
pub(in crate::render) fn buffer_limit(config: &Config) -> u64 {
    config
        .limits
        .request_bytes
        .max(config.limits.reply_bytes)
        .saturating_add(BUFFER_SLACK_BYTES)
}

fn connection_manager(scene: &Scene<'_>) -> Value {
    let mut manager = typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({
            "stat_prefix": "pointsman",
            "codec_type": "AUTO",
            "use_remote_address": true,
            "normalize_path": true,
            "always_set_request_id_in_response": true,
            "stream_idle_timeout": "0s",
            "access_log": telemetry::access_logs(scene.config),
            "route_config": {
                "name": "pointsman",
                "virtual_hosts": [virtual_host(scene)],
            },
            "http_filters": http_filters(scene, Role::Downstream),
        }),
    );
    let identity = scene.config.routing.identity_header.as_deref();
    if identity == Some("x-forwarded-client-cert") {
        // Envoy removes what it has not written itself.
        manager["typed_config"]["forward_client_cert_details"] = json!("ALWAYS_FORWARD_ONLY");
    }
    manager
}

fn virtual_host(scene: &Scene<'_>) -> Value {
    let mut host = json!({ "name": "pointsman", "domains": ["*"], "routes": routes(scene) });
    if let Some(limits) = ratelimit::per_route(scene.config) {
        host["typed_per_filter_config"] = limits;
    }
    host
}

/// The filter in this role, and what it needs after it.
pub(super) fn http_filters(scene: &Scene<'_>, role: Role) -> Vec<Value> {
    let mut filters = vec![filters::filter(scene, role)];
    filters.extend(tokens::listener_filters(scene.config));
    if role == Role::Downstream {
        filters.extend(ratelimit::filter(scene.config));
    }
    filters.push(typed(
        "envoy.filters.http.router",
        "envoy.extensions.filters.http.router.v3.Router",
        json!({ "suppress_envoy_headers": true }),
    ));
    filters
}

/// The longest regular expression of a route, unless a single path is longer. Envoy refuses a
/// program of more than 100 steps, and a step is at most a character.
const MAX_REGEX_CHARS: usize = 100;

/// Every path that asks a model, in as few expressions as Envoy takes.
pub(in crate::render) fn model_paths(config: &Config) -> Vec<String> {
    let base_path = config.base_path.as_str();
    let is_surface = |path: &str| SURFACES.iter().any(|surface| surface.path() == path);
    let surfaces = SURFACES.iter().map(|surface| surface.path().to_owned());
    let operations = Operation::ALL
        .into_iter()
        .filter(|operation| !is_surface(operation.path()))
        .map(|operation| match operation.versions() {
            [] => operation.path().to_owned(),
            versions => format!("({})?{}", versions.join("|"), operation.path()),
        });
    let mut regexes = expressions(base_path, operations.chain(surfaces));
    if let Some(beside) = base_path.strip_suffix("/v1") {
        regexes.extend(expressions(beside, versioned_paths()));
    }
    regexes
}

/// Expressions for these paths under one base path.
fn expressions(base_path: &str, paths: impl IntoIterator<Item = String>) -> Vec<String> {
    let base_path = literal(base_path);
    let mut groups: Vec<String> = Vec::new();
    for path in paths {
        let grown = |group: &String| base_path.len() + group.len() + path.len() + 3;
        match groups.last_mut().filter(|g| grown(g) <= MAX_REGEX_CHARS) {
            Some(group) => *group = format!("{group}|{path}"),
            None => groups.push(path),
        }
    }
    let whole = |group: String| format!("{base_path}({group})");
    groups.into_iter().map(whole).collect()
}

/// What clients ask for by a version of its own, beside the base path's.
fn versioned_paths() -> impl Iterator<Item = String> {
    let versioned = Operation::ALL
        .into_iter()
        .filter(|o| !o.versions().is_empty());
    versioned.map(|operation| format!("({}){}", operation.versions().join("|"), operation.path()))
}

/// A regular expression that matches this text only.
fn literal(text: &str) -> String {
    let mut regex = String::with_capacity(text.len());
    for c in text.chars() {
        if r".+*?()|[]{}^$\".contains(c) {
            regex.push('\\');
        }
        regex.push(c);
    }
    regex
}

/// What asks a model goes one way, whichever its path is.
fn routes(scene: &Scene<'_>) -> Vec<Value> {
    let action = model_action(scene);
    let paths = model_paths(scene.config).into_iter();
    let routes = paths.map(|regex| {
        json!({
            "name": "models",
            "match": { "safe_regex": { "regex": regex } },
            "route": action,
        })
    });
    routes.chain([not_found_route()]).collect()
}

pub(super) fn model_action(scene: &Scene<'_>) -> Value {
    let mut action = Map::new();
    match scene.topology {
        Topology::PerAttempt => {
            action.insert(
                "inline_cluster_specifier_plugin".into(),
                cluster_matcher(scene.config),
            );
        }
        Topology::StaticChain => {
            action.insert("cluster_header".into(), json!(CHAIN));
        }
    }
    action.insert("timeout".into(), json!("0s"));
    if let Some(ms) = longest_silence_ms(scene) {
        action.insert("idle_timeout".into(), json!(millis(ms)));
    }
    action.insert("retry_policy".into(), retry_policy(scene));
    Value::Object(action)
}

/// How long a client may hear nothing at all: every attempt in vain, then a silent stream.
///
/// Envoy's own `per_try_idle_timeout` never fires once a stream is under way unless it is
/// shorter than the time for an attempt; this ends such a stream too.
pub(in crate::render) fn longest_silence_ms(scene: &Scene<'_>) -> Option<u64> {
    let config = scene.config;
    let most = MOST_ATTEMPTS as u64;
    let silence = |candidates: &[Backend], timeouts: Timeouts| {
        let tries: u64 = candidates.iter().map(|c| u64::from(c.tries.max(1))).sum();
        let attempts = timeouts.per_try_ms.saturating_mul(tries.min(most));
        // Envoy waits up to half as long again as it is told to.
        let wait_ms = scene.topology.wait_up_to_ms(&timeouts).saturating_mul(3) / 2;
        attempts
            .saturating_add(wait_ms)
            .saturating_add(timeouts.idle_ms)
    };
    let mut longest = None;
    for model in config.models.values() {
        longest = longest.max(Some(silence(&model.candidates, model.timeouts)));
        for rule in &config.routing.rules {
            let candidates = match rule.candidates.is_empty() {
                true => &model.candidates,
                false => &rule.candidates,
            };
            let timeouts = rule.timeouts.unwrap_or(model.timeouts);
            longest = longest.max(Some(silence(candidates, timeouts)));
        }
    }
    longest
}

/// The longest `Retry-After` that any request waits for, in milliseconds.
fn longest_wait_ms(config: &Config, topology: Topology) -> u64 {
    let of_models = config.models.values().map(|model| model.timeouts);
    let of_rules = config.routing.rules.iter().filter_map(|r| r.timeouts);
    let waits = of_models
        .chain(of_rules)
        .map(|t| topology.wait_up_to_ms(&t));
    waits.max().unwrap_or(0)
}

/// The filter sets the number of retries and the timeouts for each request.
pub(in crate::render) fn retry_policy(scene: &Scene<'_>) -> Value {
    let of_models = scene.config.models.values().map(|m| m.timeouts);
    let of_rules = scene.config.routing.rules.iter().filter_map(|r| r.timeouts);
    let idle_ms = of_models.chain(of_rules).map(|t| t.idle_ms).max();
    let idle_ms = idle_ms.unwrap_or(0);
    let mut policy = json!({
        "retry_on": "connect-failure,refused-stream,reset,retriable-headers,retriable-status-codes",
        "retriable_status_codes": [RETRIABLE_STATUS],
        "retriable_headers": [{ "name": ESCALATE, "string_match": { "exact": "1" } }],
        "num_retries": 1,
        "retry_back_off": { "base_interval": "0.001s", "max_interval": "0.001s" },
    });
    if longest_wait_ms(scene.config, scene.topology) > 0 {
        // The filter says in seconds when the same candidate shall be asked again.
        policy["rate_limited_retry_back_off"] = json!({
            "reset_headers": [{ "name": WAIT, "format": "SECONDS" }],
            "max_interval": "60s",
        });
    }
    if idle_ms > 0 {
        policy["per_try_idle_timeout"] = json!(millis(idle_ms));
    }
    match scene.topology {
        Topology::PerAttempt => policy["refresh_cluster_on_retry"] = json!(true),
        Topology::StaticChain => {
            policy["retry_priority"] = typed(
                "envoy.retry_priorities.previous_priorities",
                "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                json!({ "update_frequency": 1 }),
            );
        }
    }
    policy
}

/// Filter state names the cluster of the next attempt; whatever it does not name is a dead end.
fn cluster_matcher(config: &Config) -> Value {
    let clusters = config
        .providers
        .keys()
        .flat_map(|p| [p.clone(), format!("{VIA_PREFIX}{p}")]);
    matcher(clusters.map(|name| (name.clone(), name)), DEAD_END)
}

/// The candidate map: from what plans call a cluster to what Envoy calls it.
pub(in crate::render) fn matcher(
    clusters: impl Iterator<Item = (String, String)>,
    otherwise: &str,
) -> Value {
    let to = |cluster: &str| {
        json!({ "action": typed(
            cluster,
            "envoy.extensions.router.cluster_specifiers.matcher.v3.ClusterAction",
            json!({ "cluster": cluster }),
        )})
    };
    let map: Map<String, Value> = clusters
        .map(|(name, cluster)| (name, to(&cluster)))
        .collect();
    json!({ "extension": typed(
        "envoy.router.cluster_specifier_plugin.matcher",
        "envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier",
        json!({ "cluster_matcher": {
            "matcher_tree": {
                "input": typed(
                    "envoy.matching.inputs.filter_state",
                    "envoy.extensions.matching.common_inputs.network.v3.FilterStateInput",
                    json!({ "key": format!("wasm.{}", CLUSTER) }),
                ),
                "exact_match_map": { "map": map },
            },
            "on_no_match": to(otherwise),
        }}),
    )})
}

/// What a client is told who asks for a path that is nobody's.
pub(in crate::render) fn not_found_body() -> Value {
    json!({ "error": {
        "message": "this path is not served here",
        "type": "invalid_request_error",
        "param": null,
        "code": "not_found",
    }})
}

fn not_found_route() -> Value {
    let body = not_found_body();
    json!({
        "name": "not-found",
        "match": { "prefix": "/" },
        "direct_response": { "status": 404, "body": { "inline_string": body.to_string() } },
        "response_headers_to_add": [{
            "header": { "key": "content-type", "value": "application/json" },
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }],
    })
}
