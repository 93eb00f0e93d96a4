//! Stand-ins for the providers whose key is not set on this machine.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use pointsman_standin::{Options, Standin, Vendor};
use serde_json::{Value, json};

use crate::config::{Config, Endpoint, KeySource, ProviderConfig};

/// The stand-ins, by the name of the provider that they stand in for.
pub(super) struct Standins {
    by_provider: BTreeMap<String, Running>,
}

struct Running {
    standin: Standin,
    path: String,
    variable: String,
    key: String,
}

impl Standins {
    /// One for each provider that wants a key which is not there.
    pub(super) async fn start(config: &Config) -> io::Result<Standins> {
        let mut by_provider = BTreeMap::new();
        for provider in config.providers.values().filter(|p| !has_key(p)) {
            let key = format!("stand-in-key-of-{}", provider.name);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let vendor = vendor(provider);
            let standin = Standin::start(Options {
                vendor,
                address,
                key: Some(key.clone()),
            })
            .await?;
            let Endpoint { path, .. } = provider.endpoint.clone();
            let variable = format!("POINTSMAN_STANDIN_KEY_{}", by_provider.len());
            let running = Running {
                standin,
                path,
                variable,
                key,
            };
            by_provider.insert(provider.name.clone(), running);
        }
        Ok(Standins { by_provider })
    }

    /// Sends the document's providers to their stand-ins.
    pub(super) fn take_over(&self, document: &mut Value) {
        for (name, running) in &self.by_provider {
            let Some(provider) = document.pointer_mut(&format!("/providers/{name}")) else {
                continue;
            };
            let endpoint = format!("http://{}{}", running.standin.address(), running.path);
            // A provider that stands under its kind's own name may have no fields at all.
            if provider.is_null() {
                *provider = json!({});
            }
            provider["endpoint"] = json!(endpoint);
            provider["key"] = json!({ "env": running.variable });
            if let Some(fields) = provider.as_object_mut() {
                fields.remove("ca_file");
                fields.remove("http2");
            }
        }
    }

    /// Environment variables for Envoy.
    pub(super) fn keys(&self) -> Vec<(String, String)> {
        let running = self.by_provider.values();
        running
            .map(|r| (r.variable.clone(), r.key.clone()))
            .collect()
    }

    pub(super) fn stands_in_for(&self, provider: &str) -> bool {
        self.by_provider.contains_key(provider)
    }

    /// Lets a stand-in fail until it is told otherwise; `false` when there is none.
    pub(super) fn fail(&self, provider: &str, status: u16) -> bool {
        let fault = json!({ "kind": "status", "status": status });
        let script = json!({ "rules": [{ "times": null, "fault": fault }] });
        self.by_provider
            .get(provider)
            .is_some_and(|r| r.standin.control().set_script(script).is_ok())
    }

    /// Lets a stand-in answer again.
    pub(super) fn recover(&self, provider: &str) {
        if let Some(running) = self.by_provider.get(provider) {
            running.standin.control().clear_script();
        }
    }
}

fn has_key(provider: &ProviderConfig) -> bool {
    let secret = provider.oauth.as_ref().map(|client| &client.secret);
    match provider.key.as_ref().or(secret) {
        None if provider.metadata_tokens => false,
        None => provider.signing.is_none() || has_aws_credentials(),
        Some(KeySource::Env(name)) => std::env::var_os(name).is_some_and(|key| !key.is_empty()),
        Some(KeySource::File(path)) => std::fs::metadata(path).is_ok_and(|file| file.len() > 0),
    }
}

/// Whether the environment says where AWS's credentials are; those of an instance count as
/// none, for only the network could tell.
fn has_aws_credentials() -> bool {
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ];
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    names.iter().any(is_set)
}

fn vendor(provider: &ProviderConfig) -> Vendor {
    match provider.kind.kind() {
        "mistral" => return Vendor::Mistral,
        "deepseek" => return Vendor::DeepSeek,
        "qwen" => return Vendor::Qwen,
        _ => {}
    }
    match provider.kind.schema().name() {
        "anthropic" => Vendor::Anthropic,
        "bedrock_converse" => Vendor::Bedrock,
        "cohere" => Vendor::Cohere,
        "gemini" => Vendor::Gemini,
        _ => Vendor::OpenAi,
    }
}
