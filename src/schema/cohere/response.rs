//! A whole reply to OpenAI's schema.

use std::borrow::Cow;

use super::citations::Notes;
use super::wire::{ChatReply, ReplyCall, ReplyMessage, ReplyPart};
use crate::failure::{Class, Failure};
use crate::json::{self, Raw};
use crate::schema::openai::{Choice, Completion, FinishReason, ToolCallReply};
use crate::schema::{Reply, ReplyContext};
use crate::usage::Usage;

/// Translates; see [`crate::schema::Schema::translate_response`].
pub(super) fn translate(
    context: &ReplyContext,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<Reply, Failure> {
    let reply: ChatReply<'_> = json::read(body).map_err(|_| Failure::off_schema())?;
    let ChatReply {
        id,
        finish_reason: reason,
        message,
        usage,
        logprobs,
        extra: _, // diagnostics
    } = reply;
    let ReplyMessage {
        role: _, // always the assistant
        content,
        tool_calls,
        tool_plan,
        citations,
        extra: _, // none is documented
    } = message.ok_or_else(Failure::off_schema)?;
    let reason = reason.as_deref().unwrap_or_default();
    if let Some(failure) = failure_of(reason, None) {
        return Err(failure);
    }
    let (text, thoughts) = texts(content);
    let plan = tool_plan.map(|plan| plan.into_inner());
    let tool_calls = calls(tool_calls);
    let mut notes = Notes::default();
    list(citations).into_iter().for_each(|raw| notes.cite(raw));
    list(logprobs)
        .into_iter()
        .for_each(|raw| notes.logprobs(raw));
    let choice = Choice {
        content: text.or(tool_calls.is_empty().then_some(Cow::Borrowed(""))),
        reasoning: thoughts.or(plan).filter(|text| !text.is_empty()),
        annotations: notes.take_annotations(),
        finish_reason: Some(finish_reason(reason, !tool_calls.is_empty())),
        tool_calls,
        ..Choice::default()
    };
    let completion = Completion {
        id: id.map(|id| id.into_inner()),
        model: None, // Cohere does not say it
        choices: vec![choice],
        usage: usage.as_ref().map(Usage::from).unwrap_or_default(),
        provider_metadata: notes.into_metadata(),
    };
    completion.write(context, out);
    Ok(Reply {
        usage: completion.usage,
        model: context.model.clone(),
        refused: is_refusal(reason),
    })
}

/// OpenAI's word; `has_calls` tells whether the client got any call.
pub(super) fn finish_reason(reason: &str, has_calls: bool) -> FinishReason {
    match reason {
        "MAX_TOKENS" => FinishReason::Length,
        "ERROR_TOXIC" => FinishReason::ContentFilter,
        "TOOL_CALL" if has_calls => FinishReason::ToolCalls,
        // `COMPLETE`, `STOP_SEQUENCE`, and a call of nothing
        _ => FinishReason::Stop,
    }
}

/// Whether the provider refused for policy.
pub(super) fn is_refusal(reason: &str) -> bool {
    reason == "ERROR_TOXIC"
}

/// The failure that a reason to stop stands for, with what the provider says of it.
pub(super) fn failure_of(reason: &str, says: Option<&str>) -> Option<Failure> {
    let class = match reason {
        "ERROR" => Class::ServerError,
        "TIMEOUT" => Class::Timeout,
        _ => return None,
    };
    let message = says.unwrap_or("the provider gave up on its reply");
    Some(Failure::new(class, message.to_owned()))
}

/// Texts and thoughts, each joined.
fn texts(content: Option<Raw<'_>>) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    let (mut text, mut thoughts) = (None, None);
    for part in list(content) {
        let ReplyPart {
            kind: _, // told by which of the two there is
            text: said,
            thinking: thought,
            extra: _, // none is documented
        } = json::parse(part).unwrap_or_default();
        join(&mut text, said.map(|said| said.into_inner()));
        join(&mut thoughts, thought.map(|thought| thought.into_inner()));
    }
    (text, thoughts)
}

fn join<'a>(whole: &mut Option<Cow<'a, str>>, part: Option<Cow<'a, str>>) {
    match (whole, part) {
        (Some(whole), Some(part)) => whole.to_mut().push_str(&part),
        (whole @ None, part) => *whole = part,
        (Some(_), None) => {}
    }
}

/// The calls that have a function's name: others cannot be made.
fn calls(raw: Option<Raw<'_>>) -> Vec<ToolCallReply<'_>> {
    list(raw).into_iter().filter_map(call).collect()
}

fn call(raw: Raw<'_>) -> Option<ToolCallReply<'_>> {
    let ReplyCall {
        id,
        kind: _, // always a function
        function,
        extra: _, // none is documented
    } = json::parse(raw)?;
    let function = function?;
    let arguments = function.arguments.map(|text| text.into_inner());
    Some(ToolCallReply {
        id: id.unwrap_or_default().into_inner(),
        name: function.name.filter(|name| !name.is_empty())?.into_inner(),
        arguments: arguments
            .filter(|text| !text.is_empty())
            .unwrap_or(Cow::Borrowed("{}")),
        thought_signature: None,
    })
}

fn list(raw: Option<Raw<'_>>) -> Vec<Raw<'_>> {
    raw.and_then(json::parse).unwrap_or_default()
}
