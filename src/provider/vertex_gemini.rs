//! Gemini on Vertex AI. The endpoint's prefix names project and location:
//! `https://us-central1-aiplatform.googleapis.com/v1/projects/<project>/locations/us-central1`.

use super::gemini::method;
use super::{Auth, Offer, Provider, counting, encode_segment, gcp};
use crate::operation::Operation;
use crate::schema::Schema;
use crate::schema::counting::{CountTokens, Form};
use crate::schema::gemini::{Embeddings, Gemini as GeminiSchema};

/// `https://<location>-aiplatform.googleapis.com`.
///
/// Source: Vertex AI reference, "models.generateContent", read 2026-11-21.
pub struct VertexGemini;

static COUNTS: [CountTokens; 2] = CountTokens::both(Form::Vertex(&GeminiSchema));

impl Provider for VertexGemini {
    fn kind(&self) -> &'static str {
        "vertex_gemini"
    }

    fn schema(&self) -> &'static dyn Schema {
        &GeminiSchema
    }

    fn default_endpoint(&self) -> Option<&'static str> {
        None
    }

    fn project_endpoint(&self, project: &str, location: &str) -> Option<String> {
        Some(gcp::endpoint(project, location))
    }

    fn chat_path(&self, model: &str, streamed: bool) -> String {
        format!(
            "/publishers/google/models/{}:{}",
            encode_segment(model),
            method(streamed)
        )
    }

    fn offer(&self, operation: Operation, model: &str) -> Option<Offer> {
        if operation.counts_tokens() {
            let path = format!(
                "/publishers/google/models/{}:countTokens",
                encode_segment(model)
            );
            return counting(operation, path, &COUNTS);
        }
        let form = match Embeddings::of_vertex(model) {
            Embeddings::Predict => &Embeddings::Predict,
            _ => &Embeddings::VertexBatch,
        };
        let name = encode_segment(model);
        let path = || format!("/publishers/google/models/{name}:{}", form.method());
        (operation == Operation::Embeddings).then(|| Offer::new(path(), form))
    }

    fn auth(&self) -> Auth {
        Auth::Bearer
    }
}
