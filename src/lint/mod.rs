//! Mistakes in what a mesh is given: manifests as files, or what an Envoy says of itself.
//!
//! Reads EnvoyFilters and Istio's objects, Envoy's own bootstraps and resource files, and
//! `/config_dump`. Finds what neither a schema nor Envoy refuses; knows nothing of what other
//! objects in the mesh do.
#![allow(
    clippy::indexing_slicing,
    reason = "native, and JSON values give null for what is not there"
)]

mod clusters;
mod listeners;
mod objects;
mod plugins;
mod routes;
mod scene;

use serde_json::Value;

use scene::{Scene, proxies, read};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where: the object, and the place in it.
    pub place: String,
    /// Its name, for machines.
    pub code: &'static str,
    /// What is wrong, and what comes of it.
    pub cause: String,
    /// What to do.
    pub cure: String,
}

/// Every mistake in these objects, which are all for one mesh or one Envoy; each once, in order.
pub fn lint(objects: &[Value]) -> Vec<Finding> {
    let objects: Vec<&Value> = objects.iter().flat_map(unlisted).collect();
    let mut findings = Findings::default();
    objects::check(&objects, &mut findings);
    let parts = read(&objects);
    for proxy in proxies(&parts) {
        let scene = Scene::of(&parts, proxy);
        plugins::check(&scene, &mut findings);
        clusters::check(&scene, &mut findings);
        routes::check(&scene, &mut findings);
        listeners::check(&scene, &mut findings);
    }
    let mut found = findings.found;
    found.sort();
    found.dedup();
    found
}

/// Whether this is something that mistakes are looked for in: an object of Kubernetes, Envoy's
/// bootstrap, its resources, or its dump.
pub fn is_checked(object: &Value) -> bool {
    const MARKS: [&str; 6] = [
        "apiVersion",
        "static_resources",
        "dynamic_resources",
        "resources",
        "configs",
        "@type",
    ];
    MARKS.iter().any(|mark| !object[*mark].is_null())
}

/// The objects of a list as `kubectl get` writes it; anything else as it is.
fn unlisted(object: &Value) -> Vec<&Value> {
    match (&object["kind"], &object["items"]) {
        (Value::String(kind), Value::Array(items)) if kind.ends_with("List") => {
            items.iter().collect()
        }
        _ => vec![object],
    }
}

/// What has been found so far.
#[derive(Default)]
struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, place: &str, code: &'static str, cause: &str, cure: &str) {
        self.found.push(Finding {
            place: place.to_owned(),
            code,
            cause: cause.to_owned(),
            cure: cure.to_owned(),
        });
    }
}

/// The value of a field that may be deep inside; `null` when it is not there.
fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |value, name| &value[*name])
}

/// Every object in a tree, from the root down.
fn walk<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    match value {
        Value::Object(fields) => {
            visit(value);
            fields.values().for_each(|value| walk(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

/// The items of a list, or none.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Text, or nothing.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
