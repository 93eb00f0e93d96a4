//! Groq.

use crate::failure::Class;
use crate::provider::speaker::{SPEAKER, SPEECH, Speaker, TRANSCRIPTIONS, TRANSLATIONS};
use crate::schema::openai::dialect::{Dialect, at_most, pairs, says, status, words};

/// Source: GroqDocs, "OpenAI Compatibility", and the types of the official SDK 1.7, read 2026-11-21.
pub const GROQ: Speaker = Speaker {
    kind: "groq",
    endpoint: Some("https://api.groq.com/openai/v1"),
    offers: &[TRANSCRIPTIONS, TRANSLATIONS, SPEECH],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        // `service_tier` has words of its own here.
        accepts: Some(words(
            "citation_options compound_custom disable_tool_validation documents \
             exclude_domains frequency_penalty function_call functions include_domains \
             include_reasoning max_completion_tokens max_tokens metadata n \
             parallel_tool_calls presence_penalty reasoning_effort reasoning_format \
             search_settings seed stop store temperature top_p user",
        )),
        limits: vec![at_most("n", 1.0)],
        drops_in_messages: words("name refusal audio annotations"),
        extensions: Some(words("reasoning_content")),
        reasoning_field: "reasoning".into(),
        tool_choices: words("none auto required function"),
        stream_options: false,
        efforts: pairs(&[("minimal", "low"), ("xhigh", "high")]),
        usage_parent: Some("x_groq".into()),
        errors: vec![
            status(498, Class::Overloaded),
            says("tool_use_failed", Class::MalformedReply),
            says("json_validate_failed", Class::MalformedReply),
        ],
        ..Dialect::default()
    }
}
