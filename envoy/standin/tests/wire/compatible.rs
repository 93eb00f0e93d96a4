//! What stand-ins for compatible hosts refuse that OpenAI takes, and say in their own way.

use crate::client::{Reply, call, start};
use pointsman_standin::{Standin, Vendor};
use serde_json::{Value, json};

async fn post(standin: &Standin, body: &Value) -> Reply {
    let key = [("authorization", "Bearer k")];
    let line = "POST /v1/chat/completions";
    call(standin.address(), line, &key, body).await.unwrap()
}

/// A request with these fields besides a harmless message.
fn asking(fields: Value) -> Value {
    let mut ask = json!({"model": "m", "messages": [{"role": "user", "content": "weather"}]});
    let asked = ask.as_object_mut().unwrap();
    asked.extend(fields.as_object().unwrap().clone());
    ask
}

fn tools() -> Value {
    let schema = json!({
        "type": "object", "required": ["city"], "properties": {"city": {"type": "string"}},
    });
    json!([{"type": "function", "function": {"name": "look", "parameters": schema}}])
}

/// A loop of one call, with this id and these fields of the assistant's turn.
fn turns(id: &str, fields: Value) -> Value {
    let function = json!({"name": "look", "arguments": "{}"});
    let mut turn = json!({
        "role": "assistant", "content": "",
        "tool_calls": [{"id": id, "type": "function", "function": function}],
    });
    let said = turn.as_object_mut().unwrap();
    said.extend(fields.as_object().unwrap().clone());
    json!([
        {"role": "user", "content": "weather"}, turn,
        {"role": "tool", "tool_call_id": id, "content": "dry"},
    ])
}

async fn all_refused(vendor: Vendor, cases: Vec<(Value, u16, &str)>) {
    let standin = start(vendor, Some("k")).await;
    for (fields, status, reason) in cases {
        let reply = post(&standin, &asking(fields.clone())).await;
        let body = reply.json();
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(reply.status, status, "{fields}: {body}");
        assert!(message.contains(reason), "{message}");
    }
}

#[tokio::test]
async fn mistral_refuses_what_it_does_not_know() {
    let without = json!([{"type": "function", "function": {"name": "look"}}]);
    let cases = vec![
        (json!({"user": "u"}), 422, "body.user: Extra inputs"),
        (json!({"seed": 1}), 422, "body.seed"),
        (
            json!({"stream": true, "stream_options": {"include_usage": true}}),
            422,
            "stream_options",
        ),
        (json!({"tools": without}), 422, "parameters"),
        (
            json!({"messages": turns("call_1", json!({}))}),
            400,
            "length of 9",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": "x"}]}),
            400,
            "last role",
        ),
    ];
    all_refused(Vendor::Mistral, cases).await;
}

#[tokio::test]
async fn mistral_streams_a_call_in_one_chunk_with_its_end_and_usage() {
    let standin = start(Vendor::Mistral, Some("k")).await;
    let ask = asking(json!({"tools": tools(), "stream": true}));
    let events = post(&standin, &ask).await.events();
    let last = events.last().unwrap();
    let choice = &last["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let call = &choice["delta"]["tool_calls"][0];
    assert_eq!(call["id"].as_str().unwrap().len(), 9);
    assert_eq!(call["function"]["arguments"], "{\"city\":\"text\"}");
    assert!(last["usage"]["total_tokens"].is_u64());
}

#[tokio::test]
async fn deepseek_refuses_what_thinking_excludes() {
    let schema = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {}}});
    let cases = vec![
        (
            json!({"messages": turns("c", json!({}))}),
            400,
            "passed back",
        ),
        (
            json!({"tools": tools(), "tool_choice": "required"}),
            400,
            "this tool_choice",
        ),
        (json!({"response_format": schema}), 400, "response_format"),
        (
            json!({"response_format": {"type": "json_object"}}),
            400,
            "word 'json'",
        ),
        (
            json!({"messages": [{"role": "developer", "content": "x"}]}),
            400,
            "role",
        ),
    ];
    all_refused(Vendor::DeepSeek, cases).await;
}

#[tokio::test]
async fn deepseek_takes_the_same_when_it_does_not_think() {
    let standin = start(Vendor::DeepSeek, Some("k")).await;
    let off = json!({"type": "disabled"});
    for fields in [
        json!({"thinking": off, "messages": turns("c", json!({}))}),
        json!({"thinking": off, "tools": tools(), "tool_choice": "required"}),
        json!({"messages": turns("c", json!({"reasoning_content": ""}))}),
    ] {
        let reply = post(&standin, &asking(fields)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

#[tokio::test]
async fn deepseek_thinks_in_a_field_of_its_own() {
    let standin = start(Vendor::DeepSeek, Some("k")).await;
    let body = post(&standin, &asking(json!({}))).await.json();
    let message = &body["choices"][0]["message"];
    assert!(message["reasoning_content"].as_str().unwrap().len() > 9);
    assert_eq!(
        body["usage"]["completion_tokens_details"]["reasoning_tokens"],
        7
    );
}

#[tokio::test]
async fn qwen_refuses_what_thinking_excludes() {
    let named = json!({"type": "function", "function": {"name": "look"}});
    let json_mode = json!({"type": "json_object"});
    let thinks = |more: Value| {
        let mut fields = json!({"enable_thinking": true, "stream": true});
        let all = fields.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        fields
    };
    let cases = vec![
        (json!({"enable_thinking": true}), 400, "non-streaming"),
        (
            json!({"tools": tools(), "tool_choice": "required"}),
            400,
            "tool_choice",
        ),
        (
            thinks(json!({"tools": tools(), "tool_choice": named})),
            400,
            "in thinking mode",
        ),
        (
            thinks(json!({"response_format": json_mode})),
            400,
            "Json mode",
        ),
        (json!({"user": "u"}), 400, "user"),
    ];
    all_refused(Vendor::Qwen, cases).await;
}

#[tokio::test]
async fn a_schema_in_words_is_heeded_where_json_is_held_to() {
    let standin = start(Vendor::Qwen, Some("k")).await;
    let words = "Answer in JSON, as {this} says: {\"type\":\"object\",\"required\":[\"a\"],\
                 \"properties\":{\"a\":{\"type\":\"integer\"}}}";
    let ask = asking(json!({
        "messages": [{"role": "system", "content": words}, {"role": "user", "content": "x"}],
        "response_format": {"type": "json_object"},
    }));
    let body = post(&standin, &ask).await.json();
    assert_eq!(body["choices"][0]["message"]["content"], "{\"a\":1}");
}
