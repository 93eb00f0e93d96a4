//! Portkey, another gateway; the model's name may hold its provider (`@openai/gpt-5`).

use crate::provider::speaker::{
    COMPLETIONS, EMBEDDINGS, IMAGE_EDITS, IMAGE_VARIATIONS, IMAGES, MODERATIONS, SPEAKER, SPEECH,
    Speaker, TRANSCRIPTIONS, TRANSLATIONS,
};

/// Source: Portkey docs, "Chat completions" and "Headers", read 2026-11-21.
pub const PORTKEY: Speaker = Speaker {
    kind: "portkey",
    endpoint: Some("https://api.portkey.ai/v1"),
    key_header: Some("x-portkey-api-key"),
    offers: &[
        EMBEDDINGS,
        COMPLETIONS,
        IMAGES,
        IMAGE_EDITS,
        IMAGE_VARIATIONS,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        SPEECH,
        MODERATIONS,
    ],
    ..SPEAKER
};
