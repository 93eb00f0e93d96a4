//! Mistral.

use crate::operation::Operation;
use crate::provider::speaker::{MODERATIONS, SPEAKER, Speaker, TRANSCRIPTIONS};
use crate::schema::openai::dialect::{Dialect, ToolCallIds, at_most, pairs, renames, words};
use crate::schema::openai::operations::{Embeddings, Relay};

/// Source: Mistral API reference, "Chat completion", and the types of the official SDK 3.7, read 2026-11-21.
pub const MISTRAL: Speaker = Speaker {
    kind: "mistral",
    endpoint: Some("https://api.mistral.ai/v1"),
    offers: &[
        (Operation::Embeddings, &EMBEDDINGS),
        TRANSCRIPTIONS,
        MODERATIONS,
    ],
    dialect,
    ..SPEAKER
};

/// Source: Mistral API reference, "Embeddings", and the types of the official SDK, read 2026-11-21.
const EMBEDDINGS: Embeddings = Embeddings {
    relay: Relay {
        accepts: Some("metadata output_dimension output_dtype encoding_format input"),
        drops: "",
        renames: &[("dimensions", "output_dimension")],
    },
    tokens: false,
};

fn dialect() -> Dialect {
    Dialect {
        // `service_tier` has words of its own here.
        accepts: Some(words(
            "temperature top_p max_tokens stop random_seed metadata presence_penalty \
             frequency_penalty min_tokens repetition_penalty top_k logprobs top_logprobs \
             prompt_logprobs top_prompt_logprobs n prediction parallel_tool_calls \
             reasoning_effort prompt_mode guardrails prompt_cache_key \
             safe_prompt",
        )),
        renames: renames(&[
            ("max_completion_tokens", "max_tokens"),
            ("seed", "random_seed"),
        ]),
        limits: vec![at_most("temperature", 1.5)],
        roles: pairs(&[("developer", "system")]),
        drops_in_messages: words("name refusal audio function_call annotations"),
        extensions: Some(words("top_k")),
        tool_call_ids: ToolCallIds::NineAlphanumerics,
        bare_media: true,
        parameters_required: true,
        tool_choices: words("none auto required function"),
        stream_options: false,
        finish_reasons: pairs(&[("model_length", "length"), ("error", "length")]),
        content_parts_in_replies: true,
        ..Dialect::default()
    }
}
