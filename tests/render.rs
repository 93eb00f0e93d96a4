//! What is rendered: the shipped examples, and what every rendering must hold to.

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
use pointsman::render::envoy::{self, EnvoyVersion};
use pointsman::render::{LimitsFormat, limits};
use serde_json::Value;

const VERSIONS: [(&str, &str); 2] = [("1.40", "envoy.yaml"), ("1.38", "envoy-1.38.yaml")];

fn examples() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("pointsman.yaml").exists())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no examples");
    found
}

fn load(text: &str) -> (Config, String) {
    let (config, document, warnings) = yaml::load(text).expect("an accepted document");
    assert!(warnings.is_empty(), "{warnings:?}");
    (config, document.to_string())
}

fn version(text: &str) -> EnvoyVersion {
    text.parse().expect("a version")
}

fn bootstrap(text: &str, envoy: &str) -> Value {
    let (config, document) = load(text);
    envoy::bootstrap(&config, &document, version(envoy)).expect("a bootstrap")
}

fn clusters(bootstrap: &Value) -> &Vec<Value> {
    bootstrap["static_resources"]["clusters"]
        .as_array()
        .expect("clusters")
}

fn filter_names(cluster: &Value) -> Vec<String> {
    let options = &cluster["typed_extension_protocol_options"];
    let options = &options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    let filters = options["http_filters"].as_array().into_iter().flatten();
    filters
        .map(|f| f["name"].as_str().unwrap().to_owned())
        .collect()
}

const THREE: &str = "
version: 1
providers:
  openai: {key: {env: A}}
  anthropic: {key: {env: B}}
  gemini: {key: {file: /keys/gemini}}
models:
  smart:
    candidates:
      - {provider: openai, model: a}
      - {provider: anthropic, model: b}
      - {provider: openai, model: c}
  other: {candidates: [{provider: gemini, model: d}]}
";

#[test]
fn the_shipped_examples_are_rendered_from_their_documents() {
    for example in examples() {
        let (config, document) = load(&fs::read_to_string(example.join("pointsman.yaml")).unwrap());
        for (envoy, name) in VERSIONS {
            let rendered = envoy::render(&config, &document, version(envoy)).unwrap();
            let file = example.join(name);
            let shipped = fs::read_to_string(&file).unwrap_or_default();
            assert!(
                rendered == shipped,
                "{} is stale: run `make examples`",
                file.display()
            );
        }
    }
}

#[test]
fn the_shipped_limits_are_rendered_from_their_document() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let (config, _) = load(&read("pointsman.yaml"));
    for (format, name) in [
        (LimitsFormat::Envoy, "limits.yaml"),
        (LimitsFormat::Limitador, "limits-limitador.yaml"),
    ] {
        let rendered = limits(&config, format).expect("limits");
        assert!(
            rendered == read(name),
            "{name} is stale: run `make examples`"
        );
    }
}

#[test]
fn only_budgets_of_the_fleet_bring_the_rate_limit_filter() {
    let budget = |scope: &str| {
        let budget = format!("budgets: [{{name: b, scope: {scope}, tokens: 9, per: day}}]");
        let service = "rate_limit_service: {endpoint: \"http://h:1\", counts_refused: false}";
        format!("{THREE}{service}\n{budget}\n")
    };
    let named = |bootstrap: &Value| bootstrap.to_string().matches("pointsman.ratelimit").count();
    for (envoy, _) in VERSIONS {
        let (config, document, _) = yaml::load(&budget("proxy")).expect("an accepted document");
        let without = envoy::bootstrap(&config, &document.to_string(), version(envoy)).unwrap();
        assert_eq!(named(&without), 0);
        let with = bootstrap(&budget("fleet"), envoy);
        // The filter and its service, what it asks for, the cluster and its load assignment.
        assert_eq!(named(&with), 5, "{with}");
        assert_eq!(with.to_string().matches("is_negative_hits").count(), 1);
    }
    let (config, _) = load(&budget("fleet"));
    let reasons = envoy::unable(&config, version("1.37"));
    assert!(
        reasons[0].starts_with("rate_limit_service.negative_hits: found true"),
        "{reasons:?}"
    );
}

#[test]
fn every_cluster_that_a_route_can_reach_carries_the_filter() {
    let per_attempt = bootstrap(THREE, "1.40");
    for cluster in clusters(&per_attempt)
        .iter()
        .filter(|c| c["name"] != "dead-end")
    {
        assert!(
            filter_names(cluster).contains(&"envoy.filters.http.wasm".to_owned()),
            "{cluster}"
        );
    }
    let chains = bootstrap(THREE, "1.38");
    let aggregates = clusters(&chains)
        .iter()
        .filter(|c| c["cluster_type"].is_object());
    let mut count = 0;
    for cluster in aggregates {
        count += 1;
        assert!(
            filter_names(cluster).contains(&"envoy.filters.http.wasm".to_owned()),
            "{cluster}"
        );
    }
    assert!(count > 0);
}

#[test]
fn a_cluster_of_one_provider_holds_no_other_key() {
    let bootstrap = bootstrap(THREE, "1.40");
    for cluster in clusters(&bootstrap) {
        let name = cluster["name"].as_str().unwrap();
        let provider = name.strip_prefix("via-").unwrap_or(name);
        let keys: Vec<String> = filter_names(cluster)
            .into_iter()
            .filter(|f| f.starts_with("key."))
            .collect();
        let expected: &[String] = if name == "dead-end" {
            &[]
        } else {
            &[format!("key.{provider}")]
        };
        assert_eq!(keys, expected, "{name}");
    }
}

#[test]
fn tls_names_the_host_and_checks_its_certificate() {
    let bootstrap = bootstrap(THREE, "1.40");
    let openai = clusters(&bootstrap)
        .iter()
        .find(|c| c["name"] == "openai")
        .unwrap();
    let context = &openai["transport_socket"]["typed_config"];
    assert_eq!(context["sni"], "api.openai.com");
    let validation = &context["common_tls_context"]["validation_context"];
    let names = &validation["match_typed_subject_alt_names"];
    assert_eq!(names[0]["matcher"]["exact"], "api.openai.com");
    assert!(validation["trusted_ca"]["filename"].is_string());
}

#[test]
fn where_keys_are_is_written_and_keys_are_not() {
    let bootstrap = bootstrap(THREE, "1.40");
    let secrets = bootstrap["static_resources"]["secrets"].to_string();
    assert!(
        secrets.contains(r#"{"environment_variable":"A"}"#),
        "{secrets}"
    );
    assert!(
        secrets.contains(r#"{"filename":"/keys/gemini"}"#),
        "{secrets}"
    );
}

#[test]
fn envoy_is_never_told_to_hedge() {
    for envoy in ["1.40", "1.38"] {
        assert!(
            !bootstrap(THREE, envoy).to_string().contains("hedge"),
            "{envoy}"
        );
    }
}

#[test]
fn a_static_chain_exists_for_every_subset_and_whoever_must_come_last() {
    let bootstrap = bootstrap(THREE, "1.38");
    let mut names: Vec<&str> = clusters(&bootstrap)
        .iter()
        .filter_map(|c| c["name"].as_str())
        .filter(|name| name.starts_with("chain."))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "chain.anthropic",
            "chain.anthropic.openai",
            "chain.anthropic.openai.openai~2",
            "chain.gemini",
            "chain.openai",
            "chain.openai.anthropic",
            "chain.openai.anthropic.openai~2",
            "chain.openai.openai~2",
            "chain.openai.openai~2.anthropic",
        ]
    );
}

#[test]
fn too_many_static_chains_are_refused_with_their_number() {
    let candidates: String = (0..5)
        .map(|i| format!("      - {{provider: p{i}, model: m}}\n"))
        .collect();
    let providers: String = (0..5)
        .map(|i| format!("  p{i}: {{kind: openai_compatible, endpoint: \"http://h{i}/v1\"}}\n"))
        .collect();
    let text = format!(
        "version: 1\nproviders:\n{providers}models:\n  m:\n    policy: weighted\n    candidates:\n{candidates}"
    );
    let (config, document) = load(&text);
    let error = envoy::bootstrap(&config, &document, version("1.38")).unwrap_err();
    // Every order of every subset of five: 5 + 20 + 60 + 120 + 120.
    assert_eq!(error.needed, 325);
    assert!(envoy::bootstrap(&config, &document, version("1.40")).is_ok());
}

#[test]
fn an_envoy_that_is_too_old_is_refused() {
    for text in ["1.36", "2.0", "latest", "1.", ""] {
        assert!(text.parse::<EnvoyVersion>().is_err(), "{text}");
    }
    for text in ["1.37", "1.40.0", "v1.39.3"] {
        assert!(text.parse::<EnvoyVersion>().is_ok(), "{text}");
    }
}

#[test]
fn every_path_that_clients_may_ask_has_the_models_route() {
    let document = format!("base_path: /v1.0\n{THREE}");
    for envoy in ["1.40", "1.38"] {
        let regexes = regexes(&bootstrap(&document, envoy));
        let start = "/v1\\.0(/chat/completions|/embeddings|(/v1|/v2)?/rerank|";
        assert!(regexes[0].starts_with(start), "{envoy}: {regexes:?}");
        let all = regexes.join("\n");
        for path in ["/responses", "/messages", "/completions", "/audio/speech"] {
            assert!(all.contains(path), "{envoy}: {path} in {all}");
        }
        // Cohere's clients write a version of their own beside OpenAI's.
        let regexes = self::regexes(&bootstrap(THREE, envoy));
        assert_eq!(
            regexes.last().map(String::as_str),
            Some("((/v1|/v2)/rerank)")
        );
        // Envoy refuses longer programs.
        assert!(
            regexes.iter().all(|regex| regex.len() <= 100),
            "{regexes:?}"
        );
    }
}

/// The regular expressions of all routes.
fn regexes(bootstrap: &Value) -> Vec<String> {
    match bootstrap {
        Value::Object(object) => {
            let own = object.get("safe_regex").and_then(|r| r["regex"].as_str());
            let inside = object.values().flat_map(regexes);
            own.map(str::to_owned).into_iter().chain(inside).collect()
        }
        Value::Array(items) => items.iter().flat_map(regexes).collect(),
        _ => Vec::new(),
    }
}

const TOKENS: &str = "
version: 1
providers:
  azure: {kind: azure_openai, endpoint: \"https://a.openai.azure.com\", oauth: {tenant: t, client: c, secret: {env: S}}}
  other: {kind: azure_openai, endpoint: \"https://a.openai.azure.com\", oauth: {tenant: u, client: c, secret: {file: /keys/other}}}
  keyed: {kind: azure_openai, endpoint: \"https://a.openai.azure.com\", key: {file: /keys/azure}}
models:
  one: {candidates: [{provider: azure, model: a}, {provider: keyed, model: b}]}
  two: {candidates: [{provider: other, model: c}]}
envoy: {secrets: /secrets}
";

#[test]
fn credentials_that_a_chain_cannot_tell_apart_are_refused() {
    let together = TOKENS.replace("{provider: keyed, model: b}", "{provider: other, model: b}");
    let (config, _) = load(&TOKENS.replace("one:", "uno:"));
    assert_eq!(envoy::unable(&config, version("1.38")), [""; 0]);
    let text = together.replace(
        "two: {candidates: [{provider: other",
        "two: {candidates: [{provider: keyed",
    );
    let (config, _) = load(&text);
    let reasons = envoy::unable(&config, version("1.38"));
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(
        reasons[0].starts_with("providers.azure and providers.other: "),
        "{reasons:?}"
    );
    assert_eq!(envoy::unable(&config, version("1.40")), [""; 0]);
}

#[test]
fn a_wait_that_no_chain_can_make_is_refused() {
    let text = THREE.replacen(
        "models:",
        "defaults: {timeouts: {wait_for: warm}}\nmodels:",
        1,
    );
    let (config, _) = load(&text);
    let reasons = envoy::unable(&config, version("1.38"));
    assert!(!reasons.is_empty());
    for reason in reasons {
        assert!(
            reason.starts_with("models.")
                && reason.contains(": timeouts.wait_for: found warm, expected last: "),
            "{reason}"
        );
    }
    assert_eq!(envoy::unable(&config, version("1.40")), [""; 0]);
}

#[test]
fn files_of_secrets_say_where_they_are() {
    let (config, _) = load(TOKENS);
    let files = envoy::secret_files(&config);
    let named: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        named,
        ["key.keyed.yaml", "oauth.azure.yaml", "oauth.other.yaml"]
    );
    assert!(
        files[1].1.contains("environment_variable: S"),
        "{}",
        files[1].1
    );
    assert!(
        files[0].1.contains("filename: /keys/azure"),
        "{}",
        files[0].1
    );
    // What stands in files stands in no bootstrap, and the other way round.
    let secrets = &bootstrap(TOKENS, "1.40")["static_resources"]["secrets"];
    assert_eq!(secrets, &serde_json::json!([]));
}

#[test]
fn the_plugin_never_learns_of_clients() {
    let (_, document) = load(TOKENS);
    assert!(
        !document.contains("oauth") && !document.contains("tenant"),
        "{document}"
    );
}

#[test]
fn what_asks_for_a_filter_comes_after_the_file_that_has_it() {
    let text = format!(
        "{THREE}classifiers: {{kind: {{model: smart, instruction: i, classes: [a, b]}}}}\n\
         rules: [{{name: r, when: {{class: {{kind: a}}}}, candidates: [gemini/d]}}]\n\
         envoy: {{state_port: 9902}}\n"
    );
    let (config, document) = load(&text);
    for (envoy, _) in VERSIONS {
        let written = envoy::watched(&config, &document, version(envoy), "/xds").unwrap();
        let names: Vec<_> = written
            .files
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let of_roles = ["upstream", "inner", "state"].map(|r| format!("ecds.pointsman.{r}.yaml"));
        let mut expected = vec!["cds.yaml"];
        expected.extend(of_roles.iter().map(String::as_str));
        expected.extend(["rds.yaml", "lds.yaml", "ecds.pointsman.downstream.yaml"]);
        assert_eq!(names, expected);
        for name in &of_roles {
            let asked = written
                .files
                .iter()
                .any(|(_, text)| text.contains(&format!("/xds/{name}")));
            assert!(asked, "nobody asks for {name}");
        }
    }
}
