//! EnvoyFilters: the filter in its roles, provider clusters with it, the candidate map.

mod listeners;
mod plugin;
mod routes;
mod upstream;

use serde_json::{Value, json};

use super::entry::selector;
use super::options::{KeySupply, Module, Options};
use super::places::Place;
use super::version::{gate, way};
use super::{Document, object};
use crate::config::Config;
use crate::exchange::{Role, Topology};
use crate::render::commented::COMMENT;
use crate::render::envoy::{Delivery, Scene, TooManyChains, filters};

/// What the patches of one topology need.
struct Part<'c> {
    scene: Scene<'c>,
    /// Which proxies they are for.
    gate: String,
    /// The same, for people.
    way: String,
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
                way: way(&options.versions, topology),
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
            "The module in its roles, with pointsman.yaml. Proxies \
            take a change of it without a new listener or cluster: no connection is lost.",
        ),
        envoy_filter(
            options,
            "downstream",
            20,
            parts.iter().flat_map(Part::listeners).collect(),
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

    fn modules(&self) -> Vec<Value> {
        let module = |role| {
            let mut value = filters::wasm(&self.scene, role);
            let configuration = &mut value["typed_config"]["config"]["configuration"]["value"];
            *configuration = json!(plugin::readable(configuration));
            self.patch("EXTENSION_CONFIG", json!({}), "ADD", value)
        };
        let mut roles = filters::roles(self.scene.config);
        roles.sort_by_key(|role| *role != Role::Downstream);
        let mut patches: Vec<Value> = roles.into_iter().map(module).collect();
        if let Some(first) = patches.first_mut() {
            *first = self.commented(self.way.clone(), first.take());
        }
        patches
    }
}
