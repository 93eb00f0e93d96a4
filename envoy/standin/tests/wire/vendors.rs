//! What healthy stand-ins answer, and what they refuse.

use crate::client::{Reply, call, start};
use pointsman_standin::{Standin, Vendor};
use serde_json::{Value, json};

const OPENAI: &str = "POST /v1/chat/completions";
const ANTHROPIC: &str = "POST /v1/messages";
const GEMINI: &str = "POST /v1beta/models/m:generateContent";
const GEMINI_SSE: &str = "POST /v1beta/models/m:streamGenerateContent?alt=sse";

async fn openai(standin: &Standin, body: Value) -> Reply {
    let key = [("authorization", "Bearer k")];
    call(standin.address(), OPENAI, &key, &body).await.unwrap()
}

async fn anthropic(standin: &Standin, body: Value) -> Reply {
    let head = [("x-api-key", "k"), ("anthropic-version", "2023-06-01")];
    call(standin.address(), ANTHROPIC, &head, &body)
        .await
        .unwrap()
}

async fn gemini(standin: &Standin, line: &str, body: Value) -> Reply {
    let key = [("x-goog-api-key", "k")];
    call(standin.address(), line, &key, &body).await.unwrap()
}

fn tool_schema() -> Value {
    json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}})
}

fn openai_tools() -> Value {
    json!([{"type": "function", "function": {"name": "look", "parameters": tool_schema()}}])
}

#[tokio::test]
async fn openai_answers_in_one_piece() {
    let standin = start(Vendor::OpenAi, Some("k")).await;
    let messages = json!([{"role": "user", "content": "good day"}]);
    let reply = openai(
        &standin,
        json!({"model": "m", "messages": messages, "n": 2}),
    )
    .await;
    let body = reply.json();
    assert_eq!(reply.status, 200);
    assert_eq!(
        body["choices"][0]["message"]["content"],
        "Hello from openai (m). You said: good day"
    );
    assert_eq!(body["choices"][1]["index"], 1);
    assert_eq!(body["usage"]["prompt_tokens"], 2);
}

#[tokio::test]
async fn openai_streams_usage_only_when_asked() {
    let standin = start(Vendor::OpenAi, Some("k")).await;
    let mut body = json!({
        "model": "m", "stream": true, "messages": [{"role": "user", "content": "good day"}],
    });
    let plain = openai(&standin, body.clone()).await;
    assert!(plain.text().ends_with("data: [DONE]\n\n"));
    assert!(!plain.text().contains("usage"));
    body["stream_options"] = json!({"include_usage": true});
    let events = openai(&standin, body).await.events();
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events[0]["usage"], Value::Null);
    let last = events.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["completion_tokens"], 8);
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, "Hello from openai (m). You said: good day");
}

#[tokio::test]
async fn openai_calls_tools_and_takes_their_results() {
    let standin = start(Vendor::OpenAi, Some("k")).await;
    let user = json!({"role": "user", "content": "weather, in parallel"});
    let ask = json!({"model": "m", "messages": [user], "tools": openai_tools()});
    let body = openai(&standin, ask).await.json();
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
    let calls = &body["choices"][0]["message"]["tool_calls"];
    assert_eq!(calls.as_array().unwrap().len(), 2);
    assert_eq!(calls[0]["function"]["arguments"], "{\"city\":\"text\"}");
    let result = |id: &Value| json!({"role": "tool", "tool_call_id": id, "content": "sunny"});
    let mut messages = json!([
        user, {"role": "assistant", "tool_calls": calls},
        result(&calls[0]["id"]), result(&calls[1]["id"]),
    ]);
    let ask = json!({"model": "m", "messages": messages, "tools": openai_tools()});
    let body = openai(&standin, ask).await.json();
    let text = body["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.ends_with("The tool said: sunny; sunny"), "{text}");
    messages.as_array_mut().unwrap().pop();
    let refused = openai(&standin, json!({"model": "m", "messages": messages})).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn openai_keeps_to_a_schema() {
    let standin = start(Vendor::OpenAi, Some("k")).await;
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "s", "schema": tool_schema()}});
    let messages = json!([{"role": "user", "content": "x"}]);
    let ask = json!({"model": "m", "messages": messages, "response_format": format});
    let body = openai(&standin, ask).await.json();
    assert_eq!(
        body["choices"][0]["message"]["content"],
        "{\"city\":\"text\"}"
    );
}

#[tokio::test]
async fn openai_refuses_fields_of_other_vendors() {
    let standin = start(Vendor::OpenAi, Some("k")).await;
    let good = json!({"role": "user", "content": "x"});
    for (message, param) in [
        (
            json!({"role": "assistant", "content": "x", "reasoning_content": "y"}),
            "messages[0].reasoning_content",
        ),
        (
            json!({"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}),
            "messages[0].content[0].cache_control",
        ),
        (
            json!({"role": "user", "content": "x", "extra_content": {}}),
            "messages[0].extra_content",
        ),
    ] {
        let reply = openai(&standin, json!({"model": "m", "messages": [message, good]})).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.json()["error"]["param"], param);
        assert_eq!(reply.json()["error"]["code"], "unknown_parameter");
    }
}

#[tokio::test]
async fn anthropic_answers_in_one_piece() {
    let standin = start(Vendor::Anthropic, Some("k")).await;
    let ask = json!({
        "model": "m", "max_tokens": 2000, "messages": [{"role": "user", "content": "good day"}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    });
    let body = anthropic(&standin, ask).await.json();
    assert_eq!(body["content"][0]["type"], "thinking");
    assert_eq!(
        body["content"][1]["text"],
        "Hello from anthropic (m). You said: good day"
    );
    assert_eq!(body["stop_reason"], "end_turn");
}

#[tokio::test]
async fn anthropic_streams_named_events_in_order() {
    let standin = start(Vendor::Anthropic, Some("k")).await;
    let ask = json!({
        "model": "m", "max_tokens": 100, "stream": true,
        "messages": [{"role": "user", "content": "weather"}],
        "tools": [{"name": "look", "input_schema": tool_schema()}],
    });
    let reply = anthropic(&standin, ask).await;
    let text = reply.text();
    assert!(text.starts_with("event: message_start\n"));
    let events = reply.events();
    let types: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(types[..3], ["message_start", "ping", "content_block_start"]);
    assert_eq!(types[types.len() - 2..], ["message_delta", "message_stop"]);
    let input: String = events
        .iter()
        .filter_map(|event| event["delta"]["partial_json"].as_str())
        .collect();
    assert_eq!(input, "{\"city\":\"text\"}");
    assert_eq!(events[types.len() - 2]["delta"]["stop_reason"], "tool_use");
}

#[tokio::test]
async fn anthropic_keeps_to_a_schema() {
    let standin = start(Vendor::Anthropic, Some("k")).await;
    let ask = json!({
        "model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "x"}],
        "output_config": {"format": {"type": "json_schema", "schema": tool_schema()}},
    });
    let body = anthropic(&standin, ask).await.json();
    assert_eq!(body["content"][0]["text"], "{\"city\":\"text\"}");
}

#[tokio::test]
async fn anthropic_refuses_what_breaks_its_rules() {
    let standin = start(Vendor::Anthropic, Some("k")).await;
    let user = json!({"role": "user", "content": "x"});
    let used = json!({"role": "assistant", "content": [
        {"type": "tool_use", "id": "a", "name": "look", "input": {}},
        {"type": "tool_use", "id": "b", "name": "look", "input": {}},
    ]});
    let result = |id| json!({"type": "tool_result", "tool_use_id": id, "content": "y"});
    let text = json!({"type": "text", "text": "z"});
    let turn = |blocks: Vec<&Value>| json!({"role": "user", "content": blocks});
    let (a, b) = (result("a"), result("b"));
    for (messages, why) in [
        (vec![], "at least one message"),
        (
            vec![json!({"role": "system", "content": "x"})],
            "messages.0.role",
        ),
        (
            vec![json!({"role": "user", "content": [{"type": "text", "text": ""}]})],
            "non-empty",
        ),
        (
            vec![user.clone(), used.clone(), turn(vec![&a])],
            "without `tool_result`",
        ),
        (
            vec![user.clone(), used.clone(), turn(vec![&text, &a, &b])],
            "must come first",
        ),
        (
            vec![user.clone(), used.clone(), turn(vec![&a, &a, &b])],
            "more than one",
        ),
        (
            vec![user.clone(), turn(vec![&a])],
            "unexpected `tool_use_id`",
        ),
    ] {
        let ask = json!({"model": "m", "max_tokens": 9, "messages": messages});
        let reply = anthropic(&standin, ask).await;
        assert_eq!(reply.status, 400, "{why}");
        assert!(reply.text().contains(why), "{why}: {}", reply.text());
    }
    let good = vec![user, used, turn(vec![&a, &b, &text])];
    let reply = anthropic(
        &standin,
        json!({"model": "m", "max_tokens": 9, "messages": good}),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn anthropic_refuses_options_that_exclude_each_other() {
    let standin = start(Vendor::Anthropic, Some("k")).await;
    let thinking = json!({"type": "enabled", "budget_tokens": 1024});
    let tools = json!([{"name": "look", "input_schema": tool_schema()}]);
    for (options, why) in [
        (json!({"max_tokens": null}), "max_tokens: Field required"),
        (
            json!({"thinking": thinking, "temperature": 0.5}),
            "temperature",
        ),
        (
            json!({"thinking": thinking, "max_tokens": 1024}),
            "must be greater",
        ),
        (
            json!({"thinking": thinking, "tools": tools, "tool_choice": {"type": "any"}}),
            "forces tool use",
        ),
        (
            json!({"metadata": {"user_id": "u", "team": "t"}}),
            "metadata.team: Extra inputs",
        ),
        (
            json!({"frequency_penalty": 1}),
            "frequency_penalty: Extra inputs",
        ),
    ] {
        let messages = json!([{"role": "user", "content": "x"}]);
        let mut ask = json!({"model": "m", "max_tokens": 2000, "messages": messages});
        let options = options.as_object().unwrap().clone();
        ask.as_object_mut().unwrap().extend(options);
        let reply = anthropic(&standin, ask).await;
        assert_eq!(reply.status, 400, "{why}");
        assert!(reply.text().contains(why), "{why}: {}", reply.text());
    }
}

#[tokio::test]
async fn gemini_answers_buffered_as_events_and_as_an_array() {
    let standin = start(Vendor::Gemini, Some("k")).await;
    let ask = json!({"contents": [{"parts": [{"text": "good day"}]}]});
    let whole = "Hello from gemini (m). You said: good day";
    let buffered = gemini(&standin, GEMINI, ask.clone()).await.json();
    assert_eq!(
        buffered["candidates"][0]["content"]["parts"][0]["text"],
        whole
    );
    let texts = |chunks: &[Value]| -> String {
        let parts = chunks
            .iter()
            .map(|c| &c["candidates"][0]["content"]["parts"][0]["text"]);
        parts.map(|text| text.as_str().unwrap()).collect()
    };
    let streamed = gemini(&standin, GEMINI_SSE, ask.clone()).await;
    assert!(streamed.text().contains("\r\n\r\n"));
    let events = streamed.events();
    assert_eq!(texts(&events), whole);
    assert_eq!(
        events.last().unwrap()["candidates"][0]["finishReason"],
        "STOP"
    );
    let array = gemini(&standin, GEMINI_SSE.trim_end_matches("?alt=sse"), ask).await;
    assert_eq!(texts(array.json().as_array().unwrap()), whole);
}

#[tokio::test]
async fn gemini_signs_its_calls_and_counts_the_responses() {
    let standin = start(Vendor::Gemini, Some("k")).await;
    let line = "POST /v1beta/models/gemini-3:generateContent";
    let tools = json!([{"functionDeclarations": [
        {"name": "look", "parametersJsonSchema": tool_schema()},
    ]}]);
    let user = json!({"role": "user", "parts": [{"text": "weather in parallel"}]});
    let ask = json!({"contents": [user], "tools": tools});
    let mut model = gemini(&standin, line, ask).await.json()["candidates"][0]["content"].clone();
    assert_eq!(
        model["parts"][1]["functionCall"]["args"],
        json!({"city": "text"})
    );
    assert!(model["parts"][1]["thoughtSignature"].is_string());
    let response = json!({"functionResponse": {"name": "look", "response": {"is": "sunny"}}});
    let ask = |model: &Value, responses: Vec<&Value>| json!({"contents": [user, model, {"role": "user", "parts": responses}], "tools": tools});
    let both = gemini(&standin, line, ask(&model, vec![&response, &response])).await;
    assert_eq!(both.status, 200, "{}", both.text());
    let one = gemini(&standin, line, ask(&model, vec![&response])).await;
    assert!(one.status == 400 && one.text().contains("number of function response"));
    model["parts"][0]
        .as_object_mut()
        .unwrap()
        .remove("thoughtSignature");
    let unsigned = gemini(&standin, line, ask(&model, vec![&response, &response])).await;
    assert!(unsigned.status == 400 && unsigned.text().contains("thought_signature"));
}

#[tokio::test]
async fn gemini_refuses_what_its_schemas_do_not_know() {
    let standin = start(Vendor::Gemini, Some("k")).await;
    let declared =
        |schema: Value| json!([{"functionDeclarations": [{"name": "f", "parameters": schema}]}]);
    let contents = json!([{"role": "user", "parts": [{"text": "x"}]}]);
    for ask in [
        json!({"contents": []}),
        json!({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}),
        json!({"contents": contents, "tools": declared(json!({"type": "OBJECT", "additionalProperties": false}))}),
        json!({"contents": contents, "tools": declared(json!({"type": "OBJECT", "properties": {"a": {"type": ["STRING", "NULL"]}}}))}),
        json!({"contents": contents, "cachedContent": "c", "tools": declared(json!({"type": "OBJECT"}))}),
        json!({"contents": contents, "generationConfig": {"routingConfig": {}}}),
        json!({"contents": contents, "modell": "m"}),
    ] {
        let reply = gemini(&standin, GEMINI, ask.clone()).await;
        assert_eq!(reply.status, 400, "{ask}");
        assert_eq!(reply.json()["error"]["status"], "INVALID_ARGUMENT");
    }
}

#[tokio::test]
async fn vertex_takes_a_bearer_token() {
    let standin = start(Vendor::Gemini, Some("k")).await;
    let line = "POST /v1/projects/p/locations/l/publishers/google/models/m:generateContent";
    let ask =
        json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}], "labels": {"a": "b"}});
    let key = [("authorization", "Bearer k")];
    let reply = call(standin.address(), line, &key, &ask).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let foreign = gemini(&standin, line, ask).await;
    assert!(foreign.text().contains("foreign credential"));
}

#[tokio::test]
async fn a_wrong_key_a_foreign_key_and_an_internal_header_are_refused() {
    let standin = start(Vendor::OpenAi, Some("k")).await;
    let ask = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
    for (headers, status, why) in [
        (vec![], 401, "Incorrect API key"),
        (
            vec![("authorization", "Bearer other")],
            401,
            "Incorrect API key",
        ),
        (
            vec![("authorization", "Bearer k"), ("x-api-key", "a")],
            400,
            "foreign credential",
        ),
        (
            vec![("authorization", "Bearer k"), ("x-pointsman-step", "1")],
            400,
            "internal header",
        ),
        (
            vec![
                ("authorization", "Bearer k"),
                ("x-envoy-attempt-count", "1"),
            ],
            400,
            "internal header",
        ),
    ] {
        let reply = call(standin.address(), OPENAI, &headers, &ask)
            .await
            .unwrap();
        assert_eq!(reply.status, status, "{why}");
        assert!(reply.text().contains(why), "{why}: {}", reply.text());
    }
    let refusals = standin.control().stats()["refused"].clone();
    assert_eq!(refusals, 5);
}
