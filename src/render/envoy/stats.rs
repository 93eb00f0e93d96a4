//! How Envoy makes labels and buckets of the filter's metrics.

use serde_json::{Value, json};

use crate::config::GenAiNames;
use crate::exchange::Topology;
use crate::metrics::{Kind, LABELS, METRICS};

/// Before 1.39 the metrics of a module that cluster filters run, too, stand in the scope of a
/// cluster. Takes that away, so that their names are the same everywhere.
const CLUSTER_SCOPE: &str = r"^(cluster\..*?\.())wasmcustom\.";

/// `stats_config` of a bootstrap.
pub(super) fn config(topology: Topology, names: GenAiNames) -> Value {
    let mut tags: Vec<Value> = LABELS
        .iter()
        .map(|label| tag(named(label, names), &format!(r"({label}=\.=(.*?);\.;)")))
        .collect();
    if topology == Topology::StaticChain {
        tags.push(tag("pointsman_scope", CLUSTER_SCOPE));
    }
    let histograms = METRICS.iter().filter(|m| m.kind == Kind::Histogram);
    let buckets: Vec<Value> = histograms
        .map(|metric| {
            json!({
                // Before 1.39 the name begins with a cluster's.
                "match": { "contains": metric.name },
                "buckets": metric.buckets,
            })
        })
        .collect();
    json!({ "stats_tags": tags, "histogram_bucket_settings": buckets })
}

/// What a label is called in the conventions of the time.
fn named(label: &'static str, names: GenAiNames) -> &'static str {
    match label {
        "gen_ai_provider_name" if names == GenAiNames::Legacy => "gen_ai_system",
        label => label,
    }
}

/// The labels as Istio's `proxyConfig` takes them: it makes the same expressions of them. Without
/// the prefix `wasm`, which a cluster's scope hides before 1.39, it would keep no statistics.
pub(crate) fn istio_tags() -> Value {
    json!({
        "extraStatTags": LABELS,
        "proxyStatsMatcher": { "inclusionRegexps": [r".*wasmcustom\..*"] },
    })
}

/// The buckets as Istio's annotation takes them, by the beginnings of names.
pub(crate) fn istio_buckets() -> Value {
    let histograms = METRICS.iter().filter(|m| m.kind == Kind::Histogram);
    histograms
        .map(|metric| (format!("wasmcustom.{}", metric.name), json!(metric.buckets)))
        .collect()
}

/// What the first group matches is taken out of the name, what the second does is the value.
fn tag(name: &str, regex: &str) -> Value {
    json!({ "tag_name": name, "regex": regex })
}
