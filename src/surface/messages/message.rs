//! Messages and what they are made of, as they are written.

use std::borrow::Cow;

use serde::Serialize;

use super::completion::OwnMetadata;
use crate::json::{self, RawValue, Text};
use crate::usage::Usage;

/// A whole reply, or its beginning in a stream.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub id: &'a str,
    pub r#type: &'static str,
    pub role: &'static str,
    pub model: &'a str,
    pub content: Vec<ContentBlock<'a>>,
    #[serde(flatten)]
    pub stop: Stop<'a>,
    pub usage: MessageUsage<'a>,
}

/// Why a reply ended.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Stop<'a> {
    /// `null` while the reply goes on.
    pub stop_reason: Option<Cow<'a, str>>,
    pub stop_sequence: Option<Cow<'a, RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_details: Option<Cow<'a, RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Cow<'a, RawValue>>,
}

/// `stop_details`, when another provider than Anthropic refused.
#[derive(Serialize)]
pub(super) struct Refusal<'a> {
    pub r#type: &'static str,
    pub category: Option<&'static str>,
    pub explanation: &'a str,
}

/// Tokens. Input, cache reads and cache writes exclude each other.
#[derive(Debug, Default, Serialize)]
pub(super) struct MessageUsage<'a> {
    pub input_tokens: u64,
    pub cache_creation_input_tokens: u64,
    pub cache_read_input_tokens: u64,
    pub output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens_details: Option<OutputTokensDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_tool_use: Option<Cow<'a, RawValue>>,
}

/// Parts of the output.
#[derive(Debug, Serialize)]
pub(super) struct OutputTokensDetails {
    pub thinking_tokens: u64,
}

/// One block.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ContentBlock<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        citations: Vec<Citation<'a>>,
    },
    Thinking {
        thinking: Cow<'a, str>,
        signature: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: Cow<'a, str>,
        input: Cow<'a, RawValue>,
    },
}

/// A page that a text rests on. What it says there is not known, nor is Anthropic's index.
#[derive(Serialize)]
pub(super) struct Citation<'a> {
    r#type: &'static str,
    url: Text<'a>,
    title: Option<Text<'a>>,
    cited_text: &'static str,
    encrypted_index: &'static str,
}

// === impl Citation ===

impl<'a> Citation<'a> {
    /// A page on the web.
    pub fn new(url: Text<'a>, title: Option<Text<'a>>) -> Citation<'a> {
        Citation {
            r#type: "web_search_result_location",
            url,
            title,
            cited_text: "",
            encrypted_index: "",
        }
    }
}

// === impl Stop ===

impl<'a> Stop<'a> {
    /// Anthropic's word for the end of a reply; `refusal` is what the model said instead.
    pub fn new(
        finish_reason: Option<&str>,
        has_calls: bool,
        refusal: &str,
        metadata: OwnMetadata<'a>,
    ) -> Stop<'a> {
        let OwnMetadata {
            stop_reason,
            stop_sequence,
            stop_details,
            container,
            server_tool_use: _, // in the usage
            extra: _,           // blocks of server tools, which this API refuses to ask for
        } = metadata;
        let is_refusal = !refusal.is_empty() || finish_reason == Some("content_filter");
        let stop_reason = match (stop_reason, finish_reason) {
            (Some(own), _) => own.into_inner(),
            _ if stop_sequence.is_some() => "stop_sequence".into(),
            _ if is_refusal => "refusal".into(),
            (None, Some("length")) => "max_tokens".into(),
            // Some servers say `stop` although they call.
            _ if has_calls => "tool_use".into(),
            _ => "end_turn".into(),
        };
        let told = (!refusal.is_empty())
            .then(|| refusal_details(refusal))
            .flatten();
        Stop {
            stop_reason: Some(stop_reason),
            stop_sequence: stop_sequence.map(Cow::Borrowed),
            stop_details: stop_details.map(Cow::Borrowed).or(told),
            container: container.map(Cow::Borrowed),
        }
    }
}

fn refusal_details(explanation: &str) -> Option<Cow<'static, RawValue>> {
    let details = json::to_string(&Refusal {
        r#type: "refusal",
        category: None,
        explanation,
    });
    RawValue::from_string(details).ok().map(Cow::Owned)
}

// === impl MessageUsage ===

impl<'a> MessageUsage<'a> {
    /// The counts in Anthropic's vocabulary.
    pub fn new(usage: Usage, server_tool_use: Option<Cow<'a, RawValue>>) -> MessageUsage<'a> {
        let Usage {
            input_tokens,
            output_tokens,
            cached_input_tokens,
            cache_write_tokens,
            reasoning_tokens,
            // Anthropic has no audio, and tells what is kept for an hour in a part of its own.
            cache_write_1h_tokens: _,
            audio_input_tokens: _,
            audio_output_tokens: _,
            cached_audio_tokens: _,
            image_input_tokens: _,
            tier: _,
        } = usage;
        MessageUsage {
            input_tokens: input_tokens
                .saturating_sub(cached_input_tokens)
                .saturating_sub(cache_write_tokens),
            cache_creation_input_tokens: cache_write_tokens,
            cache_read_input_tokens: cached_input_tokens,
            output_tokens,
            output_tokens_details: (reasoning_tokens > 0).then_some(OutputTokensDetails {
                thinking_tokens: reasoning_tokens,
            }),
            server_tool_use,
        }
    }
}

/// Anthropic's own id if it is one, else one that says whose it was.
pub(super) fn message_id(id: Option<&str>, exchange: &str) -> String {
    match id.filter(|id| !id.is_empty()) {
        Some(id) if id.starts_with("msg_") => id.to_owned(),
        Some(id) => format!("msg_{}", id.strip_prefix("chatcmpl-").unwrap_or(id)),
        None => format!("msg_{exchange}"),
    }
}
