//! Anthropic Messages, to and from OpenAI's schema.
//!
//! Knows no address and no key; whoever speaks this language is a provider. What its hosts want
//! otherwise is data in `host`.
//!
//! Source: Claude API reference, "Messages", "Streaming messages", "Errors", and the types of
//! the official SDK 2.11, read 2026-11-21.

mod addresses;
mod betas;
mod citations;
mod content;
mod conversation;
mod error;
mod format;
mod host;
mod metadata;
mod reasoning;
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

pub use host::{BEDROCK, DIRECT, Host, VERTEX};

/// The schema, as one host takes it.
pub struct Anthropic(pub &'static Host);

/// Its name in the configuration, and the `format` of its reasoning details.
const NAME: &str = "anthropic";

/// Who is named where something is lost.
const VENDOR: &str = "Anthropic";

impl Schema for Anthropic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forces_json_by_tool(&self) -> bool {
        true
    }

    fn translate_request(
        &self,
        request: &ChatCompletionRequest<'_>,
        target: &Target<'_>,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        request::translate(self.0, request, target, report)
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
        Box::new(stream::Translator::new(self.0, &context))
    }

    fn read_error(&self, error: &ErrorReply<'_>) -> Failure {
        (self.0.read_error)(error)
    }
}
