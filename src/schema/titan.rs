//! Amazon's Titan text embeddings, by Bedrock's `InvokeModel`: one text at a time.
//!
//! Source: Amazon Bedrock user guide, "Amazon Titan Text Embeddings", read 2026-11-21.

use super::embeddings::{Asked, EmbeddingsReply};
use super::fields::Fields;
use super::{OperationSchema, Reply, ReplyContext, Target, TranslateError, Translated};
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::json::{self, Json, Raw};
use crate::usage::Usage;
use crate::wire;

/// The operation.
pub struct TitanEmbeddings;

wire! {
    /// The reply.
    pub struct TitanReply<'a> {
        /// Numbers.
        embedding: Raw<'a>,
        /// Tokens of the text.
        count = "inputTextTokenCount": u64,
    }
}

impl OperationSchema for TitanEmbeddings {
    fn translate_request(
        &self,
        target: &Target<'_>,
        _media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        let asked = Asked::read(target, "Titan", 1, is_ours, report)?;
        let mut body = Fields::default();
        for text in &asked.texts {
            body.set("inputText", Json::Borrowed(*text));
        }
        if asked.purpose.is_some() {
            report.dropped("input_type", "Titan has nothing like it");
        }
        match asked.dimensions {
            Some(_) if !target.model.contains("v2") => {
                report.dropped("dimensions", "this model has one size");
            }
            Some(dimensions) => body.set("dimensions", Json::Borrowed(dimensions)),
            None => {}
        }
        asked.settle(target, &mut body, report);
        Ok(Translated {
            body: json::to_string(&body).into_bytes(),
            hints: asked.hints,
            ..Translated::default()
        })
    }

    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure> {
        let malformed = || {
            let message = "the provider's reply is not an embedding";
            Failure::malformed(message)
        };
        let TitanReply {
            embedding,
            count,
            extra: _, // the same vector by type
        } = json::read(body).map_err(|_| malformed())?;
        let mut reply = EmbeddingsReply::begin(context.hints, out);
        reply.vector(embedding.ok_or_else(malformed)?)?;
        let usage = Usage {
            input_tokens: count.unwrap_or(0),
            ..Usage::default()
        };
        reply.end(&context.model, usage)
    }
}

fn is_ours(name: &str) -> bool {
    matches!(name, "inputText" | "embeddingTypes")
}
