//! Envoy's rate limit filter, its service's cluster, and what it asks for budgets of the fleet.
//!
//! The filter stands after ours, which writes into filter state how much a request may use and
//! on whose account. It asks before the request goes on, and tells the difference when the stream
//! is over, however that came.
//!
//! Source: Envoy's API types of 1.40, "RateLimit" of filters and of routes, read 2026-11-21; what
//! they do was seen on 1.38.2 and 1.40.0.

use serde_json::{Value, json};

use super::{clusters, millis, typed};
use crate::config::{Budget, Config, RateLimitService, Scope};
use crate::exchange::handoff::{FLEET_ACCOUNT, FLEET_BACK, FLEET_HITS, FLEET_MORE, FLEET_REFUSED};

/// The filter and its cluster: a name of our own, beside those that others may have.
pub(in crate::render) const RATE_LIMIT: &str = "pointsman.ratelimit";

/// The key of descriptors that tells the budget.
pub(in crate::render) const BUDGET: &str = "budget";

/// The key of descriptors that tells the account.
pub(in crate::render) const ACCOUNT: &str = "account";

/// The service, when it keeps any budget.
pub(in crate::render) fn service(config: &Config) -> Option<&RateLimitService> {
    let has_fleet = config.routing.has_fleet();
    config.rate_limit_service.as_ref().filter(|_| has_fleet)
}

/// The budgets that the service keeps.
pub(in crate::render) fn budgets(config: &Config) -> impl Iterator<Item = &Budget> {
    let budgets = config.routing.budgets.iter();
    budgets.filter(|budget| budget.scope == Scope::Fleet)
}

/// The filter in the listener's chain, when there is a budget that it is for.
pub(in crate::render) fn filter(config: &Config) -> Option<Value> {
    let service = service(config)?;
    Some(typed(
        RATE_LIMIT,
        "envoy.extensions.filters.http.ratelimit.v3.RateLimit",
        json!({
            "domain": service.domain,
            "timeout": millis(service.timeout_ms),
            "failure_mode_deny": service.failure_mode_deny,
            "status_on_error": { "code": "ServiceUnavailable" },
            "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
            "disable_x_envoy_ratelimited_header": true,
            "rate_limit_service": {
                "transport_api_version": "V3",
                "grpc_service": { "envoy_grpc": { "cluster_name": RATE_LIMIT } },
            },
        }),
    ))
}

/// What it asks for routes that ask models: an object for `typed_per_filter_config`.
pub(in crate::render) fn per_route(config: &Config) -> Option<Value> {
    let service = service(config)?;
    let limits = budgets(config).flat_map(|budget| limits(budget, service));
    Some(json!({ RATE_LIMIT: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute",
        "rate_limits": limits.collect::<Vec<_>>(),
    }}))
}

/// A descriptor whose state is not there is left out, and so is the call when all are.
fn limits(budget: &Budget, service: &RateLimitService) -> Vec<Value> {
    let limit = |key: &str, back: bool| {
        let state = format!("%FILTER_STATE(wasm.{key}{}:PLAIN)%", budget.name);
        let mut limit = json!({ "actions": actions(budget), "hits_addend": { "format": state } });
        if back {
            limit["hits_addend"]["is_negative_hits"] = json!(true);
        }
        if key != FLEET_HITS {
            limit["apply_on_stream_done"] = json!(true);
        }
        limit
    };
    let mut limits = vec![limit(FLEET_HITS, false), limit(FLEET_MORE, false)];
    if service.negative_hits {
        limits.push(limit(FLEET_BACK, true));
        limits.extend(service.counts_refused.then(|| limit(FLEET_REFUSED, true)));
    }
    limits
}

fn actions(budget: &Budget) -> Value {
    let mut actions = vec![json!({ "generic_key": {
        "descriptor_key": BUDGET,
        "descriptor_value": budget.name,
    }})];
    if !budget.by.is_nobody() {
        let state = typed(
            ACCOUNT,
            "envoy.extensions.matching.common_inputs.network.v3.FilterStateInput",
            json!({ "key": format!("wasm.{FLEET_ACCOUNT}{}", budget.name) }),
        );
        actions.push(json!({ "extension": state }));
    }
    json!(actions)
}

/// The service's cluster.
pub(in crate::render) fn cluster(config: &Config) -> Option<Value> {
    let service = service(config)?;
    let mut cluster = clusters::server_cluster(RATE_LIMIT, &service.endpoint, true);
    cluster["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http2_protocol_options": {} },
        },
    });
    Some(cluster)
}
