//! A whole Envoy bootstrap: one listener, the filter in both roles, the providers' clusters.

mod chains;
pub(super) mod classifiers;
pub(super) mod clusters;
pub(super) mod filters;
pub(super) mod listener;
pub(super) mod ratelimit;
mod signing;
pub(super) mod state;
pub(super) mod stats;
pub(super) mod telemetry;
pub(super) mod tokens;
mod unable;
mod version;
mod xds;

use serde_json::{Value, json};

pub use tokens::secret_files;
pub use unable::unable;
pub use version::{EnvoyVersion, UnsupportedVersion};
pub use xds::{Watched, watched, with_secrets_in};

use super::to_yaml;
use crate::config::Config;
use crate::exchange::handoff::DEAD_END;
use crate::exchange::{Role, Topology};

/// The most static chains that are written; beyond it Envoy's start becomes slow.
pub const MAX_CHAINS: usize = 128;

/// A configuration cannot be rendered for this Envoy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooManyChains {
    /// How many would be needed.
    pub needed: usize,
}

/// What every part of the rendering needs.
pub(crate) struct Scene<'c> {
    pub config: &'c Config,
    /// `pointsman.yaml` as compact JSON, as the plugin gets it.
    pub document: &'c str,
    pub topology: Topology,
    /// Where Envoy finds the module: a data source.
    pub module: Value,
    pub delivery: Delivery<'c>,
}

/// How the filter's configuration comes to where it stands.
#[derive(Clone, Copy)]
pub(crate) enum Delivery<'c> {
    /// With the listener and the clusters.
    Inline,
    /// By itself, so that it can change while those stay; gives `config_discovery` of a role.
    Discovered(&'c dyn Fn(Role) -> Value),
}

/// The module as a file that Envoy reads.
pub(crate) fn local_module(path: &str) -> Value {
    json!({ "local": { "filename": path } })
}

/// The bootstrap as YAML.
pub fn render(
    config: &Config,
    document: &str,
    version: EnvoyVersion,
) -> Result<String, TooManyChains> {
    let bootstrap = bootstrap(config, document, version)?;
    Ok(format!("{}{}", header(version), to_yaml(&bootstrap)))
}

/// The bootstrap as a value.
pub fn bootstrap(
    config: &Config,
    document: &str,
    version: EnvoyVersion,
) -> Result<Value, TooManyChains> {
    let scene = Scene {
        config,
        document,
        topology: version.topology(),
        module: local_module(&config.envoy.module),
        delivery: Delivery::Inline,
    };
    whole(&scene)
}

/// A bootstrap in which everything stands.
fn whole(scene: &Scene<'_>) -> Result<Value, TooManyChains> {
    let config = scene.config;
    let mut bootstrap = json!({ "node": { "id": "pointsman", "cluster": "pointsman" } });
    if let Some(port) = config.envoy.admin_port {
        bootstrap["admin"] = json!({ "address": socket_address("127.0.0.1", port) });
    }
    bootstrap["stats_config"] = stats::config(scene.topology, config.envoy.telemetry.names);
    let mut listeners = vec![listener::listener(scene)];
    listeners.extend(state::listener(scene));
    let mut clusters = clusters::clusters(scene)?;
    clusters.extend(tokens::clusters(config));
    clusters.extend(classifiers::clusters(config));
    clusters.extend(telemetry::cluster(config));
    clusters.extend(ratelimit::cluster(config));
    if let Some(listener) = classifiers::listener(scene, listener::model_action(scene)) {
        listeners.push(listener);
        bootstrap["bootstrap_extensions"] = json!([classifiers::extension()]);
    }
    bootstrap["static_resources"] = json!({
        "listeners": listeners,
        "clusters": clusters,
        "secrets": filters::secrets(config),
    });
    Ok(bootstrap)
}

fn header(version: EnvoyVersion) -> String {
    let how = match version.topology() {
        Topology::PerAttempt => format!(
            "# Each attempt chooses its own cluster: the matcher reads it from filter state. Every\n\
             # candidate but the last is reached through `via-<provider>`, which falls through to\n\
             # `{DEAD_END}` when the provider is ejected, so that the retry goes on at once.\n"
        ),
        Topology::StaticChain => "# Each order of candidates is an aggregate cluster; Envoy moves \
             on to the next member by priority.\n"
            .to_owned(),
    };
    format!(
        "# Envoy {version}, written by `pointsman render envoy`. Do not edit: change pointsman.yaml\n\
         # and render again.\n{how}"
    )
}

pub(crate) fn socket_address(address: &str, port: u16) -> Value {
    json!({ "socket_address": { "address": address, "port_value": port } })
}

pub(crate) fn typed(name: &str, type_url: &str, mut config: Value) -> Value {
    config["@type"] = json!(format!("type.googleapis.com/{type_url}"));
    json!({ "name": name, "typed_config": with_type_first(config) })
}

/// `@type` first, as people write it.
fn with_type_first(config: Value) -> Value {
    let Value::Object(fields) = config else {
        return config;
    };
    let mut sorted: Vec<_> = fields.into_iter().collect();
    sorted.sort_by_key(|(name, _)| name != "@type");
    Value::Object(sorted.into_iter().collect())
}

pub(crate) fn millis(ms: u64) -> String {
    if ms.is_multiple_of(1000) {
        format!("{}s", ms / 1000)
    } else {
        format!("{}.{:03}s", ms / 1000, ms % 1000)
    }
}

impl Role {
    pub(crate) fn plugin_name(self) -> &'static str {
        match self {
            Role::Downstream => "pointsman.downstream",
            Role::Upstream => "pointsman.upstream",
            Role::Inner => "pointsman.inner",
            Role::State => "pointsman.state",
        }
    }
}
