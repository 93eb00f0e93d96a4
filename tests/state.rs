//! What `/pointsman/state` tells, and that `explain` decides by it as the filter did.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::rc::Rc;

use pointsman::config::{Config, yaml};
use pointsman::exchange::{
    Downstream, RequestFacts, RequestHead, STATE_PATH, Topology, Verdict, state_page,
};
use pointsman::failure::{Class, Failure};
use pointsman::observed::{CoolDown, Memory, Observation, Recorded, Update};
use serde_json::{Value, json};

const NOW_MS: u64 = 1_790_000_000_000;

const BODY: &str = r#"{"model":"smart","messages":[{"role":"user","content":"SECRET"}]}"#;

const DOCUMENT: &str = "
version: 1
providers:
  openai: {key: {env: A}}
  anthropic: {key: {env: B}}
  gemini: {key: {env: C}}
models:
  smart:
    policy: {fastest: {explore: 0}}
    candidates:
      - {provider: openai, model: a}
      - {provider: anthropic, model: b}
      - {provider: gemini, model: c}
  spread:
    policy: least_loaded
    candidates:
      - {provider: openai, model: a}
      - {provider: anthropic, model: b}
envoy: {state_port: 9902}
";

fn config() -> Config {
    yaml::load(DOCUMENT).expect("an accepted document").0
}

fn observe(shared: &Memory, config: &Config, target: (&str, &str), update: Update) {
    let observation = Observation {
        provider: target.0.to_owned(),
        model: target.1.to_owned(),
        update,
        ..Observation::default()
    };
    observation.record(shared, config.observe, config.wants, NOW_MS);
}

fn answered_in(ms: u64) -> Update {
    Update {
        total_ms: Some(ms),
        outcome: Some(Ok(())),
        ..Update::default()
    }
}

/// Gemini is the fastest, but asks to be left alone; anthropic is fast and fails.
fn lately(config: &Config) -> Memory {
    let shared = Memory::default();
    for (provider, model, ms) in [
        ("openai", "a", 207),
        ("anthropic", "b", 90),
        ("gemini", "c", 40),
    ] {
        for more in 0..5 {
            observe(&shared, config, (provider, model), answered_in(ms + more));
        }
    }
    for _ in 0..9 {
        let failed = Update {
            outcome: Some(Err(Class::ServerError)),
            ..Update::default()
        };
        observe(&shared, config, ("anthropic", "b"), failed);
    }
    let busy = Update {
        begins: Some(700),
        ..Update::default()
    };
    observe(&shared, config, ("openai", "a"), busy);
    let failure = Failure {
        retry_after_s: Some(20),
        ..Failure::new(Class::RateLimited, "slow down")
    };
    let pause = CoolDown::after(&failure, "gemini", "c", config.observe, NOW_MS);
    let paused = Observation {
        cool_down: pause,
        ..Observation::default()
    };
    paused.record(&shared, config.observe, config.wants, NOW_MS);
    shared
}

fn page(config: &Config, shared: &Memory) -> Value {
    let response = state_page(config, shared, STATE_PATH, NOW_MS);
    assert_eq!(response.status, 200);
    serde_json::from_slice(&response.body).expect("JSON")
}

/// What the filter decides, as it explains it.
fn decided(config: Config, shared: &Memory, body: &str) -> Value {
    let config = Rc::new(config);
    let head = RequestHead {
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        explain: true,
        ..RequestHead::default()
    };
    let start = Downstream::start(&config, Topology::PerAttempt, &head);
    let Verdict::Inspect(mut downstream, _) = start else {
        panic!("the request is ours");
    };
    let facts = RequestFacts {
        now_s: NOW_MS / 1000,
        observed: &Recorded::new(shared, config.observe, NOW_MS),
        ..RequestFacts::default()
    };
    downstream.on_body(body.as_bytes(), facts).expect("decided");
    serde_json::from_str(downstream.explanation().expect("explained")).expect("JSON")
}

/// What the command line says of the same.
fn explained(state: &str, body: &str) -> Result<Value, String> {
    static RUN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let run = RUN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("pointsman-state-{}-{run}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (document, page) = (folder.join("pointsman.yaml"), folder.join("state.json"));
    std::fs::write(&document, DOCUMENT).expect("written");
    std::fs::write(&page, state).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["explain", "--format", "json", "--state"])
        .args([&page, &document])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    // A refused state is told before the request is read.
    let _ = stdin.write_all(body.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("ended");
    std::fs::remove_dir_all(&folder).expect("removed");
    match output.status.code() {
        Some(0) => Ok(serde_json::from_slice(&output.stdout).expect("JSON")),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Scores are floats, which the page rounds.
fn without_scores(mut decision: Value) -> Value {
    for candidate in decision["candidates"].as_array_mut().expect("candidates") {
        let candidate = candidate.as_object_mut().expect("a candidate");
        candidate.remove("scores");
    }
    decision
}

#[test]
fn the_page_shows_every_target_and_only_figures() {
    let config = config();
    let page = page(&config, &lately(&config));
    assert_eq!(page["now_ms"], NOW_MS);
    let names: Vec<&Value> = page["targets"]
        .as_array()
        .expect("targets")
        .iter()
        .collect();
    assert_eq!(names.len(), 3);
    let openai = names
        .iter()
        .find(|t| t["provider"] == "openai")
        .expect("openai");
    assert_eq!(openai["in_flight"], json!({"requests": 1, "tokens": 700}));
    assert_eq!(openai["cool_down"], Value::Null);
    assert_eq!(openai["ttft_ms"]["p50"], Value::Null);
    let gemini = names
        .iter()
        .find(|t| t["provider"] == "gemini")
        .expect("gemini");
    assert_eq!(
        gemini["cool_down"],
        json!({"class": "rate_limited", "for_ms": 20_000})
    );
    let other = state_page(&config, &Memory::default(), "/", NOW_MS);
    assert_eq!(other.status, 404);
}

#[test]
fn what_the_page_tells_leads_to_the_decision_of_the_filter() {
    for model in ["smart", "spread"] {
        let body = BODY.replace("smart", model);
        let shared = lately(&config());
        let live = decided(config(), &shared, &body);
        let told = explained(&page(&config(), &shared).to_string(), &body).expect("explained");
        assert_eq!(without_scores(told), without_scores(live.clone()));
        let unseen = explained(r#"{"targets":[]}"#, &body).expect("explained");
        assert_ne!(
            unseen["candidates"], live["candidates"],
            "what was seen decides"
        );
    }
}

#[test]
fn a_state_that_cannot_be_read_is_refused_with_its_place() {
    for (state, expected) in [
        ("{", "line 1 column 1"),
        (
            r#"{"targets":[{"provider":"a","model":"b","error_ratee":1}]}"#,
            "error_ratee",
        ),
        (
            r#"{"targets":[{"provider":"a","model":"b","error_rate":"no"}]}"#,
            "f64",
        ),
    ] {
        let refusal = explained(state, BODY).expect_err("refused");
        assert!(refusal.contains(expected), "{refusal}");
    }
}
