//! `pointsman.yaml` to a configuration or to every problem, case by case.
//!
//! A case is a folder with a `pointsman.yaml` and what comes of it: `config.txt` (the
//! checked configuration, then its warnings) or `errors.txt`. `BLESS=1` rewrites both and
//! the shipped JSON Schema; the diff is what gets reviewed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use pointsman::config::json_schema::json_schema;
use pointsman::config::{Config, Problem, Severity, yaml};
use proptest::prelude::*;
use serde_json::{Value, json};

type Checked<T> = Result<T, Vec<Problem>>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Name and text of every case.
fn cases() -> Vec<(String, String)> {
    let folder = root().join("tests/fixtures/config");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .expect("the fixtures are there")
        .map(|entry| entry.expect("readable").path())
        .map(|case| {
            let name = case
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(case.join("pointsman.yaml")).expect("a document");
            (name, text)
        })
        .collect();
    cases.sort();
    cases
}

fn accepted() -> Vec<(String, String)> {
    let mut accepted = cases();
    accepted.retain(|(_, text)| yaml::load(text).is_ok());
    assert!(accepted.len() >= 4, "there are good documents to test with");
    accepted
}

#[test]
fn the_quickstart_is_right_without_a_warning() {
    let file = root().join("examples/quickstart/pointsman.yaml");
    let text = fs::read_to_string(file).expect("an example");
    let (config, document, warnings) = yaml::load(&text).map_err(|p| show(&p)).expect("right");
    assert_eq!(show(&warnings), "");
    assert!(VALIDATOR.is_valid(&document));
    assert_eq!(config.model("smart").map(|m| m.candidates.len()), Some(3));
    assert!(config.model("unheard-of").is_none());
    assert!(config.provider("gemini").is_some());
    assert_eq!(config.limits.buffer_bytes(), 32 << 20);
}

fn show(problems: &[Problem]) -> String {
    let lines = problems
        .iter()
        .map(|p| format!("{}\n", p.in_file("pointsman.yaml")));
    lines.collect()
}

/// Compares with the file, or writes it when blessing.
fn hold(file: &Path, got: &str) -> Result<(), String> {
    if std::env::var_os("BLESS").is_some() {
        return fs::write(file, got).map_err(|e| e.to_string());
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    let name = file.display();
    (expected == got)
        .then_some(())
        .ok_or_else(|| format!("{name}\n--- expected\n{expected}\n--- got\n{got}"))
}

#[test]
fn every_document_gives_what_stands_beside_it() {
    let mut failed = Vec::new();
    for (case, text) in cases() {
        let folder = root().join("tests/fixtures/config").join(&case);
        let (file, other, got) = match yaml::load(&text) {
            Ok((config, _, warnings)) => {
                let got = format!("{config:#?}\n{}", show(&warnings));
                ("config.txt", "errors.txt", got)
            }
            Err(problems) => ("errors.txt", "config.txt", show(&problems)),
        };
        failed.extend(hold(&folder.join(file), &got).err());
        if folder.join(other).exists() {
            failed.push(format!("{case}: {other} is for another outcome"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_ten_mistakes_of_one_document_are_listed_together() {
    let (_, text) = cases()
        .into_iter()
        .find(|(case, _)| case == "ten_mistakes_at_once")
        .expect("it");
    let problems = yaml::load(&text).expect_err("ten mistakes");
    let errors = problems.iter().filter(|p| p.severity == Severity::Error);
    assert_eq!(errors.count(), 10, "{}", show(&problems));
}

#[test]
fn no_problem_ever_shows_a_key() {
    let (_, text) = cases()
        .into_iter()
        .find(|(case, _)| case == "keys_are_never_shown")
        .expect("it");
    let problems = yaml::load(&text).expect_err("keys in the file");
    assert!(problems.len() > 12);
    let shown = format!("{}{problems:?}", show(&problems));
    assert!(
        !shown.contains("hunter2") && !shown.contains("12345"),
        "{shown}"
    );
}

#[test]
fn errors_have_a_place_in_the_text_and_come_in_its_order() {
    for (case, text) in cases() {
        let problems = yaml::load(&text).map_or_else(|p| p, |(_, _, warnings)| warnings);
        let marks: Vec<_> = problems.iter().map(|p| p.mark).collect();
        assert!(marks.iter().all(Option::is_some), "{case}: {marks:?}");
        assert!(marks.is_sorted(), "{case}: {marks:?}");
    }
}

#[test]
fn yaml_and_its_json_give_the_same_configuration() {
    for (case, text) in accepted() {
        let (mut config, document, warnings) = yaml::load(&text).expect("accepted");
        // The JSON is the plugin's, which has no use for them.
        for provider in config.providers.values_mut() {
            provider.oauth = None;
        }
        let (again, again_warnings) = from_json(&document).expect("accepted as JSON too");
        assert_eq!(format!("{config:?}"), format!("{again:?}"), "{case}");
        let texts = |problems: &[Problem]| {
            let mut texts: Vec<_> = problems.iter().map(Problem::to_string).collect();
            texts.sort();
            texts
        };
        assert_eq!(texts(&warnings), texts(&again_warnings), "{case}");
    }
}

fn from_json(document: &Value) -> Checked<(Config, Vec<Problem>)> {
    Config::from_json(document.to_string().as_bytes())
}

#[test]
fn broken_json_is_one_problem_that_does_not_quote_it() {
    let problems = Config::from_json(br#"{"version": 1, "secret": hunter2}"#).expect_err("broken");
    assert_eq!(
        show(&problems),
        "pointsman.yaml:1:26: found something that is no JSON, expected a JSON document\n"
    );
}

#[test]
fn json_keys_that_stand_twice_are_refused() {
    let twice = br#"{"version": 1, "version": 1, "providers": {}, "models": {}}"#;
    let shown = show(&Config::from_json(twice).expect_err("twice"));
    assert!(
        shown.contains(r#"version: found "version" again, expected each key once"#),
        "{shown}"
    );
}

#[test]
fn aliases_that_explode_are_refused() {
    let mut text = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..9 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    let shown = show(&yaml::load(&text).expect_err("too large"));
    assert!(shown.contains("found more than 100000 values"), "{shown}");
}

#[test]
fn documents_that_are_too_deep_are_refused() {
    let text = format!("version: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(yaml::load(&text).is_err());
    assert!(Config::from_json(text.trim_start_matches("version: ").as_bytes()).is_err());
}

// === JSON Schema ===

static VALIDATOR: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&json_schema()).expect("the schema is one"));

#[test]
fn the_shipped_schema_is_the_generated_one() {
    let file = root().join("examples/pointsman.schema.json");
    if let Err(difference) = hold(&file, &format!("{:#}\n", json_schema())) {
        panic!("stale; run with BLESS=1\n{difference}");
    }
}

#[test]
fn the_schema_accepts_every_good_document() {
    for (case, text) in accepted() {
        let (_, document, _) = yaml::load(&text).expect("accepted");
        let error = VALIDATOR.validate(&document).err().map(|e| e.to_string());
        assert_eq!(error, None, "{case}");
    }
}

#[test]
fn the_schema_describes_every_key() {
    let schema = json_schema();
    let definitions = schema["$defs"].as_object().expect("definitions").values();
    for object in definitions.chain([&schema]) {
        for (key, property) in object["properties"].as_object().expect("properties") {
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.len() > 8, "{key}: {description:?}");
        }
    }
}

/// A good document with one thing of it replaced.
fn with(pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let mut document = json!({
        "version": 1,
        "providers": {"openai": {"key": {"env": "KEY"}, "headers": {}}},
        "models": {"smart": {"candidates": [{"provider": "openai", "model": "gpt-5", "defaults": {}}], "timeouts": {}}},
        "limits": {},
        "envoy": {},
    });
    assert!(from_json(&document).is_ok());
    match document.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => document.pointer_mut(parent).expect("a place")[key] = value,
    }
    document
}

#[test]
fn schema_and_checker_refuse_the_same_mistakes_of_shape() {
    let mistakes = [
        with("/version", json!(2)),
        with("/versoin", json!(1)),
        with("/providers", json!({})),
        with("/providers", json!([])),
        with("/providers/via-openai", json!({"kind": "openai"})),
        with("/providers/Open AI", json!({"kind": "openai"})),
        with("/providers/openai/key", json!("sk-1")),
        with("/providers/openai/key", json!({})),
        with("/providers/openai/key", json!({"env": "A", "file": "/a"})),
        with("/providers/openai/key/env", json!("NOT-A-NAME")),
        with("/providers/openai/kind", json!("opnai")),
        with("/providers/openai/endpoint", json!("api.openai.com")),
        with("/providers/openai/http2", json!("yes")),
        with("/providers/openai/connect_timeout", json!(2)),
        with("/providers/openai/headers/x-a", json!(1)),
        with("/models/smart/candidates", json!([])),
        with("/models/smart/candidates", json!([{"provider": "openai"}])),
        with("/models/smart/policy", json!("quickest")),
        with("/models/smart/timeouts/idle", json!("1 minute")),
        with(
            "/models/smart/candidates/0",
            json!({"provider": "openai", "model": "a b"}),
        ),
        with("/limits/reply", json!("16MB")),
        with("/limits/reply", json!(-1)),
        with("/envoy/port", json!(70_000)),
        with("/base_path", json!("/v1/")),
    ];
    for document in mistakes {
        assert!(
            !VALIDATOR.is_valid(&document),
            "the schema accepts {document}"
        );
        assert!(
            from_json(&document).is_err(),
            "the checker accepts {document}"
        );
    }
}

/// Where a text with a rule of its own may stand: the document with that text in it.
fn placed(text: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "provider name",
            with(
                &format!("/providers/{}", pointer(text)),
                json!({"kind": "openai"}),
            ),
        ),
        (
            "model name",
            with("/models/smart/candidates/0/model", json!(text)),
        ),
        ("env", with("/providers/openai/key/env", json!(text))),
        ("file", with("/providers/openai/key", json!({"file": text}))),
        ("module", with("/envoy/module", json!(text))),
        (
            "header value",
            with("/providers/openai/headers/x-a", json!(text)),
        ),
        ("base path", with("/base_path", json!(text))),
        (
            "parameter",
            with("/models/smart/candidates/0/defaults", json!({text: 1})),
        ),
    ]
}

/// Slashes would make a pointer longer; a provider's name has none anyway.
fn pointer(text: &str) -> String {
    text.replace(['/', '~'], "!")
}

// === whatever comes ===

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        "[ -~]{0,12}|1|openai|priority|[0-9]{1,20}(ms|s|KiB|GiB)".prop_map(Value::from),
    ];
    let key = "version|providers|models|openai|candidates|provider|model|key|env|defaults|timeouts|limits|envoy|headers|.{0,6}";
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// JSON pointers to places of a good document, so that what is generated gets past the top.
const PLACES: &[&str] = &[
    "/version",
    "/providers",
    "/providers/openai",
    "/providers/openai/key",
    "/providers/openai/endpoint",
    "/providers/openai/headers",
    "/models/smart",
    "/models/smart/candidates",
    "/models/smart/candidates/0",
    "/models/smart/candidates/0/capabilities",
    "/models/smart/timeouts",
    "/defaults",
    "/limits/reply",
    "/envoy",
];

proptest! {
    #[test]
    fn any_json_gives_a_configuration_or_problems(document in any_json()) {
        if let Err(problems) = from_json(&document) {
            prop_assert!(problems.iter().any(|p| p.severity == Severity::Error));
        }
    }

    #[test]
    fn any_json_anywhere_gives_a_configuration_or_problems(
        place in prop::sample::select(PLACES),
        value in any_json(),
    ) {
        let document = with(place, value);
        match from_json(&document) {
            Ok((config, warnings)) => {
                prop_assert!(!config.models.is_empty() && !config.providers.is_empty());
                prop_assert!(warnings.iter().all(|p| p.severity == Severity::Warning));
                prop_assert!(VALIDATOR.is_valid(&document), "the schema refuses {document}");
            }
            Err(problems) => {
                prop_assert!(problems.iter().any(|p| p.severity == Severity::Error));
            }
        }
    }

    #[test]
    fn rules_and_their_patterns_agree(text in "[a-zA-Z0-9/_. :é~-]{0,44}|via-[a-z]{0,3}|dead-end|model|stream|/\\.{0,3}(/[a-z.]{0,3}){0,3}") {
            for (rule, document) in placed(&text) {
            let checked = from_json(&document).is_ok();
            prop_assert_eq!(VALIDATOR.is_valid(&document), checked, "{}: {:?}", rule, text);
        }
    }

    #[test]
    fn any_text_as_yaml_gives_a_configuration_or_problems(text in "([a-z&*!<: \\-{}\\[\\],\"'#|>%@\n]|version: 1\n|models:\n  ){0,60}") {
        if let Err(problems) = yaml::load(&text) {
            prop_assert!(!problems.is_empty());
        }
    }
}
