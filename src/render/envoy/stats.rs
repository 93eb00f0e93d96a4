//! How Envoy makes labels and buckets of the filter's metrics.

use serde_json::{Value, json};

use crate::metrics::{Kind, LABELS, METRICS};

/// `stats_config` of a bootstrap.
pub(super) fn config() -> Value {
    let tags: Vec<Value> = LABELS
        .iter()
        .map(|label| {
            json!({
                "tag_name": label,
                "regex": format!(r"({label}=\.=(.*?);\.;)"),
            })
        })
        .collect();
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
