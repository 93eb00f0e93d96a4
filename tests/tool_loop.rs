//! A tool loop that begins at one provider and goes on at another: every ordered pair.
//!
//! `tests/fixtures/tool_loop/<kind>/` holds what a provider of this kind says when it thinks and
//! calls two tools: `reply.json`, and the same streamed as `reply.sse` or `reply_events.json`.
//! Expected beside it: `said.json`, what a client sends back of it, and `to_<kind>.json`, the body
//! that the next provider gets, which `tests/vendor` holds to that vendor's own types. `BLESS=1`
//! rewrites what is expected.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "translations need more of it")]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use pointsman::catalog::Capabilities;
use pointsman::fidelity::Report;
use pointsman::provider::{self, Provider};
use pointsman::schema::openai::ChatCompletionRequest;
use pointsman::schema::{ReplyContext, Target};
use serde_json::{Value, json};
use support::Case;

/// Kinds of providers, with a model that thinks, and what it signs its thoughts with.
const KINDS: [(&str, &str, &[&str]); 7] = [
    ("openai", "gpt-5.4", &[]),
    (
        "anthropic",
        "claude-opus-4-8",
        &[
            "c2lnbmF0dXJlIG9mIGFudGhyb3BpYw==",
            "cmVkYWN0ZWQgb2YgYW50aHJvcGlj",
        ],
    ),
    (
        "gemini",
        "gemini-3.1-pro-preview",
        &["c2lnbmF0dXJlIG9mIGdlbWluaQ=="],
    ),
    (
        "bedrock",
        "anthropic.claude-opus-4-8",
        &[
            "c2lnbmF0dXJlIG9mIGJlZHJvY2s=",
            "cmVkYWN0ZWQgb2YgYmVkcm9jaw==",
        ],
    ),
    ("cohere", "command-a-reasoning-08-2025", &[]),
    ("mistral", "magistral-medium-latest", &[]),
    ("deepseek", "deepseek-v4-pro", &[]),
];

#[test]
fn a_reply_says_the_same_buffered_and_streamed() {
    for case in support::cases_in("tool_loop", "") {
        let kind = case.name();
        let said = said(&kind, false);
        case.expect_json("said.json", &said);
        assert_eq!(said, self::said(&kind, true), "{kind}: streamed");
    }
}

#[test]
fn every_pair_goes_on_with_what_the_other_began() {
    for case in support::cases_in("tool_loop", "") {
        let from = case.name();
        for (to, _, _) in KINDS {
            let conversation = conversation(&[&from], false);
            assert_eq!(conversation, self::conversation(&[&from], true));
            let body = body(to, &conversation);
            case.expect_json(&format!("to_{to}.json"), &body);
            assert_continues(&body, &from, to);
        }
    }
}

#[test]
fn a_loop_that_comes_back_finds_its_own_thoughts_and_nobody_elses() {
    for (home, _, signatures) in KINDS {
        for (away, _, foreign) in KINDS {
            let text = body(home, &conversation(&[home, away], true)).to_string();
            for signature in signatures {
                assert!(text.contains(signature), "{home}, {away}: {signature} lost");
            }
            for signature in foreign.iter().filter(|_| home != away) {
                assert!(
                    !text.contains(signature),
                    "{home}, {away}: {signature} sent"
                );
            }
            assert_eq!(text.matches("sunny").count(), 2, "{home}, {away}: {text}");
        }
    }
}

#[test]
fn every_kind_has_a_folder() {
    let names: Vec<String> = support::cases_in("tool_loop", "")
        .iter()
        .map(Case::name)
        .collect();
    let mut kinds: Vec<&str> = KINDS.iter().map(|(kind, _, _)| *kind).collect();
    kinds.sort_unstable();
    assert_eq!(names, kinds);
}

/// What was said and found arrives; what one provider signed is nothing for another.
fn assert_continues(body: &Value, from: &str, to: &str) {
    let text = body.to_string();
    for words in ["What is the weather", "Köln", "sunny", "12:00"] {
        assert!(text.contains(words), "{from} to {to}: {words} lost: {text}");
    }
    for (kind, _, signatures) in KINDS {
        for signature in signatures {
            let is_there = text.contains(signature);
            assert_eq!(
                is_there,
                kind == from && kind == to,
                "{from} to {to}: {signature}: {text}"
            );
        }
    }
    let calls = text.matches("\"weather\"").count();
    assert!(calls >= 2, "{from} to {to}: a call or the tool is lost");
}

/// A request whose tools were called by these kinds, one after the other.
fn conversation(kinds: &[&str], streamed: bool) -> Value {
    let mut messages = vec![json!({"role": "user", "content": "What is the weather, and when?"})];
    for (round, kind) in kinds.iter().enumerate() {
        let mut turn = said(kind, streamed);
        let calls = turn["tool_calls"].as_array_mut().expect("calls");
        let mut results = Vec::new();
        for (call, found) in calls.iter_mut().zip(["sunny", "12:00"]) {
            // No provider gives an id twice.
            let id = match round {
                0 => call["id"].as_str().expect("an id").to_owned(),
                round => format!("{}{round}", call["id"].as_str().expect("an id")),
            };
            call["id"] = json!(id);
            results.push(json!({"role": "tool", "tool_call_id": id, "content": found}));
        }
        messages.push(turn);
        // Clients answer in whatever order the tools end.
        results.reverse();
        messages.extend(results);
    }
    let tool = |name: &str| {
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        json!({"type": "function", "function": {"name": name, "parameters": parameters}})
    };
    json!({
        "model": "smart",
        "messages": messages,
        "tools": [tool("weather"), tool("now")],
        "max_tokens": 4000,
        "reasoning_effort": "high",
    })
}

/// The body that a provider of this kind is sent.
fn body(kind: &str, conversation: &Value) -> Value {
    let source = conversation.to_string();
    let request = ChatCompletionRequest::parse(source.as_bytes()).expect("a request");
    let provider = find(kind);
    let target = Target {
        source: source.as_bytes(),
        model: model(kind),
        capabilities: &Capabilities::default(),
        defaults: &BTreeMap::new(),
        option_keys: [kind, kind, provider.schema().name()],
        dialect: &provider.dialect(),
        betas: &[],
    };
    let translated = provider
        .schema()
        .translate_request(&request, &target, &mut Report::default());
    support::value(&translated.expect("a translation").body)
}

/// The assistant's turn as a client sends it back.
fn said(kind: &str, streamed: bool) -> Value {
    let provider = find(kind);
    let context = ReplyContext {
        id: "chatcmpl-x".to_owned(),
        model: model(kind).to_owned(),
        dialect: Arc::new(provider.dialect()),
        ..ReplyContext::default()
    };
    let cases = support::cases_in("tool_loop", "");
    let case = cases.iter().find(|case| case.name() == kind).expect("it");
    let mut out = Vec::new();
    if !streamed {
        let reply = case.bytes("reply.json");
        let read = provider
            .schema()
            .translate_response(&context, &reply, &mut out);
        read.unwrap_or_else(|failure| panic!("{kind}: {failure:?}"));
        return returned(support::value(&out)["choices"][0]["message"].take());
    }
    let body = match case.has("reply.sse") {
        true => case.bytes("reply.sse"),
        false => support::frames(&support::value(&case.bytes("reply_events.json"))),
    };
    let mut translator = provider.schema().translate_stream(context);
    translator.push(&body, &mut out).expect("a stream");
    translator.finish(&mut out).expect("an end");
    returned(accumulated(&String::from_utf8(out).expect("text")))
}

/// What the deltas of a stream amount to, as SDKs put them together.
fn accumulated(stream: &str) -> Value {
    let mut message = json!({"role": "assistant", "tool_calls": []});
    let events = stream
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "));
    for event in events.filter(|data| *data != "[DONE]") {
        let chunk = support::value(event.as_bytes());
        let Some(delta) = chunk["choices"][0]["delta"].as_object() else {
            continue;
        };
        for (name, value) in delta {
            match name.as_str() {
                "tool_calls" => {
                    for call in value.as_array().expect("calls") {
                        add_call(&mut message["tool_calls"], call);
                    }
                }
                "reasoning_details" => {
                    let more = value.as_array().expect("details").clone();
                    match message[name].as_array_mut() {
                        Some(details) => details.extend(more),
                        None => message[name] = more.into(),
                    }
                }
                "role" => message[name] = value.clone(),
                _ => join(&mut message[name], value),
            }
        }
    }
    message
}

fn add_call(calls: &mut Value, delta: &Value) {
    let calls = calls.as_array_mut().expect("calls");
    let index = delta["index"].as_u64().expect("an index") as usize;
    assert!(index <= calls.len(), "calls are numbered from 0");
    if index == calls.len() {
        calls.push(json!({"type": "function", "function": {}}));
    }
    for (name, value) in delta.as_object().expect("a call") {
        match name.as_str() {
            "index" | "type" => {}
            "function" => {
                for (name, value) in value.as_object().expect("a function") {
                    join(&mut calls[index]["function"][name], value);
                }
            }
            _ => calls[index][name] = value.clone(),
        }
    }
}

fn join(into: &mut Value, more: &Value) {
    let Some(more) = more.as_str() else { return };
    let had = into.as_str().unwrap_or_default();
    *into = json!(format!("{had}{more}"));
}

/// Without what says nothing.
fn returned(mut message: Value) -> Value {
    let fields = message.as_object_mut().expect("a message");
    fields.retain(|name, value| {
        let is_mute = value.is_null() || *value == json!([]) || *value == json!("");
        name == "content" || !is_mute
    });
    if fields.get("content").is_none_or(|c| *c == json!("")) {
        fields.insert("content".to_owned(), Value::Null);
    }
    message
}

fn find(kind: &str) -> &'static dyn Provider {
    provider::find(kind).expect("a kind")
}

fn model(kind: &str) -> &'static str {
    let mut kinds = KINDS.iter();
    kinds.find(|(known, _, _)| *known == kind).expect("it").1
}

#[test]
fn what_claude_signed_at_one_host_goes_back_to_it_at_another() {
    let of_bedrock = json!({"output": {"message": {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2lnbmVk"}}},
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Köln"}}},
    ]}}, "stopReason": "tool_use"});
    let of_anthropic = json!({"type": "message", "role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Köln"}},
    ], "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}});
    for (from, to, reply) in [
        ("bedrock", "anthropic", of_bedrock),
        ("anthropic", "bedrock", of_anthropic),
    ] {
        let context = ReplyContext {
            model: model(from).to_owned(),
            ..ReplyContext::default()
        };
        let schema = find(from).schema();
        let mut out = Vec::new();
        let reply = reply.to_string();
        schema
            .translate_response(&context, reply.as_bytes(), &mut out)
            .expect("a reply");
        let said = support::value(&out)["choices"][0]["message"].clone();
        let conversation = json!({"model": "m", "reasoning_effort": "high", "messages": [
            {"role": "user", "content": "What is the weather?"}, said,
            {"role": "tool", "tool_call_id": "t1", "content": "sunny"},
        ], "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]});
        let text = body(to, &conversation).to_string();
        assert!(text.contains("c2lnbmVk"), "{from} to {to}: {text}");
    }
}
