//! Tokens that a reply cost, in one vocabulary for all providers.

use serde::{Deserialize, Serialize};

/// Tokens of one reply, as the provider counted them.
///
/// Unit: tokens. `input_tokens` and `output_tokens` are inclusive, as OpenAI and
/// OpenTelemetry GenAI define them: cached and cache-write tokens are part of the
/// input, reasoning tokens are part of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// All input tokens.
    pub input_tokens: u64,
    /// All output tokens.
    pub output_tokens: u64,
    /// Of the input, read from the provider's prompt cache.
    pub cached_input_tokens: u64,
    /// Of the input, written to the provider's prompt cache.
    pub cache_write_tokens: u64,
    /// Of what was written to the cache, what is kept there for an hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h_tokens: u64,
    /// Of the output, spent on reasoning.
    pub reasoning_tokens: u64,
    /// Of the input, audio that was not cached.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_input_tokens: u64,
    /// Of the cached input, audio.
    #[serde(skip_serializing_if = "is_zero")]
    pub cached_audio_tokens: u64,
    /// Of the input, images that were not cached.
    #[serde(skip_serializing_if = "is_zero")]
    pub image_input_tokens: u64,
    /// Of the output, audio.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_output_tokens: u64,
    /// How the provider says that it has served the request.
    #[serde(skip_serializing_if = "Tier::is_standard")]
    pub tier: Tier,
}

/// In which order a provider serves requests, and so at which price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// As always; also what runs on capacity that is paid for by time.
    #[default]
    Standard,
    /// Within hours.
    Batch,
    /// When there is room.
    Flex,
    /// Before others.
    Priority,
}

impl Tier {
    /// The tier that a provider names, in words of its own, alone or in an object.
    ///
    /// Source: the vendors' SDKs, read 2026-11-21: OpenAI's and Anthropic's `service_tier`,
    /// Bedrock's `serviceTier.type`, Gemini's `trafficType` and `x-gemini-service-tier`.
    pub fn named(text: &str) -> Tier {
        let says = |word: &str| {
            let mut windows = text.as_bytes().windows(word.len());
            windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
        };
        if says("flex") {
            Tier::Flex
        } else if says("priority") {
            Tier::Priority
        } else if says("batch") {
            Tier::Batch
        } else {
            Tier::Standard
        }
    }

    /// Whether nothing is to be said of it.
    pub fn is_standard(&self) -> bool {
        *self == Tier::Standard
    }

    /// Its word in the access log.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Standard => "standard",
            Tier::Batch => "batch",
            Tier::Flex => "flex",
            Tier::Priority => "priority",
        }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// Input and output together.
    pub fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Whether the provider has said anything yet.
    pub fn is_known(&self) -> bool {
        let nothing = Usage {
            tier: self.tier,
            ..Usage::default()
        };
        *self != nothing
    }
}
