//! Schemas: languages that providers speak. Each maps to and from OpenAI's, never to another.
//!
//! A schema knows neither hosts nor keys nor headers: those belong to a provider.

pub mod anthropic;
pub mod bedrock_converse;
pub mod cohere;
pub mod counting;
pub mod embeddings;
pub mod gemini;
pub mod openai;
pub mod rerank;
pub mod titan;

mod citations;
mod claude_thinking;
mod data_url;
mod fields;
mod json_schema;
mod place;
mod provider_options;
mod reasoning_details;
mod sampling;
mod stops;
mod tool_id;
pub(crate) mod tool_wishes;
mod unmapped;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::catalog::Capabilities;
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::usage::Usage;
use openai::ChatCompletionRequest;
use openai::dialect::{Dialect, ErrorRule};

/// One language. Implementations are stateless unit structs; the state of a reply lives
/// in its translator.
pub trait Schema: Sync {
    /// The name in the configuration, in logs and under `provider_options`.
    fn name(&self) -> &'static str;

    /// Whether a JSON schema that a model does not enforce is asked for by a tool that it must
    /// call. Such a schema has no JSON mode of its own.
    fn forces_json_by_tool(&self) -> bool {
        false
    }

    /// Writes the provider's body for a client's request.
    ///
    /// Whatever is not carried as it was goes into `report`. An error means that the request
    /// itself is wrong, never that this provider lacks a feature: that is a capability.
    fn translate_request(
        &self,
        request: &ChatCompletionRequest<'_>,
        target: &Target<'_>,
        report: &mut Report,
    ) -> Result<Translated, TranslateError>;

    /// Translates a whole 2xx reply; appends the client's body to `out`.
    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure>;

    /// A translator for one streamed 2xx reply.
    fn translate_stream(&self, context: ReplyContext) -> Box<dyn StreamTranslator>;

    /// Reads a non-2xx reply of the provider.
    fn read_error(&self, error: &ErrorReply<'_>) -> Failure;
}

/// One operation besides chat, in one provider's language. Its errors are read by the provider's
/// [`Schema`], whatever was asked for.
///
/// Implementations are stateless; what a reply must know of its request stands in [`Hints`].
pub trait OperationSchema: Sync {
    /// Writes the provider's body for the client's, which is `target.source`.
    ///
    /// `media_type` is that of a multipart body with its boundary; empty for JSON.
    /// Whatever is not carried as it was goes into `report`. An error means that this provider
    /// cannot be asked so: the next candidate is.
    fn translate_request(
        &self,
        target: &Target<'_>,
        media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError>;

    /// Translates a whole 2xx reply; appends the client's body to `out`.
    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure>;

    /// A translator for one streamed 2xx reply; `None` when replies never stream.
    fn translate_stream(&self, _context: ReplyContext) -> Option<Box<dyn StreamTranslator>> {
        None
    }

    /// Whether it reads the chat completion request that says the same as the client's body.
    fn reads_chat(&self) -> bool {
        false
    }

    /// Whether the reply keeps the provider's media type; else it is JSON, or a stream of events.
    fn keeps_media_type(&self) -> bool {
        false
    }
}

/// Translates one streamed reply.
pub trait StreamTranslator {
    /// Takes bytes as they arrived, where a chunk ends means nothing, and appends the
    /// client's events to `out`.
    ///
    /// An error is the provider's: before the first meaningful event the next candidate
    /// may be tried, after it the caller appends one error event. Nothing is pushed after it.
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Progress, Failure>;

    /// The reply is over. Appends what is left, with `[DONE]` when the provider's own end
    /// was seen; a stream that stopped short of it is a [`crate::failure::Class::Reset`], one without
    /// any meaningful event an [`crate::failure::Class::EmptyReply`].
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<Reply, Failure>;

    /// Tokens reported so far; running totals.
    fn usage(&self) -> Usage;
}

/// How far a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing meaningful yet (only pings, message starts, empty deltas): the next candidate
    /// may still be tried.
    Waiting,
    /// Content, a tool call, reasoning or a regular end was seen: the reply may be committed.
    Started,
    /// The reply is a refusal and nothing else so far.
    Refused,
}

/// What a finished reply was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Tokens it cost.
    pub usage: Usage,
    /// The model that the provider says has answered; empty when it does not say.
    pub model: String,
    /// The provider refused for policy, and said nothing of use.
    pub refused: bool,
}

/// What a schema must know of the candidate it writes for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The client's body, of which the request is a view; for a schema that copies.
    pub source: &'a [u8],
    /// The model's name at the provider.
    pub model: &'a str,
    /// What the model can do.
    pub capabilities: &'a Capabilities,
    /// Fields in the provider's own schema for what the client did not set: name to JSON text.
    pub defaults: &'a BTreeMap<String, String>,
    /// The keys of `provider_options` that are meant for this target: the provider's name in
    /// the configuration, its kind, its schema.
    pub option_keys: [&'a str; 3],
    /// Values of the client's `anthropic-beta` header: names of features, with commas between.
    pub betas: &'a [String],
    /// How the provider differs from OpenAI, if it speaks OpenAI's schema.
    pub dialect: &'a Dialect,
}

/// A provider's request body, and what its reply translator must remember of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Translated {
    /// The body to send.
    pub body: Vec<u8>,
    /// Headers that go with it, in place of any of the same name.
    pub headers: Vec<(&'static str, String)>,
    /// What the reply needs to know.
    pub hints: Hints,
}

/// What the translation of a request leaves for the translation of its reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hints {
    /// A JSON schema was sent as a forced tool: its arguments are the reply's text.
    pub structured_output_tool: bool,
    /// The client wants its embeddings as base64.
    pub base64: bool,
    /// How many vectors it asked for; 0 when that is not known.
    pub vectors: usize,
}

/// What a reply needs but must not invent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplyContext {
    /// `id` for a provider that gives none.
    pub id: String,
    /// `created`, in Unix seconds.
    pub created: u64,
    /// The model's name at the provider; a reply that names its model wins.
    pub model: String,
    /// The client asked for a usage chunk (`stream_options.include_usage`).
    pub include_usage: bool,
    /// What the request left behind.
    pub hints: Hints,
    /// How the provider differs from OpenAI, if it speaks OpenAI's schema.
    pub dialect: Arc<Dialect>,
}

/// A non-2xx reply.
#[derive(Debug, Clone, Copy)]
pub struct ErrorReply<'a> {
    /// HTTP status.
    pub status: u16,
    /// The `retry-after` header, if any.
    pub retry_after: Option<&'a str>,
    /// The body, possibly cut at a limit, possibly not JSON.
    pub body: &'a [u8],
    /// What the provider's dialect knows of its errors.
    pub rules: &'a [ErrorRule],
}

/// The client's request is wrong, and no provider could be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranslateError {
    /// Path in the client's body.
    pub param: Cow<'static, str>,
    /// What was expected. Never holds a value from the body.
    pub expected: Cow<'static, str>,
}

// === impl ErrorReply ===

impl ErrorReply<'_> {
    /// `retry-after` in seconds; `None` for dates, which need a clock, and for what no
    /// provider can mean.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after?
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|s| (0.0..1e9).contains(s))
            .map(|s| s.ceil() as u64)
    }
}

// === impl TranslateError ===

impl TranslateError {
    /// A request whose `param` is not what was `expected`.
    pub fn new(
        param: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
    ) -> TranslateError {
        TranslateError {
            param: param.into(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for TranslateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", self.param, self.expected)
    }
}

impl std::error::Error for TranslateError {}
