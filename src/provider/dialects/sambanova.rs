//! SambaNova.

use crate::provider::speaker::{EMBEDDINGS, SPEAKER, Speaker, TRANSCRIPTIONS, TRANSLATIONS};
use crate::schema::openai::dialect::{Dialect, pairs, words};

/// Source: the types of the official SDK 1.13 (sambanova), read 2026-11-21.
pub const SAMBANOVA: Speaker = Speaker {
    kind: "sambanova",
    endpoint: Some("https://api.sambanova.ai/v1"),
    offers: &[EMBEDDINGS, TRANSCRIPTIONS, TRANSLATIONS],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        accepts: Some(words(
            "chat_template_kwargs do_sample frequency_penalty logit_bias logprobs \
             max_completion_tokens max_tokens n parallel_tool_calls presence_penalty \
             reasoning_effort repetition_penalty seed stop temperature top_k top_logprobs \
             top_p",
        )),
        roles: pairs(&[("developer", "system")]),
        drops_in_messages: words("name refusal audio function_call annotations"),
        extensions: Some(words("top_k reasoning_content")),
        content_required: true,
        reasoning_field: "reasoning".into(),
        parameters_required: true,
        strict_tools: false,
        tool_choices: words("none auto required function"),
        efforts: pairs(&[("minimal", "low"), ("xhigh", "high")]),
        ..Dialect::default()
    }
}
