//! Anthropic's events, as they are written. Does not know their order.

use std::borrow::Cow;

use serde::Serialize;

use super::message::{Citation, ContentBlock, Message, MessageUsage, Stop};
use crate::json::{self, RawValue};

/// One event.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum StreamEvent<'a> {
    MessageStart {
        message: Message<'a>,
    },
    ContentBlockStart {
        index: usize,
        content_block: ContentBlock<'a>,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta<'a>,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: Stop<'a>,
        usage: MessageUsage<'a>,
    },
    MessageStop {},
    Ping {},
}

/// What comes anew in a block.
#[allow(clippy::enum_variant_names, reason = "the names are Anthropic's")]
#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "citations_delta")]
    Citations { citation: Citation<'a> },
}

/// Appends one event.
pub(super) fn write(event: StreamEvent<'_>, out: &mut Vec<u8>) {
    let name = match &event {
        StreamEvent::MessageStart { .. } => "message_start",
        StreamEvent::ContentBlockStart { .. } => "content_block_start",
        StreamEvent::ContentBlockDelta { .. } => "content_block_delta",
        StreamEvent::ContentBlockStop { .. } => "content_block_stop",
        StreamEvent::MessageDelta { .. } => "message_delta",
        StreamEvent::MessageStop {} => "message_stop",
        StreamEvent::Ping {} => "ping",
    };
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let start = out.len();
    json::write(out, &event);
    // Raw values may be spread over lines, which would end the event; in JSON a line break is
    // always white space.
    for byte in out.iter_mut().skip(start) {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.extend_from_slice(b"\n\n");
}

/// The input of a call before its fragments.
pub(super) fn no_input() -> Cow<'static, RawValue> {
    let empty = json::parse_text("{}");
    Cow::Borrowed(empty.unwrap_or(RawValue::NULL))
}
