//! Ollama, on this machine unless the configuration says otherwise.

use crate::provider::speaker::{COMPLETIONS, EMBEDDINGS, SPEAKER, Speaker};
use crate::schema::openai::dialect::{Dialect, pairs, renames, words};

use super::HOSTED_ONLY;

/// Source: Ollama docs, "OpenAI compatibility", read 2026-11-21.
pub const OLLAMA: Speaker = Speaker {
    kind: "ollama",
    endpoint: Some("http://localhost:11434/v1"),
    offers: &[EMBEDDINGS, COMPLETIONS],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        drops: [
            words(HOSTED_ONLY),
            words("logit_bias user n parallel_tool_calls"),
        ]
        .concat(),
        renames: renames(&[("max_completion_tokens", "max_tokens")]),
        roles: pairs(&[("developer", "system")]),
        reasoning_field: "reasoning".into(),
        // It reads no `tool_choice`.
        tool_choices: words("auto"),
        ..Dialect::default()
    }
}
