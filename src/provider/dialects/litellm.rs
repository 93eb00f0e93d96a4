//! LiteLLM, another gateway, at an address of your own.

use crate::provider::speaker::{EMBEDDINGS, RERANK, SPEAKER, Speaker};

/// Source: LiteLLM docs, "Proxy: chat completions", read 2026-11-21.
pub const LITELLM: Speaker = Speaker {
    kind: "litellm",
    endpoint: None,
    offers: &[EMBEDDINGS, RERANK],
    ..SPEAKER
};
