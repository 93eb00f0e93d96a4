//! Together AI.

use crate::provider::speaker::{
    COMPLETIONS, EMBEDDINGS, IMAGES, RERANK, SPEAKER, SPEECH, Speaker, TRANSCRIPTIONS, TRANSLATIONS,
};
use crate::schema::openai::dialect::{Dialect, pairs, renames, words};

/// Source: the types of the official SDK 3.1 (together), read 2026-11-21.
pub const TOGETHER: Speaker = Speaker {
    kind: "together",
    endpoint: Some("https://api.together.ai/v1"),
    offers: &[
        EMBEDDINGS,
        RERANK,
        COMPLETIONS,
        IMAGES,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        SPEECH,
    ],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        // `logprobs` is a number here, and has no `top_logprobs` beside it.
        accepts: Some(words(
            "chat_template_kwargs compliance context_length_exceeded_behavior echo \
             frequency_penalty function_call logit_bias max_tokens min_p n presence_penalty \
             reasoning reasoning_effort repetition_penalty safety_model seed stop temperature \
             top_k top_p",
        )),
        renames: renames(&[("max_completion_tokens", "max_tokens")]),
        roles: pairs(&[("developer", "system")]),
        drops_in_messages: words("refusal audio annotations"),
        extensions: Some(words("top_k reasoning_content")),
        reasoning_field: "reasoning".into(),
        tool_choices: words("none auto required function"),
        stream_options: false,
        efforts: pairs(&[("minimal", "low"), ("xhigh", "high")]),
        finish_reasons: pairs(&[("eos", "stop")]),
        ..Dialect::default()
    }
}
