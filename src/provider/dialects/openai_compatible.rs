//! Any host that speaks OpenAI's schema; the configuration may describe its dialect.

use crate::provider::speaker::{EMBEDDINGS, RERANK, SPEAKER, Speaker};

/// Source: none: nothing is known of it before the configuration says it, read 2026-11-21.
pub const OPENAI_COMPATIBLE: Speaker = Speaker {
    kind: "openai_compatible",
    endpoint: None,
    offers: &[EMBEDDINGS, RERANK],
    ..SPEAKER
};
