//! Replies, events of a stream and errors, as they are read.

use crate::json::{Raw, Text};
use crate::usage::Usage;
use crate::wire;

wire! {
    /// A whole reply.
    pub struct ConverseReply<'a> {
        /// The message.
        output: Output<'a>,
        /// Why the model stopped.
        stop_reason = "stopReason": Text<'a>,
        /// Tokens.
        usage: WireUsage<'a>,
        /// How long it took.
        metrics: Raw<'a>,
        /// Fields of the model's vendor that the request asked for.
        additional = "additionalModelResponseFields": Raw<'a>,
        /// What guardrails and prompt routers did.
        trace: Raw<'a>,
        /// Latency mode.
        performance_config = "performanceConfig": Raw<'a>,
        /// Processing tier.
        service_tier = "serviceTier": Raw<'a>,
    }
}

wire! {
    /// What was said.
    pub struct Output<'a> {
        /// By the assistant.
        message: Message<'a>,
    }
}

wire! {
    /// One message.
    pub struct Message<'a> {
        /// `assistant`.
        role: Raw<'a>,
        /// See [`ReplyBlock`].
        content: Vec<Raw<'a>>,
    }
}

wire! {
    /// One block of a reply; one of these.
    pub struct ReplyBlock<'a> {
        /// Text.
        text: Text<'a>,
        /// A call.
        tool_use = "toolUse": ReplyToolUse<'a>,
        /// Reasoning.
        reasoning = "reasoningContent": ReplyReasoning<'a>,
        /// Text with what it rests on.
        cited = "citationsContent": CitedContent<'a>,
    }
}

wire! {
    /// A call.
    pub struct ReplyToolUse<'a> {
        /// Its id.
        id = "toolUseId": Text<'a>,
        /// Name of the tool.
        name: Text<'a>,
        /// Arguments, an object; a fragment of their text in a stream.
        input: Raw<'a>,
        /// `server_tool_use` for a tool that Bedrock itself runs.
        kind = "type": Text<'a>,
    }
}

wire! {
    /// Reasoning, whole or in a stream.
    pub struct ReplyReasoning<'a> {
        /// Readable, in a whole reply.
        whole = "reasoningText": ReasoningText<'a>,
        /// Unreadable: base64.
        redacted = "redactedContent": Text<'a>,
        /// More of it, in a stream.
        text: Text<'a>,
        /// More of its signature, in a stream.
        signature: Text<'a>,
    }
}

wire! {
    /// Readable reasoning.
    pub struct ReasoningText<'a> {
        /// The reasoning.
        text: Text<'a>,
        /// Opaque.
        signature: Text<'a>,
    }
}

wire! {
    /// Text with what it rests on.
    pub struct CitedContent<'a> {
        /// The text.
        content: Vec<CitedText<'a>>,
        /// See [`Citation`].
        citations: Vec<Raw<'a>>,
    }
}

wire! {
    /// A piece of text.
    pub struct CitedText<'a> {
        /// The text.
        text: Text<'a>,
    }
}

wire! {
    /// What a text rests on.
    pub struct Citation<'a> {
        /// Title of the source.
        title: Text<'a>,
        /// Where in it.
        location: CitationLocation<'a>,
    }
}

wire! {
    /// Where a citation is.
    pub struct CitationLocation<'a> {
        /// In a web page.
        web: WebLocation<'a>,
    }
}

wire! {
    /// A web page.
    pub struct WebLocation<'a> {
        /// Its address.
        url: Text<'a>,
    }
}

wire! {
    /// The payload of any event of a stream; the event's name tells which fields it has.
    pub struct StreamEvent<'a> {
        /// Which block.
        index = "contentBlockIndex": u64,
        /// For `contentBlockStart`: a [`ReplyBlock`] without content.
        start: Raw<'a>,
        /// For `contentBlockDelta`.
        delta: Delta<'a>,
        /// For `messageStop`.
        stop_reason = "stopReason": Text<'a>,
        /// For `messageStop`.
        additional = "additionalModelResponseFields": Raw<'a>,
        /// For `metadata`.
        usage: WireUsage<'a>,
        /// For `metadata`.
        trace: Raw<'a>,
        /// For `metadata`.
        performance_config = "performanceConfig": Raw<'a>,
        /// For `metadata`.
        service_tier = "serviceTier": Raw<'a>,
    }
}

wire! {
    /// What came anew; one of these.
    pub struct Delta<'a> {
        /// Text.
        text: Text<'a>,
        /// Arguments.
        tool_use = "toolUse": DeltaToolUse<'a>,
        /// Reasoning.
        reasoning = "reasoningContent": ReplyReasoning<'a>,
        /// What the text rests on.
        citation: Raw<'a>,
    }
}

wire! {
    /// More of a call.
    pub struct DeltaToolUse<'a> {
        /// A fragment of its arguments.
        input: Text<'a>,
    }
}

wire! {
    /// Tokens. Input, cache reads and cache writes exclude each other.
    pub struct WireUsage<'a> {
        /// Neither read from the cache nor written to it.
        input = "inputTokens": u64,
        /// All output, reasoning included.
        output = "outputTokens": u64,
        /// The sum, as Bedrock counts it.
        total = "totalTokens": Raw<'a>,
        /// Read from the cache.
        cache_read = "cacheReadInputTokens": u64,
        /// Written to the cache.
        cache_write = "cacheWriteInputTokens": u64,
        /// The same by how long it is kept.
        cache_details = "cacheDetails": Vec<CacheDetail<'a>>,
    }
}

wire! {
    /// What was written to the cache to be kept for one time.
    pub struct CacheDetail<'a> {
        /// `5m` or `1h`.
        ttl: Text<'a>,
        /// How much.
        tokens = "inputTokens": u64,
    }
}

wire! {
    /// The body of a non-2xx reply, and the payload of an exception.
    pub struct ErrorBody<'a> {
        /// The exception's name, in some replies; others have it in a header only.
        kind = "__type": Text<'a>,
        /// In words.
        message: Text<'a>,
        /// The same, as Amazon's front ends write it.
        capital_message = "Message": Text<'a>,
        /// What the model's own server said.
        original_message = "originalMessage": Text<'a>,
    }
}

// === impl WireUsage ===

impl From<&WireUsage<'_>> for Usage {
    fn from(usage: &WireUsage<'_>) -> Usage {
        let WireUsage {
            input,
            output,
            total: _, // the sum of the rest
            cache_read,
            cache_write,
            cache_details,
            extra: _, // none is documented
        } = usage;
        let (read, write) = (cache_read.unwrap_or(0), cache_write.unwrap_or(0));
        let details = cache_details.iter().flatten();
        let for_an_hour = details.filter(|detail| detail.ttl.as_deref() == Some("1h"));
        let for_an_hour: u64 = for_an_hour.filter_map(|detail| detail.tokens).sum();
        Usage {
            input_tokens: input
                .unwrap_or(0)
                .saturating_add(read)
                .saturating_add(write),
            output_tokens: output.unwrap_or(0),
            cached_input_tokens: read,
            cache_write_tokens: write,
            cache_write_1h_tokens: for_an_hour.min(write),
            reasoning_tokens: 0,
            ..Usage::default()
        }
    }
}
