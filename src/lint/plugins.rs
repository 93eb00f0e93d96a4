//! The filter as Envoy is told to run it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::scene::{Kind, Part, Proxy, Scene};
use super::{Findings, at, text, walk};
use crate::config::Config;
use crate::exchange::{Plugin, Role, Topology};

/// Every place where the filter is configured, with its `config`.
pub(super) fn plugins<'v>(scene: &Scene<'_, 'v>) -> Vec<(String, &'v Value)> {
    let mut found: Vec<(String, &Value)> = Vec::new();
    for part in scene.everything() {
        walk(part.value, &mut |object| {
            let config = &object["config"];
            if text(&config["root_id"]).starts_with("pointsman.") {
                let is_new = !found.iter().any(|(_, known)| std::ptr::eq(*known, config));
                if is_new {
                    found.push((part.place.clone(), config));
                }
            }
        });
    }
    found
}

/// The filter's own configuration, when it can be read.
pub(super) fn plugin(config: &Value) -> Option<Plugin> {
    let value = text(at(config, &["configuration", "value"]));
    Plugin::parse(value.as_bytes()).ok()
}

pub(super) fn check(scene: &Scene<'_, '_>, findings: &mut Findings) {
    let plugins = plugins(scene);
    let mut machines = BTreeSet::new();
    for (place, config) in &plugins {
        settings(place, config, findings);
        configuration(scene, place, config, findings);
        fetched(scene, place, config, findings);
        machines.insert(config["vm_config"].to_string());
    }
    if let (true, Some((place, _))) = (machines.len() > 1, plugins.last()) {
        findings.add(
            place,
            "machines-differ",
            "the filter's places have different vm_config: roles do not share what they have \
             observed, and Envoys before 1.39 run one of them with the other's",
            "write the same vm_config everywhere",
        );
    }
    undelivered(scene, findings);
    roles(scene, &plugins, findings);
    for part in scene.everything() {
        discovery(scene, part, findings);
    }
}

fn settings(place: &str, config: &Value, findings: &mut Findings) {
    if config["allow_on_headers_stop_iteration"] != true {
        findings.add(
            place,
            "no-stop-iteration",
            "allow_on_headers_stop_iteration is missing: Envoy sends headers on before the filter \
             has seen the body, so no request can be routed or translated",
            "set allow_on_headers_stop_iteration: true; WasmPlugin and TrafficExtension cannot say it",
        );
    }
    if config["fail_open"] == true || text(&config["failure_policy"]) == "FAIL_OPEN" {
        findings.add(
            place,
            "fails-open",
            "the filter fails open: once it has failed, requests go to a provider untranslated",
            "set failure_policy: FAIL_RELOAD",
        );
    } else if text(&config["failure_policy"]) != "FAIL_RELOAD" {
        findings.add(
            place,
            "never-reloaded",
            "failure_policy is not FAIL_RELOAD: once the filter has failed, its worker answers \
             every request with 503 until Envoy is started again",
            "set failure_policy: FAIL_RELOAD",
        );
    }
    let variables = at(
        config,
        &["vm_config", "environment_variables", "key_values"],
    );
    if variables.as_object().is_some_and(|v| !v.is_empty()) {
        findings.add(
            place,
            "values-in-view",
            "environment_variables.key_values are readable by all who can read the object or \
             Envoy's admin interface",
            "take them out; the filter needs none, and keys come by credential_injector",
        );
    }
}

fn configuration(scene: &Scene<'_, '_>, place: &str, config: &Value, findings: &mut Findings) {
    let Some(plugin) = plugin(config) else {
        findings.add(
            place,
            "unreadable-configuration",
            "the filter's configuration is not role, topology and document",
            "render it with `pointsman render`",
        );
        return;
    };
    if let Err(problems) = Config::from_json(plugin.document.get().as_bytes()) {
        let first = problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        findings.add(
            place,
            "refused-configuration",
            &format!("the filter refuses its document: {first}"),
            "mend pointsman.yaml until `pointsman check` takes it, and render again",
        );
    }
    if plugin.topology == Topology::PerAttempt && !scene.proxy.is_per_attempt() {
        findings.add(
            place,
            "topology-too-new",
            "topology per_attempt is for proxies of Istio 1.31 and later, and the gate lets older \
             ones have it: their retries stay with the first candidate",
            "render for that version: `pointsman render istio --istio 1.30,1.31`",
        );
    }
}

fn fetched(scene: &Scene<'_, '_>, place: &str, config: &Value, findings: &mut Findings) {
    let remote = at(config, &["vm_config", "code", "remote"]);
    if !remote.is_object() {
        return;
    }
    if matches!(scene.proxy, Proxy::Istio(minor) if minor < 31) {
        findings.add(
            place,
            "remote-module",
            "proxies of Istio 1.30 and earlier get a remote module: when it cannot be fetched, Envoy \
             refuses what the agent puts in its place, and every update after it",
            "mount the module as a file for these proxies",
        );
    }
    if text(&remote["sha256"]).len() != 64 {
        findings.add(
            place,
            "unchecked-module",
            "the remote module has no checksum: whatever is there will be run",
            "set sha256 to the module's checksum",
        );
    }
}

/// Both roles, each in its own place.
fn roles(scene: &Scene<'_, '_>, plugins: &[(String, &Value)], findings: &mut Findings) {
    for (place, config) in plugins {
        let Some(plugin) = plugin(config) else {
            continue;
        };
        let named = text(&config["root_id"]).trim_start_matches("pointsman.");
        let role = match plugin.role {
            Role::Downstream => "downstream",
            Role::Upstream => "upstream",
            Role::Inner => "inner",
            Role::State => "state",
        };
        if named != role {
            findings.add(
                place,
                "role-misnamed",
                &format!("root_id says {named}, and the configuration says {role}"),
                "give both the same role",
            );
        }
    }
    let has = |role: &str| {
        let name = format!("pointsman.{role}");
        let mut configs = plugins.iter().map(|(_, config)| config);
        configs.any(|config| text(&config["root_id"]) == name)
    };
    if plugins.is_empty() || scene.all(Kind::Cluster).next().is_none() {
        return;
    }
    for role in ["downstream", "upstream"] {
        if !has(role) {
            findings.add(
                &plugins[0].0,
                "role-missing",
                &format!("the filter is nowhere in its {role} role: requests fail with 503"),
                "render both roles with `pointsman render`",
            );
        }
    }
}

/// Filters that are asked for by name, and that nobody gives, where others are given.
fn undelivered(scene: &Scene<'_, '_>, findings: &mut Findings) {
    let given: BTreeSet<&str> = scene
        .all(Kind::Extension)
        .map(|p| p.name.as_str())
        .collect();
    if given.is_empty() {
        return;
    }
    let mut asked = BTreeMap::new();
    for part in scene.everything() {
        walk(part.value, &mut |object| {
            let name = text(&object["name"]);
            if object["config_discovery"].is_object() && name.starts_with("pointsman.") {
                asked.entry(name).or_insert(&part.place);
            }
        });
    }
    for (name, place) in asked.into_iter().filter(|(name, _)| !given.contains(name)) {
        findings.add(
            place,
            "never-delivered",
            &format!("{name} is asked for and nobody gives it: what asks for it is never ready"),
            "add its EXTENSION_CONFIG, for the same proxies, as `pointsman render` writes it",
        );
    }
}

/// Stand-ins of the agent's in a chain that cannot hold them.
fn discovery(scene: &Scene<'_, '_>, part: &Part<'_>, findings: &mut Findings) {
    if part.kind != Kind::Cluster || !matches!(scene.proxy, Proxy::Istio(minor) if minor < 31) {
        return;
    }
    walk(part.value, &mut |object| {
        let types = at(object, &["config_discovery", "type_urls"]);
        if types.to_string().contains("filters.http.rbac.v3.RBAC") {
            findings.add(
                &part.place,
                "rbac-upstream",
                "a cluster's filter may be RBAC, which Envoys before 1.39 do not have there: they \
                 refuse the cluster",
                "leave RBAC out of type_urls for Istio 1.30 and earlier",
            );
        }
    });
}
