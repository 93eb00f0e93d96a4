//! A Messages request that goes through the surface and back out of the schema means what it
//! meant: nothing is lost between a Claude client and Anthropic.
//!
//! Compared in a normal form, because the same can be said in several ways:
//!
//! * a string is one text block, in `system`, in a message and in the result of a tool;
//! * turns of one role that follow each other are one turn;
//! * `null`, `false` for a flag, and `type: custom` of a tool say nothing.
//!
//! Accepted differences, each with its test below: text or reasoning that follows a call in one
//! turn moves before it; results of tools move before what the user says beside them; a system
//! message between turns moves before them; documents of plain text, of blocks, and search
//! results become text; citations, `context` of a document and `transformations` of an image
//! are dropped with a report.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use pointsman::catalog::{Capabilities, Thinking};
use pointsman::fidelity::Report;
use pointsman::inspect::inspect;
use pointsman::provider::PROVIDERS;
use pointsman::schema::openai::dialect::PLAIN;
use pointsman::schema::{Schema, Target};
use pointsman::surface::{SURFACES, Surface, SurfaceContext};
use serde_json::{Value, json};

/// What came out, and everything that was reported on the way.
struct Trip {
    body: Value,
    findings: Vec<String>,
}

fn surface() -> &'static dyn Surface {
    let mut surfaces = SURFACES.iter();
    *surfaces.find(|s| s.name() == "messages").expect("it")
}

fn schema() -> &'static dyn Schema {
    let mut schemas = PROVIDERS.iter().map(|provider| provider.schema());
    schemas.find(|s| s.name() == "anthropic").expect("it")
}

fn travel(request: &Value, thinking: Thinking) -> Trip {
    let (mut chat, mut report) = (Vec::new(), Report::default());
    let body = request.to_string();
    surface()
        .open(
            body.as_bytes(),
            &SurfaceContext::default(),
            &mut chat,
            &mut report,
        )
        .map(|_| ())
        .unwrap_or_else(|error| panic!("{error:?}: {request:#}"));
    let (parsed, _) = inspect(&chat).unwrap_or_else(|error| panic!("{error:?}: {request:#}"));
    let capabilities = Capabilities {
        thinking,
        ..Capabilities::default()
    };
    let target = Target {
        betas: &[],
        source: &chat,
        model: request["model"].as_str().expect("a model"),
        capabilities: &capabilities,
        defaults: &BTreeMap::new(),
        option_keys: ["the-provider", "anthropic", "anthropic"],
        dialect: &PLAIN,
    };
    let mut report = report.served_by(schema().name());
    let translated = schema()
        .translate_request(&parsed, &target, &mut report)
        .unwrap_or_else(|error| panic!("{error}: {request:#}"));
    Trip {
        body: serde_json::from_slice(&translated.body).expect("JSON"),
        findings: report
            .findings()
            .iter()
            .map(|f| format!("{} {}", f.verdict.as_str(), f.param))
            .collect(),
    }
}

/// The normal form.
fn normal(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(system) = body.get_mut("system") {
        *system = blocks(system);
    }
    let turns = body["messages"].as_array().expect("messages").clone();
    let mut merged: Vec<Value> = Vec::new();
    for turn in turns {
        let content = blocks(&turn["content"]);
        match merged.last_mut() {
            Some(last) if last["role"] == turn["role"] => {
                let more = content.as_array().expect("blocks").clone();
                last["content"].as_array_mut().expect("blocks").extend(more);
            }
            _ => merged.push(json!({"role": turn["role"], "content": content})),
        }
    }
    body["messages"] = merged.into();
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        if tool["type"] == "custom" {
            tool.as_object_mut().expect("an object").remove("type");
        }
    }
    without_neutral(&mut body);
    body
}

fn blocks(content: &Value) -> Value {
    let mut blocks = match content {
        Value::String(text) => json!([{"type": "text", "text": text}]),
        blocks => blocks.clone(),
    };
    for block in blocks.as_array_mut().into_iter().flatten() {
        if block["type"] == "tool_result" && !block["content"].is_null() {
            block["content"] = self::blocks(&block["content"]);
        }
    }
    blocks
}

/// Removes what says nothing, but never from what the model or the client wrote itself.
fn without_neutral(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let is_flag = matches!(
                    name.as_str(),
                    "is_error" | "stream" | "disable_parallel_tool_use"
                );
                !(value.is_null() || is_flag && *value == false)
            });
            for (name, value) in fields {
                if !matches!(name.as_str(), "input" | "input_schema" | "schema") {
                    without_neutral(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_neutral),
        _ => {}
    }
}

fn request(fields: Value) -> Value {
    let mut request = json!({
        "model": "claude-x",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "Hello"}],
    });
    let fields = fields.as_object().expect("fields").clone();
    request.as_object_mut().expect("an object").extend(fields);
    request
}

fn said(content: Value) -> Value {
    request(json!({"messages": [{"role": "user", "content": content}]}))
}

/// A tool loop whose assistant turn and next user turn are these.
fn looped(assistant: Value, user: Value) -> Value {
    request(json!({
        "messages": [
            {"role": "user", "content": "What is the weather?"},
            {"role": "assistant", "content": assistant},
            {"role": "user", "content": user},
        ],
        "tools": [tool("get_weather")],
    }))
}

fn tool(name: &str) -> Value {
    json!({
        "name": name,
        "description": "Tells \"the\" weather",
        "input_schema": {
            "type": "object",
            "$defs": {"City": {"type": "string"}},
            "properties": {"city": {"$ref": "#/$defs/City"}, "unit": {"type": "null", "default": null}},
            "required": ["city"],
            "additionalProperties": false,
        },
    })
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "get_weather", "input": {"city": "Köln", "deep": {"a": [1, 2.50, null]}}})
}

fn result(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": "18 °C"})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn thought(text: &str) -> Value {
    json!({"type": "thinking", "thinking": text, "signature": "EqQBCkYIARgCKkA+/="})
}

fn cached() -> Value {
    json!({"type": "ephemeral", "ttl": "1h"})
}

fn marked(mut block: Value) -> Value {
    block["cache_control"] = cached();
    block
}

fn exact() -> Vec<(&'static str, Value)> {
    let png = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
    let pdf = json!({"type": "document", "title": "Plan.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}});
    let redacted = json!({"type": "redacted_thinking", "data": "EmwKAhgBEgy/+="});
    let with_tools = |fields: Value| {
        let mut request = request(fields);
        request["tools"] = json!([tool("get_weather"), tool("get_time")]);
        request
    };
    vec![
        ("a greeting", request(json!({}))),
        (
            "a string with escapes",
            said(json!("Tab\t \"quoted\" \\ \u{1F600} \u{0}")),
        ),
        ("several texts", said(json!([text("One"), text("Two")]))),
        (
            "a system of one string",
            request(json!({"system": "Be brief."})),
        ),
        (
            "a system of blocks with a marker",
            request(json!({"system": [text("Long"), marked(text("Longer"))]})),
        ),
        (
            "markers in a turn",
            said(json!([marked(text("Book")), text("What is in it?")])),
        ),
        (
            "an image in base64",
            said(json!([png, text("What is it?")])),
        ),
        (
            "an image by URL, marked",
            said(json!([
                marked(
                    json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.jpg"}})
                ),
                text("?")
            ])),
        ),
        ("a PDF with a title", said(json!([pdf, text("Summarise")]))),
        (
            "a PDF by URL, marked",
            said(json!([
                marked(
                    json!({"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}})
                ),
                text("?")
            ])),
        ),
        (
            "a conversation",
            request(json!({"messages": [
                {"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": [text("3")]},
            ]})),
        ),
        (
            "the beginning of an answer",
            request(json!({"messages": [
                {"role": "user", "content": "Sun in Greek?"}, {"role": "assistant", "content": "The best answer is ("},
            ]})),
        ),
        (
            "a call and its result",
            looped(
                json!([text("Let me see."), call("toolu_1")]),
                json!([result("toolu_1")]),
            ),
        ),
        (
            "two calls at once",
            looped(
                json!([call("toolu_1"), call("toolu_2")]),
                json!([result("toolu_1"), result("toolu_2")]),
            ),
        ),
        (
            "results and words after them",
            looped(
                json!([call("toolu_1")]),
                json!([result("toolu_1"), text("And now?")]),
            ),
        ),
        (
            "a failed tool",
            looped(
                json!([call("toolu_1")]),
                json!([
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no such city", "is_error": true},
                ]),
            ),
        ),
        (
            "a result without content",
            looped(
                json!([call("toolu_1")]),
                json!([{"type": "tool_result", "tool_use_id": "toolu_1"}]),
            ),
        ),
        (
            "a result with an image",
            looped(
                json!([call("toolu_1")]),
                json!([
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("Radar:"), png]},
                ]),
            ),
        ),
        (
            "markers on a call and a result",
            looped(
                json!([text("Hm"), marked(call("toolu_1"))]),
                json!([marked(result("toolu_1"))]),
            ),
        ),
        (
            "an input without fields",
            looped(
                json!([{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}]),
                json!([result("toolu_1")]),
            ),
        ),
        (
            "signed reasoning",
            looped(
                json!([thought("Think."), text("Let me see."), call("toolu_1")]),
                json!([result("toolu_1")]),
            ),
        ),
        (
            "signed reasoning without words",
            looped(
                json!([thought(""), call("toolu_1")]),
                json!([result("toolu_1")]),
            ),
        ),
        (
            "redacted reasoning",
            looped(
                json!([thought("Think."), redacted, call("toolu_1")]),
                json!([result("toolu_1")]),
            ),
        ),
        (
            "reasoning between texts",
            looped(
                json!([
                    thought("A"),
                    text("B"),
                    thought("C"),
                    redacted,
                    text("D"),
                    call("toolu_1")
                ]),
                json!([result("toolu_1")]),
            ),
        ),
        ("tools with a marker and strictness", {
            let mut request = with_tools(json!({}));
            request["tools"][0]["strict"] = true.into();
            request["tools"][1]["type"] = "custom".into();
            request["tools"][1]["cache_control"] = cached();
            request
        }),
        ("tools with what only Anthropic knows", {
            let mut request = with_tools(json!({}));
            request["tools"][0]["eager_input_streaming"] = true.into();
            request["tools"][1]["input_examples"] = json!([{"city": "Bonn"}]);
            request["tools"][1]["defer_loading"] = true.into();
            request
        }),
        (
            "a free choice of tools",
            with_tools(json!({"tool_choice": {"type": "auto"}})),
        ),
        (
            "one call at a time",
            with_tools(json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}})),
        ),
        (
            "any tool",
            with_tools(json!({"tool_choice": {"type": "any", "disable_parallel_tool_use": false}})),
        ),
        (
            "a named tool",
            with_tools(
                json!({"tool_choice": {"type": "tool", "name": "get_time", "disable_parallel_tool_use": true}}),
            ),
        ),
        (
            "no tool",
            with_tools(json!({"tool_choice": {"type": "none"}})),
        ),
        (
            "stop sequences",
            request(json!({"stop_sequences": ["\n\nHuman:", "END"]})),
        ),
        (
            "a temperature and a top_k",
            request(json!({"temperature": 0.7, "top_k": 40})),
        ),
        ("a top_p", request(json!({"top_p": 0.9}))),
        (
            "adaptive thinking",
            request(json!({"thinking": {"type": "adaptive", "display": "summarized"}})),
        ),
        (
            "adaptive thinking with an effort",
            request(json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}})),
        ),
        (
            "thinking between tools",
            request(json!({"thinking": {"type": "between_tools"}})),
        ),
        (
            "no thinking",
            request(json!({"thinking": {"type": "disabled"}})),
        ),
        (
            "an effort alone",
            request(json!({"output_config": {"effort": "low"}})),
        ),
        (
            "a JSON schema",
            request(
                json!({"output_config": {"format": {"type": "json_schema", "schema": {
                    "type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"], "additionalProperties": false,
                }}}}),
            ),
        ),
        (
            "a short user id",
            request(json!({"metadata": {"user_id": "u-1"}})),
        ),
        (
            "a long user id",
            request(
                json!({"metadata": {"user_id": format!("user_{}_session_{}", "a".repeat(64), "b".repeat(36))}}),
            ),
        ),
        ("automatic tier", request(json!({"service_tier": "auto"}))),
        (
            "standard tier",
            request(json!({"service_tier": "standard_only"})),
        ),
        ("a stream", request(json!({"stream": true}))),
        (
            "what only Anthropic knows",
            request(json!({
                "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
                "cache_control": {"type": "ephemeral"},
                "inference_geo": "eu",
                "speed": "fast",
                "diagnostics": {"previous_message_id": null},
            })),
        ),
        ("a turn of an agent", {
            let mut request = looped(
                json!([
                    thought("Read it."),
                    text("Reading."),
                    marked(call("toolu_1"))
                ]),
                json!([
                    marked(
                        json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("1: fn main")], "is_error": false})
                    ),
                    text("<system-reminder>x</system-reminder>"),
                ]),
            );
            request["system"] = json!([text("You are an agent."), marked(text("Rules"))]);
            request["thinking"] = json!({"type": "adaptive"});
            request["output_config"] = json!({"effort": "high"});
            request["stream"] = true.into();
            request["metadata"] = json!({"user_id": "u-1"});
            request
        }),
    ]
}

#[test]
fn what_a_claude_client_says_reaches_anthropic_as_it_was() {
    let cases = exact();
    assert!(cases.len() >= 30, "{} requests", cases.len());
    for (name, request) in cases {
        let trip = travel(&request, Thinking::Effort);
        let (came, went) = (normal(&trip.body), normal(&request));
        assert!(came == went, "{name}: sent {went:#}, came {came:#}");
        assert!(trip.findings.is_empty(), "{name}: {:?}", trip.findings);
    }
}

#[test]
fn a_budget_reaches_a_model_that_thinks_by_one() {
    let request = request(
        json!({"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"}}),
    );
    let trip = travel(&request, Thinking::Budget);
    assert_eq!(normal(&trip.body), normal(&request));
    assert!(trip.findings.is_empty(), "{:?}", trip.findings);
}

#[test]
fn accepted_differences_are_reported_by_name() {
    let document = |source: Value| said(json!([{"type": "document", "source": source}]));
    let cases = [
        (
            looped(
                json!([call("toolu_1"), text("Done")]),
                json!([result("toolu_1")]),
            ),
            "rewritten messages[1].content[1]",
        ),
        (
            looped(
                json!([call("toolu_1"), thought("Hm"), call("toolu_2")]),
                json!([result("toolu_1"), result("toolu_2")]),
            ),
            "rewritten messages[1].content[1]",
        ),
        (
            looped(
                json!([call("toolu_1")]),
                json!([text("Look:"), result("toolu_1")]),
            ),
            "rewritten messages[2].content[1]",
        ),
        (
            looped(
                json!([marked(call("toolu_1")), call("toolu_2")]),
                json!([result("toolu_1"), result("toolu_2")]),
            ),
            "dropped messages[1].content[0].cache_control",
        ),
        (
            request(json!({"messages": [
                {"role": "user", "content": "1"}, {"role": "system", "content": "Be brief."},
            ]})),
            "rewritten messages[1]",
        ),
        (
            document(json!({"type": "text", "media_type": "text/plain", "data": "Plan"})),
            "rewritten messages[0].content[0].source",
        ),
        (
            document(json!({"type": "content", "content": [text("Plan")]})),
            "rewritten messages[0].content[0].source",
        ),
        (
            said(
                json!([{"type": "search_result", "source": "https://x", "title": "T", "content": [text("C")]}]),
            ),
            "rewritten messages[0].content[0]",
        ),
        (
            said(
                json!([{"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}, "citations": {"enabled": true}}]),
            ),
            "dropped messages[0].content[0].citations",
        ),
        (
            said(
                json!([{"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}, "context": "c"}]),
            ),
            "dropped messages[0].content[0].context",
        ),
        (
            request(json!({"tool_choice": {"type": "auto"}})),
            "dropped tool_choice",
        ),
    ];
    for (request, finding) in cases {
        let trip = travel(&request, Thinking::Effort);
        let is_told = trip.findings.iter().any(|told| told == finding);
        assert!(is_told, "{finding}: {:?} for {request:#}", trip.findings);
    }
}

#[test]
fn what_moves_within_a_turn_is_not_lost() {
    let request = looped(
        json!([
            call("toolu_1"),
            thought("Hm"),
            text("Done"),
            call("toolu_2")
        ]),
        json!([text("Look:"), result("toolu_1"), result("toolu_2")]),
    );
    let body = normal(&travel(&request, Thinking::Effort).body);
    let kinds = |turn: usize| -> Vec<String> {
        let blocks = body["messages"][turn]["content"]
            .as_array()
            .expect("blocks");
        blocks
            .iter()
            .map(|b| b["type"].as_str().expect("a type").to_owned())
            .collect()
    };
    assert_eq!(kinds(1), ["thinking", "text", "tool_use", "tool_use"]);
    assert_eq!(kinds(2), ["tool_result", "tool_result", "text"]);
}

#[test]
fn what_only_anthropic_knows_is_a_finding_for_others() {
    let request = request(
        json!({"context_management": {"edits": []}, "metadata": {"user_id": "u".repeat(65)}}),
    );
    let (mut chat, mut report) = (Vec::new(), Report::default());
    let body = request.to_string();
    let opened = surface().open(
        body.as_bytes(),
        &SurfaceContext::default(),
        &mut chat,
        &mut report,
    );
    assert!(opened.is_ok());
    let lost = |schema: &str| report.served_by(schema).to_string();
    assert_eq!(lost("anthropic"), "");
    assert_eq!(
        lost("gemini"),
        "dropped context_management; dropped metadata.user_id"
    );
}
