//! Anthropic itself.

use super::{Auth, Offer, Provider};
use crate::operation::Operation;
use crate::schema::Schema;
use crate::schema::anthropic::Anthropic as AnthropicSchema;
use crate::schema::openai::operations::Passthrough;

/// `https://api.anthropic.com`.
///
/// Source: Claude API reference, "Versions" and "Authentication", read 2026-11-21.
pub struct Anthropic;

impl Provider for Anthropic {
    fn kind(&self) -> &'static str {
        "anthropic"
    }

    fn schema(&self) -> &'static dyn Schema {
        &AnthropicSchema
    }

    fn default_endpoint(&self) -> Option<&'static str> {
        Some("https://api.anthropic.com/v1")
    }

    fn chat_path(&self, _model: &str, _streamed: bool) -> String {
        "/messages".to_owned()
    }

    fn offer(&self, operation: Operation, _model: &str) -> Option<Offer> {
        let counts = operation == Operation::MessageTokens;
        counts.then(|| Offer {
            path: operation.path().to_owned(),
            schema: &Passthrough::COUNT,
        })
    }

    fn auth(&self) -> Auth {
        Auth::Header("x-api-key".into())
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }
}
