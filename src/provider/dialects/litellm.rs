//! LiteLLM, another gateway, at an address of your own.

use crate::provider::speaker::{
    COMPLETIONS, EMBEDDINGS, IMAGE_EDITS, IMAGE_VARIATIONS, IMAGES, MESSAGE_TOKENS, MODERATIONS,
    RERANK, SPEAKER, SPEECH, Speaker, TRANSCRIPTIONS, TRANSLATIONS,
};

/// Source: LiteLLM docs, "Proxy: chat completions", read 2026-11-21.
pub const LITELLM: Speaker = Speaker {
    kind: "litellm",
    endpoint: None,
    offers: &[
        EMBEDDINGS,
        RERANK,
        COMPLETIONS,
        IMAGES,
        IMAGE_EDITS,
        IMAGE_VARIATIONS,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        SPEECH,
        MODERATIONS,
        MESSAGE_TOKENS,
    ],
    ..SPEAKER
};
