//! The listener: buffers, and where the filter stands.

use super::scene::{Kind, Proxy, Scene};
use super::{Findings, at, items, plugins, text};
use crate::config::Config;
use crate::exchange::Role;

pub(super) fn check(scene: &Scene<'_, '_>, findings: &mut Findings) {
    buffers(scene, findings);
    switched(scene, findings);
}

/// Envoy must be able to hold what the filter may hold.
fn buffers(scene: &Scene<'_, '_>, findings: &mut Findings) {
    let plugins = plugins::plugins(scene);
    let downstream = plugins.iter().find_map(|(place, config)| {
        let plugin = plugins::plugin(config)?;
        let (config, _) = Config::from_json(plugin.document.get().as_bytes()).ok()?;
        (plugin.role == Role::Downstream).then(|| (place, config.limits.buffer_bytes()))
    });
    let Some((place, needed)) = downstream else {
        return;
    };
    let ours = scene.all(Kind::Listener).filter(|listener| {
        listener.is_patch || listener.value.to_string().contains("pointsman.downstream")
    });
    let mut is_any = false;
    for listener in ours {
        is_any = true;
        let limit = listener.value["per_connection_buffer_limit_bytes"].as_u64();
        if limit.unwrap_or(1_048_576) < needed {
            findings.add(
                &listener.place,
                "small-buffers",
                &format!(
                    "per_connection_buffer_limit_bytes is {}, less than the {needed} bytes that \
                     limits.request_body and limits.reply allow: large bodies get 413, and large \
                     replies can take the proxy down",
                    limit.map_or("Envoy's own 1 MiB".to_owned(), |bytes| bytes.to_string())
                ),
                "set per_connection_buffer_limit_bytes above both limits",
            );
        }
    }
    if !is_any && matches!(scene.proxy, Proxy::Istio(_)) {
        findings.add(
            place,
            "small-buffers",
            "no patch sets per_connection_buffer_limit_bytes of the listener: bodies beyond 1 MiB \
             get 413, and large replies can take the proxy down",
            "patch the listener: applyTo LISTENER, MERGE per_connection_buffer_limit_bytes",
        );
    }
}

/// Off by default wants a route that turns it on.
fn switched(scene: &Scene<'_, '_>, findings: &mut Findings) {
    let ours = |name: &str| name == "pointsman.downstream";
    let filters = scene.all(Kind::HttpFilter).filter(|part| ours(&part.name));
    for filter in filters {
        let is_off = filter.value["disabled"] == true;
        let turned_on = scene.all(Kind::Route).any(|route| {
            let config = at(route.value, &["typed_per_filter_config", &filter.name]);
            config.is_object()
        });
        if is_off && !turned_on {
            findings.add(
                &filter.place,
                "never-on",
                "the filter is disabled, and no route turns it on: every request ends at the dead end",
                "set typed_per_filter_config of the route that asks models",
            );
        }
        if !is_off && matches!(scene.proxy, Proxy::Istio(_)) {
            findings.add(
                &filter.place,
                "always-on",
                "the filter is on for everything that the listener serves, not for the routes that \
                 ask models only",
                "set disabled: true, and typed_per_filter_config of the routes that ask models",
            );
        }
    }
    let asked: Vec<&str> = scene
        .all(Kind::HttpFilter)
        .filter(|part| part.value["config_discovery"].is_object() && ours(&part.name))
        .map(|part| part.name.as_str())
        .collect();
    for name in asked {
        let known = scene.all(Kind::Extension).any(|part| part.name == name);
        if !known && matches!(scene.proxy, Proxy::Istio(_)) {
            findings.add(
                &format!("filter {name}"),
                "undelivered",
                "the filter is asked for by name, and no EXTENSION_CONFIG gives it: the listener \
                 waits for it for ever",
                "add the EXTENSION_CONFIG for these proxies",
            );
        }
    }
    let types = scene.all(Kind::HttpFilter).filter(|p| ours(&p.name));
    for part in types {
        let urls: Vec<&str> = items(at(part.value, &["config_discovery", "type_urls"]))
            .map(text)
            .collect();
        let has_wasm = urls.iter().any(|url| url.ends_with("wasm.v3.Wasm"));
        if !urls.is_empty() && !has_wasm {
            findings.add(
                &part.place,
                "wrong-type",
                "type_urls does not have the filter's type: Envoy refuses it",
                "add type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            );
        }
    }
}
