//! OpenRouter, which translates for the providers behind it.

use crate::failure::Class;
use crate::provider::speaker::{COMPLETIONS, EMBEDDINGS, SPEAKER, Speaker};
use crate::schema::openai::dialect::{Dialect, says};

/// Source: OpenRouter docs, "API reference", "Errors" and "Reasoning tokens", read 2026-11-21.
pub const OPENROUTER: Speaker = Speaker {
    kind: "openrouter",
    endpoint: Some("https://openrouter.ai/api/v1"),
    offers: &[EMBEDDINGS, COMPLETIONS],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        reasoning_field: "reasoning".into(),
        errors: vec![says("flagged", Class::ContentFilter)],
        ..Dialect::default()
    }
}
