//! Anthropic's models on Vertex AI. The endpoint's prefix names project and location, which may
//! be `global`: `https://aiplatform.googleapis.com/v1/projects/<project>/locations/global`.

use super::{Auth, Offer, Provider, encode_segment, gcp};
use crate::operation::Operation;
use crate::schema::Schema;
use crate::schema::anthropic::{Anthropic, VERTEX};
use crate::schema::counting::{CountTokens, Form};

/// `https://<location>-aiplatform.googleapis.com`.
///
/// Source: Vertex AI reference, "rawPredict" and "streamRawPredict" of publishers' models, and
/// the client of Anthropic's SDK 2.11, read 2026-11-21.
pub struct VertexAnthropic;

/// The model stands in the body.
static COUNT: CountTokens = CountTokens {
    form: Form::VertexMessages,
    object: "",
};

impl Provider for VertexAnthropic {
    fn kind(&self) -> &'static str {
        "vertex_anthropic"
    }

    fn schema(&self) -> &'static dyn Schema {
        &Anthropic(&VERTEX)
    }

    fn default_endpoint(&self) -> Option<&'static str> {
        None
    }

    fn project_endpoint(&self, project: &str, location: &str) -> Option<String> {
        Some(gcp::endpoint(project, location))
    }

    fn chat_path(&self, model: &str, streamed: bool) -> String {
        let method = if streamed {
            "streamRawPredict"
        } else {
            "rawPredict"
        };
        let model = encode_segment(model);
        format!("/publishers/anthropic/models/{model}:{method}")
    }

    fn offer(&self, operation: Operation, _model: &str) -> Option<Offer> {
        let path = "/publishers/anthropic/models/count-tokens:rawPredict";
        (operation == Operation::MessageTokens).then(|| Offer::new(path, &COUNT))
    }

    fn auth(&self) -> Auth {
        Auth::Bearer
    }
}
