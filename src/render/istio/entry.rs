//! How clients get in: Gateway or Service, and VirtualService.

use serde_json::{Value, json};

use super::options::{GatewayTls, Options, Variant};
use super::{Document, object};
use crate::config::Config;
use crate::render::envoy::listener::{model_paths, not_found_body};

/// The route that asks models; the patches find it by this name.
pub(super) const MODELS: &str = "models";
/// The route for everything else.
pub(super) const NOT_FOUND: &str = "not-found";

/// What Envoy retries. The patches say it again: failover hinges on it.
pub(super) const RETRY_ON: &str =
    "connect-failure,refused-stream,reset,retriable-headers,retriable-status-codes";

pub(super) fn documents(config: &Config, options: &Options) -> Vec<Document> {
    let entry = match options.variant {
        Variant::Gateway => gateway(options),
        Variant::Sidecar => service(options),
    };
    let mut documents = vec![entry, virtual_service(config, options)];
    if options.variant == Variant::Gateway && options.tls == GatewayTls::Mutual {
        documents.push(clients(options));
    }
    documents
}

/// Auto mTLS is for pods with sidecars; a gateway's clients must be told.
fn clients(options: &Options) -> Document {
    let spec = json!({
        "host": options.host,
        "trafficPolicy": { "tls": { "mode": "ISTIO_MUTUAL" } },
    });
    Document {
        comment: "How the sidecars of clients speak to the gateway: with the mesh's certificates, \
                  which tell it who asks. Clients without one use `--tls plain`, or a certificate."
            .to_owned(),
        object: object(
            "networking.istio.io/v1",
            "DestinationRule",
            &options.named("clients"),
            options,
            spec,
        ),
    }
}

fn gateway(options: &Options) -> Document {
    let (protocol, tls) = match &options.tls {
        GatewayTls::Mutual => ("HTTPS", Some(json!({ "mode": "ISTIO_MUTUAL" }))),
        GatewayTls::Plain => ("HTTP", None),
        GatewayTls::Credential(secret) => (
            "HTTPS",
            Some(json!({ "mode": "SIMPLE", "credentialName": secret })),
        ),
    };
    let mut server = json!({
        "port": { "number": options.port, "name": protocol.to_lowercase(), "protocol": protocol },
        "hosts": [format!("{}/{}", options.namespace, options.host)],
    });
    if let Some(tls) = tls {
        server["tls"] = tls;
    }
    let spec = json!({
        "selector": selector(options),
        "servers": [server],
    });
    Document {
        comment: "Where clients get in.".to_owned(),
        object: object(
            "networking.istio.io/v1",
            "Gateway",
            &options.name,
            options,
            spec,
        ),
    }
}

fn service(options: &Options) -> Document {
    // The Service's own name is the first label of the host.
    let name = options.host.split('.').next().unwrap_or(&options.host);
    let spec = json!({
        "ports": [{ "name": "http", "port": options.port, "targetPort": options.port }],
    });
    Document {
        comment: "A name and a port for applications to ask, in clear; there are no pods behind \
                  it: their own sidecar does the rest."
            .to_owned(),
        object: object("v1", "Service", name, options, spec),
    }
}

pub(super) fn selector(options: &Options) -> Value {
    json!({ options.selector.name.clone(): options.selector.value })
}

fn virtual_service(config: &Config, options: &Options) -> Document {
    let paths: Vec<Value> = model_paths(config)
        .into_iter()
        .map(|regex| json!({ "uri": { "regex": regex } }))
        .collect();
    let models = json!({
        "name": MODELS,
        "match": paths,
        "route": [{ "destination": { "host": options.dead_end_host(), "port": { "number": 80 } } }],
        "retries": {
            "attempts": 1,
            "retryOn": RETRY_ON,
            "retryIgnorePreviousHosts": false,
        },
    });
    let not_found = json!({
        "name": NOT_FOUND,
        "match": [{ "uri": { "prefix": "/" } }],
        "directResponse": { "status": 404, "body": { "string": not_found_body().to_string() } },
        "headers": { "response": { "set": { "content-type": "application/json" } } },
    });
    let mut spec = json!({ "hosts": [options.host] });
    if options.variant == Variant::Gateway {
        spec["gateways"] = json!([format!("{}/{}", options.namespace, options.name)]);
    }
    spec["exportTo"] = json!(["."]);
    spec["http"] = json!([models, not_found]);
    Document {
        comment: format!(
            "What is asked. {} turns the dead end of route `{MODELS}` into the candidates; a proxy \
             that it does not reach answers 503 and asks nobody. Yours to edit: add `timeout`, \
             `corsPolicy`, `headers`, matches by header; keep the routes' names.",
            options.named("routes")
        ),
        object: object(
            "networking.istio.io/v1",
            "VirtualService",
            &options.name,
            options,
            spec,
        ),
    }
}
