//! Grok, of xAI.

use crate::failure::Class;
use crate::provider::speaker::{IMAGES, SPEAKER, Speaker};
use crate::schema::openai::dialect::{Dialect, pairs, says, words};

/// Source: xAI API reference, "Chat completions", and "Reasoning", read 2026-11-21.
pub const XAI: Speaker = Speaker {
    kind: "xai",
    endpoint: Some("https://api.x.ai/v1"),
    offers: &[IMAGES],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        drops: words("logit_bias"),
        drops_if_thinking: words("presence_penalty frequency_penalty stop"),
        tool_choices: words("none auto required function"),
        efforts: pairs(&[("minimal", "low"), ("xhigh", "high")]),
        errors: vec![
            says("used all available credits", Class::QuotaExhausted),
            says("doesn't have any credits", Class::QuotaExhausted),
        ],
        ..Dialect::default()
    }
}
