//! Anthropic itself, and Microsoft Foundry, which takes what it takes.

use super::{Auth, Offer, Provider};
use crate::operation::Operation;
use crate::schema::Schema;
use crate::schema::anthropic::{Anthropic as AnthropicSchema, DIRECT};
use crate::schema::openai::operations::Passthrough;

/// An address of Anthropic's own API.
pub struct Anthropic {
    kind: &'static str,
    endpoint: Option<&'static str>,
    path: &'static str,
}

/// `https://api.anthropic.com`.
///
/// Source: Claude API reference, "Versions" and "Authentication", read 2026-11-21.
pub const ANTHROPIC: Anthropic = Anthropic {
    kind: "anthropic",
    endpoint: Some("https://api.anthropic.com/v1"),
    path: "/messages",
};

/// `https://<resource>.services.ai.azure.com/anthropic`.
///
/// Source: Claude API reference, "Claude in Microsoft Foundry", and the client of the official
/// SDK 2.11, read 2026-11-21.
pub const FOUNDRY: Anthropic = Anthropic {
    kind: "foundry_anthropic",
    endpoint: None,
    path: "/anthropic/v1/messages",
};

impl Provider for Anthropic {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn schema(&self) -> &'static dyn Schema {
        &AnthropicSchema(&DIRECT)
    }

    fn default_endpoint(&self) -> Option<&'static str> {
        self.endpoint
    }

    fn chat_path(&self, _model: &str, _streamed: bool) -> String {
        self.path.to_owned()
    }

    fn offer(&self, operation: Operation, _model: &str) -> Option<Offer> {
        let counts = operation == Operation::MessageTokens;
        counts.then(|| Offer {
            path: format!("{}/count_tokens", self.path),
            schema: &Passthrough::COUNT,
        })
    }

    fn models_path(&self) -> Option<&'static str> {
        // Foundry's resources list no models under this prefix.
        self.endpoint.map(|_| "/models")
    }

    fn auth(&self) -> Auth {
        Auth::Header("x-api-key".into())
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }
}
