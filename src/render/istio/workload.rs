//! What pods need: where the keys are, and the gateway's own pods.

use serde_json::{Value, json};

use super::entry::selector;
use super::options::{KEYS_FOLDER, KeySupply, Module, Options, SECRETS_FOLDER, Variant, found};
use super::{Document, metadata, object};
use crate::config::Config;
use crate::render::envoy::{secret_files, stats};

pub(super) fn documents(config: &Config, options: &Options) -> Vec<Document> {
    let mut documents = Vec::new();
    let files = secret_files(config);
    let has_secrets = !files.is_empty();
    if has_secrets {
        documents.push(secrets(files, options));
    }
    if let (Variant::Gateway, Some(image)) = (options.variant, &options.workload_image) {
        documents.push(gateway_service(options));
        documents.push(gateway_deployment(has_secrets, options, image));
    }
    documents
}

/// Says where each secret is; holds none.
fn secrets(files: Vec<(String, String)>, options: &Options) -> Document {
    let files: serde_json::Map<String, Value> = files
        .into_iter()
        .map(|(name, text)| (name, json!(found(&text, options))))
        .collect();
    let from = match options.keys {
        KeySupply::Files => format!(
            "Mount it at {SECRETS_FOLDER}, and Secret {} at {KEYS_FOLDER}: a changed key is taken \
             within a minute or two, without a restart",
            options.named("keys")
        ),
        KeySupply::Environment => {
            format!("Mount it at {SECRETS_FOLDER}, and give the proxy the variables that it names")
        }
    };
    Document {
        comment: format!("Where the proxies find keys; no key is in it. {from}."),
        object: json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(&options.named("sds"), options),
            "data": files,
        }),
    }
}

fn gateway_service(options: &Options) -> Document {
    let spec = json!({
        "type": "ClusterIP",
        "selector": selector(options),
        "ports": [{ "name": "llm", "port": options.port, "targetPort": options.port }],
    });
    let name = options.host.split('.').next().unwrap_or(&options.host);
    Document {
        comment: "The gateway's address in the cluster.".to_owned(),
        object: object("v1", "Service", name, options, spec),
    }
}

/// What the pods of an application need for the filter in their sidecars, as a patch of its
/// Deployment: the label by which proxies are found, the module and the keys, labels and buckets of
/// metrics. `image` brings the module.
pub(super) fn pods(config: &Config, options: &Options, image: &str) -> Value {
    let (volumes, mounts) = volumes(!secret_files(config).is_empty(), options, image);
    let mut annotations = metrics();
    annotations["sidecar.istio.io/userVolume"] = json!(json!(volumes).to_string());
    annotations["sidecar.istio.io/userVolumeMount"] = json!(json!(mounts).to_string());
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "any" },
        "spec": { "template": { "metadata": {
            "labels": selector(options),
            "annotations": annotations,
        }}},
    })
}

/// Volumes, and where they are mounted: the module, where secrets are, the secrets.
fn volumes(has_secrets: bool, options: &Options, image: &str) -> (Vec<Value>, Vec<Value>) {
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    let mut mount = |name: &str, path: &str, source: Value| {
        let mut volume = json!({ "name": name });
        if let (Value::Object(volume), Value::Object(source)) = (&mut volume, source) {
            volume.extend(source);
        }
        volumes.push(volume);
        mounts.push(json!({ "name": name, "mountPath": path, "readOnly": true }));
    };
    if let Module::File(path) = &options.module {
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        mount("module", folder, json!({ "image": { "reference": image } }));
    }
    if has_secrets {
        mount(
            "sds",
            SECRETS_FOLDER,
            json!({ "configMap": { "name": options.named("sds") } }),
        );
        if options.keys == KeySupply::Files {
            mount(
                "keys",
                KEYS_FOLDER,
                json!({ "secret": { "secretName": options.named("keys") } }),
            );
        }
    }
    (volumes, mounts)
}

fn gateway_deployment(has_secrets: bool, options: &Options, image: &str) -> Document {
    let (volumes, mounts) = volumes(has_secrets, options, image);
    let mut proxy = json!({ "name": "istio-proxy", "image": "auto" });
    if options.keys == KeySupply::Environment {
        proxy["envFrom"] = json!([{ "secretRef": { "name": options.named("keys") } }]);
    }
    proxy["volumeMounts"] = json!(mounts);
    let mut labels = selector(options);
    labels["sidecar.istio.io/inject"] = json!("true");
    let spec = json!({
        "selector": { "matchLabels": selector(options) },
        "template": {
            "metadata": {
                "labels": labels,
                "annotations": annotations(),
            },
            "spec": { "containers": [proxy], "volumes": volumes },
        },
    });
    Document {
        comment: "The gateway's pods: Istio's injector makes a proxy of them. Yours to edit: \
                  replicas, resources, affinity."
            .to_owned(),
        object: object("apps/v1", "Deployment", &options.name, options, spec),
    }
}

/// What Istio's injector makes of the gateway's pod, and how its Envoy shows our metrics.
fn annotations() -> Value {
    let mut annotations = json!({ "inject.istio.io/templates": "gateway" });
    if let (Value::Object(all), Value::Object(metrics)) = (&mut annotations, metrics()) {
        all.extend(metrics);
    }
    annotations
}

/// Labels and buckets of our metrics.
fn metrics() -> Value {
    json!({
        "proxy.istio.io/config": stats::istio_tags().to_string(),
        "sidecar.istio.io/statsHistogramBuckets": stats::istio_buckets().to_string(),
    })
}
