//! Replies of Converse, buffered and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use super::frame::{MEDIA_TYPE, event};
use crate::answer::{Answer, Stop, pieces};
use crate::ask::Ask;
use crate::reply::Reply;

/// The signature of all thoughts, and the only one that is taken back.
pub const SIGNATURE: &str = "c3RhbmRpbi1yZWFzb25pbmctc2lnbmF0dXJl";

/// Signatures that are taken back: Claude's hold wherever it is hosted.
pub const SIGNATURES: [&str; 2] = [SIGNATURE, "c3RhbmRpbi10aGlua2luZy1zaWduYXR1cmU="];

/// Words the answer.
pub fn reply(ask: &Ask, answer: &Answer) -> Reply {
    if ask.stream {
        return Reply::events(MEDIA_TYPE, stream(ask, answer));
    }
    let body = json!({
        "output": {"message": {"role": "assistant", "content": blocks(answer)}},
        "stopReason": stop(answer), "usage": usage(ask, answer), "metrics": {"latencyMs": 5},
    });
    Reply::json(200, body.to_string().into_bytes())
}

fn stop(answer: &Answer) -> &'static str {
    match &answer.stop {
        Stop::End => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Text(_) => "stop_sequence",
        Stop::Tools => "tool_use",
        Stop::Refused => "content_filtered",
    }
}

fn blocks(answer: &Answer) -> Vec<Value> {
    let thinking = answer.thinking.iter().map(|text| {
        json!({"reasoningContent": {"reasoningText": {"text": text, "signature": SIGNATURE}}})
    });
    let text = Some(&answer.text).filter(|text| !text.is_empty());
    let text = text.map(|text| json!({ "text": text }));
    let calls = answer.calls.iter().map(|call| {
        let id = format!("tooluse_standin_{}", call.id);
        json!({"toolUse": {"toolUseId": id, "name": call.name, "input": call.arguments}})
    });
    thinking.chain(text).chain(calls).collect()
}

fn usage(ask: &Ask, answer: &Answer) -> Value {
    let read = ask.cached_tokens();
    let written = ask.written_tokens();
    let output = answer.output_tokens();
    json!({
        "inputTokens": ask.input_tokens() - read - written, "outputTokens": output,
        "totalTokens": ask.input_tokens() + output,
        "cacheReadInputTokens": read, "cacheWriteInputTokens": written,
    })
}

fn stream(ask: &Ask, answer: &Answer) -> Vec<Bytes> {
    let mut events = vec![event(
        "messageStart",
        &json!({"role": "assistant", "p": "abcd"}),
    )];
    for (index, block) in blocks(answer).iter().enumerate() {
        stream_block(&mut events, index, block);
    }
    let stop = json!({"stopReason": stop(answer), "p": "abcdefgh"});
    events.push(event("messageStop", &stop));
    let metadata = json!({"usage": usage(ask, answer), "metrics": {"latencyMs": 5}, "p": "ab"});
    events.push(event("metadata", &metadata));
    events
}

fn stream_block(events: &mut Vec<Bytes>, index: usize, block: &Value) {
    let mut push = |name: &str, field: &str, value: Value| {
        let mut payload = json!({"contentBlockIndex": index, "p": "abc"});
        payload[field] = value;
        events.push(event(name, &payload));
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let deltas: Vec<Value> = if let Some(call) = block.get("toolUse") {
        let start = json!({"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}});
        push("contentBlockStart", "start", start);
        let input = call["input"].to_string();
        let pieces = pieces(&input).into_iter();
        pieces
            .map(|piece| json!({"toolUse": {"input": piece}}))
            .collect()
    } else if let Some(thought) = block.pointer("/reasoningContent/reasoningText") {
        let words = text(&thought["text"]);
        let pieces = pieces(&words).into_iter();
        let signature = json!({"reasoningContent": {"signature": SIGNATURE}});
        pieces
            .map(|piece| json!({"reasoningContent": {"text": piece}}))
            .chain([signature])
            .collect()
    } else {
        let words = text(&block["text"]);
        let pieces = pieces(&words).into_iter();
        pieces.map(|piece| json!({ "text": piece })).collect()
    };
    for delta in deltas {
        push("contentBlockDelta", "delta", delta);
    }
    events.push(event(
        "contentBlockStop",
        &json!({"contentBlockIndex": index}),
    ));
}
