//! Replies of OpenAI-compatible providers, as far as the gateway must understand them.

use crate::json::{self, Raw, Text};
use crate::usage::{Tier, Usage};
use crate::wire;

wire! {
    /// A `chat.completion` or `chat.completion.chunk`.
    pub struct ReplyBody<'a> {
        /// The model that answers.
        model: Text<'a>,
        /// The choices.
        choices: Vec<ReplyChoice<'a>>,
        /// What it cost; see [`read_usage`].
        usage: Raw<'a>,
        /// How it was served.
        service_tier: Raw<'a>,
        /// An error inside a 200, in any shape.
        error: Raw<'a>,
        /// `error` when the error's fields are at the top (older vLLM, Mistral).
        object: Raw<'a>,
    }
}

wire! {
    /// One choice.
    pub struct ReplyChoice<'a> {
        /// In a whole reply.
        message: ReplyMessage<'a>,
        /// In a chunk.
        delta: ReplyMessage<'a>,
        /// Why it stopped.
        finish_reason: Text<'a>,
    }
}

wire! {
    /// A message or a delta of one.
    pub struct ReplyMessage<'a> {
        /// Says nothing of use.
        role: Raw<'a>,
        /// The text.
        content: Raw<'a>,
        /// The refusal.
        refusal: Raw<'a>,
    }
}

wire! {
    /// `usage`.
    pub struct ReplyUsage<'a> {
        /// All input tokens.
        prompt_tokens: u64,
        /// All output tokens.
        completion_tokens: u64,
        /// Parts of the input.
        prompt_tokens_details: TokenDetails<'a>,
        /// Parts of the output.
        completion_tokens_details: TokenDetails<'a>,
        /// How it was served (Mistral).
        service_tier: Raw<'a>,
    }
}

wire! {
    /// Parts of a token count.
    pub struct TokenDetails<'a> {
        /// Read from the prompt cache.
        cached_tokens: u64,
        /// Written to the prompt cache (OpenRouter).
        cache_write_tokens: u64,
        /// Spent on reasoning.
        reasoning_tokens: u64,
        /// Audio.
        audio_tokens: u64,
    }
}

wire! {
    /// `error`, the body of a failure. Some servers write the code as a number.
    pub struct ReplyError<'a> {
        /// For people.
        message: Text<'a>,
        /// OpenAI's class.
        kind = "type": Raw<'a>,
        /// The field at fault.
        param: Raw<'a>,
        /// OpenAI's code.
        code: Raw<'a>,
    }
}

// === impl ReplyChoice ===

impl ReplyChoice<'_> {
    /// Whether the model or the provider's policy refused, and nothing of use was said.
    pub fn is_refused(&self) -> bool {
        let message = self.message.as_ref().or(self.delta.as_ref());
        let is_filtered = self.finish_reason.as_deref() == Some("content_filter");
        message.is_some_and(ReplyMessage::is_refusal)
            || (is_filtered && !message.is_some_and(ReplyMessage::is_meaningful))
    }

    /// Whether it says something that is no refusal.
    pub fn is_meaningful(&self) -> bool {
        let message = self.message.as_ref().or(self.delta.as_ref());
        message.is_some_and(|m| m.is_meaningful() && !m.is_refusal())
    }
}

// === impl ReplyMessage ===

impl ReplyMessage<'_> {
    /// Whether it says anything besides its role; an empty string says nothing.
    pub fn is_meaningful(&self) -> bool {
        self.content.is_some_and(says_something)
            || self.refusal.is_some_and(says_something)
            || self.extra.iter().any(|(_, value)| says_something(value))
    }

    /// Whether it refuses, and says nothing else.
    pub fn is_refusal(&self) -> bool {
        self.refusal.is_some_and(says_something) && !self.content.is_some_and(says_something)
    }
}

/// Whether a value is more than a placeholder.
pub fn says_something(value: Raw<'_>) -> bool {
    !matches!(value.get(), "\"\"" | "null" | "[]" | "{}" | "false")
}

/// Tokens of a reply; `None` when they are not counted in OpenAI's way. Odd counts do not
/// spoil a good reply.
pub fn read_usage(usage: Raw<'_>) -> Option<Usage> {
    json::parse::<ReplyUsage<'_>>(usage).map(|usage| Usage::from(&usage))
}

/// How a reply was served, as it says itself.
pub fn tier(raw: Raw<'_>) -> Tier {
    Tier::named(raw.get())
}

// === impl Usage ===

impl From<&ReplyUsage<'_>> for Usage {
    fn from(usage: &ReplyUsage<'_>) -> Usage {
        let input = usage.prompt_tokens_details.as_ref();
        let output = usage.completion_tokens_details.as_ref();
        Usage {
            input_tokens: usage.prompt_tokens.unwrap_or(0),
            output_tokens: usage.completion_tokens.unwrap_or(0),
            cached_input_tokens: input.and_then(|d| d.cached_tokens).unwrap_or(0),
            cache_write_tokens: input.and_then(|d| d.cache_write_tokens).unwrap_or(0),
            cache_write_1h_tokens: 0,
            reasoning_tokens: output.and_then(|d| d.reasoning_tokens).unwrap_or(0),
            audio_input_tokens: input.and_then(|d| d.audio_tokens).unwrap_or(0),
            audio_output_tokens: output.and_then(|d| d.audio_tokens).unwrap_or(0),
            tier: usage.service_tier.map(tier).unwrap_or_default(),
            ..Usage::default()
        }
    }
}
