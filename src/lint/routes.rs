//! The route to models: the candidate map, and the retries that walk it.

use serde_json::Value;

use super::scene::{Kind, Part, Scene};
use super::{Findings, at, clusters, items, text, walk};
use crate::exchange::Topology;
use crate::exchange::handoff::{CHAIN, DEAD_END, ESCALATE, RETRIABLE_STATUS};

/// How a route finds the next candidate; `None` for routes that are not ours.
fn topology(action: &Value) -> Option<Topology> {
    let plugin = &action["inline_cluster_specifier_plugin"];
    if plugin.to_string().contains("wasm.pointsman_cluster") {
        Some(Topology::PerAttempt)
    } else if text(&action["cluster_header"]) == CHAIN {
        Some(Topology::StaticChain)
    } else {
        None
    }
}

pub(super) fn check(scene: &Scene<'_, '_>, findings: &mut Findings) {
    let mut is_any = false;
    for part in scene.all(Kind::Route) {
        let action = &part.value["route"];
        let Some(topology) = topology(action) else {
            continue;
        };
        is_any = true;
        policy(part, topology, &action["retry_policy"], findings);
        hedging(part, action, findings);
        gate(scene, part, topology, findings);
        if topology == Topology::PerAttempt {
            map(scene, part, action, findings);
        }
        if !part.is_patch && action["timeout"].is_null() {
            findings.add(
                &part.place,
                "short-timeout",
                "timeout is missing: Envoy's own 15 seconds cut streams",
                "set timeout: 0s; the filter sets the time of each attempt",
            );
        }
    }
    if is_any {
        plugins_agree(scene, findings);
    }
}

fn policy(part: &Part<'_>, topology: Topology, policy: &Value, findings: &mut Findings) {
    let mut add = |code, cause: &str, cure: &str| findings.add(&part.place, code, cause, cure);
    if topology == Topology::PerAttempt && policy["refresh_cluster_on_retry"] != true {
        add(
            "no-refresh",
            "refresh_cluster_on_retry is missing: every retry goes to the first candidate again",
            "set retry_policy.refresh_cluster_on_retry: true",
        );
    }
    if topology == Topology::StaticChain && policy["retry_priority"].is_null() {
        add(
            "no-priority",
            "retry_priority is missing: retries may go to the candidate that has just failed",
            "set retry_policy.retry_priority to previous_priorities with update_frequency 1",
        );
    }
    let words: Vec<&str> = text(&policy["retry_on"]).split(',').collect();
    let headers = items(&policy["retriable_headers"]);
    let escalates = headers
        .into_iter()
        .any(|header| text(&header["name"]) == ESCALATE);
    if !escalates || !words.contains(&"retriable-headers") {
        add(
            "no-escalation",
            "refusals and poor answers do not lead to the next candidate",
            "put retriable-headers in retry_on, and x-pointsman-escalate: 1 in retriable_headers",
        );
    }
    let statuses = items(&policy["retriable_status_codes"]);
    let retries = statuses.into_iter().any(|s| *s == RETRIABLE_STATUS)
        && words.contains(&"retriable-status-codes");
    if !retries && !words.contains(&"5xx") && !words.contains(&"gateway-error") {
        add(
            "no-failover",
            "failed attempts do not lead to the next candidate",
            "put retriable-status-codes in retry_on, and 503 in retriable_status_codes",
        );
    }
    if !["connect-failure", "5xx"].iter().any(|w| words.contains(w)) {
        add(
            "stops-at-connecting",
            "an attempt that cannot connect does not lead to the next candidate; neither does an \
             ejected provider",
            "put connect-failure in retry_on",
        );
    }
    if at(policy, &["retry_back_off", "base_interval"]).is_null() {
        add(
            "slow-retries",
            "retry_back_off is missing: Envoy waits 25 ms and more before it asks the next candidate",
            "set retry_back_off: {base_interval: 0.001s, max_interval: 0.001s}",
        );
    }
}

fn hedging(part: &Part<'_>, action: &Value, findings: &mut Findings) {
    if action["hedge_policy"].is_object() {
        findings.add(
            &part.place,
            "hedging",
            "hedge_policy with replies that the filter holds: Envoy crashes",
            "remove hedge_policy; the time of each attempt leads on to the next candidate",
        );
    }
}

fn gate(scene: &Scene<'_, '_>, part: &Part<'_>, topology: Topology, findings: &mut Findings) {
    if topology == Topology::PerAttempt && !scene.proxy.is_per_attempt() {
        findings.add(
            &part.place,
            "gate-too-wide",
            "proxies of Istio 1.30 and earlier get this route: their control plane drops \
             refresh_cluster_on_retry in silence, and retries stay with the first candidate",
            "set match.proxy.proxyVersion to Istio 1.31 and later, and render for the older ones too",
        );
    }
}

/// Every cluster of the map is there, and has the filter.
fn map(scene: &Scene<'_, '_>, part: &Part<'_>, action: &Value, findings: &mut Findings) {
    let matcher = at(
        action,
        &[
            "inline_cluster_specifier_plugin",
            "extension",
            "typed_config",
            "cluster_matcher",
        ],
    );
    if matcher["on_no_match"].is_null() {
        findings.add(
            &part.place,
            "no-default",
            "the candidate map has no on_no_match: filters before ours see no route",
            "set on_no_match to the dead end",
        );
    }
    let mut named = Vec::new();
    walk(matcher, &mut |object| {
        if text(&object["@type"]).ends_with("matcher.v3.ClusterAction") {
            named.push(text(&object["cluster"]));
        }
    });
    for name in named {
        let cluster = scene
            .all(Kind::Cluster)
            .find(|cluster| cluster.name == name);
        match cluster {
            Some(cluster) if name == DEAD_END || clusters::has_filter(cluster.value) => {}
            Some(_) => findings.add(
                &part.place,
                "cluster-without-filter",
                &format!(
                    "the candidate map leads to {name}, which has no upstream filter: the client's \
                     headers and an earlier candidate's key would go to it"
                ),
                "put pointsman.upstream into the cluster's http_filters",
            ),
            None => findings.add(
                &part.place,
                "cluster-missing",
                &format!("the candidate map leads to {name}, which nothing here adds or patches"),
                "patch the cluster, or take it out of the map",
            ),
        }
    }
}

/// The way that routes go is the way that the filter thinks they go.
fn plugins_agree(scene: &Scene<'_, '_>, findings: &mut Findings) {
    let plugins = super::plugins::plugins(scene);
    let told = plugins
        .iter()
        .filter_map(|(place, config)| Some((place, super::plugins::plugin(config)?.topology)));
    for (place, told) in told {
        let mut routes = scene.all(Kind::Route);
        let other = routes.find(|part| topology(&part.value["route"]).is_some_and(|t| t != told));
        if let Some(other) = other {
            findings.add(
                place,
                "topologies-differ",
                &format!("the filter's topology is not that of {}", other.place),
                "render both for the same proxies",
            );
        }
    }
}
