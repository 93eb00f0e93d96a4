//! Rerank: the client's own shape, in its second version.
//!
//! Source: Cohere API reference, "Rerank (v2)" and "Rerank (v1)", the types of the official SDK
//! 7.3; Amazon Bedrock user guide, "Cohere Rerank 3.5" with `InvokeModel`, read 2026-11-21.

use super::Host;
use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::json::{self, Json, Kind, Raw};
use crate::schema::embeddings::array;
use crate::schema::fields::{Fields, to_json};
use crate::schema::rerank::RerankRequest;
use crate::schema::{
    OperationSchema, Reply, ReplyContext, Target, TranslateError, Translated, cohere::VENDOR,
    provider_options, unmapped,
};
use crate::usage::Usage;
use crate::wire;

/// The endpoint.
pub struct Rerank(pub Host);

wire! {
    /// The reply.
    pub struct RerankBody<'a> {
        /// The documents' places and relevance.
        results: Vec<Raw<'a>>,
    }
}

wire! {
    /// A document of version 1.
    pub struct Document<'a> {
        /// What it says.
        text: Raw<'a>,
    }
}

impl OperationSchema for Rerank {
    fn translate_request(
        &self,
        target: &Target<'_>,
        _media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        let RerankRequest {
            model: _, // the target's
            query,
            documents,
            top_n,
            max_tokens_per_doc,
            return_documents,
            rank_fields,
            max_chunks_per_doc,
            priority,
            relevant_spans,
            provider_options,
            extra,
        } = json::read(target.source).map_err(|_| TranslateError::new("body", "a JSON object"))?;
        let first_version = [
            ("return_documents", return_documents, &["false", "null"][..]),
            ("rank_fields", rank_fields, &["null", "[]"]),
            ("max_chunks_per_doc", max_chunks_per_doc, &["null"]),
        ];
        unmapped::report(VENDOR, &first_version, report);
        unmapped::report_extra("", &extra, report);
        let options = provider_options::read(provider_options, target, is_ours, report)?;
        let mut body = Fields::default();
        match self.0 {
            Host::Cohere => body.set("model", to_json(target.model)),
            Host::Bedrock => body.set("api_version", to_json(&2)),
        }
        let documents: Vec<Raw<'_>> = documents.and_then(json::parse).unwrap_or_default();
        let texts: Vec<Json<'_>> = documents.iter().map(|d| text(d, report)).collect();
        body.set("documents", array(&texts));
        let fields = [
            ("query", query),
            ("top_n", top_n),
            ("max_tokens_per_doc", max_tokens_per_doc),
            ("priority", priority),
            ("relevant_spans", relevant_spans),
        ];
        for (name, value) in fields {
            if let Some(value) = value.filter(|raw| json::kind(raw) != Kind::Null) {
                body.set(name, Json::Borrowed(value));
            }
        }
        for (name, value) in options {
            body.set(name.into_inner(), Json::Borrowed(value));
        }
        for (name, value) in target.defaults {
            if body.get(name).is_none() {
                report.defaulted(name.clone(), "set for this model in the configuration");
                body.set(name.clone(), json::owned(value.clone()));
            }
        }
        Ok(Translated {
            body: json::to_string(&body).into_bytes(),
            ..Translated::default()
        })
    }

    /// The reply is the client's own shape.
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
        let RerankBody {
            results,
            extra: _, // passed on
        } = json::read(body).map_err(malformed)?;
        if results.unwrap_or_default().is_empty() {
            let message = "the provider's reply has no results";
            return Err(Failure::new(Class::EmptyReply, message));
        }
        out.extend_from_slice(body);
        Ok(Reply {
            // Billed by search, not by token.
            usage: Usage::default(),
            model: context.model.clone(),
            refused: false,
        })
    }
}

fn is_ours(name: &str) -> bool {
    matches!(name, "model" | "query" | "documents" | "api_version")
}

/// A document as text: JSON is YAML, the form in which Cohere wants fields to be told.
fn text<'a>(document: &Raw<'a>, report: &mut Report) -> Json<'a> {
    if json::kind(document) == Kind::String {
        return Json::Borrowed(document);
    }
    let only_text = json::parse::<Document<'a>>(document).filter(|d| d.extra.is_empty());
    let text = only_text
        .and_then(|d| d.text)
        .filter(|raw| json::kind(raw) == Kind::String);
    text.map_or_else(
        || {
            report.rewritten("documents", "objects are sent as texts");
            to_json(document.get())
        },
        Json::Borrowed,
    )
}
