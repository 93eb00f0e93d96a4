//! What a Cohere stand-in answers, and what it refuses.

use crate::client::{Reply, call, start};
use pointsman_standin::{Standin, Vendor};
use serde_json::{Value, json};

async fn cohere(standin: &Standin, body: &Value) -> Reply {
    let key = [("authorization", "Bearer k")];
    call(standin.address(), "POST /v2/chat", &key, body)
        .await
        .unwrap()
}

fn tools() -> Value {
    let schema = json!({
        "type": "object", "required": ["city"], "properties": {"city": {"type": "string"}},
    });
    json!([{"type": "function", "function": {"name": "look", "parameters": schema}}])
}

/// What the events of one name add, joined.
fn joined(events: &[Value], name: &str, pointer: &str) -> String {
    let named = events.iter().filter(|event| event["type"] == name);
    named.filter_map(|e| e.pointer(pointer)?.as_str()).collect()
}

#[tokio::test]
async fn it_answers_and_cites_in_one_piece() {
    let standin = start(Vendor::Cohere, Some("k")).await;
    let messages = json!([{"role": "user", "content": "good day"}]);
    let documents = json!(["plain", {"id": "d", "data": {"title": "T"}}]);
    let ask = json!({"model": "m", "messages": messages, "documents": documents});
    let body = cohere(&standin, &ask).await.json();
    let message = &body["message"];
    let text = "Hello from cohere (m). You said: good day";
    assert_eq!(message["content"], json!([{"type": "text", "text": text}]));
    assert_eq!(message["citations"][1]["sources"][0]["id"], "d");
    assert_eq!(body["finish_reason"], "COMPLETE");
    assert_eq!(body["usage"]["billed_units"]["input_tokens"], 2.0);
}

#[tokio::test]
async fn it_streams_named_events() {
    let standin = start(Vendor::Cohere, Some("k")).await;
    let messages = json!([{"role": "user", "content": "good day"}]);
    let mut ask = json!({"model": "m", "stream": true, "messages": messages});
    ask["thinking"] = json!({"type": "enabled"});
    let reply = cohere(&standin, &ask).await;
    let text = reply.text();
    assert!(text.starts_with("event: message-start\ndata: {"), "{text}");
    let events = reply.events();
    let said = joined(&events, "content-delta", "/delta/message/content/text");
    assert_eq!(said, "Hello from cohere (m). You said: good day");
    let thoughts = joined(&events, "content-delta", "/delta/message/content/thinking");
    assert!(thoughts.starts_with("The user wants"), "{thoughts}");
    let last = events.last().unwrap();
    assert_eq!(last["delta"]["finish_reason"], "COMPLETE");
}

#[tokio::test]
async fn it_plans_calls_and_takes_their_results() {
    let standin = start(Vendor::Cohere, Some("k")).await;
    let user = json!({"role": "user", "content": "weather, in parallel"});
    let mut ask = json!({"model": "m", "messages": [user], "tools": tools()});
    let body = cohere(&standin, &ask).await.json();
    assert_eq!(body["finish_reason"], "TOOL_CALL");
    let message = body["message"].clone();
    assert_eq!(message["tool_plan"], "I will use look and look.");
    assert_eq!(message.get("content"), None);

    ask["stream"] = json!(true);
    let events = cohere(&standin, &ask).await.events();
    let at = "/delta/message/tool_calls/function/arguments";
    let arguments = joined(&events, "tool-call-delta", at);
    assert_eq!(arguments, "{\"city\":\"text\"}{\"city\":\"text\"}");

    let id = |index: usize| message["tool_calls"][index]["id"].clone();
    let result = |id: Value| json!({"role": "tool", "tool_call_id": id, "content": "sunny"});
    let mut messages = json!([user, message, result(id(0)), result(id(1))]);
    ask = json!({"model": "m", "messages": messages, "tools": tools()});
    let body = cohere(&standin, &ask).await.json();
    let text = body["message"]["content"][0]["text"].as_str().unwrap();
    assert!(text.ends_with("The tool said: sunny; sunny"), "{text}");

    messages.as_array_mut().unwrap().pop();
    ask["messages"] = messages;
    assert_eq!(cohere(&standin, &ask).await.status, 400);
}

#[tokio::test]
async fn it_refuses_what_cohere_refuses() {
    let standin = start(Vendor::Cohere, Some("k")).await;
    let format = json!({"type": "json_object"});
    let cases = [
        (json!({"max_completion_tokens": 5}), "max_completion_tokens"),
        (json!({"p": 1.0}), "p must be between"),
        (json!({"tool_choice": "auto"}), "tool_choice"),
        (json!({"tool_choice": "REQUIRED"}), "needs tools"),
        (
            json!({"response_format": format, "tools": tools()}),
            "with tools",
        ),
        (
            json!({"response_format": format, "documents": ["x"]}),
            "with RAG",
        ),
        (
            json!({"messages": [{"role": "user", "content": ""}]}),
            "empty",
        ),
        (
            json!({"messages": [{"role": "developer", "content": "x"}]}),
            "role",
        ),
    ];
    for (fields, reason) in cases {
        let mut ask = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
        let asked = ask.as_object_mut().unwrap();
        asked.extend(fields.as_object().unwrap().clone());
        let reply = cohere(&standin, &ask).await;
        let body = reply.json();
        assert_eq!(reply.status, 400, "{ask}");
        assert!(body["message"].as_str().unwrap().contains(reason), "{body}");
        assert!(body["id"].is_string() && body.as_object().unwrap().len() == 2);
    }
}

#[tokio::test]
async fn a_reply_that_breaks_down_says_so_at_its_end() {
    let standin = start(Vendor::Cohere, Some("k")).await;
    let script = json!({"rules": [{"fault": {"kind": "error_event_after", "events": 2}}]});
    standin.control().set_script(script).unwrap();
    let messages = json!([{"role": "user", "content": "x"}]);
    let ask = json!({"model": "m", "stream": true, "messages": messages});
    let events = cohere(&standin, &ask).await.events();
    assert_eq!(events.last().unwrap()["delta"]["finish_reason"], "ERROR");
}
