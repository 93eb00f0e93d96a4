//! What is the same in every attempt, what ends them, and what providers say of their limits.

use pointsman::exchange::handoff::{CLUSTER, TRAIL, WAIT};
use serde_json::{Value, json};

use crate::mesh::{Mesh, Script};
use crate::{HELLO, chat, error, gateway, plan, unchanged};

/// Where each kind of provider takes `seed` and `temperature`; nothing where it has no such thing.
const PLACES: [(&str, &str, &str); 6] = [
    ("openai", "/seed", "/temperature"),
    ("anthropic", "", "/temperature"),
    (
        "gemini",
        "/generationConfig/seed",
        "/generationConfig/temperature",
    ),
    ("mistral", "/random_seed", "/temperature"),
    ("cohere", "/seed", "/temperature"),
    ("bedrock", "", "/inferenceConfig/temperature"),
];

#[test]
fn seed_and_temperature_are_the_same_in_every_attempt() {
    let config = gateway(|document| {
        for (kind, ..) in PLACES {
            let mut provider = json!({"kind": kind});
            if kind == "bedrock" {
                provider["aws"] = json!({"region": "us-east-1"});
            }
            document["providers"][format!("my-{kind}")] = provider;
            document["models"][kind] = json!({"candidates": [
                {"provider": format!("my-{kind}"), "model": "m", "tries": 3},
            ]});
        }
    });
    for (kind, seed, temperature) in PLACES {
        let asked = json!({"seed": 4711, "temperature": 0.25, "max_tokens": 9});
        let mut mesh = plan(&config, &chat(kind, asked));
        let mut bodies = Vec::new();
        for number in 1..=3 {
            let cluster = format!("my-{kind}");
            let mut sent = mesh.send(number, &cluster).expect("an attempt");
            bodies.push(sent.body.clone());
            mesh.reply(&mut sent.attempt, &error(500, "broken"));
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{kind}");
        let body: Value = serde_json::from_slice(&bodies[0]).expect("JSON");
        assert_eq!(body.pointer(temperature), Some(&json!(0.25)), "{kind}");
        if !seed.is_empty() {
            assert_eq!(body.pointer(seed), Some(&json!(4711)), "{kind}");
        }
    }
}

fn limited(seconds: &str) -> Script {
    error(429, "rate_limit_exceeded").with("retry-after", seconds)
}

#[test]
fn a_short_wait_is_told_to_envoy_once_and_the_same_candidate_is_asked() {
    let config = gateway(unchanged);
    let mut mesh = plan(&config, &chat("openai-only", json!({})));
    let mut first = mesh.send(1, "openai").expect("an attempt");
    let reply = mesh
        .reply(&mut first.attempt, &limited("2"))
        .expect("a reply");
    assert_eq!((reply.header(WAIT), reply.status), ("2", 503));
    assert_eq!(mesh.text(CLUSTER), "openai");
    assert!(mesh.text(TRAIL).ends_with(";wait_s=2"));
    let mut second = mesh.send(2, "openai").expect("the same again");
    let reply = mesh
        .reply(&mut second.attempt, &limited("2"))
        .expect("a reply");
    assert!(!reply.headers.contains_key(WAIT));
    let end = mesh.send(3, "openai").err().expect("no third attempt");
    assert_eq!(end.reason, "");
}

#[test]
fn a_wait_must_fit_into_the_time_for_all_attempts() {
    let config = gateway(|document| {
        document["models"]["openai-only"]["timeouts"] =
            json!({"per_try": "2s", "total": "3s", "wait_up_to": "2s"});
    });
    for (seconds, is_waited_for) in [("1", true), ("2", false)] {
        let mut mesh = plan(&config, &chat("openai-only", json!({})));
        let mut sent = mesh.send(1, "openai").expect("an attempt");
        let reply = mesh
            .reply(&mut sent.attempt, &limited(seconds))
            .expect("a reply");
        assert_eq!(reply.headers.contains_key(WAIT), is_waited_for, "{seconds}");
    }
}

fn answered(headers: &[(&'static str, &str)]) -> (Mesh, crate::mesh::Message) {
    let mut mesh = plan(&gateway(unchanged), &chat("openai-only", json!({})));
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    let mut script = Script::whole(200, HELLO);
    for (name, value) in headers {
        script = script.with(name, value);
    }
    let reply = mesh.reply(&mut sent.attempt, &script).expect("a reply");
    (mesh, reply)
}

#[test]
fn the_answering_providers_limits_are_told_in_openais_words() {
    let (_, reply) = answered(&[
        ("x-ratelimit-limit-requests", "60"),
        ("anthropic-ratelimit-tokens-remaining", "39000"),
        ("x-ratelimit-reset-tokens-minute", "26.5"),
    ]);
    assert_eq!(reply.header("x-ratelimit-limit-requests"), "60");
    assert_eq!(reply.header("x-ratelimit-remaining-tokens"), "39000");
    assert_eq!(reply.header("x-ratelimit-reset-tokens"), "26.5s");
}

#[test]
fn a_failed_attempts_limits_are_nobodys() {
    let mut mesh = plan(&gateway(unchanged), &chat("openai-only", json!({})));
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    let failed = error(500, "broken").with("x-ratelimit-remaining-requests", "3");
    let reply = mesh.reply(&mut sent.attempt, &failed).expect("a reply");
    assert!(!reply.headers.contains_key("x-ratelimit-remaining-requests"));
}

#[test]
fn whoever_waits_for_warm_candidates_records_who_is_warm() {
    let warmth = |wait_for: &str| {
        let config = gateway(|document| {
            document["models"]["smart"]["timeouts"] = json!({"wait_for": wait_for});
        });
        config.wants.warmth
    };
    assert!(warmth("warm") && !warmth("last"));
}
