//! Replies of Chat, buffered and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::{Answer, Call, Stop, pieces};
use crate::ask::Ask;
use crate::reply::Reply;

/// Tokens of Cohere's own prompts: processed, but not billed.
const OWN_PROMPT_TOKENS: u64 = 60;

const ID: &str = "c14c80c3-18eb-4519-9460-6c92edd8cfb4";

/// Words the answer.
pub fn reply(ask: &Ask, answer: &Answer) -> Reply {
    if ask.stream {
        return Reply::events("text/event-stream", stream(ask, answer));
    }
    let mut body = json!({
        "id": ID, "finish_reason": finish_reason(answer), "message": message(ask, answer),
        "usage": usage(ask, answer),
    });
    if ask.logprobs {
        body["logprobs"] = json!([logprobs(&answer.text)]);
    }
    Reply::json(200, body.to_string().into_bytes())
}

/// What a reply says that failed: its reason to finish, nothing else.
pub fn breakdown(ask: &Ask) -> Bytes {
    if !ask.stream {
        let message = json!({"role": "assistant", "content": []});
        let body = json!({"id": ID, "finish_reason": "ERROR", "message": message});
        return Bytes::from(body.to_string());
    }
    let delta = json!({"finish_reason": "ERROR", "error": "internal server error"});
    event(json!({"type": "message-end", "id": ID, "delta": delta}))
}

fn event(data: Value) -> Bytes {
    let name = data["type"].as_str().unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

fn finish_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::End => "COMPLETE",
        Stop::Text(_) => "STOP_SEQUENCE",
        Stop::Length => "MAX_TOKENS",
        Stop::Tools => "TOOL_CALL",
        Stop::Refused => "ERROR",
    }
}

fn message(ask: &Ask, answer: &Answer) -> Value {
    let mut message = json!({"role": "assistant"});
    let content = parts(answer);
    if !content.is_empty() {
        message["content"] = content.into();
    }
    if !answer.calls.is_empty() {
        message["tool_plan"] = json!(plan(answer));
        message["tool_calls"] = answer.calls.iter().map(tool_call).collect();
    }
    let citations = citations(ask, answer);
    if !citations.is_empty() {
        message["citations"] = citations.into();
    }
    message
}

fn parts(answer: &Answer) -> Vec<Value> {
    let thinking = answer.thinking.iter();
    let thinking = thinking.map(|thinking| json!({"type": "thinking", "thinking": thinking}));
    let text = Some(&answer.text).filter(|text| !text.is_empty());
    let text = text.map(|text| json!({"type": "text", "text": text}));
    thinking.chain(text).collect()
}

fn plan(answer: &Answer) -> String {
    let names: Vec<_> = answer.calls.iter().map(|call| call.name.as_str()).collect();
    format!("I will use {}.", names.join(" and "))
}

fn call_id(call: &Call) -> String {
    format!("{}_standin{}", call.name, call.id)
}

fn tool_call(call: &Call) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
    json!({"id": call_id(call), "type": "function", "function": function})
}

/// The first word rests on every document.
fn citations(ask: &Ask, answer: &Answer) -> Vec<Value> {
    let Some(word) = answer.text.split(' ').next().filter(|w| !w.is_empty()) else {
        return Vec::new();
    };
    let documents = ask.documents.iter().enumerate();
    documents
        .map(|(index, document)| {
            let id = document["id"].as_str().map(str::to_owned);
            let id = id.unwrap_or_else(|| format!("doc:{index}"));
            let source = json!({"type": "document", "id": id, "document": document["data"]});
            json!({
                "start": 0, "end": word.chars().count(), "text": word, "sources": [source],
                "type": "TEXT_CONTENT",
            })
        })
        .collect()
}

fn logprobs(text: &str) -> Value {
    let count = text.split_whitespace().count();
    json!({"text": text, "token_ids": vec![7; count], "logprobs": vec![-0.1; count]})
}

/// Cohere counts with fractions.
fn usage(ask: &Ask, answer: &Answer) -> Value {
    let (input, output) = (ask.input_tokens() as f64, answer.output_tokens() as f64);
    json!({
        "billed_units": {"input_tokens": input, "output_tokens": output},
        "tokens": {"input_tokens": input + OWN_PROMPT_TOKENS as f64, "output_tokens": output},
        "cached_tokens": 0.0,
    })
}

fn stream(ask: &Ask, answer: &Answer) -> Vec<Bytes> {
    let empty = json!({
        "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [],
    });
    let mut events = vec![json!({
        "type": "message-start", "id": ID, "delta": {"message": empty},
    })];
    for (index, part) in parts(answer).iter().enumerate() {
        stream_part(&mut events, ask, index, part);
    }
    if !answer.calls.is_empty() {
        for piece in pieces(&plan(answer)) {
            events.push(delta("tool-plan-delta", None, json!({"tool_plan": piece})));
        }
    }
    for (index, call) in answer.calls.iter().enumerate() {
        stream_call(&mut events, index, call);
    }
    for (index, citation) in citations(ask, answer).into_iter().enumerate() {
        let message = json!({"citations": citation});
        events.push(delta("citation-start", Some(index), message));
        events.push(json!({"type": "citation-end", "index": index}));
    }
    let end = json!({"finish_reason": finish_reason(answer), "usage": usage(ask, answer)});
    events.push(json!({"type": "message-end", "id": ID, "delta": end}));
    let mut events: Vec<_> = events.into_iter().map(event).collect();
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

fn delta(name: &str, index: Option<usize>, message: Value) -> Value {
    let mut event = json!({"type": name, "delta": {"message": message}});
    if let Some(index) = index {
        event["index"] = json!(index);
    }
    event
}

fn stream_part(events: &mut Vec<Value>, ask: &Ask, index: usize, part: &Value) {
    let kind = part["type"].as_str().unwrap_or_default();
    let start = json!({"content": {"type": kind, kind: ""}});
    events.push(delta("content-start", Some(index), start));
    for piece in pieces(part[kind].as_str().unwrap_or_default()) {
        let content = json!({"content": {kind: piece}});
        let mut event = delta("content-delta", Some(index), content);
        if ask.logprobs && kind == "text" {
            event["logprobs"] = logprobs(piece);
        }
        events.push(event);
    }
    events.push(json!({"type": "content-end", "index": index}));
}

fn stream_call(events: &mut Vec<Value>, index: usize, call: &Call) {
    let mut start = tool_call(call);
    start["function"]["arguments"] = json!("");
    let start = json!({"tool_calls": start});
    events.push(delta("tool-call-start", Some(index), start));
    for piece in pieces(&call.arguments.to_string()) {
        let more = json!({"tool_calls": {"function": {"arguments": piece}}});
        events.push(delta("tool-call-delta", Some(index), more));
    }
    events.push(json!({"type": "tool-call-end", "index": index}));
}
