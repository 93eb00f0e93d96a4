//! A whole reply to OpenAI's schema.

use std::borrow::Cow;

use super::format::STRUCTURED_OUTPUT_TOOL;
use super::metadata::Metadata;
use super::reasoning::signed_format;
use super::wire::{
    CitedContent, CitedText, ConverseReply, Message, Output, ReasoningText, ReplyBlock,
    ReplyReasoning, ReplyToolUse,
};
use super::{FORMAT, error};
use crate::failure::Failure;
use crate::json::{self, Raw};
use crate::schema::citations::{self, Page};
use crate::schema::openai::{Choice, Completion, FinishReason, ReasoningDetail, ToolCallReply};
use crate::schema::{Reply, ReplyContext, tool_id};
use crate::usage::{Tier, Usage};

/// Translates; see [`crate::schema::Schema::translate_response`].
pub(super) fn translate(
    context: &ReplyContext,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<Reply, Failure> {
    let reply: ConverseReply<'_> = json::read(body).map_err(|_| Failure::off_schema())?;
    let ConverseReply {
        output,
        stop_reason,
        usage,
        metrics: _, // the gateway measures by itself
        additional,
        trace,
        performance_config,
        service_tier,
        extra: _, // none is documented; an error's message is read below
    } = reply;
    let content =
        blocks(output).ok_or_else(|| error::in_reply(body).unwrap_or_else(Failure::off_schema))?;
    let mut reader = Reader {
        takes_answer_from_tool: context.hints.structured_output_tool,
        signed_format: signed_format(&context.model),
        ..Reader::default()
    };
    for block in content {
        reader.block(block);
    }
    let stop_reason = stop_reason.as_deref().unwrap_or_default();
    if is_malformed(stop_reason) && reader.has_nothing() {
        return Err(malformed_by_the_model());
    }
    reader.metadata.stop(stop_reason, additional);
    reader.metadata.trace(trace);
    let mut usage = usage.as_ref().map(Usage::from).unwrap_or_default();
    usage.tier = service_tier.map_or(usage.tier, |tier| Tier::named(tier.get()));
    reader.metadata.service(performance_config, service_tier);
    let provider_metadata = std::mem::take(&mut reader.metadata).into_object();
    let completion = Completion {
        id: None,
        model: None,
        choices: vec![reader.into_choice(stop_reason)],
        usage,
        provider_metadata,
    };
    completion.write(context, out);
    Ok(Reply {
        usage: completion.usage,
        model: context.model.clone(),
        refused: is_refusal(stop_reason),
    })
}

fn blocks(output: Option<Output<'_>>) -> Option<Vec<Raw<'_>>> {
    let Output {
        message,
        extra: _, // a union: only one is documented
    } = output?;
    let Message {
        role: _, // always the assistant
        content,
        extra: _, // none is documented
    } = message?;
    Some(content.unwrap_or_default())
}

/// OpenAI's word for a stop reason; `has_calls` tells whether the client got any call.
pub(super) fn finish_reason(stop_reason: &str, has_calls: bool) -> FinishReason {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        reason if is_refusal(reason) => FinishReason::ContentFilter,
        _ if has_calls => FinishReason::ToolCalls,
        // `end_turn`, `stop_sequence`, and the answer that came as a tool call
        _ => FinishReason::Stop,
    }
}

/// Whether a policy ended the reply.
pub(super) fn is_refusal(stop_reason: &str) -> bool {
    matches!(stop_reason, "guardrail_intervened" | "content_filtered")
}

/// Whether the model wrote what Bedrock could not read.
pub(super) fn is_malformed(stop_reason: &str) -> bool {
    matches!(stop_reason, "malformed_model_output" | "malformed_tool_use")
}

/// A reply of nothing, because the model wrote what Bedrock could not read.
pub(super) fn malformed_by_the_model() -> Failure {
    let message = "the model's output could not be read by the provider";
    Failure::malformed(message)
}

/// The web page that is cited; none when the citation is of something else.
pub(super) fn page(citation: Raw<'_>) -> Option<Page> {
    let super::wire::Citation {
        title,
        location,
        extra: _, // what the source says there
    } = json::parse(citation)?;
    let url = location?.web?.url?;
    Some(Page {
        title: title.as_deref().unwrap_or(&url).to_owned(),
        url: url.into_inner().into_owned(),
    })
}

#[derive(Default)]
struct Reader<'a> {
    takes_answer_from_tool: bool,
    signed_format: &'static str,
    text: Option<Cow<'a, str>>,
    cited: citations::CitedText,
    answer: Option<&'a str>,
    reasoning: Option<Cow<'a, str>>,
    details: Vec<ReasoningDetail<'a>>,
    calls: Vec<ToolCallReply<'a>>,
    annotations: Vec<String>,
    metadata: Metadata,
}

impl<'a> Reader<'a> {
    fn block(&mut self, raw: Raw<'a>) {
        let ReplyBlock {
            text,
            tool_use,
            reasoning,
            cited,
            extra: _, // blocks that we do not know are kept whole
        } = json::parse(raw).unwrap_or_default();
        match (text, tool_use, reasoning, cited) {
            (Some(text), ..) => self.text(text.into_inner()),
            (_, Some(call), ..) if call.kind.is_none() => self.tool_use(call),
            (_, _, Some(reasoning), _) => self.reasoning(reasoning),
            (.., Some(cited)) => self.cited(cited),
            _ => self.metadata.block(raw),
        }
    }

    fn text(&mut self, text: Cow<'a, str>) {
        self.cited.extend(&text);
        join(&mut self.text, text);
    }

    fn cited(&mut self, cited: CitedContent<'a>) {
        let CitedContent {
            content,
            citations,
            extra: _, // none is documented
        } = cited;
        self.cited.begin();
        for CitedText { text, extra: _ } in content.unwrap_or_default() {
            self.text(text.unwrap_or_default().into_inner());
        }
        for citation in citations.unwrap_or_default() {
            match page(citation) {
                Some(page) => self.cited.cite(page),
                None => self.metadata.citation(citation),
            }
        }
        self.annotations.append(&mut self.cited.end());
    }

    fn reasoning(&mut self, reasoning: ReplyReasoning<'a>) {
        let ReplyReasoning {
            whole,
            redacted,
            text: _, // of streams
            signature: _,
            extra: _, // none is documented
        } = reasoning;
        let index = self.details.len();
        if let Some(data) = redacted {
            self.details.push(ReasoningDetail::Encrypted {
                data: data.into_inner(),
                format: FORMAT,
                index,
            });
        }
        let Some(ReasoningText {
            text,
            signature,
            extra: _, // none is documented
        }) = whole
        else {
            return;
        };
        let text = text.unwrap_or_default().into_inner();
        if !text.is_empty() {
            join(&mut self.reasoning, text.clone());
        }
        self.details.push(ReasoningDetail::Text {
            text,
            signature: signature.map(|s| s.into_inner()),
            format: self.signed_format,
            index,
        });
    }

    fn tool_use(&mut self, call: ReplyToolUse<'a>) {
        let ReplyToolUse {
            id,
            name,
            input,
            kind: _,  // calls of Bedrock's own tools do not get here
            extra: _, // none is documented
        } = call;
        let arguments = input.map_or("{}", |input| input.get());
        let name = name.unwrap_or_default();
        if self.takes_answer_from_tool && name == STRUCTURED_OUTPUT_TOOL {
            self.answer = Some(arguments);
            return;
        }
        self.calls.push(ToolCallReply {
            id: id.unwrap_or_default().into_inner(),
            name: tool_id::decode(&name).into_owned().into(),
            arguments: Cow::Borrowed(arguments),
            thought_signature: None,
        });
    }

    fn has_nothing(&self) -> bool {
        let is_blank = self
            .text
            .as_deref()
            .is_none_or(|text| text.trim().is_empty());
        is_blank && self.answer.is_none() && self.calls.is_empty()
    }

    fn into_choice(self, stop_reason: &str) -> Choice<'a> {
        let text = self.answer.map(Cow::Borrowed).or(self.text);
        let is_mute = self.calls.is_empty();
        Choice {
            content: text.or(is_mute.then_some(Cow::Borrowed(""))),
            reasoning: self.reasoning,
            reasoning_details: self.details,
            finish_reason: Some(finish_reason(stop_reason, !self.calls.is_empty())),
            tool_calls: self.calls,
            refusal: None,
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
