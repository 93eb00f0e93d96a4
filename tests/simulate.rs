//! `pointsman simulate` as a user meets it. `BLESS=1` rewrites the golden outputs.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const GATEWAY: &str = "tests/fixtures/simulate/gateway.yaml";
const LOG: &str = "tests/fixtures/simulate/access.jsonl";

fn simulate(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .arg("simulate")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary starts")
}

fn text(args: &[&str]) -> String {
    let output = simulate(args);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {problem}");
    String::from_utf8(output.stdout).expect("text")
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&text(&[args, &["--format", "json"]].concat())).expect("JSON")
}

fn golden(name: &str, args: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/simulate");
    let (file, got) = (folder.join(format!("{name}.txt")), text(args));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &got).expect("writable");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(got, expected, "{name}");
}

fn example(name: &str) -> String {
    format!("examples/simulate/{name}.yaml")
}

/// USD of the configurations, in whole dollars.
fn usd(told: &Value) -> Vec<u64> {
    let configs = told["configurations"].as_array().expect("a list").iter();
    let nano = configs.map(|each| each["cost_nano_usd"].as_u64().expect("a cost"));
    nano.map(|nano| nano / 1_000_000_000).collect()
}

#[test]
fn the_worked_examples_read_as_expected() {
    for (mix, configs) in [
        ("support", ["one-model", "two-tiers"].as_slice()),
        ("short-work", &["flagship", "flagship-and-mini"]),
        ("three-models", &["one-gpt-5", "three-tiers"]),
        ("long-prompt", &["assistant"]),
        ("benchmark", &["strong", "strong-and-weak"]),
    ] {
        // Where every request is like its kind, few are enough.
        let draws = if mix == "support" { "10000" } else { "1000" };
        let mut args = vec!["--draws".to_owned(), draws.to_owned()];
        for config in configs {
            args.extend(["--config".to_owned(), example(config)]);
        }
        args.push(example(mix));
        golden(mix, &args.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn two_million_support_queries_cost_what_the_field_says() {
    let (one, two, mix) = (
        example("one-model"),
        example("two-tiers"),
        example("support"),
    );
    let told = json(&["--config", &one, "--config", &two, &mix]);
    let [before, after] = usd(&told)[..] else {
        panic!("two configurations");
    };
    assert!(before.abs_diff(8_000) <= 80, "{before}");
    assert!(after.abs_diff(3_400) <= 34, "{after}");
    let share = told["configurations"][1]["routes"][1]["requests"].as_u64();
    assert_eq!(share, Some(1_440_000), "72 % are easy");
}

#[test]
fn the_same_seed_gives_the_same_and_another_one_nearly() {
    let (config, mix) = (example("two-tiers"), example("support"));
    let args = ["--config", &config, "--draws", "2000", &mix];
    assert_eq!(text(&args), text(&args));
    let other = json(&[&args[..], &["--seed", "7"]].concat());
    let (one, other) = (usd(&json(&args))[0], usd(&other)[0]);
    assert!(
        one != other && one.abs_diff(other) < one / 20,
        "{one} {other}"
    );
}

/// The share of a model's requests, in percent, that `served_by` has served.
fn share(told: &Value, model: &str, served_by: &str) -> u64 {
    let routes = told["configurations"][0]["routes"]
        .as_array()
        .expect("a list");
    let of_model = routes.iter().filter(|route| route["model"] == model);
    let count = |route: &Value| route["requests"].as_u64().expect("a number");
    let mine = of_model
        .clone()
        .filter(|route| route["served_by"] == served_by);
    mine.map(count).sum::<u64>() * 100 / of_model.map(count).sum::<u64>()
}

#[test]
fn a_cache_answers_what_comes_again_in_its_time_and_to_its_tenant() {
    let (config, mix) = (
        "tests/fixtures/simulate/cached.yaml",
        "tests/fixtures/simulate/repeats.yaml",
    );
    for draws in ["3000", "20000"] {
        let told = json(&["--config", config, "--draws", draws, mix]);
        // Each question comes 2.2 times a day: of every 3.2, that many are answered within it.
        let kept = share(&told, "kept", "the cache");
        assert!((66..=72).contains(&kept), "{draws}: {kept}");
        assert_eq!(share(&told, "plain", "the cache"), 0);
        // Nobody says whose it is.
        assert_eq!(share(&told, "by-team", "the cache"), 0);
    }
}

#[test]
fn budgets_of_the_fleet_hold_here_too() {
    let (config, mix) = (example("budgeted"), example("support"));
    let few = ["--draws", "1000", "--config", &config, &mix];
    let service = "rate_limit_service={endpoint: \"http://h:1\"}";
    let fleet = ["--set", "budgets[0].scope=fleet", "--set", service];
    let told = json(&[&few[..], &fleet].concat());
    assert_eq!(told["difference_nano_usd"], 0);
    assert_ne!(told["configurations"][1]["budgets"], serde_json::json!([]));
}

#[test]
fn what_a_log_shows_to_come_from_the_cache_costs_where_none_is_kept() {
    let log = "tests/fixtures/simulate/repeats.jsonl";
    let kept = "models.cheap.cache={ttl: 10m, shared: true}";
    let told = json(&["--config", GATEWAY, "--set", kept, log]);
    assert_eq!(told["traffic"]["requests"], 3);
    assert_eq!(told["difference_nano_usd"], -14_000_000);
}

#[test]
fn a_budget_of_each_day_sends_the_rest_of_it_to_the_small_model() {
    let (config, mix) = (example("budgeted"), example("support"));
    let few = ["--draws", "3000", "--config", &config, &mix];
    golden("budget", &few);
    let told = json(&few);
    let budget = &told["configurations"][0]["budgets"][0];
    assert_eq!(budget["limit"], "soft");
    assert_eq!(budget["windows"], 30, "each day anew");
    // 150 USD a day, and no more.
    assert!(usd(&told)[0] <= 30 * 150);
    let tight = [
        "--draws",
        "6000",
        "--set",
        "budgets[0].usd=60",
        "--set",
        "budgets[0].soft=1",
    ];
    let told = json(&[&["--config", &config, &mix][..], &tight].concat());
    let [ref hard] = told["configurations"][1]["budgets"]
        .as_array()
        .expect("a list")[..]
    else {
        panic!("one kind of event: {told:#}");
    };
    assert_eq!(hard["limit"], "hard");
    assert!(usd(&told)[1] <= 30 * 60);
}

#[test]
fn a_log_is_played_as_its_rules_and_teams_had_it() {
    golden("log", &["--config", GATEWAY, LOG]);
}

#[test]
fn removed_providers_and_other_prices_and_tiers_are_tried() {
    golden(
        "without",
        &["--config", GATEWAY, "--without", "openai", LOG],
    );
    let price = "openai/gpt-5.4=input:5,output:30";
    let told = json(&["--config", GATEWAY, "--price", price, LOG]);
    let route = |config: usize| {
        let routes = told["configurations"][config]["routes"]
            .as_array()
            .expect("routes");
        let is_it = |r: &&Value| r["served_by"] == "openai/gpt-5.4" && r["by"] == "";
        let found = routes.iter().find(is_it).expect("the route");
        found["cost_nano_usd"].as_u64().expect("a cost") / found["requests"].as_u64().expect("some")
    };
    // 1000 tokens in and 200 out.
    assert_eq!((route(0), route(1)), (5_500_000, 11_000_000));
    let (config, mix) = (example("two-tiers"), example("support"));
    let tier = "models.support.candidates[0].max_complexity=0.2";
    let told = json(&["--config", &config, "--draws", "2000", "--set", tier, &mix]);
    let [before, after] = usd(&told)[..] else {
        panic!("two configurations");
    };
    assert!(after > before + 1_000, "{before} {after}");
    assert_eq!(
        told["configurations"][1]["name"],
        format!("{config}, {tier}")
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = std::env::temp_dir().join("pointsman-simulate");
    std::fs::create_dir_all(&folder).expect("writable");
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("writable");
        path.to_string_lossy().into_owned()
    };
    let told = |args: &[&str]| {
        let output = simulate(args);
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), problem)
    };
    let log = file("broken.jsonl", "{\"gen_ai.request.model\":\n{}\n");
    let (code, problem) = told(&["--config", GATEWAY, &log]);
    assert_eq!(code, Some(1));
    assert!(problem.contains("line 1: no JSON at column"), "{problem}");
    assert!(
        problem.contains("line 2: no gen_ai.request.model"),
        "{problem}"
    );
    for (mix, expected) in [
        (
            "name: a\nrequests: 3\nkinds: [{model: smart, prompt_tokens: 1}]\n",
            "kinds[0]: missing field `share`",
        ),
        (
            "name: a\nrequests: 3\nkinds: []\n",
            "expected at least one of each",
        ),
        (
            "name: a\nrequests: 3\nkinds: [{share: 1, model: smart, prompt_tokens: {p50: 3, p95: 1}}]\n",
            "percentiles that rise",
        ),
        (
            "name: a\nrequests: 3\nkinds: [{share: 1, model: smart, prompt_tokens: many}]\n",
            "expected a number, or percentiles",
        ),
        (
            "name: a\nrequests: 3\nkinds: [{share: 1, model: smart, prompt_tokens: 1, needs: [wings]}]\n",
            "needs: found \"wings\"",
        ),
    ] {
        let (code, problem) = told(&["--config", GATEWAY, &file("mix.yaml", mix)]);
        assert_eq!(code, Some(1), "{mix}");
        assert!(problem.contains(expected), "{problem}");
    }
    for (change, expected) in [
        (["--without", "nobody"], "which is no provider of the file"),
        (
            ["--price", "openai/none=input:1"],
            "is no candidate of the file",
        ),
        (
            ["--set", "models.smart.candidates[9].weight=1"],
            "which leads nowhere",
        ),
    ] {
        let (code, problem) = told(&[&["--config", GATEWAY][..], &change, &[LOG]].concat());
        assert_eq!(code, Some(2));
        assert!(problem.contains(expected), "{problem}");
    }
    let wrong = [
        "--config",
        GATEWAY,
        "--set",
        "models.smart.polcy=weighted",
        LOG,
    ];
    let (code, problem) = told(&wrong);
    assert_eq!(code, Some(1));
    assert!(problem.contains("did you mean \"policy\"?"), "{problem}");
}
