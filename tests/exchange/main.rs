//! One HTTP exchange, driven as the filter drives it: no Envoy, no sockets.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod adapt;
mod attempt;
mod chaos;
mod classifiers;
mod failures;
mod fleet;
mod gate;
mod mesh;
mod operations;
mod passthrough;
mod planning;
mod repeats;
mod replies;
mod rules;
mod secrets;
mod streams;

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::Topology;
use serde_json::{Value, json};

use mesh::{Mesh, Script};

/// Three vendors and a model server; `change` may change the document.
fn gateway(change: impl FnOnce(&mut Value)) -> Rc<Config> {
    let mut document = json!({
        "version": 1,
        "providers": {
            "openai": {"key": {"env": "A"}},
            "anthropic": {"key": {"env": "B"}},
            "gemini": {"key": {"env": "C"}},
            "local": {
                "kind": "openai_compatible",
                "endpoint": "http://10.0.0.7:8000/llm/v1",
                "headers": {"x-team": "blue"}
            },
            "azure": {
                "kind": "openai_compatible",
                "endpoint": "https://eu.example.com/openai/v1",
                "key": {"env": "D"}
            }
        },
        "models": {
            "smart": {
                "candidates": [
                    {"provider": "openai", "model": "gpt-5"},
                    {"provider": "anthropic", "model": "claude", "defaults": {"max_tokens": 64}},
                    {"provider": "gemini", "model": "gemini-3-pro"}
                ],
                "timeouts": {"per_try": "2s", "total": "10s"}
            },
            "openai-only": {"candidates": [{"provider": "openai", "model": "gpt-5"}]},
            "local-only": {"candidates": [{"provider": "local", "model": "qwen"}]},
        },
        "limits": {"request_body": "4KiB", "reply": "8KiB", "held_stream": "1KiB"}
    });
    change(&mut document);
    mesh::config(&document.to_string())
}

fn unchanged(_: &mut Value) {}

fn chat(model: &str, rest: Value) -> Vec<u8> {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
    for (name, value) in rest.as_object().into_iter().flatten() {
        body[name.as_str()] = value.clone();
    }
    body.to_string().into_bytes()
}

/// A planned request; the topology is the one of newer Envoys.
fn plan(config: &Rc<Config>, body: &[u8]) -> Mesh {
    match Mesh::start(config, Topology::PerAttempt, &[], body) {
        Ok(mesh) => mesh,
        Err(response) => panic!("refused: {}", String::from_utf8_lossy(&response.body)),
    }
}

/// The error that a request gets before any provider is asked.
fn refused(config: &Rc<Config>, body: &[u8]) -> (u16, Value) {
    let response = Mesh::start(config, Topology::PerAttempt, &[], body).err();
    let response = response.expect("the request must be refused");
    let body: Value = serde_json::from_slice(&response.body).expect("JSON");
    (response.status, body["error"].clone())
}

const HELLO: &str = r#"{"id":"1","model":"gpt-5-2025","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":{"reasoning_tokens":1}}}"#;
const CLAUDE_HELLO: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}"#;
const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const WORD: &str = "data: {\"model\":\"gpt-5-2025\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn error(status: u16, code: &str) -> Script {
    let body = json!({"error": {"message": format!("says {code}"), "type": "x", "code": code}});
    Script::whole(status, &body.to_string())
}
