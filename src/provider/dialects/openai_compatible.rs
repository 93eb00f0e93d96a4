//! Any host that speaks OpenAI's schema; the configuration may describe its dialect.

use crate::provider::speaker::{
    COMPLETIONS, EMBEDDINGS, IMAGE_EDITS, IMAGE_VARIATIONS, IMAGES, INPUT_TOKENS, MESSAGE_TOKENS,
    MODERATIONS, RERANK, SPEAKER, SPEECH, Speaker, TRANSCRIPTIONS, TRANSLATIONS,
};

/// Source: none: nothing is known of it before the configuration says it, read 2026-11-21.
pub const OPENAI_COMPATIBLE: Speaker = Speaker {
    kind: "openai_compatible",
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
        INPUT_TOKENS,
        MESSAGE_TOKENS,
    ],
    ..SPEAKER
};
