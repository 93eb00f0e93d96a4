//! OpenAI itself.

use crate::provider::speaker::{
    COMPLETIONS, IMAGE_EDITS, IMAGE_VARIATIONS, IMAGES, INPUT_TOKENS, MODERATIONS,
    OPENAI_EMBEDDINGS, SPEAKER, SPEECH, Speaker, TRANSCRIPTIONS, TRANSLATIONS,
};
use crate::schema::openai::dialect::{Dialect, Rename};
use std::borrow::Cow;

/// `max_tokens` is deprecated, and models that think refuse it.
pub(super) const OUTPUT_LIMIT: Rename = Rename {
    from: Cow::Borrowed("max_tokens"),
    to: Cow::Borrowed("max_completion_tokens"),
    changes: None,
    if_thinking: true,
};

/// Source: OpenAI API reference, "Create chat completion", read 2026-11-21.
pub const OPENAI: Speaker = Speaker {
    kind: "openai",
    endpoint: Some("https://api.openai.com/v1"),
    offers: &[
        OPENAI_EMBEDDINGS,
        COMPLETIONS,
        IMAGES,
        IMAGE_EDITS,
        IMAGE_VARIATIONS,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        SPEECH,
        MODERATIONS,
        INPUT_TOKENS,
    ],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        extensions: Some(Vec::new()),
        renames: vec![OUTPUT_LIMIT],
        ..Dialect::default()
    }
}
