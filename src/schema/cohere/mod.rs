//! Cohere's Chat API, version 2, to and from OpenAI's schema.
//!
//! Knows no host, key or header; whoever speaks this language is a provider.
//!
//! Source: Cohere API reference, "Chat (v2)", "Chat with streaming", "Errors", and the types of
//! the official SDK 7.3, read 2026-11-21.

mod citations;
mod conversation;
mod error;
pub mod operations;
mod request;
mod response;
mod settings;
mod stream;
mod tools;
mod wire;

use crate::failure::Failure;
use crate::fidelity::Report;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{
    ErrorReply, Reply, ReplyContext, Schema, StreamTranslator, Target, TranslateError, Translated,
};

/// The schema.
pub struct Cohere;

/// Its name in the configuration, and of its metadata.
const NAME: &str = "cohere";

/// Who is named where something is lost.
const VENDOR: &str = "Cohere";

impl Schema for Cohere {
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
        Box::new(stream::Translator::new(&context))
    }

    fn read_error(&self, error: &ErrorReply<'_>) -> Failure {
        error::read(error)
    }
}
