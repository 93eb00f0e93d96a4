//! A reply, whole or in chunks, to OpenAI's words.
//!
//! The same state takes both; where the pieces go is the sink's affair.

mod candidate;
mod compact;
mod finish;
mod grounding;
mod logprobs;
mod metadata;
mod whole;

pub(super) use candidate::Sink;
pub(super) use whole::translate;

use std::collections::BTreeMap;

use super::NAME;
use super::error;
use super::wire::{ModalityTokens, PromptFeedback, Response, UsageMetadata};
use crate::failure::{Class, Failure};
use crate::json::{self, RawValue};
use crate::schema::openai::{FinishReason, ReasoningDetail};
use crate::schema::{Reply, ReplyContext};
use crate::usage::{Tier, Usage};
use candidate::ChoiceState;

/// What a reply has said so far.
#[derive(Debug, Default)]
pub(super) struct ReplyState {
    choices: BTreeMap<usize, ChoiceState>,
    usage: Usage,
    model: String,
    /// What calls without an id are named after: unique to this exchange.
    call_prefix: String,
    /// Why the prompt was blocked.
    prompt_feedback: Option<Box<RawValue>>,
}

/// How a reply ended.
#[derive(Debug)]
pub(super) struct End {
    /// Every choice with its reason, in order; at least one.
    pub(super) choices: Vec<EndedChoice>,
    /// Fields that OpenAI does not have.
    pub(super) metadata: Option<(&'static str, Box<RawValue>)>,
    /// What it was.
    pub(super) reply: Reply,
}

/// How a choice ended.
#[derive(Debug)]
pub(super) struct EndedChoice {
    pub(super) index: usize,
    pub(super) reason: FinishReason,
    /// Signatures to be returned with the text.
    pub(super) details: Vec<ReasoningDetail<'static>>,
    /// Citations in OpenAI's shape.
    pub(super) annotations: Option<Box<RawValue>>,
}

/// How much of a reply's id goes into those of its calls, in bytes.
const MAX_CALL_ID_BYTES: usize = 30;

/// OpenAI takes ids of calls of up to 40 bytes: 4 are left for the call's place.
fn call_prefix(reply: &str) -> String {
    let id = reply.strip_prefix("chatcmpl-").unwrap_or(reply);
    let plain: Vec<char> = id.chars().filter(char::is_ascii_alphanumeric).collect();
    let surplus = plain.len().saturating_sub(MAX_CALL_ID_BYTES);
    let kept: String = plain.into_iter().skip(surplus).collect();
    format!("call_{kept}")
}

impl ReplyState {
    pub(super) fn new(context: &ReplyContext) -> ReplyState {
        ReplyState {
            call_prefix: call_prefix(&context.id),
            model: context.model.clone(),
            ..ReplyState::default()
        }
    }

    /// Takes a reply or a chunk of one.
    pub(super) fn absorb(
        &mut self,
        response: Response<'_>,
        sink: &mut impl Sink,
    ) -> Result<(), Failure> {
        let Response {
            candidates,
            prompt_feedback,
            usage_metadata,
            model_version,
            response_id,
            response,
            error,
            extra: _, // The time of creation and the like; the context has its own.
        } = response;
        if let Some(error) = error {
            return Err(error::in_reply(error));
        }
        if let Some(inner) = response.and_then(json::parse::<Response<'_>>) {
            return self.absorb(inner, sink);
        }
        if let Some(model) = model_version.as_deref() {
            model.clone_into(&mut self.model);
        }
        sink.named(response_id.as_deref(), model_version.as_deref());
        let blocks = |f: PromptFeedback<'_>| f.block_reason.is_some();
        if let Some(feedback) = prompt_feedback
            && json::parse(feedback).is_some_and(blocks)
        {
            self.prompt_feedback = compact::json(feedback);
        }
        self.count(usage_metadata.unwrap_or_default());
        for candidate in candidates.unwrap_or_default() {
            let index = candidate.index.unwrap_or(0);
            let choice = self.choices.entry(index);
            let choice = choice.or_insert_with(|| ChoiceState::new(index));
            choice.absorb(candidate, &self.call_prefix, sink);
        }
        Ok(())
    }

    /// Running totals: what a chunk does not name stays as it was.
    fn count(&mut self, tokens: UsageMetadata<'_>) {
        let UsageMetadata {
            prompt_token_count,
            tool_use_prompt_token_count,
            candidates_token_count,
            thoughts_token_count,
            cached_content_token_count,
            prompt_tokens_details,
            cache_tokens_details,
            candidates_tokens_details,
            traffic_type,
            extra: _, // The sum, and what tools' results were like.
        } = tokens;
        let usage = &mut self.usage;
        if let Some(prompt) = prompt_token_count {
            usage.input_tokens = prompt.saturating_add(tool_use_prompt_token_count.unwrap_or(0));
        }
        if candidates_token_count.is_some() || thoughts_token_count.is_some() {
            let thoughts = thoughts_token_count.unwrap_or(usage.reasoning_tokens);
            usage.output_tokens = thoughts.saturating_add(candidates_token_count.unwrap_or(0));
            usage.reasoning_tokens = thoughts;
        }
        if let Some(cached) = cached_content_token_count {
            usage.cached_input_tokens = cached;
        }
        let cached = cache_tokens_details.unwrap_or_default();
        if let Some(prompt) = prompt_tokens_details {
            let fresh = |kind| of_kind(&prompt, kind).saturating_sub(of_kind(&cached, kind));
            usage.cached_audio_tokens = of_kind(&cached, AUDIO);
            usage.audio_input_tokens = fresh(AUDIO);
            usage.image_input_tokens = fresh(IMAGE);
        }
        if let Some(answer) = candidates_tokens_details {
            usage.audio_output_tokens = of_kind(&answer, AUDIO);
        }
        if let Some(traffic) = traffic_type {
            usage.tier = Tier::named(&traffic);
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// Whether there is anything to show: content, a call or a thought.
    pub(super) fn has_started(&self) -> bool {
        self.choices.values().any(|c| c.has_started)
    }

    /// Whether a limit ended it.
    pub(super) fn is_cut(&self) -> bool {
        self.choices.values().any(ChoiceState::is_cut)
    }

    /// Whether the provider refused, and said nothing before.
    pub(super) fn is_refused(&self) -> bool {
        let is_filtered = |c: &ChoiceState| c.finish_reason() == Some(FinishReason::ContentFilter);
        let is_blocked = self.prompt_feedback.is_some() && self.choices.is_empty();
        !self.choices.values().any(|c| c.has_answered)
            && (is_blocked || self.choices.values().any(is_filtered))
    }

    /// Whether the provider's own end was seen, for every choice.
    pub(super) fn has_ended(&self) -> bool {
        let has_content = !self.choices.is_empty();
        (has_content || self.prompt_feedback.is_some())
            && self.choices.values().all(|c| c.finish_reason().is_some())
    }

    /// The end, or why there is nothing to give to the client.
    pub(super) fn end(self) -> Result<End, Failure> {
        let is_refused = self.is_refused();
        if !self.has_started() && !is_refused && !self.is_cut() {
            return Err(self.empty());
        }
        let metadata = metadata::write(self.prompt_feedback.as_deref(), self.choices.values());
        let mut choices: Vec<EndedChoice> = self.choices.values().map(EndedChoice::of).collect();
        if choices.is_empty() {
            choices.push(EndedChoice::blocked());
        }
        let reply = Reply {
            usage: self.usage,
            model: self.model,
            refused: is_refused,
        };
        Ok(End {
            choices,
            metadata: metadata.map(|fields| (NAME, fields)),
            reply,
        })
    }

    /// A reply without content, such as a call that the model wrote wrongly: it is as if it
    /// had not come, and another try mostly does better.
    fn empty(self) -> Failure {
        let words = self.choices.into_values().find_map(|c| c.finish_message);
        match words {
            Some(words) => Failure::new(Class::EmptyReply, words),
            None => Failure::new(Class::EmptyReply, "the provider's reply has no content"),
        }
    }
}

impl EndedChoice {
    fn of(choice: &ChoiceState) -> EndedChoice {
        EndedChoice {
            index: choice.index,
            reason: choice.finish_reason().unwrap_or(FinishReason::Stop),
            details: choice.text_signatures.clone(),
            annotations: choice.annotations(),
        }
    }

    fn blocked() -> EndedChoice {
        EndedChoice {
            index: 0,
            reason: FinishReason::ContentFilter,
            details: Vec::new(),
            annotations: None,
        }
    }
}

/// Kinds of tokens that have prices of their own.
const AUDIO: &str = "AUDIO";
const IMAGE: &str = "IMAGE";

/// Tokens of one kind.
fn of_kind(tokens: &[ModalityTokens<'_>], kind: &str) -> u64 {
    let of_it = tokens
        .iter()
        .filter(|t| t.modality.as_deref() == Some(kind));
    of_it.filter_map(|tokens| tokens.token_count).sum()
}

#[cfg(test)]
mod tests;
