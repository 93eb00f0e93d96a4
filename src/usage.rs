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
    /// Of the output, audio.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_output_tokens: u64,
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
        *self != Usage::default()
    }
}
