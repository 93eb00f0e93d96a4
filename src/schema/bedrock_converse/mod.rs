//! Amazon Bedrock's Converse, one language for the models of many vendors.
//!
//! Knows no host, key or header. The model and whether to stream stand in the path, which
//! belongs to the provider.
//!
//! Source: Amazon Bedrock API reference, "Converse" and "ConverseStream", the user guide on
//! their use, and the service model of the official SDK for Python (botocore 1.44), read
//! 2026-11-21.

mod content;
mod conversation;
mod documents;
mod error;
mod family;
mod format;
mod history;
mod metadata;
mod names;
mod options;
mod reasoning;
mod request;
mod response;
mod settings;
mod stream;
mod thinking;
mod tools;
mod wire;

use crate::failure::Failure;
use crate::fidelity::Report;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{
    ErrorReply, Reply, ReplyContext, Schema, StreamTranslator, Target, TranslateError, Translated,
};

pub(super) use error::{of_error_frame, of_exception, of_framing, read as read_error};

/// The schema.
pub struct BedrockConverse;

/// Its name in the configuration.
const NAME: &str = "bedrock_converse";

/// The `format` of its reasoning details, and the key of its metadata.
const FORMAT: &str = "bedrock";

/// Who is named where something is lost.
const VENDOR: &str = "Bedrock";

impl Schema for BedrockConverse {
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
