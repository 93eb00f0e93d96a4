//! vLLM, at an address of your own.

use crate::provider::speaker::{
    COMPLETIONS, EMBEDDINGS, MESSAGE_TOKENS, RERANK, SPEAKER, Speaker, TRANSCRIPTIONS, TRANSLATIONS,
};
use crate::schema::openai::dialect::{Dialect, pairs, words};

use super::HOSTED_ONLY;

/// Source: vLLM docs, "OpenAI-compatible server" and "Reasoning outputs", read 2026-11-21.
pub const VLLM: Speaker = Speaker {
    kind: "vllm",
    endpoint: None,
    offers: &[
        EMBEDDINGS,
        RERANK,
        COMPLETIONS,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        MESSAGE_TOKENS,
    ],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        drops: words(HOSTED_ONLY),
        roles: pairs(&[("developer", "system")]),
        reasoning_field: "reasoning".into(),
        tool_choices: words("none auto required function"),
        ..Dialect::default()
    }
}
