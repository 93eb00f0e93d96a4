//! Istio's own objects: what its schemas let pass.

use serde_json::Value;

use super::{Findings, at, items, text, walk};

/// Conditions of Istio's `retryOn`.
const CONDITIONS: &[&str] = &[
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "envoy-ratelimited",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// Statuses that have no name in Go's library, which Istio's webhook asks.
const NAMELESS: std::ops::RangeInclusive<u16> = 512..=599;

pub(super) fn check(objects: &[&Value], findings: &mut Findings) {
    for object in objects {
        let kind = text(&object["kind"]);
        let name = text(at(object, &["metadata", "name"]));
        let place = format!("{kind} {name}");
        match kind {
            "WasmPlugin" | "TrafficExtension" => plugin(object, &place, findings),
            "VirtualService" => virtual_service(object, objects, &place, findings),
            "DestinationRule" => destination_rule(object, objects, &place, findings),
            "ServiceEntry" => service_entry(object, objects, &place, findings),
            "EnvoyFilter" => gates(object, &place, findings),
            "" => return,
            _ => {}
        }
        keys(object, &place, findings);
    }
}

fn plugin(object: &Value, place: &str, findings: &mut Findings) {
    if object.to_string().contains("pointsman") {
        findings.add(
            place,
            "wrong-object",
            "this object cannot say allow_on_headers_stop_iteration, and puts the filter into no \
             cluster: requests cannot be translated",
            "use the EnvoyFilters of `pointsman render istio`",
        );
    }
}

/// The hosts that our EnvoyFilters put the filter before.
fn providers<'v>(objects: &[&'v Value]) -> Vec<&'v str> {
    let filters = objects.iter().filter(|o| text(&o["kind"]) == "EnvoyFilter");
    let patches = filters.flat_map(|filter| items(at(filter, &["spec", "configPatches"])));
    let ours = patches.filter(|patch| patch["patch"].to_string().contains("pointsman.upstream"));
    ours.map(|patch| text(at(patch, &["match", "cluster", "service"])))
        .filter(|host| !host.is_empty())
        .collect()
}

fn virtual_service(object: &Value, objects: &[&Value], place: &str, findings: &mut Findings) {
    let providers = providers(objects);
    for route in items(at(object, &["spec", "http"])) {
        let place = format!("{place} route {}", text(&route["name"]));
        let conditions = text(at(route, &["retries", "retryOn"]));
        for word in conditions.split(',').filter(|word| !word.is_empty()) {
            let status = word.parse::<u16>().ok();
            let is_status =
                status.is_some_and(|s| (100..600).contains(&s) && !NAMELESS.contains(&s));
            if !is_status && !CONDITIONS.contains(&word) {
                findings.add(
                    &place,
                    "retry-word",
                    &format!("retryOn has {word:?}, which Istio's webhook refuses"),
                    "write known conditions without spaces; a status without a name, such as 529, goes \
                     into retriable_status_codes of the route's EnvoyFilter",
                );
            }
        }
        for destination in items(&route["route"]) {
            let host = text(at(destination, &["destination", "host"]));
            if providers.contains(&host) {
                findings.add(
                    &place,
                    "straight-to-a-provider",
                    &format!(
                        "the route leads to {host}: a proxy that has not got the filter sends it \
                         prompts untranslated, with the client's own headers"
                    ),
                    "lead the route to the dead end; the EnvoyFilter turns that into the candidates",
                );
            }
        }
    }
}

fn destination_rule(object: &Value, objects: &[&Value], place: &str, findings: &mut Findings) {
    if !providers(objects).contains(&text(at(object, &["spec", "host"]))) {
        return;
    }
    let own = at(object, &["spec", "trafficPolicy"]);
    let subsets = items(at(object, &["spec", "subsets"])).map(|subset| &subset["trafficPolicy"]);
    for policy in subsets.chain([own]).filter(|policy| policy.is_object()) {
        walk(policy, &mut |object| policy_part(object, place, findings));
    }
}

fn policy_part(part: &Value, place: &str, findings: &mut Findings) {
    let mut add = |code, cause: &str, cure: &str| findings.add(place, code, cause, cure);
    let tls = &part["tls"];
    if matches!(text(&tls["mode"]), "SIMPLE" | "MUTUAL") {
        let names = items(&tls["subjectAltNames"]).count();
        let by_address = items(&tls["subjectAltNames"])
            .all(|name| text(name).parse::<std::net::IpAddr>().is_ok());
        if text(&tls["sni"]).is_empty() && !(names > 0 && by_address) {
            add(
                "no-sni",
                "tls without sni: what Istio would set by itself is lost when the filter comes into \
                 the cluster",
                "set tls.sni to the provider's host",
            );
        }
        if names == 0 {
            add(
                "no-names",
                "tls without subjectAltNames: any certificate will do, and get the key",
                "set tls.subjectAltNames to the provider's host",
            );
        }
        if tls["insecureSkipVerify"] == true {
            add(
                "unverified",
                "tls.insecureSkipVerify: whoever is in between gets the key",
                "remove it",
            );
        }
    }
    let outliers = &part["outlierDetection"];
    if outliers.is_object() && outliers["minHealthPercent"].as_u64().unwrap_or(0) == 0 {
        add(
            "never-panics",
            "outlierDetection.minHealthPercent is 0, Istio's own: the last candidate is not asked \
             once it is ejected",
            "set minHealthPercent: 50",
        );
    }
    for lost in [
        "idleTimeout",
        "maxRequestsPerConnection",
        "useClientProtocol",
        "h2UpgradePolicy",
    ] {
        if !part["http"][lost].is_null() {
            add(
                "no-effect",
                &format!(
                    "connectionPool.http.{lost} has no effect: the filter's patch replaces it"
                ),
                "say it in the patch's HttpProtocolOptions",
            );
        }
    }
}

fn service_entry(object: &Value, objects: &[&Value], place: &str, findings: &mut Findings) {
    let providers = providers(objects);
    let ours = items(at(object, &["spec", "hosts"])).any(|host| providers.contains(&text(host)));
    let exported = at(object, &["spec", "exportTo"]);
    let everywhere = items(exported).any(|to| text(to) == "*") || exported.is_null();
    if ours && everywhere {
        findings.add(
            place,
            "seen-everywhere",
            "exportTo is missing: every workload of the mesh can reach the provider past the filter",
            "set exportTo: [\".\"]",
        );
    }
}

/// Patches of ours for whatever proxy comes.
fn gates(object: &Value, place: &str, findings: &mut Findings) {
    for (i, patch) in items(at(object, &["spec", "configPatches"])).enumerate() {
        let gate = at(patch, &["match", "proxy", "proxyVersion"]);
        let value = patch["patch"].to_string();
        let hinges = [
            "pointsman.",
            "refresh_cluster_on_retry",
            "wasm.pointsman_cluster",
        ];
        if gate.is_null() && hinges.iter().any(|word| value.contains(word)) {
            findings.add(
                &format!("{place} configPatches[{i}]"),
                "no-gate",
                "match.proxy.proxyVersion is missing: older control planes drop fields that they do \
                 not know in silence, and older proxies get half of what they need",
                "set proxyVersion to the versions that it was rendered for",
            );
        }
        if let Some(gate) = gate.as_str()
            && regex::Regex::new(gate).is_err()
        {
            findings.add(
                &format!("{place} configPatches[{i}]"),
                "no-gate",
                "match.proxy.proxyVersion is no regular expression: the patch is for nobody",
                "set proxyVersion to the versions that it was rendered for",
            );
        }
    }
}

/// What looks like a provider's key.
fn keys(object: &Value, place: &str, findings: &mut Findings) {
    if matches!(text(&object["kind"]), "Secret") {
        return;
    }
    let text = object.to_string();
    let is_key = |word: &str| {
        let known = ["sk-", "AIza", "xai-", "gsk_"];
        word.len() >= 24 && known.iter().any(|start| word.starts_with(start))
    };
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    if words.into_iter().any(is_key) {
        findings.add(
            place,
            "key-in-an-object",
            "it holds what looks like a provider's key: everybody who may read the object, or Envoy's \
             admin interface, can read it",
            "put the key into a Secret and mount it; revoke this one",
        );
    }
}
