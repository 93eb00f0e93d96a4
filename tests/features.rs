//! `docs/features.md`: what becomes of each feature of a chat request at each kind of provider, as
//! the translations themselves tell. `BLESS=1` rewrites it.
//!
//! `tests/features/probes.json` has one request for each feature. What it adds to the same request
//! without the feature is found in the body or in the report; when it is in neither, something was
//! lost silently, and the test fails.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "features/page.rs"]
mod page;
#[path = "features/verdict.rs"]
mod verdict;

use std::collections::BTreeMap;

use pointsman::provider::PROVIDERS;
use serde::Deserialize;
use serde_json::{Map, Value};
use verdict::Outcome;

/// One feature, and the request that asks for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    /// The heading that it stands under.
    section: String,
    /// Its name on the page.
    feature: String,
    /// What asks for it.
    request: Map<String, Value>,
    /// What the request has besides, with or without the feature.
    #[serde(default)]
    beside: Map<String, Value>,
    /// What the model can do, where it is not everything.
    #[serde(default)]
    capabilities: BTreeMap<String, Value>,
    /// The kinds that do so unasked; `*` for all.
    #[serde(default)]
    implied: Vec<String>,
}

/// Kinds of provider for which every feature has the same outcome.
struct Column {
    kinds: Vec<&'static str>,
    schema: &'static str,
    outcomes: Vec<Outcome>,
}

fn probes() -> Vec<Probe> {
    serde_json::from_str(include_str!("features/probes.json")).expect("probes")
}

fn columns(probes: &[Probe]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for provider in PROVIDERS {
        let outcomes: Vec<_> = probes
            .iter()
            .map(|probe| verdict::of(probe, *provider))
            .collect();
        match columns.iter_mut().find(|c| c.outcomes == outcomes) {
            Some(column) => column.kinds.push(provider.kind()),
            None => columns.push(Column {
                kinds: vec![provider.kind()],
                schema: provider.schema().name(),
                outcomes,
            }),
        }
    }
    columns
}

#[test]
fn the_page_of_features_tells_what_the_translations_do() {
    let probes = probes();
    let page = page::write(&probes, &columns(&probes));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/features.md");
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        return std::fs::write(path, page).expect("written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "docs/features.md is stale: BLESS=1 cargo test --test features"
    );
}

#[test]
fn no_feature_is_lost_silently() {
    let mut lost = Vec::new();
    for probe in probes() {
        for provider in PROVIDERS {
            if verdict::of(&probe, *provider) == Outcome::Lost {
                lost.push(format!("{} at {}", probe.feature, provider.kind()));
            }
        }
    }
    assert!(lost.is_empty(), "neither sent nor told: {lost:#?}");
}

#[test]
fn every_kind_of_provider_has_a_column() {
    let probes = probes();
    let page = page::write(&probes, &columns(&probes));
    for provider in PROVIDERS {
        let kind = format!("`{}`", provider.kind());
        assert!(page.contains(&kind), "no column for {kind}");
    }
}

#[test]
fn every_probe_asks_for_something_else() {
    let mut names: Vec<_> = probes().into_iter().map(|p| p.feature).collect();
    names.sort();
    let many = names.len();
    names.dedup();
    assert_eq!(names.len(), many);
}
