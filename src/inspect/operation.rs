//! The body of a request for anything but chat, to what routing must know of it.

use std::borrow::Cow;

use super::{InvalidRequest, Needs, RequestProfile, diagnose, is};
use crate::json::{self, Kind, Raw, Text};
use crate::operation::Operation;
use crate::schema::embeddings::{EmbeddingsRequest, Input};
use crate::schema::rerank::RerankRequest;

/// Reads a body once; an error names the first place that is wrong.
///
/// Input tokens are not estimated: a batch is many inputs, each with the model's window to itself.
pub fn inspect_operation(
    operation: Operation,
    body: &[u8],
) -> Result<RequestProfile, InvalidRequest> {
    let model = match operation {
        Operation::Chat => return super::inspect(body).map(|(_, profile)| profile),
        Operation::Embeddings => embeddings(body)?,
        Operation::Rerank => rerank(body)?,
    };
    Ok(RequestProfile {
        operation,
        model: model.into_owned(),
        streamed: false,
        include_usage: false,
        needs: Needs::default(),
        input_tokens: 0,
        output_limit: None,
        complexity: None,
        prefix: None,
        plain: false,
    })
}

fn embeddings(body: &[u8]) -> Result<Cow<'_, str>, InvalidRequest> {
    let request: EmbeddingsRequest<'_> = read(body)?;
    let wrong = InvalidRequest::new;
    match request.input() {
        None => return Err(wrong("input", Input::EXPECTED)),
        Some(input) if input.is_empty() => return Err(wrong("input", "must not be empty")),
        Some(_) => {}
    }
    match request.encoding_format.as_deref() {
        None | Some("float" | "base64") => {}
        Some(_) => return Err(wrong("encoding_format", "must be float or base64")),
    }
    let dimensions = request.dimensions.filter(|raw| !is(raw, Kind::Null));
    if dimensions.is_some_and(|raw| json::parse::<u32>(raw).is_none_or(|n| n == 0)) {
        return Err(wrong("dimensions", "must be a positive integer"));
    }
    model(request.model)
}

fn rerank(body: &[u8]) -> Result<Cow<'_, str>, InvalidRequest> {
    let request: RerankRequest<'_> = read(body)?;
    let wrong = InvalidRequest::new;
    if !request.query.is_some_and(|raw| is(raw, Kind::String)) {
        return Err(wrong("query", "must be a string"));
    }
    let documents: Option<Vec<Raw<'_>>> = request.documents.and_then(json::parse);
    match documents {
        None => return Err(wrong("documents", "must be an array")),
        Some(documents) if documents.is_empty() => {
            return Err(wrong("documents", "must not be empty"));
        }
        Some(documents) => {
            let is_document = |raw: &Raw<'_>| is(raw, Kind::String) || is(raw, Kind::Object);
            if let Some(at) = documents.iter().position(|raw| !is_document(raw)) {
                return Err(wrong(
                    &format!("documents[{at}]"),
                    "must be a string or an object",
                ));
            }
        }
    }
    let top_n = request.top_n.filter(|raw| !is(raw, Kind::Null));
    if top_n.is_some_and(|raw| json::parse::<u32>(raw).is_none_or(|n| n == 0)) {
        return Err(wrong("top_n", "must be a positive integer"));
    }
    model(request.model)
}

fn model(model: Option<Text<'_>>) -> Result<Cow<'_, str>, InvalidRequest> {
    let model = model.map(Text::into_inner).filter(|name| !name.is_empty());
    model.ok_or_else(|| InvalidRequest::new("model", "is missing"))
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, InvalidRequest> {
    json::read(body).map_err(|_| diagnose::diagnose_operation(body))
}
