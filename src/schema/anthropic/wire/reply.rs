//! Replies, stream events and errors, as they are read.

use crate::json::{Raw, Text};
use crate::usage::{Tier, Usage};
use crate::wire;

wire! {
    /// A whole reply.
    pub struct MessageReply<'a> {
        /// `message`, or `error`.
        kind = "type": Text<'a>,
        /// Its id.
        id: Text<'a>,
        /// Always `assistant`.
        role: Text<'a>,
        /// The model that answered.
        model: Text<'a>,
        /// Blocks; see [`ReplyBlock`].
        content: Vec<Raw<'a>>,
        /// Why it stopped.
        stop_reason: Text<'a>,
        /// Which stop sequence it met.
        stop_sequence: Raw<'a>,
        /// Details of a refusal; see [`StopDetails`].
        stop_details: Raw<'a>,
        /// The container of code execution.
        container: Raw<'a>,
        /// Tokens.
        usage: WireUsage<'a>,
        /// For `error`.
        error: ErrorObject<'a>,
    }
}

wire! {
    /// One block of a reply.
    pub struct ReplyBlock<'a> {
        /// `text`, `thinking`, `redacted_thinking`, `tool_use`, or one of a server tool.
        kind = "type": Text<'a>,
        /// For `text`.
        text: Text<'a>,
        /// For `text`; see [`Citation`].
        citations: Vec<Raw<'a>>,
        /// For `thinking`.
        thinking: Text<'a>,
        /// For `thinking`.
        signature: Text<'a>,
        /// For `redacted_thinking`.
        data: Text<'a>,
        /// For `tool_use`.
        id: Text<'a>,
        /// For `tool_use`.
        name: Text<'a>,
        /// For `tool_use`: an object.
        input: Raw<'a>,
    }
}

wire! {
    /// What a text block rests on.
    pub struct Citation<'a> {
        /// `web_search_result_location` is the one with an address.
        kind = "type": Text<'a>,
        /// Address of the page.
        url: Text<'a>,
        /// Title of the page.
        title: Text<'a>,
    }
}

wire! {
    /// Why the model refused.
    pub struct StopDetails<'a> {
        /// In words.
        explanation: Text<'a>,
    }
}

wire! {
    /// One event of a stream. Its name is repeated in `type`.
    pub struct StreamEvent<'a> {
        /// `message_start`, `content_block_start`, ...
        kind = "type": Text<'a>,
        /// For `message_start`.
        message: MessageReply<'a>,
        /// Which block.
        index: u64,
        /// For `content_block_start`: a [`ReplyBlock`].
        content_block: Raw<'a>,
        /// For `content_block_delta` and `message_delta`.
        delta: Delta<'a>,
        /// For `message_delta`: running totals.
        usage: WireUsage<'a>,
        /// For `error`.
        error: ErrorObject<'a>,
    }
}

wire! {
    /// What came anew.
    pub struct Delta<'a> {
        /// `text_delta`, `input_json_delta`, ...; none in a `message_delta`.
        kind = "type": Text<'a>,
        /// For `text_delta`.
        text: Text<'a>,
        /// For `input_json_delta`.
        partial_json: Text<'a>,
        /// For `thinking_delta`.
        thinking: Text<'a>,
        /// For `signature_delta`.
        signature: Text<'a>,
        /// For `citations_delta`: a [`Citation`].
        citation: Raw<'a>,
        /// For `message_delta`.
        stop_reason: Text<'a>,
        /// For `message_delta`.
        stop_sequence: Raw<'a>,
        /// For `message_delta`.
        stop_details: Raw<'a>,
        /// For `message_delta`.
        container: Raw<'a>,
    }
}

wire! {
    /// Tokens. Input, cache reads and cache writes exclude each other.
    pub struct WireUsage<'a> {
        /// Neither read from the cache nor written to it.
        input_tokens: u64,
        /// Written to the cache.
        cache_creation_input_tokens: u64,
        /// How long what was written is kept.
        cache_creation: CacheCreation<'a>,
        /// Read from the cache.
        cache_read_input_tokens: u64,
        /// All output, reasoning included.
        output_tokens: u64,
        /// Parts of the output.
        output_tokens_details: OutputTokensDetails<'a>,
        /// Calls of server tools.
        server_tool_use: Raw<'a>,
        /// How it was served.
        service_tier: Text<'a>,
    }
}

wire! {
    /// What was written to the cache, by how long it is kept.
    pub struct CacheCreation<'a> {
        /// For an hour; the rest for five minutes.
        ephemeral_1h_input_tokens: u64,
    }
}

wire! {
    /// Parts of the output.
    pub struct OutputTokensDetails<'a> {
        /// Spent on reasoning.
        thinking_tokens: u64,
    }
}

wire! {
    /// The body of a non-2xx reply.
    pub struct ErrorBody<'a> {
        /// What went wrong.
        error: ErrorObject<'a>,
    }
}

wire! {
    /// What went wrong.
    pub struct ErrorObject<'a> {
        /// The broad category.
        kind = "type": Text<'a>,
        /// In words.
        message: Text<'a>,
        /// A machine-readable reason.
        details: ErrorDetails<'a>,
    }
}

wire! {
    /// A machine-readable reason.
    pub struct ErrorDetails<'a> {
        /// `enforced_spend_limit_reached` and many more.
        error_code: Text<'a>,
    }
}

/// The counts of one reply, each at its last value.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Tokens {
    input: u64,
    cache_write: u64,
    cache_write_1h: u64,
    cache_read: u64,
    output: u64,
    thinking: u64,
    tier: Tier,
}

// === impl Tokens ===

impl Tokens {
    /// Takes every count that `usage` holds: they are running totals, so the last one is right.
    pub fn update(&mut self, usage: &WireUsage<'_>) {
        let thinking = usage.output_tokens_details.as_ref();
        set(&mut self.input, usage.input_tokens);
        set(&mut self.cache_write, usage.cache_creation_input_tokens);
        let kept = usage.cache_creation.as_ref();
        let hour = kept.and_then(|kept| kept.ephemeral_1h_input_tokens);
        set(&mut self.cache_write_1h, hour);
        set(&mut self.cache_read, usage.cache_read_input_tokens);
        set(&mut self.output, usage.output_tokens);
        set(&mut self.thinking, thinking.and_then(|d| d.thinking_tokens));
        let tier = usage.service_tier.as_deref();
        self.tier = tier.map_or(self.tier, Tier::named);
    }

    /// The counts in the vocabulary of all providers.
    pub fn to_usage(self) -> Usage {
        Usage {
            input_tokens: self
                .input
                .saturating_add(self.cache_read)
                .saturating_add(self.cache_write),
            output_tokens: self.output,
            cached_input_tokens: self.cache_read,
            cache_write_tokens: self.cache_write,
            cache_write_1h_tokens: self.cache_write_1h.min(self.cache_write),
            reasoning_tokens: self.thinking,
            tier: self.tier,
            ..Usage::default()
        }
    }
}

fn set(count: &mut u64, value: Option<u64>) {
    *count = value.unwrap_or(*count);
}
