//! What only needs another model's name: forms and JSON in, whatever comes out.

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::Topology;
use serde_json::{Value, json};

use crate::mesh::{self, End, Mesh, Script};

const FORM: &str = "multipart/form-data; boundary=\"b 1\"";

fn gateway() -> Rc<Config> {
    let document = json!({
        "version": 1,
        "providers": {
            "openai": {"key": {"env": "A"}},
            "anthropic": {"key": {"env": "B"}},
            "groq": {"key": {"env": "C"}},
            "vllm": {"kind": "vllm", "endpoint": "http://10.0.0.7:8000/v1"}
        },
        "models": {
            "ears": {"candidates": [
                {"provider": "anthropic", "model": "claude", "defaults": {"max_tokens": 64}},
                {"provider": "openai", "model": "whisper-1"},
                {"provider": "groq", "model": "whisper-large-v3"}
            ]},
            "claude": {"candidates": [
                {"provider": "openai", "model": "gpt-5"},
                {"provider": "anthropic", "model": "claude-opus-4-5", "defaults": {"max_tokens": 64}}
            ]},
            "base": {"candidates": [
                {"provider": "openai", "model": "gpt-5"},
                {"provider": "vllm", "model": "starcoder", "capabilities": {"operations": ["completions"]}}
            ]},
            "nobody": {"candidates": [{"provider": "groq", "model": "llama"}]}
        }
    });
    mesh::config(&document.to_string())
}

fn ask(path: &str, media_type: &str, body: &[u8]) -> Result<Mesh, (u16, Value)> {
    let headers = [("content-type", media_type)];
    let mesh = Mesh::ask(path, &gateway(), Topology::PerAttempt, &headers, body);
    mesh.map_err(|response| {
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        (response.status, body)
    })
}

fn form(model: &str) -> Vec<u8> {
    let sound = b"\xff\xfb\r\n--b 2\r\n\x00";
    [
        b"--b 1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\n\r\n"
            .as_slice(),
        sound,
        b"\r\n--b 1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n",
        model.as_bytes(),
        b"\r\n--b 1--\r\n",
    ]
    .concat()
}

#[test]
fn only_the_models_name_changes_in_a_form() {
    let mut mesh = ask("/v1/audio/transcriptions", FORM, &form("ears")).expect("a plan");
    for (number, cluster, model) in [(1, "openai", "whisper-1"), (2, "groq", "whisper-large-v3")] {
        let sent = mesh.send(number, cluster).expect("an attempt");
        assert!(
            sent.path.ends_with("/v1/audio/transcriptions"),
            "{}",
            sent.path
        );
        assert_eq!(sent.body, form(model));
        let media_type = sent.request.iter().find(|(name, _)| name == "content-type");
        assert_eq!(media_type.map(|(_, value)| value.as_str()), Some(FORM));
    }
}

#[test]
fn a_reply_passes_as_it_is_after_failover() {
    let body = json!({"model": "ears", "input": "Hi", "voice": "alloy"}).to_string();
    let mut mesh = ask("/v1/audio/speech", "application/json", body.as_bytes()).expect("a plan");
    let sound = Script {
        status: 200,
        headers: vec![("content-type", "audio/mpeg".to_owned())],
        chunks: vec![b"\xff\xfb".to_vec(), b"\x00{\"error\":{}}".to_vec()],
        end: End::WithLastChunk,
    };
    let broken = Script::whole(503, "{}");
    let (_, reply) = mesh.run(&[("openai", broken), ("groq", sound)]);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "audio/mpeg");
    assert_eq!(reply.body, b"\xff\xfb\x00{\"error\":{}}");
    assert_eq!(
        reply.header("x-pointsman-answered-by"),
        "groq/whisper-large-v3"
    );
}

#[test]
fn a_wrong_form_is_refused_by_name() {
    let refused = |media_type, body: &[u8]| {
        ask("/v1/images/edits", media_type, body)
            .err()
            .expect("refused")
    };
    let twice = [
        form("ears").strip_suffix(b"--\r\n").expect("an end"),
        b"\r\nContent-Disposition: form-data; name=model\r\n\r\nx\r\n--b 1--",
    ]
    .concat();
    for ((status, body), param) in [
        (refused(FORM, &twice), json!("model")),
        (refused(FORM, &form("")), json!("model")),
        (refused(FORM, b"--b 1--"), json!("model")),
        (refused(FORM, b"--b 1\r\n"), json!(null)),
        (refused("multipart/form-data", &form("ears")), json!(null)),
        (refused("application/json", &form("ears")), json!(null)),
    ] {
        assert_eq!((status, &body["error"]["param"]), (400, &param), "{body}");
    }
}

#[test]
fn tokens_are_counted_by_who_can_and_else_guessed() {
    let body = json!({"model": "claude", "messages": [{"role": "user", "content": "Hi"}]});
    let body = body.to_string();
    let mut mesh = ask(
        "/v1/messages/count_tokens",
        "application/json",
        body.as_bytes(),
    )
    .expect("a plan");
    let sent = mesh.send(1, "anthropic").expect("an attempt");
    assert_eq!(sent.path, "/v1/messages/count_tokens");
    let asked: Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(
        asked,
        json!({"model": "claude-opus-4-5", "messages": [{"role": "user", "content": "Hi"}]})
    );
    let body = json!({"model": "nobody", "messages": []}).to_string();
    let headers = [("content-type", "application/json")];
    let guessed = Mesh::ask(
        "/v1/messages/count_tokens",
        &gateway(),
        Topology::PerAttempt,
        &headers,
        body.as_bytes(),
    );
    let guessed = guessed.err().expect("an answer");
    assert_eq!(guessed.status, 200);
    assert_eq!(guessed.body, br#"{"input_tokens":8}"#);
    assert_eq!(
        guessed.headers,
        [("x-pointsman-estimated", "true".to_owned())]
    );
    let (status, error) = ask("/v1/messages/count_tokens", "application/json", b"{}")
        .err()
        .expect("refused");
    assert_eq!((status, &error["type"]), (400, &json!("error")));
}

#[test]
fn completions_go_to_the_model_that_is_said_to_take_them_and_else_become_chat() {
    let body = json!({"model": "base", "prompt": [1, 2], "suffix": "}"}).to_string();
    let mut mesh = ask("/v1/completions", "application/json", body.as_bytes()).expect("a plan");
    let sent = mesh.send(1, "vllm").expect("an attempt");
    assert_eq!(sent.path, "/v1/completions");
    let asked: Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(
        asked,
        json!({"model": "starcoder", "prompt": [1, 2], "suffix": "}"})
    );
    let body = json!({"model": "claude", "prompt": [1, 2]}).to_string();
    let (status, error) = ask("/v1/completions", "application/json", body.as_bytes())
        .err()
        .expect("refused");
    assert_eq!((status, &error["error"]["param"]), (400, &json!("prompt")));
}
