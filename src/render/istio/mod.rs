//! Istio's own objects: what teams know and edit, and EnvoyFilters for what Istio has no word for.
//!
//! Shapes follow istio/api and istiod's own handling of them as of Istio 1.31, read 2026-11-21.

mod entry;
mod options;
mod patches;
mod places;
mod services;
mod version;
mod workload;

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde_json::{Value, json};

pub use options::{GatewayTls, KeySupply, Label, Module, Options, Variant};
use options::{SECRETS_FOLDER, mounted};
pub use version::{IstioVersion, UnsupportedVersion};

use super::commented::{to_commented_yaml, write_comment};
use super::envoy::{self, TooManyChains};
use crate::config::{Config, KeySource, Source};
use crate::exchange::Topology;
use crate::exchange::keep_warm::kept_warm;

/// Where istiod has Envoy keep what a checked token says.
const JWT_PAYLOAD: &str = "payload";

/// One object, and what it is there for.
struct Document {
    comment: String,
    object: Value,
}

/// A configuration cannot be rendered like this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Older proxies need too many clusters.
    TooManyChains(TooManyChains),
    /// Older proxies cannot take a module that the agent fetches.
    RemoteModule(IstioVersion),
    /// What the configuration asks for and proxies of these versions cannot do.
    Unable(Vec<String>),
}

/// All objects as YAML documents; the same input gives the same text. `command` is how the text
/// is made again.
pub fn render(
    config: &Config,
    document: &str,
    options: &Options,
    command: &str,
) -> Result<String, Refused> {
    let documents = documents(config, document, options)?;
    let mut text = String::new();
    write_comment(&mut text, 0, &header(options, command));
    for document in documents {
        text.push_str("---\n");
        write_comment(&mut text, 0, &document.comment);
        text.push_str(&to_commented_yaml(&document.object));
    }
    Ok(text)
}

/// What the pods of an application need for the filter in their sidecars, as a patch of its
/// Deployment. `image` brings the module; `command` is how the text is made again.
pub fn pods(config: &Config, options: &Options, image: &str, command: &str) -> String {
    let config = with_mounted_keys(config, options);
    let mut text = String::new();
    let comment = format!(
        "What the pods of an application need for the filter in their sidecars, as a patch of its \
         Deployment, written by:\n  {command}"
    );
    write_comment(&mut text, 0, &comment);
    text.push_str(&to_commented_yaml(&workload::pods(&config, options, image)));
    text
}

/// All objects as values, without comments.
pub fn objects(config: &Config, document: &str, options: &Options) -> Result<Vec<Value>, Refused> {
    let documents = documents(config, document, options)?;
    Ok(documents.into_iter().map(|d| d.object).collect())
}

fn documents(config: &Config, document: &str, options: &Options) -> Result<Vec<Document>, Refused> {
    let mut versions = options.versions.iter();
    let oldest = versions.find(|version| version.topology() == Topology::StaticChain);
    if let (Module::Remote { .. }, Some(oldest)) = (&options.module, oldest) {
        return Err(Refused::RemoteModule(*oldest));
    }
    let reasons = unable(config, options);
    if !reasons.is_empty() {
        return Err(Refused::Unable(reasons));
    }
    let config = &with_mounted_keys(config, options);
    let document = &with_payload(config, document);
    let places = places::places(config, options);
    let mut documents = services::documents(&places, options);
    documents.push(services::dead_end(options));
    documents.extend(entry::documents(config, options));
    documents.extend(workload::documents(config, options));
    let patches = patches::documents(config, document, &places, options);
    documents.extend(patches.map_err(Refused::TooManyChains)?);
    Ok(documents)
}

fn unable(config: &Config, options: &Options) -> Vec<String> {
    let envoys = options
        .versions
        .iter()
        .filter_map(|version| version.envoy());
    let mut reasons: Vec<String> = envoys
        .flat_map(|envoy| envoy::unable(config, envoy))
        .collect();
    reasons.extend(state_port_taken(config, options));
    reasons.extend(kept_warm(config).map(|(provider, _)| {
        format!(
            "providers.{}.keep_warm: found one, expected none for Istio: what sends it is only \
             written by `pointsman render envoy`",
            provider.name
        )
    }));
    reasons.sort();
    reasons.dedup();
    reasons
}

/// The ports that Istio's proxies listen on, or may.
const ISTIOS_PORTS: RangeInclusive<u16> = 15_000..=15_099;

/// The state page wants a port that is in use.
fn state_port_taken(config: &Config, options: &Options) -> Option<String> {
    let port = config.envoy.state_port?;
    let by = match port {
        port if port == options.port => "clients ask this port",
        port if ISTIOS_PORTS.contains(&port) => {
            "Istio's proxies have the ports from 15000 to 15099"
        }
        _ => return None,
    };
    Some(format!(
        "envoy.state_port: found {port}, expected another port: {by}"
    ))
}

/// The document with the name under which RequestAuthentication keeps claims, unless it says one.
fn with_payload(config: &Config, document: &str) -> String {
    let known: Option<Value> = serde_json::from_str(document).ok();
    let Some(mut known) = known.filter(|_| !config.routing.reads.claims.is_empty()) else {
        return document.to_owned();
    };
    if known["routing"]["jwt_payload"].is_null() {
        known["routing"]["jwt_payload"] = json!(JWT_PAYLOAD);
    }
    known.to_string()
}

/// The configuration with keys where the proxies find them.
fn with_mounted_keys(config: &Config, options: &Options) -> Config {
    let mut config = config.clone();
    config.envoy.secrets = Some(SECRETS_FOLDER.to_owned());
    for provider in config.providers.values_mut() {
        let client = provider.oauth.as_mut().map(|client| &mut client.secret);
        for source in provider.key.as_mut().into_iter().chain(client) {
            mount(source, options);
        }
    }
    for classifier in config.classifiers.values_mut() {
        if let Source::Webhook(webhook) = &mut classifier.source {
            webhook.key.iter_mut().for_each(|key| mount(key, options));
        }
    }
    for gate in config
        .models
        .values_mut()
        .filter_map(|m| m.quality_gate.as_mut())
    {
        if let Some(scorer) = &mut Arc::make_mut(gate).scorer {
            let key = &mut scorer.webhook.key;
            key.iter_mut().for_each(|key| mount(key, options));
        }
    }
    config
}

fn mount(source: &mut KeySource, options: &Options) {
    if let KeySource::Env(name) = source {
        *source = KeySource::File(mounted(name, options));
    }
}

fn header(options: &Options, command: &str) -> String {
    let versions: Vec<String> = options.versions.iter().map(ToString::to_string).collect();
    format!(
        "Istio {}, written by:\n  {command}\nDo not edit what a comment does not call yours: change \
         pointsman.yaml and render again.",
        versions.join(", ")
    )
}

fn object(api: &str, kind: &str, name: &str, options: &Options, spec: Value) -> Value {
    json!({
        "apiVersion": api,
        "kind": kind,
        "metadata": metadata(name, options),
        "spec": spec,
    })
}

fn metadata(name: &str, options: &Options) -> Value {
    json!({
        "name": name,
        "namespace": options.namespace,
        "labels": { "app.kubernetes.io/name": "pointsman", "app.kubernetes.io/part-of": options.name },
    })
}
