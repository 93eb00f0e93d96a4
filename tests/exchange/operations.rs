//! Operations besides chat, from the client's path to the provider's and back.

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::{Downstream, Topology, Verdict};
use serde_json::{Value, json};

use crate::mesh::{self, Mesh, Message, Script, head};

const VECTORS: &str = r#"{"object":"list","model":"text-embedding-3-small","data":[{"object":"embedding","index":0,"embedding":[1.0,-0.5]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#;

fn gateway() -> Rc<Config> {
    let document = json!({
        "version": 1,
        "providers": {
            "openai": {"key": {"env": "A"}},
            "anthropic": {"key": {"env": "B"}},
            "azure": {
                "kind": "azure_openai",
                "endpoint": "https://eu.openai.azure.com",
                "api_version": "2024-10-21",
                "key": {"env": "C"}
            },
            "vllm": {"endpoint": "http://10.0.0.7:8000/v1"}
        },
        "models": {
            "vectors": {"candidates": [
                {"provider": "anthropic", "model": "claude", "defaults": {"max_tokens": 64}},
                {"provider": "openai", "model": "text-embedding-3-small"},
                {"provider": "azure", "model": "my-vectors"},
            ]},
            "chat-only": {"candidates": [
                {"provider": "openai", "model": "gpt-5", "capabilities": {"operations": ["chat"]}},
                {"provider": "anthropic", "model": "claude", "defaults": {"max_tokens": 64}}
            ]},
            "ranks": {"candidates": [{"provider": "vllm", "model": "bge-reranker"}]},
        }
    });
    mesh::config(&document.to_string())
}

fn ask(path: &str, body: &Value) -> Result<Mesh, (u16, Value)> {
    let body = body.to_string().into_bytes();
    let mesh = Mesh::ask(path, &gateway(), Topology::PerAttempt, &[], &body);
    mesh.map_err(|response| {
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        (response.status, body["error"].clone())
    })
}

fn run(mesh: &mut Mesh, scripts: &[(&str, Script)]) -> Message {
    mesh.run(scripts).1
}

#[test]
fn embeddings_go_to_the_candidates_that_offer_them_and_fail_over() {
    let body = json!({"model": "vectors", "input": "Hi"});
    let mut mesh = ask("/v1/embeddings", &body).expect("a plan");
    let broken = Script::whole(500, r#"{"error":{"message":"no"}}"#);
    let sent = mesh.send(1, "openai").expect("an attempt");
    assert_eq!(sent.path, "/v1/embeddings");
    let sent = mesh.send(2, "azure").expect("an attempt");
    let path = "/openai/deployments/my-vectors/embeddings?api-version=2024-10-21";
    assert_eq!(sent.path, path);
    let body: Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(body, json!({"model": "my-vectors", "input": "Hi"}));
    let reply = run(
        &mut mesh,
        &[("openai", broken), ("azure", Script::whole(200, VECTORS))],
    );
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["data"][0]["embedding"], json!([1.0, -0.5]));
    assert_eq!(
        reply.header("x-pointsman-answered-by"),
        "azure/text-embedding-3-small"
    );
    assert!(
        reply
            .header("x-pointsman-attempts")
            .starts_with("openai/text-embedding-3-small;class=server_error")
    );
    assert_eq!(mesh.text("pointsman_input_tokens"), "3");
}

#[test]
fn numbers_become_base64_where_the_provider_pays_no_heed_to_the_wish() {
    let body = json!({"model": "vectors", "input": "Hi", "encoding_format": "base64"});
    let mut mesh = ask("/v1/embeddings", &body).expect("a plan");
    let reply = run(&mut mesh, &[("openai", Script::whole(200, VECTORS))]);
    assert_eq!(reply.json()["data"][0]["embedding"], "AACAPwAAAL8=");
}

#[test]
fn a_reply_without_vectors_leads_to_the_next_candidate() {
    let body = json!({"model": "vectors", "input": "Hi"});
    let empty = Script::whole(200, r#"{"object":"list","data":[]}"#);
    let odd = Script::whole(200, "<html>");
    let mut mesh = ask("/v1/embeddings", &body).expect("a plan");
    let reply = run(&mut mesh, &[("openai", empty), ("azure", odd)]);
    assert_eq!(reply.status, 502);
    let trail = reply.header("x-pointsman-attempts");
    assert!(
        trail.contains("class=empty_reply") && trail.contains("class=malformed_reply"),
        "{trail}"
    );
}

#[test]
fn who_offers_no_embeddings_is_named_with_the_reason() {
    let body = json!({"model": "chat-only", "input": "Hi"});
    let (status, error) = ask("/v1/embeddings", &body).err().expect("refused");
    assert_eq!((status, &error["code"]), (400, &json!("no_able_candidate")));
    assert_eq!(
        error["message"],
        "no candidate of chat-only can serve this request for embeddings \
         (openai/gpt-5: not offered; anthropic/claude: not offered)"
    );
    // A candidate that is said to be of no use for chat is left out there.
    let body = json!({"model": "chat-only", "messages": [{"role": "user", "content": "Hi"}]});
    assert!(ask("/v1/chat/completions", &body).is_ok());
}

#[test]
fn rerank_is_found_under_every_spelling_of_its_path() {
    let body = json!({"model": "ranks", "query": "q", "documents": ["a", "b"], "top_n": 1});
    for path in ["/v1/rerank", "/v2/rerank", "/v1/v2/rerank?x=1"] {
        let mut mesh = ask(path, &body).expect("a plan");
        let sent = mesh.send(1, "vllm").expect("an attempt");
        assert_eq!(sent.path, "/v1/rerank");
        let ranks = r#"{"id":"1","results":[{"index":1,"relevance_score":0.9}],"usage":{"total_tokens":7}}"#;
        let reply = run(&mut mesh, &[("vllm", Script::whole(200, ranks))]);
        assert_eq!(reply.json()["results"][0]["index"], 1);
        assert_eq!(mesh.text("pointsman_input_tokens"), "7");
    }
}

#[test]
fn a_wrong_body_is_refused_by_the_name_of_the_parameter() {
    let embed = |body| ask("/v1/embeddings", &body).err().expect("refused");
    let rank = |body| ask("/v1/rerank", &body).err().expect("refused");
    let cases = [
        (embed(json!({"input": "Hi"})), "model"),
        (embed(json!({"model": 7, "input": "Hi"})), "model"),
        (embed(json!({"model": "vectors"})), "input"),
        (embed(json!({"model": "vectors", "input": []})), "input"),
        (
            embed(json!({"model": "vectors", "input": "Hi", "dimensions": 0})),
            "dimensions",
        ),
        (
            embed(json!({"model": "vectors", "input": "Hi", "encoding_format": "int8"})),
            "encoding_format",
        ),
        (
            embed(json!({"model": "vectors", "input": "Hi", "provider_options": 7})),
            "provider_options",
        ),
        (rank(json!({"model": "ranks", "documents": ["a"]})), "query"),
        (rank(json!({"model": "ranks", "query": "q"})), "documents"),
        (
            rank(json!({"model": "ranks", "query": "q", "documents": []})),
            "documents",
        ),
        (
            rank(json!({"model": "ranks", "query": "q", "documents": ["a", 7]})),
            "documents[1]",
        ),
        (
            rank(json!({"model": "ranks", "query": "q", "documents": ["a"], "top_n": -1})),
            "top_n",
        ),
    ];
    for ((status, error), param) in cases {
        assert_eq!((status, &error["param"]), (400, &json!(param)), "{error}");
    }
    let (status, error) = embed(json!({"model": "unheard-of", "input": "Hi"}));
    assert_eq!((status, &error["code"]), (404, &json!("model_not_found")));
}

#[test]
fn another_method_is_told_the_right_one() {
    let head = head("GET", "/v1/embeddings", &Vec::new());
    let Verdict::Respond(response) = Downstream::start(&gateway(), Topology::PerAttempt, &head)
    else {
        panic!("refused");
    };
    assert_eq!(response.status, 405);
    assert!(response.headers.contains(&("allow", "POST".to_owned())));
}
