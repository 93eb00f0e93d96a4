//! TokenMix, which translates for the providers behind it.

use crate::provider::speaker::{EMBEDDINGS, SPEAKER, Speaker};

/// Source: TokenMix docs, "OpenAI compatibility", read 2026-11-21.
pub const TOKENMIX: Speaker = Speaker {
    kind: "tokenmix",
    endpoint: Some("https://api.tokenmix.ai/v1"),
    offers: &[EMBEDDINGS],
    ..SPEAKER
};
