use serde_json::{Value, json};

use super::{least_tokens, mark};
use crate::fidelity::Report;
use crate::schema::openai::ChatCompletionRequest;

const LEAST: u64 = 1024;

/// Numbers of the messages that are marked, and whether a tool is.
fn marks(messages: Value, tools: Value) -> (Vec<usize>, bool) {
    let body = json!({"model": "m", "messages": messages, "tools": tools}).to_string();
    let mut request = ChatCompletionRequest::parse(body.as_bytes()).expect("a request");
    let mut report = Report::default();
    mark(&mut request, body.as_bytes(), LEAST, &mut report);
    let is_marked = |marker: Option<crate::json::Raw<'_>>| {
        marker.is_some_and(|raw| raw.get() == r#"{"type":"ephemeral"}"#)
    };
    let messages = request.messages().iter().enumerate();
    let marked = messages.filter(|(_, m)| is_marked(m.cache_control));
    let marked: Vec<usize> = marked.map(|(i, _)| i).collect();
    let tools = request
        .tools()
        .iter()
        .any(|tool| is_marked(tool.cache_control));
    let told = report.to_string() == "defaulted cache_control";
    assert_eq!(told, tools || !marked.is_empty(), "{report}");
    (marked, tools)
}

fn says(role: &str, bytes: usize) -> Value {
    json!({"role": role, "content": "x".repeat(bytes)})
}

#[test]
fn what_comes_again_is_marked_where_it_ends() {
    let none = json!([]);
    let cases = [
        (
            "short",
            json!([says("system", 100), says("user", 100)]),
            vec![],
        ),
        (
            "long system",
            json!([says("system", 5_000), says("user", 10)]),
            vec![0],
        ),
        (
            "long document",
            json!([says("system", 10), says("user", 5_000)]),
            vec![1],
        ),
        (
            "a conversation",
            json!([
                says("system", 5_000),
                says("user", 1),
                says("assistant", 1),
                says("user", 1)
            ]),
            vec![0, 3],
        ),
        (
            "a conversation that grew long",
            json!([says("user", 10), says("assistant", 5_000), says("user", 10)]),
            vec![2],
        ),
        (
            "ends with the assistant",
            json!([says("user", 10), says("assistant", 5_000)]),
            vec![],
        ),
    ];
    for (name, messages, expected) in cases {
        assert_eq!(marks(messages, none.clone()), (expected, false), "{name}");
    }
}

#[test]
fn tools_without_a_system_message_are_marked_themselves() {
    let tool =
        json!({"type": "function", "function": {"name": "f", "description": "d".repeat(5_000)}});
    let tools = json!([tool, tool]);
    assert_eq!(
        marks(json!([says("user", 1)]), tools.clone()),
        (vec![], true)
    );
    let messages = json!([says("system", 1), says("user", 1)]);
    assert_eq!(marks(messages, tools), (vec![0], false));
}

#[test]
fn a_clients_own_markers_are_left_alone() {
    let own = json!({"role": "user", "content": [
        {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]});
    let body = json!({"model": "m", "messages": [says("system", 5_000), own]}).to_string();
    let mut request = ChatCompletionRequest::parse(body.as_bytes()).expect("a request");
    let mut report = Report::default();
    mark(&mut request, body.as_bytes(), LEAST, &mut report);
    assert!(report.is_empty());
    assert!(request.messages()[0].cache_control.is_none());
    // Who only speaks of markers has set none.
    let spoken = json!({"role": "user", "content": "What is \"cache_control\"?"});
    assert_eq!(
        marks(json!([says("system", 5_000), spoken]), json!([])).0,
        [0]
    );
}

#[test]
fn models_keep_beginnings_of_their_own_length() {
    for (schema, model, least) in [
        ("anthropic", "claude-opus-4-5-20251101", Some(4096)),
        ("anthropic", "claude-sonnet-4-5", Some(1024)),
        ("anthropic", "claude-sonnet-4-6", Some(2048)),
        ("anthropic", "claude-opus-4-1", Some(1024)),
        ("anthropic", "some-other-model", None),
        (
            "bedrock_converse",
            "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
            Some(4096),
        ),
        (
            "bedrock_converse",
            "anthropic.claude-3-7-sonnet-20250219-v1:0",
            Some(1024),
        ),
        (
            "bedrock_converse",
            "anthropic.claude-3-opus-20240229-v1:0",
            None,
        ),
        ("bedrock_converse", "amazon.nova-pro-v1:0", Some(1024)),
        ("bedrock_converse", "meta.llama3-70b-instruct-v1:0", None),
        ("openai", "gpt-5.4", None),
    ] {
        assert_eq!(least_tokens(schema, model), least, "{schema} {model}");
    }
}
