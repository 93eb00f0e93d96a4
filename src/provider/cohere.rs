//! Cohere itself.

use super::{Auth, Offer, Provider};
use crate::operation::Operation;
use crate::schema::cohere::Cohere as CohereSchema;
use crate::schema::cohere::operations::{Embed, Host, Rerank};
use crate::schema::{OperationSchema, Schema};

/// `https://api.cohere.com`.
///
/// Source: Cohere API reference, "Chat (v2)", "Embed (v2)" and "Rerank (v2)", read 2026-11-21.
pub struct Cohere;

impl Provider for Cohere {
    fn kind(&self) -> &'static str {
        "cohere"
    }

    fn schema(&self) -> &'static dyn Schema {
        &CohereSchema
    }

    fn default_endpoint(&self) -> Option<&'static str> {
        Some("https://api.cohere.com/v2")
    }

    fn chat_path(&self, _model: &str, _streamed: bool) -> String {
        "/chat".to_owned()
    }

    fn offer(&self, operation: Operation, _model: &str) -> Option<Offer> {
        let (path, schema): (&str, &dyn OperationSchema) = match operation {
            Operation::Embeddings => ("/embed", &Embed(Host::Cohere)),
            Operation::Rerank => ("/rerank", &Rerank(Host::Cohere)),
            _ => return None,
        };
        Some(Offer::new(path, schema))
    }

    fn auth(&self) -> Auth {
        Auth::Bearer
    }
}
