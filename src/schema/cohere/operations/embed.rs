//! Embeddings.
//!
//! Source: Cohere API reference, "Embed (v2)", the types of the official SDK 7.3; Amazon Bedrock
//! user guide, "Cohere Embed v3" and "Cohere Embed v4", read 2026-11-21.

use super::Host;
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::json::{self, Json, Kind, Raw};
use crate::schema::embeddings::{Asked, EmbeddingsReply, array, purpose};
use crate::schema::fields::{Fields, to_json};
use crate::schema::{
    OperationSchema, Reply, ReplyContext, Target, TranslateError, Translated, cohere::VENDOR,
};
use crate::usage::Usage;
use crate::wire;

/// The endpoint.
pub struct Embed(pub Host);

/// The most texts in a request.
const MOST: usize = 96;

/// What is sent when the client does not say what the embeddings are for.
const PURPOSE: &str = "search_document";

wire! {
    /// The reply.
    pub struct EmbedBody<'a> {
        /// Vectors by type; without types a list of vectors (Embed v3 on Bedrock).
        embeddings: Raw<'a>,
        /// What it cost.
        meta: Meta<'a>,
    }
}

wire! {
    /// Vectors by type.
    pub struct ByType<'a> {
        /// As numbers.
        float: Vec<Raw<'a>>,
    }
}

wire! {
    /// Facts of the reply.
    pub struct Meta<'a> {
        /// What is billed.
        billed_units: BilledUnits<'a>,
    }
}

wire! {
    /// What is billed.
    pub struct BilledUnits<'a> {
        /// Tokens; Cohere writes some counts as fractions.
        input_tokens: f64,
    }
}

impl OperationSchema for Embed {
    fn translate_request(
        &self,
        target: &Target<'_>,
        _media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        let asked = Asked::read(target, VENDOR, MOST, is_ours, report)?;
        let mut body = Fields::default();
        if self.0 == Host::Cohere {
            body.set("model", to_json(target.model));
        }
        body.set("texts", array(&asked.texts));
        if let Some(purpose) = &asked.purpose {
            body.set("input_type", to_json(purpose::of_cohere(purpose)));
        }
        match asked.dimensions {
            Some(_) if has_fixed_dimensions(target.model) => {
                report.dropped("dimensions", "this model has one size");
            }
            Some(dimensions) => body.set("output_dimension", Json::Borrowed(dimensions)),
            None => {}
        }
        asked.settle(target, &mut body, report);
        if body.get("input_type").is_none() {
            report.defaulted("input_type", "Cohere must know what embeddings are for");
            body.set("input_type", to_json(PURPOSE));
        }
        body.set("embedding_types", to_json(&["float"]));
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
        let EmbedBody {
            embeddings,
            meta,
            extra: _, // its id, the texts again
        } = json::read(body).map_err(|_| malformed())?;
        let vectors = embeddings.and_then(floats).ok_or_else(malformed)?;
        let mut reply = EmbeddingsReply::begin(context.hints, out);
        for vector in vectors {
            reply.vector(vector)?;
        }
        let tokens = meta.and_then(|meta| meta.billed_units?.input_tokens);
        let usage = Usage {
            input_tokens: tokens.unwrap_or(0.0).max(0.0) as u64,
            ..Usage::default()
        };
        reply.end(&context.model, usage)
    }
}

fn is_ours(name: &str) -> bool {
    matches!(
        name,
        "model" | "texts" | "images" | "inputs" | "embedding_types"
    )
}

/// Models before Embed v4.
fn has_fixed_dimensions(model: &str) -> bool {
    ["-v2", "-v3"].iter().any(|version| model.contains(version))
}

fn floats(embeddings: Raw<'_>) -> Option<Vec<Raw<'_>>> {
    match json::kind(embeddings) {
        Kind::Array => json::parse(embeddings),
        _ => json::parse::<ByType<'_>>(embeddings)?.float,
    }
}

fn malformed() -> Failure {
    let message = "the provider's reply is not a list of embeddings";
    Failure::malformed(message)
}
