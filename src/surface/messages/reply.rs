//! A whole chat completion to a Message.

use std::borrow::Cow;

use super::completion::{ChatDelta, ChatReply, ReplyCall, ReplyDetail};
use super::message::{ContentBlock, Message, MessageUsage, Stop, message_id};
use super::reasoning::{CALL_SIGNATURE, seal};
use crate::failure::Failure;
use crate::json::{self, RawValue, Text};
use crate::usage::Usage;

/// Translates; see [`crate::surface::SurfaceReply::whole`].
pub(super) fn translate(exchange: &str, body: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    let reply: ChatReply<'_> = json::read(body).map_err(|_| malformed())?;
    let ChatReply {
        id,
        model,
        choices,
        usage,
        error: _, // a committed reply holds none
        provider_metadata,
        extra: _, // what OpenAI tells of its own service
    } = reply;
    let choice = choices.unwrap_or_default().into_iter().next();
    let choice = choice.ok_or_else(malformed)?;
    let delta = choice.message.unwrap_or_default();
    let metadata = provider_metadata
        .and_then(|m| m.anthropic)
        .unwrap_or_default();
    let usage = usage.as_ref().map(Usage::from).unwrap_or_default();
    let server_tool_use = metadata.server_tool_use.map(Cow::Borrowed);
    let refusal = delta.refusal.clone().unwrap_or_default();
    let shows_refusal = metadata.stop_details.is_none();
    let has_calls = delta
        .tool_calls
        .as_ref()
        .is_some_and(|calls| !calls.is_empty());
    let message = Message {
        id: &message_id(id.as_deref(), exchange),
        r#type: "message",
        role: "assistant",
        model: model.as_deref().unwrap_or_default(),
        content: blocks(delta, exchange, shows_refusal),
        stop: Stop::new(
            choice.finish_reason.as_deref(),
            has_calls,
            &refusal,
            metadata,
        ),
        usage: MessageUsage::new(usage, server_tool_use),
    };
    json::write(out, &message);
    Ok(())
}

fn malformed() -> Failure {
    let message = "the provider's reply is not a chat completion";
    Failure::malformed(message)
}

fn blocks<'a>(
    mut delta: ChatDelta<'a>,
    exchange: &str,
    shows_refusal: bool,
) -> Vec<ContentBlock<'a>> {
    let mut blocks = thoughts(&mut delta);
    let text = delta.text();
    if !text.is_empty() {
        blocks.push(ContentBlock::Text {
            text,
            citations: delta.citations(),
        });
    }
    let refusal = delta.refusal.unwrap_or_default().into_inner();
    if shows_refusal && !refusal.is_empty() {
        blocks.push(ContentBlock::Text {
            text: refusal,
            citations: Vec::new(),
        });
    }
    for (i, call) in delta.tool_calls.unwrap_or_default().into_iter().enumerate() {
        if let Some(signature) = call.signature() {
            blocks.push(ContentBlock::RedactedThinking {
                data: seal(Some(CALL_SIGNATURE), signature),
            });
        }
        blocks.push(tool_use(call, exchange, i));
    }
    blocks
}

/// What was thought; as text only when there is nothing better.
fn thoughts<'a>(delta: &mut ChatDelta<'a>) -> Vec<ContentBlock<'a>> {
    let reasoning = delta.reasoning();
    let details = delta.reasoning_details.take().unwrap_or_default();
    let is_told = details
        .iter()
        .any(|detail| detail.text.as_deref().is_some_and(|text| !text.is_empty()));
    let mut blocks = Vec::with_capacity(details.len() + 1);
    if !is_told && !reasoning.is_empty() {
        blocks.push(ContentBlock::Thinking {
            thinking: reasoning,
            signature: String::new(),
        });
    }
    blocks.extend(details.into_iter().filter_map(thought));
    blocks
}

fn thought(detail: ReplyDetail<'_>) -> Option<ContentBlock<'_>> {
    let ReplyDetail {
        kind,
        text,
        signature,
        data,
        format,
        extra: _, // the position: the order says it
    } = detail;
    match kind.as_deref()? {
        "reasoning.text" => {
            let signature = signature.filter(|signature| !signature.is_empty());
            let thinking = text.map(Text::into_inner).unwrap_or_default();
            if thinking.is_empty() && signature.is_none() {
                return None;
            }
            Some(ContentBlock::Thinking {
                thinking,
                signature: signature
                    .map(|s| seal(format.as_deref(), &s))
                    .unwrap_or_default(),
            })
        }
        "reasoning.encrypted" => Some(ContentBlock::RedactedThinking {
            data: seal(format.as_deref(), &data?),
        }),
        _ => None,
    }
}

fn tool_use<'a>(call: ReplyCall<'a>, exchange: &str, index: usize) -> ContentBlock<'a> {
    let function = call.function.unwrap_or_default();
    let id = call.id.map(Text::into_inner).filter(|id| !id.is_empty());
    ContentBlock::ToolUse {
        id: id.unwrap_or_else(|| tool_id(exchange, index).into()),
        name: function.name.unwrap_or_default().into_inner(),
        input: input(&function.arguments.unwrap_or_default()),
    }
}

/// An id for a call that came without one.
pub(super) fn tool_id(exchange: &str, index: usize) -> String {
    format!("toolu_{exchange}_{index}")
}

/// The input must be an object; what is none is told as the text of one.
fn input<'a>(arguments: &str) -> Cow<'a, RawValue> {
    let json = match json::object(arguments) {
        Some(object) => object.get().to_owned(),
        None if arguments.trim().is_empty() => "{}".to_owned(),
        None => format!(r#"{{"arguments":{}}}"#, json::to_string(arguments)),
    };
    RawValue::from_string(json).map_or(Cow::Borrowed(RawValue::NULL), Cow::Owned)
}
