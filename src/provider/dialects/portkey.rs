//! Portkey, another gateway; the model's name may hold its provider (`@openai/gpt-5`).

use crate::provider::speaker::{EMBEDDINGS, SPEAKER, Speaker};

/// Source: Portkey docs, "Chat completions" and "Headers", read 2026-11-21.
pub const PORTKEY: Speaker = Speaker {
    kind: "portkey",
    endpoint: Some("https://api.portkey.ai/v1"),
    key_header: Some("x-portkey-api-key"),
    offers: &[EMBEDDINGS],
    ..SPEAKER
};
