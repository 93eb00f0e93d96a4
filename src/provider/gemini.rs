//! Gemini on Google AI Studio.

use super::{Auth, Offer, Provider, counting, encode_segment};
use crate::operation::Operation;
use crate::schema::Schema;
use crate::schema::counting::{CountTokens, Form};
use crate::schema::gemini::{Embeddings, Gemini as GeminiSchema};

/// `https://generativelanguage.googleapis.com`.
///
/// Source: Gemini API reference, "Generating content", read 2026-11-21.
pub struct Gemini;

impl Provider for Gemini {
    fn kind(&self) -> &'static str {
        "gemini"
    }

    fn schema(&self) -> &'static dyn Schema {
        &GeminiSchema
    }

    fn default_endpoint(&self) -> Option<&'static str> {
        Some("https://generativelanguage.googleapis.com/v1beta")
    }

    fn chat_path(&self, model: &str, streamed: bool) -> String {
        format!("/models/{}:{}", encode_segment(model), method(streamed))
    }

    fn offer(&self, operation: Operation, model: &str) -> Option<Offer> {
        let path = |method: &str| format!("/models/{}:{method}", encode_segment(model));
        if operation.counts_tokens() {
            return counting(operation, path("countTokens"), &COUNTS);
        }
        let form = &Embeddings::Batch;
        (operation == Operation::Embeddings).then(|| Offer::new(path(form.method()), form))
    }

    fn models_path(&self) -> Option<&'static str> {
        Some("/models")
    }

    fn auth(&self) -> Auth {
        Auth::Header("x-goog-api-key".into())
    }
}

static COUNTS: [CountTokens; 2] = CountTokens::both(Form::Gemini(&GeminiSchema));

/// The last part of the path; a stream is asked for as server-sent events.
pub(super) fn method(streamed: bool) -> &'static str {
    if streamed {
        "streamGenerateContent?alt=sse"
    } else {
        "generateContent"
    }
}
