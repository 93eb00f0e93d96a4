//! A whole reply to OpenAI's schema.

use std::borrow::Cow;

use super::NAME;
use super::citations::page;
use super::error;
use super::format::STRUCTURED_OUTPUT_TOOL;
use super::metadata::{Metadata, Stop};
use super::wire::{MessageReply, ReplyBlock, StopDetails, Tokens};
use crate::failure::Failure;
use crate::json::{self, Raw};
use crate::schema::citations::{self, CitedText};
use crate::schema::openai::{Choice, Completion, FinishReason, ReasoningDetail, ToolCallReply};
use crate::schema::{Reply, ReplyContext};

/// Translates; see [`crate::schema::Schema::translate_response`].
pub(super) fn translate(
    context: &ReplyContext,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<Reply, Failure> {
    let reply: MessageReply<'_> = json::read(body).map_err(|_| Failure::off_schema())?;
    let MessageReply {
        kind: _, // `error` is told by its object
        id,
        role: _, // always the assistant
        model,
        content,
        stop_reason,
        stop_sequence,
        stop_details,
        container,
        usage,
        error,
        extra: _, // diagnostics of the request
    } = reply;
    if let Some(error) = error {
        return Err(error::of_object(&error, None));
    }
    let mut reader = Reader::new(context.hints.structured_output_tool);
    for block in content.ok_or_else(Failure::off_schema)? {
        reader.block(block);
    }
    let refusal = explanation(stop_details);
    let stop = Stop {
        reason: stop_reason,
        sequence: stop_sequence,
        details: stop_details,
        container,
    };
    reader.metadata.stop(&stop);
    let mut tokens = Tokens::default();
    if let Some(usage) = &usage {
        tokens.update(usage);
        reader.metadata.server_tools(usage.server_tool_use);
    }
    let stop_reason = stop.reason.as_deref().unwrap_or_default();
    let provider_metadata = std::mem::take(&mut reader.metadata).into_object();
    let completion = Completion {
        id: id.map(|id| id.into_inner()),
        model: model.map(|model| model.into_inner()),
        choices: vec![reader.into_choice(stop_reason, refusal.as_deref())],
        usage: tokens.to_usage(),
        provider_metadata,
    };
    completion.write(context, out);
    Ok(Reply {
        usage: completion.usage,
        model: completion.model.unwrap_or_default().into_owned(),
        refused: is_refusal(stop_reason),
    })
}

/// OpenAI's word for a stop reason; `has_calls` tells whether the client got any call.
pub(super) fn finish_reason(stop_reason: &str, has_calls: bool) -> FinishReason {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "refusal" => FinishReason::ContentFilter,
        "tool_use" if has_calls => FinishReason::ToolCalls,
        // `end_turn`, `stop_sequence`, `pause_turn`, and the answer that came as a tool call
        _ => FinishReason::Stop,
    }
}

/// Whether the provider refused for policy: then nothing that it said before counts.
pub(super) fn is_refusal(stop_reason: &str) -> bool {
    stop_reason == "refusal"
}

/// What the provider says of its refusal.
pub(super) fn explanation(stop_details: Option<Raw<'_>>) -> Option<String> {
    let details: StopDetails<'_> = json::parse(stop_details?)?;
    Some(details.explanation?.to_string())
}

#[derive(Default)]
struct Reader<'a> {
    takes_answer_from_tool: bool,
    text: Option<Cow<'a, str>>,
    cited: CitedText,
    answer: Option<&'a str>,
    reasoning: Option<Cow<'a, str>>,
    details: Vec<ReasoningDetail<'a>>,
    calls: Vec<ToolCallReply<'a>>,
    annotations: Vec<String>,
    metadata: Metadata,
}

impl<'a> Reader<'a> {
    fn new(takes_answer_from_tool: bool) -> Reader<'a> {
        Reader {
            takes_answer_from_tool,
            ..Reader::default()
        }
    }

    fn block(&mut self, raw: Raw<'a>) {
        let block: ReplyBlock<'a> = json::parse(raw).unwrap_or_default();
        match block.kind.as_deref() {
            Some("text") => self.text(block),
            Some("thinking") => self.thinking(block),
            Some("redacted_thinking") => self.details.push(ReasoningDetail::Encrypted {
                data: block.data.unwrap_or_default().into_inner(),
                format: NAME,
                index: self.details.len(),
            }),
            Some("tool_use") => self.tool_use(block),
            _ => self.metadata.block(raw),
        }
    }

    fn text(&mut self, block: ReplyBlock<'a>) {
        let text = block.text.unwrap_or_default().into_inner();
        self.cited.begin();
        self.cited.extend(&text);
        join(&mut self.text, text);
        for citation in block.citations.unwrap_or_default() {
            match page(citation) {
                Some(page) => self.cited.cite(page),
                None => self.metadata.citation(citation),
            }
        }
        self.annotations.append(&mut self.cited.end());
    }

    fn thinking(&mut self, block: ReplyBlock<'a>) {
        let text = block.thinking.unwrap_or_default().into_inner();
        if !text.is_empty() {
            join(&mut self.reasoning, text.clone());
        }
        self.details.push(ReasoningDetail::Text {
            text,
            signature: block.signature.map(|s| s.into_inner()),
            format: NAME,
            index: self.details.len(),
        });
    }

    fn tool_use(&mut self, block: ReplyBlock<'a>) {
        let arguments = block.input.map_or("{}", |input| input.get());
        let name = block.name.unwrap_or_default();
        if self.takes_answer_from_tool && name == STRUCTURED_OUTPUT_TOOL {
            self.answer = Some(arguments);
            return;
        }
        self.calls.push(ToolCallReply {
            id: block.id.unwrap_or_default().into_inner(),
            name: name.into_inner(),
            arguments: Cow::Borrowed(arguments),
            thought_signature: None,
        });
    }

    fn into_choice(self, stop_reason: &str, refusal: Option<&'a str>) -> Choice<'a> {
        let text = self.answer.map(Cow::Borrowed).or(self.text);
        let is_mute = self.calls.is_empty() && refusal.is_none();
        Choice {
            content: text.or(is_mute.then_some(Cow::Borrowed(""))),
            reasoning: self.reasoning,
            reasoning_details: self.details,
            finish_reason: Some(finish_reason(stop_reason, !self.calls.is_empty())),
            tool_calls: self.calls,
            refusal: refusal.map(Cow::Borrowed),
            annotations: citations::to_array(&self.annotations),
            logprobs: None,
        }
    }
}

fn join<'a>(whole: &mut Option<Cow<'a, str>>, part: Cow<'a, str>) {
    match whole {
        Some(whole) => whole.to_mut().push_str(&part),
        None => *whole = Some(part),
    }
}
