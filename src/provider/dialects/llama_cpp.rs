//! llama.cpp's `llama-server`, at an address of your own.

use crate::provider::speaker::{COMPLETIONS, EMBEDDINGS, RERANK, SPEAKER, Speaker};
use crate::schema::openai::dialect::{Dialect, pairs, renames, says, words};

use super::HOSTED_ONLY;
use crate::failure::Class;

/// Source: llama.cpp, `tools/server/README.md`, read 2026-11-21.
pub const LLAMA_CPP: Speaker = Speaker {
    kind: "llama_cpp",
    endpoint: None,
    offers: &[EMBEDDINGS, RERANK, COMPLETIONS],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        drops: words(HOSTED_ONLY),
        renames: renames(&[("max_completion_tokens", "max_tokens")]),
        roles: pairs(&[("developer", "system")]),
        tool_choices: words("none auto required"),
        errors: vec![
            says("exceed_context_size_error", Class::ContextLengthExceeded),
            says("unavailable_error", Class::Overloaded),
        ],
        ..Dialect::default()
    }
}
