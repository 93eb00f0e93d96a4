//! Istio's objects: the shipped examples, and what every rendering must hold to. `tests/istio`
//! holds them against Istio's schemas and real Envoys.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::PathBuf;

use pointsman::config::{Config, yaml};
use pointsman::render::istio::{
    self, GatewayTls, IstioVersion, KeySupply, Label, Module, Options, Refused, Variant,
};
use serde_json::{Value, json};

fn load(text: &str) -> (Config, String) {
    let (config, document, _warnings) = yaml::load(text).expect("an accepted document");
    (config, document.to_string())
}

fn options(variant: Variant, versions: &[&str]) -> Options {
    let (namespace, selector, port) = match variant {
        Variant::Gateway => ("llm-gateway", "istio=pointsman", 443),
        Variant::Sidecar => ("team-a", "pointsman=enabled", 4000),
    };
    Options {
        variant,
        versions: versions.iter().map(|v| v.parse().unwrap()).collect(),
        name: "pointsman".to_owned(),
        namespace: namespace.to_owned(),
        selector: selector.parse().unwrap(),
        host: format!("llm.{namespace}.svc.cluster.local"),
        port,
        tls: GatewayTls::Mutual,
        module: "/opt/pointsman/pointsman.wasm".parse().unwrap(),
        keys: KeySupply::Files,
        workload_image: None,
    }
}

fn objects(text: &str, options: &Options) -> Vec<Value> {
    let (config, document) = load(text);
    istio::objects(&config, &document, options).expect("objects")
}

/// All objects of a kind.
fn of_kind<'v>(objects: &'v [Value], kind: &str) -> Vec<&'v Value> {
    objects.iter().filter(|o| o["kind"] == kind).collect()
}

/// Every patch of every EnvoyFilter.
fn patches(objects: &[Value]) -> Vec<&Value> {
    let filters = of_kind(objects, "EnvoyFilter").into_iter();
    filters
        .flat_map(|filter| filter["spec"]["configPatches"].as_array().unwrap())
        .collect()
}

const TWO_ACCOUNTS: &str = "
version: 1
providers:
  openai: {key: {env: A}}
  open_ai: {kind: openai, key: {env: B}}
  local: {kind: openai_compatible, endpoint: \"http://10.1.2.3:8000/v1\"}
  vllm: {kind: openai_compatible, endpoint: \"http://vllm.models.svc.cluster.local/v1\"}
models:
  smart:
    candidates:
      - {provider: openai, model: a}
      - {provider: open_ai, model: a}
      - {provider: local, model: b}
      - {provider: vllm, model: c}
";

#[test]
fn the_shipped_examples_are_rendered_from_their_document() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/istio");
    let (config, document) = load(&fs::read_to_string(folder.join("pointsman.yaml")).unwrap());
    let image = "registry.example.com/pointsman:0.1.0";
    let gateway = Options {
        workload_image: Some(image.to_owned()),
        ..options(Variant::Gateway, &["1.30", "1.31"])
    };
    let sidecar = options(Variant::Sidecar, &["1.30", "1.31"]);
    let typed = "pointsman render istio pointsman.yaml";
    let shipped = [
        (
            "gateway/manifests.yaml",
            gateway,
            format!("--workload {image}"),
        ),
        (
            "sidecar/manifests.yaml",
            sidecar,
            "--variant sidecar --namespace team-a".to_owned(),
        ),
    ];
    let flags = format!("--variant sidecar --namespace team-a --pods {image}");
    let pods = istio::pods(&config, &shipped[1].1, image, &format!("{typed} {flags}"));
    for name in ["sidecar/workload/pods.yaml", "helm/files/pods.yaml"] {
        let file = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(pods == file, "{name} is stale: run `make examples`");
    }
    for (name, options, flags) in shipped {
        let command = format!("{typed} {flags}");
        let rendered = istio::render(&config, &document, &options, &command).unwrap();
        let file = folder.join(name);
        assert!(
            rendered == fs::read_to_string(&file).unwrap_or_default(),
            "{} is stale: run `make examples`",
            file.display()
        );
        let variant = name.split('/').next().unwrap();
        let in_chart = folder.join(format!("helm/files/{variant}.yaml"));
        let copy = fs::read_to_string(&in_chart).unwrap_or_default();
        assert!(
            rendered == copy,
            "{} is stale: run `make examples`",
            in_chart.display()
        );
    }
}

#[test]
fn two_accounts_of_one_host_have_a_cluster_each() {
    let objects = objects(TWO_ACCOUNTS, &options(Variant::Gateway, &["1.31"]));
    let rules = of_kind(&objects, "DestinationRule");
    let openai = rules
        .iter()
        .find(|rule| rule["spec"]["host"] == "api.openai.com")
        .unwrap();
    let subsets = openai["spec"]["subsets"].as_array().unwrap();
    let names: Vec<_> = subsets
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["open-ai", "openai"]);
    let merged: Vec<_> = patches(&objects)
        .into_iter()
        .filter(|p| p["applyTo"] == "CLUSTER" && p["patch"]["operation"] == "MERGE")
        .collect();
    let keys: Vec<_> = merged
        .iter()
        .filter(|p| p["match"]["cluster"]["service"] == "api.openai.com")
        .map(|p| {
            (
                p["match"]["cluster"]["subset"].as_str().unwrap(),
                p.to_string(),
            )
        })
        .collect();
    assert_eq!(keys.len(), 2);
    for (subset, patch) in keys {
        assert_eq!(
            patch.contains("\"key.openai\""),
            subset == "openai",
            "{subset}"
        );
        assert_eq!(
            patch.contains("\"key.open_ai\""),
            subset == "open-ai",
            "{subset}"
        );
    }
}

#[test]
fn every_cluster_of_the_candidate_map_has_the_filter_and_says_who_it_is() {
    let objects = objects(TWO_ACCOUNTS, &options(Variant::Gateway, &["1.31"]));
    let patches = patches(&objects);
    let known: Vec<String> = patches
        .iter()
        .filter(|p| p["applyTo"] == "CLUSTER")
        .filter(|p| {
            let value = p["patch"]["value"].to_string();
            value.contains("pointsman.upstream") && value.contains("\"pointsman\":{\"cluster\":")
        })
        .map(|p| match p["patch"]["value"]["name"].as_str() {
            Some(name) => name.to_owned(),
            None => {
                let found = &p["match"]["cluster"];
                let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
                let (port, host) = (&found["portNumber"], text("service"));
                format!("outbound|{port}|{}|{host}", text("subset"))
            }
        })
        .collect();
    let routes = patches
        .iter()
        .find(|p| p["applyTo"] == "HTTP_ROUTE")
        .unwrap();
    let matcher =
        &routes["patch"]["value"]["route"]["inline_cluster_specifier_plugin"]["extension"];
    let matcher = &matcher["typed_config"]["cluster_matcher"];
    let map = matcher["matcher_tree"]["exact_match_map"]["map"]
        .as_object()
        .unwrap();
    assert_eq!(map.len(), 8);
    for (name, to) in map {
        let cluster = to["action"]["typed_config"]["cluster"].as_str().unwrap();
        assert!(
            known.iter().any(|k| k == cluster),
            "{name}: {cluster} of {known:?}"
        );
    }
    assert_eq!(matcher["on_no_match"]["action"]["name"], "dead-end");
}

#[test]
fn the_mesh_is_not_told_of_its_own_services_and_an_address_gets_a_name() {
    let objects = objects(TWO_ACCOUNTS, &options(Variant::Gateway, &["1.31"]));
    let hosts: Vec<&Value> = of_kind(&objects, "ServiceEntry")
        .iter()
        .map(|entry| &entry["spec"]["hosts"][0])
        .collect();
    assert_eq!(
        hosts,
        [
            "local.pointsman.internal",
            "api.openai.com",
            "dead-end.pointsman.internal"
        ]
    );
}

#[test]
fn a_candidate_that_is_last_is_asked_even_when_it_is_ejected() {
    let objects = objects(TWO_ACCOUNTS, &options(Variant::Gateway, &["1.31"]));
    let rules = of_kind(&objects, "DestinationRule");
    // One is for the clients, not for a provider.
    for rule in rules.iter().filter(|r| r["spec"]["subsets"].is_array()) {
        for subset in rule["spec"]["subsets"].as_array().unwrap() {
            // Istio's 0 is Envoy's "never panic".
            let outliers = &subset["trafficPolicy"]["outlierDetection"];
            assert_eq!(outliers["minHealthPercent"], 50, "{rule}");
        }
    }
}

#[test]
fn clients_of_a_gateway_come_with_the_meshs_certificates() {
    let rule = |options: Options| {
        let objects = objects(TWO_ACCOUNTS, &options);
        let mut rules = of_kind(&objects, "DestinationRule").into_iter();
        let host = json!(options.host);
        let rule = rules.find(|rule| rule["spec"]["host"] == host);
        rule.map(|rule| rule["spec"]["trafficPolicy"]["tls"]["mode"].clone())
    };
    let mutual = Options {
        tls: GatewayTls::Mutual,
        ..options(Variant::Gateway, &["1.31"])
    };
    let plain = Options {
        tls: GatewayTls::Plain,
        ..mutual.clone()
    };
    assert_eq!(rule(mutual), Some(json!("ISTIO_MUTUAL")));
    assert_eq!(rule(plain), None);
    assert_eq!(rule(options(Variant::Sidecar, &["1.31"])), None);
}

#[test]
fn tls_is_said_in_full() {
    let objects = objects(TWO_ACCOUNTS, &options(Variant::Sidecar, &["1.31"]));
    let rules = of_kind(&objects, "DestinationRule");
    let openai = rules
        .iter()
        .find(|r| r["spec"]["host"] == "api.openai.com")
        .unwrap();
    let tls = &openai["spec"]["subsets"][0]["trafficPolicy"]["tls"];
    assert_eq!(tls["sni"], "api.openai.com");
    assert_eq!(tls["subjectAltNames"][0], "api.openai.com");
}

#[test]
fn every_patch_is_for_the_proxies_that_can_use_it() {
    for (versions, gates) in [
        (
            &["1.30", "1.31"][..],
            &["^1\\.(3[1-9]|[4-9][0-9])[.-].*", "^1\\.(30)[.-].*"][..],
        ),
        (&["1.31"], &["^1\\.(3[1-9]|[4-9][0-9])[.-].*"]),
        (&["1.32"], &["^1\\.(3[2-9]|[4-9][0-9])[.-].*"]),
        (&["1.30", "1.29"], &["^1\\.(29|30)[.-].*"]),
    ] {
        let objects = objects(TWO_ACCOUNTS, &options(Variant::Gateway, versions));
        for patch in patches(&objects) {
            let gate = patch["match"]["proxy"]["proxyVersion"].as_str().unwrap();
            assert!(gates.contains(&gate), "{gate}");
            let text = patch.to_string();
            let is_old = !gate.contains("-9]");
            assert!(
                !is_old || !text.contains("refresh_cluster_on_retry"),
                "{text}"
            );
            assert!(is_old || !text.contains("previous_priorities"), "{text}");
        }
    }
}

#[test]
fn a_module_that_agents_fetch_is_for_newer_proxies_only() {
    let sum = "a".repeat(64);
    let (config, document) = load(TWO_ACCOUNTS);
    for module in [
        format!("oci://registry.example.com/pointsman@sha256:{sum}"),
        format!("https://example.com/pointsman.wasm@sha256:{sum}"),
    ] {
        let remote = |versions| Options {
            module: module.parse().unwrap(),
            ..options(Variant::Gateway, versions)
        };
        let refused = istio::objects(&config, &document, &remote(&["1.30", "1.31"]));
        let oldest: IstioVersion = "1.30".parse().unwrap();
        assert_eq!(refused.unwrap_err(), Refused::RemoteModule(oldest));
        let objects = istio::objects(&config, &document, &remote(&["1.31"])).unwrap();
        assert!(
            of_kind(&objects, "EnvoyFilter")[0]
                .to_string()
                .contains(&sum)
        );
    }
}

#[test]
fn what_is_typed_wrong_is_refused() {
    for text in ["1.28", "2.31", "latest", "1.", "1.100"] {
        assert!(text.parse::<IstioVersion>().is_err(), "{text}");
    }
    for text in ["1.31", "1.30.4", "v1.29.7", "1.32-alpha"] {
        assert!(text.parse::<IstioVersion>().is_ok(), "{text}");
    }
    for text in [
        "pointsman.wasm",
        "oci://image:tag",
        "https://host/p.wasm@sha256:12",
    ] {
        assert!(text.parse::<Module>().is_err(), "{text}");
    }
    assert!("pointsman".parse::<Label>().is_err());
    let slip = "mutal".parse::<GatewayTls>().unwrap_err();
    assert!(slip.ends_with("did you mean \"mutual\"?"), "{slip}");
    let secret = "llm-certificate".parse();
    assert_eq!(
        secret,
        Ok(GatewayTls::Credential("llm-certificate".to_owned()))
    );
}

#[test]
fn the_rate_limit_filter_stands_right_after_ours_and_only_on_our_routes() {
    let text = format!(
        "{TWO_ACCOUNTS}rate_limit_service: {{endpoint: \"http://h:1\"}}\n\
         budgets: [{{name: b, scope: fleet, tokens: 9, per: day}}]\n"
    );
    for variant in [Variant::Gateway, Variant::Sidecar] {
        let objects = objects(&text, &options(variant, &["1.30", "1.31"]));
        let filters = values(&objects, "HTTP_FILTER");
        let names: Vec<_> = filters.iter().map(|filter| &filter["name"]).collect();
        assert_eq!(
            names,
            ["pointsman.downstream", "pointsman.ratelimit"].repeat(2)
        );
        assert!(filters.iter().all(|filter| filter["disabled"] == true));
        let limits = values(&objects, "HTTP_ROUTE")
            .into_iter()
            .map(|route| &route["typed_per_filter_config"]["pointsman.ratelimit"]["rate_limits"]);
        assert_eq!(limits.filter(|limits| limits.is_array()).count(), 2);
        let clusters = values(&objects, "CLUSTER");
        assert_eq!(named(&clusters, "pointsman.ratelimit").len(), 2);
    }
}

/// The values of all patches of a kind.
fn values<'v>(objects: &'v [Value], kind: &str) -> Vec<&'v Value> {
    let all = patches(objects)
        .into_iter()
        .filter(|p| p["applyTo"] == kind);
    all.map(|patch| &patch["patch"]["value"]).collect()
}

fn named<'v>(values: &[&'v Value], name: &str) -> Vec<&'v Value> {
    let all = values.iter().filter(|value| value["name"] == name);
    all.copied().collect()
}

fn refused(text: &str, options: &Options) -> String {
    let (config, document) = load(text);
    match istio::objects(&config, &document, options) {
        Err(Refused::Unable(reasons)) => reasons.join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn classifiers_get_a_listener_inside_of_the_proxy_and_keys_by_files() {
    let text = format!(
        "{TWO_ACCOUNTS}classifiers:\n  \
         kind: {{model: smart, instruction: i, classes: [a, b]}}\n  \
         risk: {{webhook: {{url: \"https://r.internal/c\", key: {{env: RISK}}}}, classes: [a, b]}}\n"
    );
    for variant in [Variant::Gateway, Variant::Sidecar] {
        let objects = objects(&text, &options(variant, &["1.30", "1.31"]));
        let listeners = values(&objects, "LISTENER");
        let inner = named(&listeners, "pointsman.inner");
        assert_eq!(inner.len(), 2, "for each way of going on");
        assert!(inner.iter().all(|l| l["internal_listener"].is_object()));
        let per_attempt = inner[0].to_string();
        assert!(per_attempt.contains("|openai|api.openai.com"));
        assert!(per_attempt.contains("\"timeout\":\"0s\""), "{per_attempt}");
        assert!(inner[1].to_string().contains("cluster_header"));
        let clusters = values(&objects, "CLUSTER");
        assert_eq!(named(&clusters, "pointsman.inner").len(), 2);
        let extensions = values(&objects, "EXTENSION_CONFIG");
        assert_eq!(named(&extensions, "pointsman.inner").len(), 2);
        let files = &of_kind(&objects, "ConfigMap")[0]["data"];
        let files = files.as_object().unwrap().iter();
        let risk: Vec<_> = files.filter(|(name, _)| name.contains("risk")).collect();
        let [(name, file)] = risk[..] else {
            panic!("{risk:?}")
        };
        let said = file.as_str().unwrap();
        assert!(
            said.contains("filename: /etc/pointsman/keys/RISK"),
            "{said}"
        );
        let hook = name.trim_end_matches(".yaml");
        let hook = named(&clusters, hook)[0].to_string();
        assert!(
            hook.contains(&format!("/etc/pointsman/sds/{name}")),
            "{hook}"
        );
    }
}

#[test]
fn the_state_page_has_a_listener_of_its_own_on_a_port_that_is_free() {
    let of = |port: u16| format!("{TWO_ACCOUNTS}envoy: {{state_port: {port}}}\n");
    let gateway = options(Variant::Gateway, &["1.31"]);
    let objects = objects(&of(9902), &gateway);
    let listeners = values(&objects, "LISTENER");
    let [page] = named(&listeners, "pointsman-state")[..] else {
        panic!("{listeners:?}")
    };
    let address = &page["address"]["socket_address"];
    assert_eq!(
        address,
        &json!({ "address": "127.0.0.1", "port_value": 9902 })
    );
    assert_eq!(
        named(&values(&objects, "EXTENSION_CONFIG"), "pointsman.state").len(),
        1
    );
    for taken in [443, 15_021] {
        let reason = refused(&of(taken), &gateway);
        assert!(
            reason.contains(&format!("envoy.state_port: found {taken}")),
            "{reason}"
        );
    }
}

#[test]
fn tokens_of_the_metadata_server_are_for_newer_proxies_and_our_routes_only() {
    let text = "
version: 1
providers: {google: {kind: vertex_gemini, gcp: {project: p, location: global}}}
models: {smart: {candidates: [{provider: google, model: gemini-3-pro-preview}]}}
";
    let reason = refused(text, &options(Variant::Gateway, &["1.31", "1.32"]));
    assert!(reason.contains("providers.google.gcp"), "{reason}");
    for variant in [Variant::Gateway, Variant::Sidecar] {
        let objects = objects(text, &options(variant, &["1.32"]));
        let filters = values(&objects, "HTTP_FILTER");
        let [fetches] = named(&filters, "google.metadata")[..] else {
            panic!("{filters:?}")
        };
        assert_eq!(fetches["disabled"], true);
        let routes = values(&objects, "HTTP_ROUTE");
        let on = |route: &&Value| route["typed_per_filter_config"]["google.metadata"].is_object();
        assert_eq!(
            routes.iter().copied().map(|r| on(&r)).collect::<Vec<_>>(),
            [true, false]
        );
        assert_eq!(
            named(&values(&objects, "CLUSTER"), "google.metadata").len(),
            1
        );
    }
}
