//! The filter itself in both roles, and the keys that Envoy hands to it.

use serde_json::{Value, json};

use super::classifiers::calls_providers;
use super::{Delivery, Scene, signing, tokens, typed};
use crate::config::{Config, KeySource, ProviderConfig};
use crate::exchange::Role;
use crate::exchange::handoff::KEY_PREFIX;

/// The filter's type.
pub(in crate::render) const WASM_TYPE: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

/// The filter in one role, as it stands in a chain: whole, or the place where Envoy asks for it.
pub(in crate::render) fn filter(scene: &Scene<'_>, role: Role) -> Value {
    match &scene.delivery {
        Delivery::Inline => wasm(scene, role),
        Delivery::Discovered(discovery) => json!({
            "name": role.plugin_name(),
            "config_discovery": discovery(role),
        }),
    }
}

/// The roles that a proxy has, in the order in which it shall hear of a change: what is named
/// comes before what names it.
pub(in crate::render) fn roles(config: &Config) -> Vec<Role> {
    let inner = calls_providers(config).then_some(Role::Inner);
    let state = config.envoy.state_port.map(|_| Role::State);
    let before = [Some(Role::Upstream), inner, state];
    let roles = before.into_iter().flatten();
    roles.chain([Role::Downstream]).collect()
}

/// The wasm filter in one role, whole.
pub(in crate::render) fn wasm(scene: &Scene<'_>, role: Role) -> Value {
    typed(
        match scene.delivery {
            Delivery::Inline => "envoy.filters.http.wasm",
            Delivery::Discovered(_) => role.plugin_name(),
        },
        WASM_TYPE,
        json!({ "config": {
            "name": role.plugin_name(),
            "root_id": role.plugin_name(),
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": plugin_configuration(scene, role),
            },
            "vm_config": {
                "vm_id": "pointsman",
                "runtime": "envoy.wasm.runtime.v8",
                "code": scene.module,
            },
            "allow_on_headers_stop_iteration": true,
            "failure_policy": "FAIL_RELOAD",
            "reload_config": { "backoff": { "base_interval": "0.1s", "max_interval": "1s" } },
        }}),
    )
}

fn plugin_configuration(scene: &Scene<'_>, role: Role) -> String {
    let head = json!({ "role": role, "topology": scene.topology }).to_string();
    format!(
        "{},\"document\":{}}}",
        head.trim_end_matches('}'),
        scene.document
    )
}

/// `HttpProtocolOptions` of a cluster that serves these providers: keys, the filter, the codec.
///
/// The keys come first: the filter moves the one that the attempt needs to where the provider
/// looks for it, and removes the rest.
pub(in crate::render) fn protocol_options(
    scene: &Scene<'_>,
    providers: &[&ProviderConfig],
) -> Value {
    let mut filters: Vec<Value> = providers
        .iter()
        .filter(|p| p.key.is_some())
        .map(|p| credential_injector(scene.config, p))
        .collect();
    filters.push(filter(scene, Role::Upstream));
    filters.extend(signing::filters(scene.config, providers));
    filters.push(codec());
    let http2 = !providers.is_empty() && providers.iter().all(|p| p.http2);
    let mut options = protocol(http2);
    options[OPTIONS]["http_filters"] = json!(filters);
    options
}

const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// How a cluster is spoken to.
pub(super) fn protocol(http2: bool) -> Value {
    let protocol = if http2 {
        "http2_protocol_options"
    } else {
        "http_protocol_options"
    };
    json!({ OPTIONS: {
        "@type": format!("type.googleapis.com/{OPTIONS}"),
        "explicit_http_config": { protocol: {} },
    }})
}

/// Without a key the request goes on: the provider refuses it, and the next candidate is asked.
fn credential_injector(config: &Config, provider: &ProviderConfig) -> Value {
    let name = secret_name(provider);
    let secret = match &provider.key {
        Some(source) => tokens::secret_config(config, &name, source),
        None => json!({ "name": name }),
    };
    let generic = json!({
        "credential": secret,
        "header": format!("{KEY_PREFIX}{}", provider.name),
    });
    injector(&name, generic)
}

fn injector(name: &str, generic: Value) -> Value {
    typed(
        name,
        "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
        json!({
            "overwrite": true,
            "allow_request_without_credential": true,
            "credential": typed(
                "envoy.http.injected_credentials.generic",
                "envoy.extensions.http.injected_credentials.generic.v3.Generic",
                generic,
            ),
        }),
    )
}

/// `HttpProtocolOptions` of a webhook's cluster: its key, and nothing of ours.
pub(super) fn webhook_options(config: &Config, name: &str, key: &KeySource) -> Value {
    let generic = json!({
        "credential": tokens::secret_config(config, name, key),
        "header": "Authorization",
        "header_value_prefix": "Bearer ",
    });
    json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http_protocol_options": {} },
        "http_filters": [injector(name, generic), codec()],
    }})
}

fn codec() -> Value {
    typed(
        "envoy.filters.http.upstream_codec",
        "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
        json!({}),
    )
}

/// Where Envoy finds the keys that it does not watch; the keys themselves are never written.
pub(super) fn secrets(config: &Config) -> Vec<Value> {
    let is_elsewhere =
        |name: &str, source| config.envoy.secrets.is_some() && tokens::is_watched(name, source);
    let secret = |(name, source): (String, &KeySource)| json!({ "name": name, "generic_secret": { "secret": data_source(source) } });
    keys(config)
        .filter(|(name, source)| !is_elsewhere(name, source))
        .map(secret)
        .collect()
}

/// The keys of providers, then those of webhooks, under their secrets' names.
pub(super) fn keys(config: &Config) -> impl Iterator<Item = (String, &KeySource)> {
    let of_providers = config.providers.values();
    let of_providers = of_providers.filter_map(|p| Some((secret_name(p), p.key.as_ref()?)));
    let of_webhooks = config
        .webhooks()
        .filter_map(|(name, webhook)| Some((name, webhook.key.as_ref()?)));
    of_providers.chain(of_webhooks)
}

/// Where Envoy itself reads a secret.
pub(super) fn data_source(source: &KeySource) -> Value {
    match source {
        KeySource::Env(name) => json!({ "environment_variable": name }),
        KeySource::File(path) => json!({ "filename": path }),
    }
}

pub(super) fn secret_name(provider: &ProviderConfig) -> String {
    format!("key.{}", provider.name)
}
