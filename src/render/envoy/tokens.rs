//! Access tokens that Envoy fetches and renews: by OAuth 2, and from Google's metadata server.
//!
//! Source: Envoy's API types of 1.40, "OAuth2" of injected credentials and "GcpAuthnFilterConfig",
//! read 2026-11-21; what they do was seen on 1.38.2 and 1.40.0.

use serde_json::{Value, json};

use super::clusters::endpoint_cluster;
use super::{signing, socket_address, typed};
use crate::config::{Config, KeySource, OauthClient, ProviderConfig};
use crate::exchange::handoff::{TOKEN_HEADER, WANTS_TOKEN};

/// The cluster of Google's metadata server.
const METADATA: &str = "google.metadata";

/// Where it is, on machines and in pods of Google's.
const METADATA_HOST: &str = "metadata.google.internal";

/// How long fetching a token may take. Requests wait for Google's, not for OAuth's.
const TIMEOUT: &str = "2s";

/// Sets `authorization` to the provider's token, once it is there; until then the provider
/// refuses the request, and the next candidate is asked.
pub(super) fn inject(config: &Config, provider: &ProviderConfig, client: &OauthClient) -> Value {
    let endpoint = &client.token_endpoint;
    let scheme = if endpoint.tls { "https" } else { "http" };
    let mut oauth = json!({
        "token_endpoint": {
            "uri": format!("{scheme}://{}{}", endpoint.authority(), endpoint.path),
            "cluster": cluster_name(provider),
            "timeout": TIMEOUT,
        },
        "client_credentials": {
            "client_id": client.client,
            "client_secret": secret_config(config, &secret_name(provider), &client.secret),
            "auth_type": "URL_ENCODED_BODY",
        },
    });
    if !client.scopes.is_empty() {
        oauth["scopes"] = json!(client.scopes);
    }
    typed(
        "envoy.filters.http.credential_injector",
        "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
        json!({
            "overwrite": true,
            "allow_request_without_credential": true,
            "credential": typed(
                "envoy.http.injected_credentials.oauth2",
                "envoy.extensions.http.injected_credentials.oauth2.v3.OAuth2",
                oauth,
            ),
        }),
    )
}

fn cluster_name(provider: &ProviderConfig) -> String {
    format!("oauth.{}", provider.name)
}

fn secret_name(provider: &ProviderConfig) -> String {
    format!("oauth.{}", provider.name)
}

/// The authorization servers' clusters, and the metadata server's.
pub(in crate::render) fn clusters(config: &Config) -> Vec<Value> {
    let providers = config.providers.values();
    let of_oauth = providers.filter_map(|provider| {
        let endpoint = &provider.oauth.as_ref()?.token_endpoint;
        Some(endpoint_cluster(&cluster_name(provider), endpoint))
    });
    let metadata = config.wants_token().then(metadata_cluster);
    of_oauth.chain(metadata).collect()
}

fn metadata_cluster() -> Value {
    json!({
        "name": METADATA,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "dns_lookup_family": "V4_PREFERRED",
        "load_assignment": {
            "cluster_name": METADATA,
            "endpoints": [{ "lb_endpoints": [{
                "endpoint": { "address": socket_address(METADATA_HOST, 80) },
            }]}],
        },
    })
}

/// Fetches a token for requests that may need one, after the filter has asked for it.
pub(in crate::render) fn listener_filters(config: &Config) -> Vec<Value> {
    let authn = typed(
        "envoy.filters.http.gcp_authn",
        "envoy.extensions.filters.http.gcp_authn.v3.GcpAuthnFilterConfig",
        json!({
            "cluster": METADATA,
            "timeout": TIMEOUT,
            "audience": { "access_token": {} },
            "token_header": { "name": TOKEN_HEADER },
            "cache_config": { "cache_size": 1 },
        }),
    );
    let wants = signing::has_header(WANTS_TOKEN, json!({ "exact": "1" }));
    let only = || signing::only_where(METADATA, wants, authn);
    config.wants_token().then(only).into_iter().collect()
}

/// How Envoy finds a secret: among the bootstrap's own, or in a file that it watches.
pub(super) fn secret_config(config: &Config, name: &str, source: &KeySource) -> Value {
    let mut secret = json!({ "name": name });
    if let (Some(folder), true) = (&config.envoy.secrets, is_watched(name, source)) {
        let mut file = json!({ "path": format!("{folder}/{name}.yaml") });
        if let KeySource::File(path) = source {
            let watched = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            file["watched_directory"] =
                json!({ "path": if watched.is_empty() { "/" } else { watched } });
        }
        secret["sds_config"] = json!({ "path_config_source": file, "resource_api_version": "V3" });
    }
    secret
}

/// Keys of the environment never change; of OAuth's clients Envoy takes nothing else.
pub(super) fn is_watched(name: &str, source: &KeySource) -> bool {
    name.starts_with("oauth.") || matches!(source, KeySource::File(_))
}

/// The files that `envoy.secrets` wants: names and contents. No secret stands in them.
pub fn secret_files(config: &Config) -> Vec<(String, String)> {
    let mut files = Vec::new();
    if config.envoy.secrets.is_none() {
        return files;
    }
    let of_clients = config.providers.values();
    let of_clients = of_clients.filter_map(|p| Some((secret_name(p), &p.oauth.as_ref()?.secret)));
    for (name, source) in super::filters::keys(config).chain(of_clients) {
        if is_watched(&name, source) {
            files.push((format!("{name}.yaml"), secret_file(&name, source)));
        }
    }
    files.sort();
    files
}

fn secret_file(name: &str, source: &KeySource) -> String {
    let secret = json!({ "resources": [{
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
        "name": name,
        "generic_secret": { "secret": super::filters::data_source(source) },
    }]});
    crate::render::to_yaml(&secret)
}
