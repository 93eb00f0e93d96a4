//! Replies of compatible hosts, buffered and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Host, Thoughts};
use crate::answer::{Answer, Call, Stop, pieces};
use crate::ask::Ask;
use crate::reply::Reply;
use crate::vendors::data_event;

/// A fixed time of creation keeps replies the same for the same request.
const CREATED: u64 = 1_700_000_000;

/// Words the answer.
pub fn reply(host: &Host, ask: &Ask, answer: &Answer) -> Reply {
    if ask.stream {
        return Reply::events("text/event-stream", stream(host, ask, answer));
    }
    let choices: Vec<_> = (0..ask.count.max(1))
        .map(|index| {
            json!({
                "index": index, "message": message(host, answer, index),
                "finish_reason": finish_reason(answer),
            })
        })
        .collect();
    let body = json!({
        "id": id(ask), "object": "chat.completion", "created": CREATED, "model": ask.model,
        "choices": choices, "usage": (host.usage)(ask, answer),
    });
    Reply::json(200, body.to_string().into_bytes())
}

fn id(ask: &Ask) -> String {
    format!("standin-{}", ask.turns)
}

fn finish_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::End | Stop::Text(_) => "stop",
        Stop::Length => "length",
        Stop::Tools => "tool_calls",
        Stop::Refused => "content_filter",
    }
}

fn message(host: &Host, answer: &Answer, index: usize) -> Value {
    let text = answer.alternative(index);
    let mut message = json!({"role": "assistant", "content": text});
    match (&answer.thinking, &host.thoughts) {
        (None, _) => {}
        (Some(thinking), Thoughts::Field) => message["reasoning_content"] = json!(thinking),
        (Some(thinking), Thoughts::Part) => {
            message["content"] = json!([thought(thinking), {"type": "text", "text": text}]);
        }
    }
    if !answer.calls.is_empty() {
        let calls = answer.calls.iter().enumerate();
        message["tool_calls"] = calls.map(|(at, call)| whole_call(host, at, call)).collect();
    }
    message
}

fn thought(text: &str) -> Value {
    json!({"type": "thinking", "thinking": [{"type": "text", "text": text}]})
}

fn whole_call(host: &Host, at: usize, call: &Call) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
    json!({"index": at, "id": (host.call_id)(call), "type": "function", "function": function})
}

fn stream(host: &Host, ask: &Ask, answer: &Answer) -> Vec<Bytes> {
    let mut chunks = Vec::new();
    for index in 0..ask.count.max(1) {
        let mut deltas = deltas(host, answer, index);
        let last = match host.whole_calls && !answer.calls.is_empty() {
            true => deltas.pop().unwrap_or_default(),
            false => json!({"content": ""}),
        };
        chunks.extend(deltas.into_iter().map(|delta| {
            chunk(
                ask,
                json!([{"index": index, "delta": delta, "finish_reason": null}]),
            )
        }));
        let end = json!({"index": index, "delta": last, "finish_reason": finish_reason(answer)});
        chunks.push(chunk(ask, json!([end])));
    }
    let usage = (host.usage)(ask, answer);
    if let Some(last) = chunks.last_mut().filter(|_| host.whole_calls) {
        last["usage"] = usage;
    } else if ask.stream_usage {
        let mut end = chunk(ask, json!([]));
        end["usage"] = usage;
        chunks.push(end);
    }
    let mut events: Vec<_> = chunks.iter().map(data_event).collect();
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

fn chunk(ask: &Ask, choices: Value) -> Value {
    json!({
        "id": id(ask), "object": "chat.completion.chunk", "created": CREATED,
        "model": ask.model, "choices": choices,
    })
}

fn deltas(host: &Host, answer: &Answer, index: usize) -> Vec<Value> {
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    for piece in pieces(answer.thinking.as_deref().unwrap_or_default()) {
        deltas.push(match host.thoughts {
            Thoughts::Field => json!({"content": null, "reasoning_content": piece}),
            Thoughts::Part => json!({"content": [thought(piece)]}),
        });
    }
    if host.whole_calls && !answer.calls.is_empty() {
        let calls = answer.calls.iter().enumerate();
        let calls: Vec<_> = calls.map(|(at, call)| whole_call(host, at, call)).collect();
        deltas.push(json!({"tool_calls": calls, "content": ""}));
        return deltas;
    }
    if answer.calls.is_empty() {
        let text = answer.alternative(index);
        deltas.extend(
            pieces(&text)
                .into_iter()
                .map(|piece| json!({"content": piece})),
        );
    }
    for (at, call) in answer.calls.iter().enumerate() {
        let mut start = whole_call(host, at, call);
        start["function"]["arguments"] = json!("");
        deltas.push(json!({"tool_calls": [start]}));
        let arguments = call.arguments.to_string();
        deltas.extend(
            pieces(&arguments).into_iter().map(
                |piece| json!({"tool_calls": [{"index": at, "function": {"arguments": piece}}]}),
            ),
        );
    }
    deltas
}
