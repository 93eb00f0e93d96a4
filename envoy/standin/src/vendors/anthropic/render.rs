//! Replies of Messages, buffered and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::{Answer, Stop, pieces};
use crate::ask::Ask;
use crate::reply::Reply;

/// The signature of all thoughts, and the only one that is taken back.
pub const SIGNATURE: &str = "c3RhbmRpbi10aGlua2luZy1zaWduYXR1cmU=";

/// What is taken back: Bedrock's too, for Claude's signatures hold at every host.
pub const SIGNATURES: [&str; 2] = [SIGNATURE, "c3RhbmRpbi1yZWFzb25pbmctc2lnbmF0dXJl"];

/// Words the answer.
pub fn reply(ask: &Ask, answer: &Answer) -> Reply {
    let mut reply = if ask.stream {
        Reply::events("text/event-stream; charset=utf-8", stream(ask, answer))
    } else {
        Reply::json(200, message(ask, answer).to_string().into_bytes())
    };
    let field = ("request-id".to_owned(), "req_standin".to_owned());
    reply.headers.push(field);
    reply
}

/// A named server-sent event.
pub fn event(name: &str, data: &Value) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

fn message(ask: &Ask, answer: &Answer) -> Value {
    let (reason, sequence, details) = stop(answer);
    json!({
        "id": id(ask), "type": "message", "role": "assistant", "model": ask.model,
        "content": blocks(answer), "stop_reason": reason, "stop_sequence": sequence,
        "stop_details": details, "usage": usage(ask, answer.output_tokens(), answer),
    })
}

fn id(ask: &Ask) -> String {
    format!("msg_standin{}", ask.turns)
}

fn stop(answer: &Answer) -> (&'static str, Value, Value) {
    match &answer.stop {
        Stop::End => ("end_turn", Value::Null, Value::Null),
        Stop::Length => ("max_tokens", Value::Null, Value::Null),
        Stop::Text(sequence) => ("stop_sequence", json!(sequence), Value::Null),
        Stop::Tools => ("tool_use", Value::Null, Value::Null),
        Stop::Refused => {
            let details = json!({"type": "refusal", "category": null, "explanation": null});
            ("refusal", Value::Null, details)
        }
    }
}

fn blocks(answer: &Answer) -> Vec<Value> {
    let thinking = answer
        .thinking
        .iter()
        .map(|thinking| json!({"type": "thinking", "thinking": thinking, "signature": SIGNATURE}));
    let text = Some(&answer.text).filter(|text| !text.is_empty());
    let text = text.map(|text| json!({"type": "text", "text": text, "citations": null}));
    let calls = answer.calls.iter().map(|call| {
        let id = format!("toolu_standin_{}", call.id);
        json!({"type": "tool_use", "id": id, "name": call.name, "input": call.arguments})
    });
    thinking.chain(text).chain(calls).collect()
}

fn usage(ask: &Ask, output: u64, answer: &Answer) -> Value {
    let read = ask.cached_tokens();
    let written = ask.written_tokens();
    let mut usage = json!({
        "input_tokens": ask.input_tokens() - read - written,
        "cache_read_input_tokens": read, "cache_creation_input_tokens": written,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output, "service_tier": "standard",
    });
    if answer.thinking_tokens > 0 {
        usage["output_tokens_details"] = json!({"thinking_tokens": answer.thinking_tokens});
    }
    usage
}

fn stream(ask: &Ask, answer: &Answer) -> Vec<Bytes> {
    let mut start = message(ask, answer);
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    start["stop_sequence"] = Value::Null;
    start["stop_details"] = Value::Null;
    start["usage"] = usage(ask, 1, answer);
    let mut events = vec![
        typed("message_start", json!({"message": start})),
        typed("ping", json!({})),
    ];
    for (index, block) in blocks(answer).iter().enumerate() {
        stream_block(&mut events, index, block);
    }
    let (reason, sequence, details) = stop(answer);
    let delta = json!({"stop_reason": reason, "stop_sequence": sequence, "stop_details": details});
    let mut total = usage(ask, answer.output_tokens(), answer);
    for only_at_start in ["cache_creation", "service_tier"] {
        total
            .as_object_mut()
            .map(|total| total.remove(only_at_start));
    }
    events.push(typed(
        "message_delta",
        json!({"delta": delta, "usage": total}),
    ));
    events.push(typed("message_stop", json!({})));
    events
}

fn typed(name: &str, mut data: Value) -> Bytes {
    data["type"] = json!(name);
    event(name, &data)
}

fn stream_block(events: &mut Vec<Bytes>, index: usize, block: &Value) {
    let (start, deltas) = match block["type"].as_str() {
        Some("thinking") => thinking_deltas(block),
        Some("tool_use") => tool_deltas(block),
        _ => (json!({"type": "text", "text": ""}), text_deltas(block)),
    };
    let start = json!({"index": index, "content_block": start});
    events.push(typed("content_block_start", start));
    for delta in deltas {
        events.push(typed(
            "content_block_delta",
            json!({"index": index, "delta": delta}),
        ));
    }
    events.push(typed("content_block_stop", json!({"index": index})));
}

fn text_deltas(block: &Value) -> Vec<Value> {
    pieces(block["text"].as_str().unwrap_or_default())
        .into_iter()
        .map(|piece| json!({"type": "text_delta", "text": piece}))
        .collect()
}

fn thinking_deltas(block: &Value) -> (Value, Vec<Value>) {
    let thinking = block["thinking"].as_str().unwrap_or_default();
    let mut deltas: Vec<_> = pieces(thinking)
        .into_iter()
        .map(|piece| json!({"type": "thinking_delta", "thinking": piece}))
        .collect();
    deltas.push(json!({"type": "signature_delta", "signature": SIGNATURE}));
    (
        json!({"type": "thinking", "thinking": "", "signature": ""}),
        deltas,
    )
}

fn tool_deltas(block: &Value) -> (Value, Vec<Value>) {
    let mut start = block.clone();
    start["input"] = json!({});
    let input = block["input"].to_string();
    // The vendor opens with an empty piece, which a reader has to bear.
    let deltas = std::iter::once("")
        .chain(pieces(&input))
        .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}))
        .collect();
    (start, deltas)
}
