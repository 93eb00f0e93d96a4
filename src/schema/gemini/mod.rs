//! Gemini's `generateContent`, the language of Google AI Studio and of Vertex AI alike.
//!
//! Knows neither hosts nor paths: the model and whether to stream stand in the path,
//! which belongs to the provider.

mod embeddings;
mod error;
mod request;
mod response;
mod stream;
mod wire;

pub use embeddings::Embeddings;

use crate::failure::Failure;
use crate::fidelity::Report;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{
    ErrorReply, Reply, ReplyContext, Schema, StreamTranslator, Target, TranslateError, Translated,
};

pub(super) use error::read as read_error;

/// The schema's name, also in `reasoning_details` and `provider_metadata`.
const NAME: &str = "gemini";

/// The schema.
pub struct Gemini;

impl Schema for Gemini {
    fn name(&self) -> &'static str {
        NAME
    }

    fn translate_request(
        &self,
        request: &ChatCompletionRequest<'_>,
        target: &Target<'_>,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        request::translate(request, target, report)
    }

    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure> {
        response::translate(context, body, out)
    }

    fn translate_stream(&self, context: ReplyContext) -> Box<dyn StreamTranslator> {
        Box::new(stream::GeminiStream::new(context))
    }

    fn read_error(&self, error: &ErrorReply<'_>) -> Failure {
        error::read(error)
    }
}

#[cfg(test)]
mod tests;
