//! Provider clusters: the filter in them, keys, TLS, ejection.

use serde_json::Value;

use super::scene::{Kind, Part, Scene};
use super::{Findings, at, items, text, walk};
use crate::exchange::handoff::{DEAD_END, KEY_PREFIX};

const OPTIONS: &[&str] = &[
    "typed_extension_protocol_options",
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
];

/// Fewer retries at once lose requests under load.
const FEWEST_RETRIES: u64 = 100;

pub(super) fn check(scene: &Scene<'_, '_>, findings: &mut Findings) {
    for part in scene.all(Kind::Cluster) {
        let has_filter = has_filter(part.value);
        if has_filter {
            chain(part, findings);
            identity(scene, part, findings);
            protocol(part, findings);
        }
        if has_filter || text(&part.value["name"]) == DEAD_END {
            retries(part, findings);
        }
        if has_filter || is_member(scene, part) {
            tls(part, findings);
            panic(part, findings);
        }
        leaking_keys(part, findings);
    }
}

/// Whether the filter stands in the cluster's chain.
pub(super) fn has_filter(cluster: &Value) -> bool {
    filters(cluster).iter().any(|filter| is_ours(filter))
}

fn filters(cluster: &Value) -> Vec<&Value> {
    items(&at(cluster, OPTIONS)["http_filters"]).collect()
}

fn is_ours(filter: &Value) -> bool {
    let root = at(filter, &["typed_config", "config", "root_id"]);
    text(root) == "pointsman.upstream" || text(&filter["name"]) == "pointsman.upstream"
}

/// Whether an aggregate with the filter has this cluster among its members.
fn is_member(scene: &Scene<'_, '_>, part: &Part<'_>) -> bool {
    scene
        .all(Kind::Cluster)
        .any(|other| has_filter(other.value) && members(other.value).any(|name| name == part.name))
}

pub(super) fn members(cluster: &Value) -> impl Iterator<Item = &str> {
    items(at(cluster, &["cluster_type", "typed_config", "clusters"])).map(text)
}

/// Keys before the filter, signatures behind it, the codec last.
fn chain(part: &Part<'_>, findings: &mut Findings) {
    let filters = filters(part.value);
    let place_of = |test: &dyn Fn(&Value) -> bool| filters.iter().position(|f| test(f));
    let ours = place_of(&|f| is_ours(f));
    let key = filters
        .iter()
        .rposition(|f| text(&f["name"]).starts_with("key."));
    if key > ours {
        findings.add(
            &part.place,
            "keys-too-late",
            "a key is injected behind the filter: it stays in the request, and goes to the next \
             candidate's provider too",
            "put the injectors before pointsman.upstream",
        );
    }
    let kind = |f: &Value| text(at(f, &["typed_config", "@type"])).to_owned();
    let last = filters.last().map(|f| kind(f)).unwrap_or_default();
    if !last.ends_with("upstream_codec.v3.UpstreamCodec") {
        findings.add(
            &part.place,
            "no-codec",
            "the cluster's filters do not end with upstream_codec: Envoy refuses the cluster",
            "add envoy.filters.http.upstream_codec as the last filter",
        );
    }
}

/// Keys that are written where every attempt after this one sees them.
fn leaking_keys(part: &Part<'_>, findings: &mut Findings) {
    let in_chain = filters(part.value);
    for filter in in_chain
        .iter()
        .filter(|f| text(&f["name"]).starts_with("key."))
    {
        walk(filter, &mut |object| {
            let header = text(&object["header"]);
            if !header.is_empty() && !header.starts_with(KEY_PREFIX) {
                findings.add(
                    &part.place,
                    "key-in-the-open",
                    &format!(
                        "a key is injected as {header}: where the filter does not remove it, the \
                         next candidate's provider gets it"
                    ),
                    &format!(
                        "inject it as {KEY_PREFIX}<provider>; the filter puts it in its place"
                    ),
                );
            }
        });
    }
}

/// Who it is, for the filter to tell: by itself, or by its members' endpoints. What a member's
/// cluster says, the filter of the aggregate does not see.
fn identity(scene: &Scene<'_, '_>, part: &Part<'_>, findings: &mut Findings) {
    let is_said_by = |name: &str| {
        let mut members = scene.all(Kind::Cluster).filter(|other| other.name == name);
        members.any(|member| says_who_it_is(&member.value["load_assignment"]))
    };
    let mut members = members(part.value).peekable();
    let by_members = members.peek().is_some() && members.all(is_said_by);
    if !by_members && !says_who_it_is(part.value) {
        findings.add(
            &part.place,
            "nameless-cluster",
            "nothing says which provider the cluster is: the filter refuses every attempt",
            "set metadata.filter_metadata.pointsman.cluster to the provider's name, at the endpoint \
             or at the cluster",
        );
    }
}

fn says_who_it_is(part: &Value) -> bool {
    let said = ["metadata", "filter_metadata", "pointsman", "cluster"];
    let mut is_said = false;
    walk(part, &mut |object| is_said |= at(object, &said).is_string());
    is_said
}

/// What a patch replaces it must say again.
fn protocol(part: &Part<'_>, findings: &mut Findings) {
    let options = at(part.value, OPTIONS);
    let says = |name: &str| options[name].is_object();
    if !says("explicit_http_config")
        && !says("use_downstream_protocol_config")
        && !says("auto_config")
    {
        findings.add(
            &part.place,
            "no-protocol",
            "the options of HTTP do not say which protocol: Envoy refuses the cluster",
            "say explicit_http_config again: a patch replaces what the control plane had said",
        );
    }
}

fn retries(part: &Part<'_>, findings: &mut Findings) {
    if part.is_patch {
        return;
    }
    let thresholds = at(part.value, &["circuit_breakers", "thresholds"]);
    let most = items(thresholds)
        .filter_map(|t| t["max_retries"].as_u64())
        .max();
    let has_budget = items(thresholds).any(|t| t["retry_budget"].is_object());
    if !has_budget && most.unwrap_or(3) < FEWEST_RETRIES {
        findings.add(
            &part.place,
            "few-retries",
            &format!(
                "{} retries at once are allowed: under load a failing provider's requests end there \
                 instead of at the next candidate",
                most.unwrap_or(3)
            ),
            "set circuit_breakers.thresholds[].max_retries to 1024 or so",
        );
    }
}

fn tls(part: &Part<'_>, findings: &mut Findings) {
    let context = at(part.value, &["transport_socket", "typed_config"]);
    if !text(&context["@type"]).ends_with("tls.v3.UpstreamTlsContext") {
        return;
    }
    let validation = at(context, &["common_tls_context", "validation_context"]);
    let combined = at(
        context,
        &["common_tls_context", "combined_validation_context"],
    );
    let default = &combined["default_validation_context"];
    let names = |context: &Value| items(&context["match_typed_subject_alt_names"]).count();
    let addressed = names(validation) > 0 && validation.to_string().contains("IP_ADDRESS");
    if text(&context["sni"]).is_empty() && context["auto_host_sni"] != true && !addressed {
        findings.add(
            &part.place,
            "no-sni",
            "TLS without sni: what the filter sets as authority comes too late for it",
            "set sni to the provider's host",
        );
    }
    if names(validation) + names(default) == 0 {
        findings.add(
            &part.place,
            "no-names",
            "TLS without match_typed_subject_alt_names: any certificate will do, and get the key",
            "set match_typed_subject_alt_names to the provider's host",
        );
    }
}

fn panic(part: &Part<'_>, findings: &mut Findings) {
    let threshold = at(part.value, &["common_lb_config", "healthy_panic_threshold"]);
    let is_zero = threshold.is_object() && threshold["value"].as_f64().unwrap_or(0.0) <= 0.0;
    let has_outliers = part.value["outlier_detection"].is_object();
    if is_zero && has_outliers {
        findings.add(
            &part.place,
            "never-panics",
            "healthy_panic_threshold is 0: the last candidate is not asked once it is ejected",
            "leave it at Envoy's default of 50",
        );
    }
}
