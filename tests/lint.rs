//! What `pointsman lint` finds, and that it is silent on what is right.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pointsman::lint::lint;
use pointsman::render::from_yaml;
use serde_json::{Value, json};

fn example(path: &str) -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(path);
    from_yaml(&fs::read_to_string(file).expect("an example")).expect("YAML")
}

fn codes(objects: &[Value]) -> Vec<&'static str> {
    lint(objects).into_iter().map(|f| f.code).collect()
}

/// Every file below `folder`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn it_is_silent_on_everything_that_is_shipped() {
    let mut shipped = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"),
        &mut shipped,
    );
    let mut count = 0;
    for file in shipped {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let is_yaml = file.extension().is_some_and(|e| e == "yaml");
        if is_yaml && text.contains("pointsman.upstream") {
            count += 1;
            let objects = from_yaml(&text).unwrap();
            assert_eq!(lint(&objects), [], "{}", file.display());
        }
    }
    assert!(count >= 8, "{count}");
}

/// The first object for which this holds, anywhere in the tree.
fn find<'v>(tree: &'v mut Value, test: &dyn Fn(&Value) -> bool) -> Option<&'v mut Value> {
    if test(tree) {
        return Some(tree);
    }
    match tree {
        Value::Object(fields) => fields.values_mut().find_map(|value| find(value, test)),
        Value::Array(items) => items.iter_mut().find_map(|value| find(value, test)),
        _ => None,
    }
}

/// The first object that has this field.
fn with<'v>(objects: &'v mut [Value], field: &str) -> &'v mut Value {
    let mut found = objects.iter_mut();
    found
        .find_map(|object| find(object, &|value| value.get(field).is_some()))
        .unwrap_or_else(|| panic!("no {field}"))
}

/// The first object whose field has this value.
fn where_is<'v>(objects: &'v mut [Value], field: &str, is: &str) -> &'v mut Value {
    let mut found = objects.iter_mut();
    found
        .find_map(|object| find(object, &|value| value[field] == is))
        .unwrap_or_else(|| panic!("no {field}: {is}"))
}

fn take(value: &mut Value, field: &str) {
    value.as_object_mut().expect("an object").remove(field);
}

/// The patch whose value has this name.
fn patch<'v>(objects: &'v mut [Value], name: &str) -> &'v mut Value {
    let mut found = objects.iter_mut();
    found
        .find_map(|object| find(object, &|v| v["patch"]["value"]["name"] == name))
        .unwrap_or_else(|| panic!("no patch of {name}"))
}

const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

fn remove_from(list: &mut Value, test: &dyn Fn(&Value) -> bool) {
    list.as_array_mut()
        .expect("a list")
        .retain(|item| !test(item));
}

type Mistake = (&'static str, fn(&mut Vec<Value>));

/// One mistake each in the gateway's manifests, and what it is called.
const IN_MANIFESTS: &[Mistake] = &[
    ("no-stop-iteration", |o| {
        take(
            with(o, "allow_on_headers_stop_iteration"),
            "allow_on_headers_stop_iteration",
        );
    }),
    ("fails-open", |o| {
        with(o, "failure_policy")["failure_policy"] = json!("FAIL_OPEN")
    }),
    ("never-reloaded", |o| {
        take(with(o, "failure_policy"), "failure_policy")
    }),
    ("values-in-view", |o| {
        with(o, "vm_config")["vm_config"]["environment_variables"] =
            json!({ "key_values": { "A": "b" } });
    }),
    ("machines-differ", |o| {
        with(o, "vm_config")["vm_config"]["vm_id"] = json!("other")
    }),
    ("unreadable-configuration", |o| {
        with(o, "root_id")["configuration"]["value"] = json!("{\"role\": \"downstream\"}");
    }),
    ("refused-configuration", |o| {
        let value = &mut with(o, "root_id")["configuration"]["value"];
        *value = json!(value.as_str().unwrap().replace("anthropic", "nobody"));
    }),
    ("never-delivered", |o| {
        patch(o, "pointsman.downstream")["patch"]["value"]["name"] = json!("pointsman.lost")
    }),
    ("role-misnamed", |o| {
        with(o, "root_id")["root_id"] = json!("pointsman.upstream")
    }),
    ("remote-module", |o| {
        for object in o.iter_mut() {
            while let Some(code) = find(object, &|v| v["local"]["filename"].is_string()) {
                *code = json!({ "remote": { "sha256": "0".repeat(64) } });
            }
        }
    }),
    ("unchecked-module", |o| {
        with(o, "code")["code"] = json!({ "remote": { "http_uri": { "uri": "oci://x" } } });
    }),
    ("no-refresh", |o| {
        take(
            with(o, "refresh_cluster_on_retry"),
            "refresh_cluster_on_retry",
        )
    }),
    ("no-priority", |o| {
        take(with(o, "retry_priority"), "retry_priority")
    }),
    ("no-escalation", |o| {
        take(with(o, "retriable_headers"), "retriable_headers")
    }),
    ("no-failover", |o| {
        take(with(o, "retriable_status_codes"), "retriable_status_codes")
    }),
    ("stops-at-connecting", |o| {
        with(o, "retry_on")["retry_on"] = json!("retriable-headers,retriable-status-codes");
    }),
    ("slow-retries", |o| {
        take(with(o, "retry_back_off"), "retry_back_off")
    }),
    ("hedging", |o| {
        with(o, "retry_policy")["hedge_policy"] = json!({ "hedge_on_per_try_timeout": true });
    }),
    ("gate-too-wide", |o| {
        let route = where_is(o, "applyTo", "HTTP_ROUTE");
        route["match"]["proxy"]["proxyVersion"] = json!("^1\\..*");
    }),
    ("no-gate", |o| {
        take(&mut where_is(o, "applyTo", "HTTP_FILTER")["match"], "proxy")
    }),
    ("topology-too-new", |o| {
        let module = where_is(o, "applyTo", "EXTENSION_CONFIG");
        module["match"]["proxy"]["proxyVersion"] = json!("^1\\.30.*");
    }),
    ("cluster-without-filter", |o| {
        let options = &mut patch(o, "via-openai")["patch"]["value"];
        let filters = &mut options["typed_extension_protocol_options"][OPTIONS]["http_filters"];
        remove_from(filters, &|f| f["name"] == "pointsman.upstream");
    }),
    ("cluster-missing", |o| {
        patch(o, "via-openai")["patch"]["value"]["name"] = json!("via-other")
    }),
    ("nameless-cluster", |o| {
        take(&mut patch(o, "via-openai")["patch"]["value"], "metadata")
    }),
    ("no-default", |o| {
        take(with(o, "on_no_match"), "on_no_match")
    }),
    ("keys-too-late", |o| {
        let filters = with(o, "http_filters")["http_filters"]
            .as_array_mut()
            .unwrap();
        filters.swap(0, 1);
    }),
    ("key-in-the-open", |o| {
        where_is(o, "header", "x-pointsman-key-openai")["header"] = json!("authorization");
    }),
    ("no-codec", |o| {
        with(o, "http_filters")["http_filters"]
            .as_array_mut()
            .unwrap()
            .pop();
    }),
    ("no-protocol", |o| {
        take(with(o, "explicit_http_config"), "explicit_http_config")
    }),
    ("few-retries", |o| {
        patch(o, "via-openai")["patch"]["value"]["circuit_breakers"] = json!({});
    }),
    ("rbac-upstream", |o| {
        let chain = patch(o, "chain.openai");
        find(chain, &|v| v["type_urls"].is_array()).unwrap()["type_urls"] =
            json!(["type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"]);
    }),
    ("small-buffers", |o| {
        let field = "per_connection_buffer_limit_bytes";
        with(o, field)[field] = json!(1_048_576);
    }),
    ("never-on", |o| {
        for object in o.iter_mut() {
            while let Some(v) = find(object, &|v| v.get("typed_per_filter_config").is_some()) {
                take(v, "typed_per_filter_config");
            }
        }
    }),
    ("always-on", |o| take(with(o, "disabled"), "disabled")),
    ("undelivered", |o| {
        let module = where_is(o, "applyTo", "EXTENSION_CONFIG");
        module["patch"]["value"]["name"] = json!("pointsman.other");
    }),
    ("wrong-type", |o| {
        with(o, "type_urls")["type_urls"] = json!(["type.googleapis.com/envoy.Lua"]);
    }),
    ("no-sni", |o| take(with(o, "sni"), "sni")),
    ("no-names", |o| {
        take(with(o, "subjectAltNames"), "subjectAltNames")
    }),
    ("unverified", |o| {
        with(o, "sni")["insecureSkipVerify"] = json!(true)
    }),
    ("never-panics", |o| {
        take(with(o, "minHealthPercent"), "minHealthPercent")
    }),
    ("no-effect", |o| {
        with(o, "http1MaxPendingRequests")["idleTimeout"] = json!("5s")
    }),
    ("retry-word", |o| {
        with(o, "retryOn")["retryOn"] = json!("reset,529")
    }),
    ("straight-to-a-provider", |o| {
        with(o, "destination")["destination"]["host"] = json!("api.openai.com");
    }),
    ("seen-everywhere", |o| {
        take(&mut where_is(o, "kind", "ServiceEntry")["spec"], "exportTo")
    }),
    ("wrong-object", |o| {
        o.push(json!({
            "kind": "WasmPlugin",
            "metadata": { "name": "x" },
            "spec": { "url": "oci://registry.example.com/pointsman" },
        }));
    }),
    ("key-in-an-object", |o| {
        where_is(o, "kind", "ConfigMap")["data"]["key"] = json!("sk-proj-0123456789abcdefghijkl");
    }),
];

#[test]
fn each_mistake_in_manifests_is_found() {
    for (code, plant) in IN_MANIFESTS {
        let mut objects = example("istio/gateway/manifests.yaml");
        plant(&mut objects);
        let found = codes(&objects);
        assert!(found.contains(code), "{code}: found {found:?}");
    }
    let known: BTreeSet<_> = IN_MANIFESTS.iter().map(|(code, _)| code).collect();
    assert_eq!(known.len(), IN_MANIFESTS.len());
}

/// One mistake each in an Envoy's bootstrap.
const IN_BOOTSTRAPS: &[Mistake] = &[
    ("no-stop-iteration", |o| {
        take(
            with(o, "allow_on_headers_stop_iteration"),
            "allow_on_headers_stop_iteration",
        );
    }),
    ("no-refresh", |o| {
        take(
            with(o, "refresh_cluster_on_retry"),
            "refresh_cluster_on_retry",
        )
    }),
    ("short-timeout", |o| {
        take(with(o, "retry_policy"), "timeout")
    }),
    ("no-sni", |o| take(with(o, "sni"), "sni")),
    ("no-names", |o| {
        let field = "match_typed_subject_alt_names";
        take(with(o, field), field);
    }),
    ("few-retries", |o| {
        take(with(o, "max_retries"), "max_retries")
    }),
    ("never-panics", |o| {
        with(o, "outlier_detection")["common_lb_config"] =
            json!({ "healthy_panic_threshold": { "value": 0 } });
    }),
    ("small-buffers", |o| {
        let field = "per_connection_buffer_limit_bytes";
        take(with(o, field), field);
    }),
    ("cluster-without-filter", |o| {
        let is_openai = |v: &Value| v["name"] == "openai" && v["load_assignment"].is_object();
        let cluster = find(&mut o[0], &is_openai).unwrap();
        take(cluster, "typed_extension_protocol_options");
    }),
    ("role-missing", |o| {
        let filters = &mut with(o, "stat_prefix")["http_filters"];
        remove_from(filters, &|f| f["name"] == "envoy.filters.http.wasm");
    }),
    ("topologies-differ", |o| {
        let value = &mut with(o, "root_id")["configuration"]["value"];
        *value = json!(
            value
                .as_str()
                .unwrap()
                .replace("per_attempt", "static_chain")
        );
    }),
];

#[test]
fn each_mistake_in_a_bootstrap_is_found() {
    for (code, plant) in IN_BOOTSTRAPS {
        let mut objects = example("quickstart/envoy.yaml");
        plant(&mut objects);
        let found = codes(&objects);
        assert!(found.contains(code), "{code}: found {found:?}");
    }
}

#[test]
fn a_dump_of_a_running_envoy_is_read_like_its_bootstrap() {
    let bootstrap = example("quickstart/envoy.yaml").remove(0);
    let dump = |bootstrap: Value| {
        let kind = "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump";
        vec![json!({ "configs": [{ "@type": kind, "bootstrap": bootstrap }] })]
    };
    assert_eq!(codes(&dump(bootstrap.clone())), Vec::<&str>::new());
    let mut wrong = vec![bootstrap];
    take(with(&mut wrong, "sni"), "sni");
    assert_eq!(codes(&dump(wrong.remove(0))), ["no-sni"]);
}

#[test]
fn a_listener_that_is_on_its_way_out_is_no_mistake() {
    let listener = |refreshes: bool| {
        let mut objects = example("quickstart/envoy.yaml");
        if !refreshes {
            take(
                with(&mut objects, "refresh_cluster_on_retry"),
                "refresh_cluster_on_retry",
            );
        }
        let mut listener = objects[0]["static_resources"]["listeners"][0].take();
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
        json!({ "listener": listener })
    };
    let dump = |active, draining| {
        let kind = "type.googleapis.com/envoy.admin.v3.ListenersConfigDump";
        let states =
            json!({ "active_state": listener(active), "draining_state": listener(draining) });
        vec![json!({ "configs": [{ "@type": kind, "dynamic_listeners": [states] }] })]
    };
    assert!(codes(&dump(false, true)).contains(&"no-refresh"));
    assert!(!codes(&dump(true, false)).contains(&"no-refresh"));
}

#[test]
fn what_kubectl_lists_is_read_like_files() {
    let mut objects = example("istio/gateway/manifests.yaml");
    take(with(&mut objects, "sni"), "sni");
    let list = vec![json!({ "apiVersion": "v1", "kind": "List", "items": objects })];
    assert_eq!(codes(&list), ["no-sni"]);
}

#[test]
fn every_finding_has_a_cause_and_a_cure() {
    let mut objects = example("istio/gateway/manifests.yaml");
    for (_, plant) in IN_MANIFESTS.iter().take(12) {
        plant(&mut objects);
    }
    let findings = lint(&objects);
    assert!(findings.len() >= 8);
    for finding in findings {
        assert!(
            !finding.cause.is_empty() && !finding.cure.is_empty(),
            "{finding:?}"
        );
        assert!(finding.place.contains(' '), "{finding:?}");
    }
}
