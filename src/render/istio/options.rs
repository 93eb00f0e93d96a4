//! What a mesh decides and `pointsman.yaml` does not say.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::version::IstioVersion;
use crate::config::slip_of;
use crate::render::envoy::local_module;

/// Where in the mesh the filter stands, and how what it needs gets there.
#[derive(Debug, Clone)]
pub struct Options {
    /// A gateway of its own, or the sidecars of applications.
    pub variant: Variant,
    /// The versions of the proxies; an upgrade has two.
    pub versions: Vec<IstioVersion>,
    /// What all objects are called, or begin with.
    pub name: String,
    /// The namespace of all objects and of the proxies.
    pub namespace: String,
    /// The label by which the proxies are found.
    pub selector: Label,
    /// The host that clients ask.
    pub host: String,
    /// The port that clients ask.
    pub port: u16,
    /// How clients reach the gateway.
    pub tls: GatewayTls,
    /// Where proxies find the module.
    pub module: Module,
    /// How keys come to the proxies.
    pub keys: KeySupply,
    /// The image that brings the module, for the gateway's pods; `None` for no pods.
    pub workload_image: Option<String>,
}

/// Where the filter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// In a gateway, for the whole mesh.
    Gateway,
    /// In the sidecars of applications.
    Sidecar,
}

/// `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// How clients reach the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayTls {
    /// With the mesh's own certificates.
    Mutual,
    /// In clear.
    Plain,
    /// With the certificate in this Secret.
    Credential(String),
}

/// Where proxies find the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// A file in the proxy's container.
    File(String),
    /// An OCI image or an address, fetched by the proxy's agent.
    Remote {
        /// `oci://` or `https://`.
        uri: String,
        /// Its checksum, in hexadecimal.
        sha256: String,
    },
}

/// How keys come to the proxies; never in an object of the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySupply {
    /// A Secret, mounted: one file for each key, read again when it changes.
    Files,
    /// Variables of the proxy's container.
    Environment,
}

/// Where things are in the proxy's container.
pub(super) const KEYS_FOLDER: &str = "/etc/pointsman/keys";
pub(super) const SECRETS_FOLDER: &str = "/etc/pointsman/sds";

/// Where the secret is that `pointsman.yaml` wants from a variable.
///
/// For a real variable, a file that does not exist stands for it until [`found`].
pub(super) fn mounted(name: &str, options: &Options) -> String {
    match options.keys {
        KeySupply::Files => format!("{KEYS_FOLDER}/{name}"),
        KeySupply::Environment => format!("{SECRETS_FOLDER}/{name}"),
    }
}

/// A file that says where a secret is, as the proxy shall read it.
pub(super) fn found(file: &str, options: &Options) -> String {
    match options.keys {
        KeySupply::Files => file.to_owned(),
        KeySupply::Environment => file.replace(
            &format!("filename: {SECRETS_FOLDER}/"),
            "environment_variable: ",
        ),
    }
}

impl Options {
    /// The context of all patches.
    pub(super) fn context(&self) -> &'static str {
        match self.variant {
            Variant::Gateway => "GATEWAY",
            Variant::Sidecar => "SIDECAR_OUTBOUND",
        }
    }

    /// Objects that belong together, by what they do.
    pub(super) fn named(&self, part: &str) -> String {
        format!("{}-{part}", self.name)
    }

    /// The host that nothing listens for: where requests go that the filter has not seen.
    pub(super) fn dead_end_host(&self) -> String {
        format!("dead-end.{}.internal", self.name)
    }
}

impl Module {
    /// The `code` of the VM's configuration.
    pub(super) fn code(&self) -> Value {
        match self {
            Module::File(path) => local_module(path),
            // The agent does the fetching: the cluster is only there to be valid.
            Module::Remote { uri, sha256 } => json!({ "remote": {
                "http_uri": { "uri": uri, "cluster": "_", "timeout": "30s" },
                "sha256": sha256,
            }}),
        }
    }
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        pair.map(|(name, value)| Label {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .ok_or_else(|| "expected NAME=VALUE".to_owned())
    }
}

impl FromStr for GatewayTls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "" => return Err("expected mutual, plain or the name of a Secret".to_owned()),
            "mutual" => GatewayTls::Mutual,
            "plain" => GatewayTls::Plain,
            secret => match slip_of(secret, ["mutual", "plain"]) {
                Some(meant) => {
                    return Err(format!(
                        "expected mutual, plain or the name of a Secret; did you mean {meant:?}?"
                    ));
                }
                None => GatewayTls::Credential(secret.to_owned()),
            },
        })
    }
}

impl FromStr for Module {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with('/') {
            return Ok(Module::File(text.to_owned()));
        }
        let is_remote = text.starts_with("oci://") || text.starts_with("https://");
        let remote = text.rsplit_once("@sha256:").filter(|_| is_remote);
        remote
            .filter(|(_, sum)| sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit()))
            .map(|(uri, sum)| Module::Remote {
                uri: match uri.starts_with("oci://") {
                    true => text.to_owned(),
                    false => uri.to_owned(),
                },
                sha256: sum.to_ascii_lowercase(),
            })
            .ok_or_else(|| {
                "expected /path, oci://image@sha256:SUM or https://address@sha256:SUM".to_owned()
            })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}
