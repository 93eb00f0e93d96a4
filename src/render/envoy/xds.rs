//! The same configuration as files that Envoy watches, so that it changes without a restart.

use std::path::Path;

use serde_json::{Value, json};

use super::{Delivery, EnvoyVersion, Scene, TooManyChains, filters, header, local_module, whole};
use crate::config::Config;
use crate::exchange::Role;
use crate::render::to_yaml;

/// A bootstrap that says where the files are, and the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The bootstrap as YAML.
    pub bootstrap: String,
    /// Names and contents, in the order in which Envoy shall take them: what is named comes
    /// before what names it.
    pub files: Vec<(String, String)>,
}

/// Renders for files in `folder`, as Envoy finds it.
pub fn watched(
    config: &Config,
    document: &str,
    version: EnvoyVersion,
    folder: &str,
) -> Result<Watched, TooManyChains> {
    let config = with_secrets_in(config, Path::new(folder));
    let discovery = |role: Role| {
        json!({
            "config_source": source(folder, &extension_file(role)),
            "type_urls": [format!("type.googleapis.com/{}", filters::WASM_TYPE)],
        })
    };
    let scene = Scene {
        config: &config,
        document,
        topology: version.topology(),
        module: local_module(&config.envoy.module),
        delivery: Delivery::Discovered(&discovery),
    };
    let mut bootstrap = whole(&scene)?;
    let resources = &mut bootstrap["static_resources"];
    let mut listeners = resources["listeners"].take();
    let clusters = resources["clusters"].take();
    *resources = json!({ "secrets": resources["secrets"] });
    let routes = watch_routes(&mut listeners, folder);
    bootstrap["dynamic_resources"] = json!({
        "cds_config": source(folder, CLUSTERS),
        "lds_config": source(folder, LISTENERS),
    });
    let extension = |role| {
        (
            extension_file(role),
            file(EXTENSION, [filters::wasm(&scene, role)]),
        )
    };
    let mut extensions: Vec<_> = filters::roles(&config).into_iter().map(extension).collect();
    let last = extensions.pop();
    let mut files = vec![(CLUSTERS.to_owned(), file(CLUSTER, list(clusters)))];
    files.extend(extensions);
    files.push((ROUTES.to_owned(), file(ROUTE, [routes])));
    files.push((LISTENERS.to_owned(), file(LISTENER, list(listeners))));
    files.extend(last);
    Ok(Watched {
        bootstrap: format!("{}{}", header(version), to_yaml(&bootstrap)),
        files,
    })
}

/// The configuration with secrets found by files in `folder`, unless it names another.
pub fn with_secrets_in(config: &Config, folder: &Path) -> Config {
    let mut config = config.clone();
    let secrets = &mut config.envoy.secrets;
    secrets.get_or_insert_with(|| folder.to_string_lossy().into_owned());
    config
}

const CLUSTERS: &str = "cds.yaml";
const LISTENERS: &str = "lds.yaml";
const ROUTES: &str = "rds.yaml";

const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";
const LISTENER: &str = "envoy.config.listener.v3.Listener";
const ROUTE: &str = "envoy.config.route.v3.RouteConfiguration";
const EXTENSION: &str = "envoy.config.core.v3.TypedExtensionConfig";

fn extension_file(role: Role) -> String {
    format!("ecds.{}.yaml", role.plugin_name())
}

fn source(folder: &str, file: &str) -> Value {
    json!({
        "path_config_source": {
            "path": format!("{folder}/{file}"),
            // Also where a volume is swapped as a whole.
            "watched_directory": { "path": folder },
        },
        "resource_api_version": "V3",
    })
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn file(kind: &str, resources: impl IntoIterator<Item = Value>) -> String {
    let resources = resources.into_iter().map(|resource| {
        let mut typed = json!({ "@type": format!("type.googleapis.com/{kind}") });
        if let (Value::Object(typed), Value::Object(resource)) = (&mut typed, resource) {
            typed.extend(resource);
        }
        typed
    });
    to_yaml(&json!({ "resources": resources.collect::<Vec<_>>() }))
}

/// Takes the routes out of the first listener, which then asks the file for them.
fn watch_routes(listeners: &mut Value, folder: &str) -> Value {
    let manager = &mut listeners[0]["filter_chains"][0]["filters"][0]["typed_config"];
    let Value::Object(fields) = manager else {
        return Value::Null;
    };
    let routes = fields.shift_remove("route_config").unwrap_or_default();
    fields.insert(
        "rds".to_owned(),
        json!({
            "route_config_name": routes["name"],
            "config_source": source(folder, ROUTES),
        }),
    );
    routes
}
