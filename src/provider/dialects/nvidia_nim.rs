//! NVIDIA NIM, hosted; a NIM of your own needs its endpoint.

use crate::provider::speaker::{COMPLETIONS, EMBEDDINGS, SPEAKER, Speaker};
use crate::schema::openai::dialect::{Dialect, pairs, renames, words};

use super::HOSTED_ONLY;

/// Source: NVIDIA NIM for LLMs, "API reference", read 2026-11-21.
pub const NVIDIA_NIM: Speaker = Speaker {
    kind: "nvidia_nim",
    endpoint: Some("https://integrate.api.nvidia.com/v1"),
    offers: &[EMBEDDINGS, COMPLETIONS],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        drops: words(HOSTED_ONLY),
        renames: renames(&[("max_completion_tokens", "max_tokens")]),
        roles: pairs(&[("developer", "system")]),
        tool_choices: words("none auto required function"),
        ..Dialect::default()
    }
}
