//! What is checked together: all that one proxy gets, wherever it was written.

use regex::Regex;
use serde_json::Value;

use super::{at, items, text, walk};

/// The types of Envoy's resources, as they end.
const CLUSTER: &str = "config.cluster.v3.Cluster";
const LISTENER: &str = "config.listener.v3.Listener";
const ROUTES: &str = "config.route.v3.RouteConfiguration";

/// What a part of a configuration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cluster,
    Listener,
    /// A route, or a patch of one.
    Route,
    /// A filter for a connection manager, or a patch that inserts one.
    HttpFilter,
    /// A filter that is asked for by name.
    Extension,
}

/// One part, and which proxies get it.
pub(super) struct Part<'v> {
    pub kind: Kind,
    pub place: String,
    pub value: &'v Value,
    /// The name by which Envoy knows it.
    pub name: String,
    /// Whether it is merged into what a control plane makes.
    pub is_patch: bool,
    /// `proxyVersion`; `None` for all proxies.
    gate: Option<Regex>,
}

/// One kind of proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxy {
    /// Istio's, of this minor version.
    Istio(u32),
    /// Any Envoy.
    Envoy,
}

impl Proxy {
    /// Whether its Envoy chooses a cluster for each attempt, and its control plane lets it.
    pub fn is_per_attempt(self) -> bool {
        !matches!(self, Proxy::Istio(minor) if minor < 31)
    }
}

/// What one kind of proxies gets.
pub(super) struct Scene<'p, 'v> {
    pub proxy: Proxy,
    parts: Vec<&'p Part<'v>>,
}

impl<'p, 'v> Scene<'p, 'v> {
    pub fn of(parts: &'p [Part<'v>], proxy: Proxy) -> Scene<'p, 'v> {
        let parts = parts.iter().filter(|part| part.is_for(proxy)).collect();
        Scene { proxy, parts }
    }

    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &'p Part<'v>> {
        self.parts.iter().copied().filter(move |p| p.kind == kind)
    }

    pub fn everything(&self) -> impl Iterator<Item = &'p Part<'v>> {
        self.parts.iter().copied()
    }
}

impl Part<'_> {
    fn is_for(&self, proxy: Proxy) -> bool {
        match (proxy, &self.gate) {
            (Proxy::Istio(minor), Some(gate)) => gate.is_match(&format!("1.{minor}.0")),
            _ => true,
        }
    }
}

/// The proxies for which there is anything: Istio's by version, or plain Envoys.
pub(super) fn proxies(parts: &[Part<'_>]) -> Vec<Proxy> {
    if !parts.iter().any(|part| part.gate.is_some()) {
        return vec![Proxy::Envoy];
    }
    let all = (28..=32).map(Proxy::Istio);
    all.filter(|proxy| parts.iter().any(|p| p.gate.is_some() && p.is_for(*proxy)))
        .collect()
}

/// The parts of all objects.
pub(super) fn read<'v>(objects: &[&'v Value]) -> Vec<Part<'v>> {
    let mut parts = Vec::new();
    for object in objects {
        match text(&object["kind"]) {
            "EnvoyFilter" => envoy_filter(object, &mut parts),
            "" => envoy(object, &mut parts),
            _ => {}
        }
    }
    parts
}

fn envoy_filter<'v>(object: &'v Value, parts: &mut Vec<Part<'v>>) {
    let name = text(at(object, &["metadata", "name"]));
    for (i, patch) in items(at(object, &["spec", "configPatches"])).enumerate() {
        let kind = match text(&patch["applyTo"]) {
            "CLUSTER" => Kind::Cluster,
            "LISTENER" => Kind::Listener,
            "HTTP_ROUTE" => Kind::Route,
            "HTTP_FILTER" => Kind::HttpFilter,
            "EXTENSION_CONFIG" => Kind::Extension,
            _ => continue,
        };
        let value = at(patch, &["patch", "value"]);
        let found = &patch["match"];
        let gate = text(at(found, &["proxy", "proxyVersion"]));
        // What is no expression is refused by Istio's webhook.
        let gate = (!gate.is_empty()).then(|| Regex::new(gate).ok()).flatten();
        let place = format!("EnvoyFilter {name} configPatches[{i}]");
        if kind == Kind::Listener {
            let mut inside = Vec::new();
            within(value, &mut inside);
            parts.extend(inside.into_iter().map(|part| Part {
                place: format!("{place} {}", part.place),
                gate: gate.clone(),
                ..part
            }));
        }
        parts.push(Part {
            kind,
            place,
            value,
            name: match text(&value["name"]) {
                "" => patched_name(found),
                name => name.to_owned(),
            },
            is_patch: text(at(patch, &["patch", "operation"])) == "MERGE",
            gate,
        });
    }
}

/// The name of what a patch is merged into, as far as its match says it.
fn patched_name(found: &Value) -> String {
    let cluster = &found["cluster"];
    match text(&cluster["name"]) {
        "" if cluster.is_object() => format!(
            "outbound|{}|{}|{}",
            cluster["portNumber"],
            text(&cluster["subset"]),
            text(&cluster["service"])
        ),
        "" => text(at(found, &["routeConfiguration", "vhost", "route", "name"])).to_owned(),
        name => name.to_owned(),
    }
}

/// Envoy's own: a bootstrap, files of resources, a dump.
fn envoy<'v>(root: &'v Value, parts: &mut Vec<Part<'v>>) {
    current(root, &mut |object| {
        let listed = at(object, &["static_resources"]);
        for cluster in items(&listed["clusters"]) {
            parts.push(part(Kind::Cluster, cluster));
        }
        for listener in items(&listed["listeners"]) {
            parts.push(part(Kind::Listener, listener));
        }
        let kind = text(&object["@type"]);
        if kind.ends_with(CLUSTER) {
            parts.push(part(Kind::Cluster, object));
        } else if kind.ends_with(LISTENER) {
            parts.push(part(Kind::Listener, object));
        } else if kind.ends_with(ROUTES) {
            routes(object, parts);
        } else if kind.ends_with("config.core.v3.TypedExtensionConfig") {
            parts.push(part(Kind::Extension, object));
        }
        managed(object, parts);
    });
}

/// What a dump tells of listeners that are on their way out, and of routes that stand in listeners.
const PAST: [&str; 2] = ["draining_state", "static_route_configs"];

/// Every object in a tree, from the root down, without what is no longer in use.
fn current<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    match value {
        Value::Object(fields) => {
            visit(value);
            let fields = fields
                .iter()
                .filter(|(name, _)| !PAST.contains(&name.as_str()));
            fields.for_each(|(_, value)| current(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|value| current(value, visit)),
        _ => {}
    }
}

/// The routes and filters of all connection managers in a listener.
fn within<'v>(listener: &'v Value, parts: &mut Vec<Part<'v>>) {
    walk(listener, &mut |object| managed(object, parts));
}

/// The routes and filters of a connection manager.
fn managed<'v>(manager: &'v Value, parts: &mut Vec<Part<'v>>) {
    routes(&manager["route_config"], parts);
    for filter in items(&manager["http_filters"]) {
        parts.push(part(Kind::HttpFilter, filter));
    }
}

fn routes<'v>(configuration: &'v Value, parts: &mut Vec<Part<'v>>) {
    let hosts = items(&configuration["virtual_hosts"]);
    for route in hosts.flat_map(|host| items(&host["routes"])) {
        parts.push(part(Kind::Route, route));
    }
}

fn part(kind: Kind, value: &Value) -> Part<'_> {
    let name = text(&value["name"]);
    let what = match kind {
        Kind::Cluster => "cluster",
        Kind::Listener => "listener",
        Kind::Route => "route",
        Kind::HttpFilter => "filter",
        Kind::Extension => "extension",
    };
    Part {
        kind,
        place: format!("{what} {name}"),
        value,
        name: name.to_owned(),
        is_patch: false,
        gate: None,
    }
}
