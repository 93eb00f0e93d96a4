//! Rerank from model servers: Cohere's shape in OpenAI's manners.
//!
//! Source: vLLM docs, "Re-rank API"; llama.cpp's server, "/v1/rerank"; Together and Jina API
//! references, "Rerank", read 2026-11-21.

use super::Relay;
use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::json::{self, Raw, Text};
use crate::schema::openai::provider_error::read_error_body;
use crate::schema::openai::wire::says_something;
use crate::schema::{OperationSchema, Reply, ReplyContext, Target, TranslateError, Translated};
use crate::usage::Usage;
use crate::wire;

/// Bodies are passed on as they are.
pub struct Rerank;

wire! {
    /// The reply.
    pub struct Body<'a> {
        /// The model that answers.
        model: Text<'a>,
        /// The documents' places and relevance.
        results: Vec<Raw<'a>>,
        /// What it cost; servers count in different ways.
        usage: Tokens<'a>,
        /// An error inside a 200.
        error: Raw<'a>,
    }
}

wire! {
    /// `usage`.
    pub struct Tokens<'a> {
        /// Where input is told apart.
        prompt_tokens: u64,
        /// All of it: there is no output.
        total_tokens: u64,
    }
}

impl OperationSchema for Rerank {
    fn translate_request(
        &self,
        target: &Target<'_>,
        _media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        Ok(Translated {
            body: Relay::PLAIN.write(target, report)?,
            ..Translated::default()
        })
    }

    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure> {
        let malformed = |_| {
            let message = "the provider's reply is not a list of ranked documents";
            Failure::malformed(message)
        };
        let Body {
            model,
            results,
            usage,
            error,
            extra: _, // passed on
        } = json::read(body).map_err(malformed)?;
        if error.is_some_and(says_something) {
            return Err(read_error_body(body, None, &context.dialect.errors));
        }
        if results.unwrap_or_default().is_empty() {
            let message = "the provider's reply has no results";
            return Err(Failure::new(Class::EmptyReply, message));
        }
        out.extend_from_slice(body);
        let tokens = usage.and_then(|usage| usage.prompt_tokens.or(usage.total_tokens));
        Ok(Reply {
            usage: Usage {
                input_tokens: tokens.unwrap_or(0),
                ..Usage::default()
            },
            model: model.map_or_else(|| context.model.clone(), |m| m.to_string()),
            refused: false,
        })
    }
}
