//! The body of a request for anything but chat, to what routing must know of it.

use std::borrow::Cow;

use super::{InvalidRequest, Needs, RequestProfile, diagnose, is};
use crate::framing::multipart::{Malformed, Parts, boundary};
use crate::json::{self, Kind, Raw, Text};
use crate::operation::Operation;
use crate::schema::embeddings::{EmbeddingsRequest, Input};
use crate::schema::rerank::RerankRequest;
use crate::wire;

/// Reads a body once; an error names the first place that is wrong.
///
/// `media_type` is that of a form, with its boundary; empty for JSON.
/// Input tokens are not estimated: a batch is many inputs, each with the model's window to itself.
pub fn inspect_operation(
    operation: Operation,
    body: &[u8],
    media_type: &str,
) -> Result<RequestProfile, InvalidRequest> {
    let model = match operation {
        Operation::Chat => return super::inspect(body).map(|(_, profile)| profile),
        Operation::Embeddings => embeddings(body)?,
        Operation::Rerank => rerank(body)?,
        _ if media_type.is_empty() => named(body)?,
        _ => form(body, media_type)?,
    };
    Ok(RequestProfile {
        operation,
        model: model.into_owned(),
        streamed: operation.passes_through() && !operation.counts_tokens(),
        include_usage: false,
        needs: Needs::default(),
        input_tokens: 0,
        tally: None,
        output_limit: None,
        complexity: None,
        prefix: None,
        // Writing a form for every candidate only to see that it can be written is dear.
        plain: !media_type.is_empty(),
        stored: false,
    })
}

/// As large as a request may be, for whoever reserves for it: its text, four bytes to a token.
///
/// A form is mostly images or sound, whose bytes say nothing of tokens.
pub fn sized(profile: &RequestProfile, body: &[u8]) -> RequestProfile {
    let is_form = profile.plain;
    let writes_nothing = profile.operation.counts_tokens()
        || matches!(
            profile.operation,
            Operation::Embeddings | Operation::Rerank | Operation::Moderations
        );
    RequestProfile {
        input_tokens: match is_form || profile.operation.counts_tokens() {
            true => 0,
            false => super::estimate_tokens(body),
        },
        output_limit: match writes_nothing {
            true => Some(0),
            false => profile.output_limit,
        },
        ..profile.clone()
    }
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

wire! {
    /// Any body that names a model.
    pub struct Named<'a> {
        /// Which model.
        model: Text<'a>,
    }
}

fn named(body: &[u8]) -> Result<Cow<'_, str>, InvalidRequest> {
    let Named {
        model: name,
        extra: _, // passed on
    } = read(body)?;
    model(name)
}

/// The model that a form names. Two of them could mean one to us and another to the provider.
fn form<'a>(body: &'a [u8], media_type: &str) -> Result<Cow<'a, str>, InvalidRequest> {
    let malformed = |_| InvalidRequest::new("", "the body is not a form with this boundary");
    let boundary = boundary(media_type).ok_or(Malformed).map_err(malformed)?;
    let (mut parts, mut name) = (Parts::new(body, boundary), None);
    while let Some(part) = parts.next_part().map_err(malformed)? {
        if part.name != "model" {
            continue;
        }
        if name.is_some() {
            return Err(InvalidRequest::new("model", "stands in the form twice"));
        }
        name = std::str::from_utf8(part.value).ok();
    }
    model(name.map(Text::from))
}

fn model(model: Option<Text<'_>>) -> Result<Cow<'_, str>, InvalidRequest> {
    let model = model.map(Text::into_inner).filter(|name| !name.is_empty());
    model.ok_or_else(|| InvalidRequest::new("model", "is missing"))
}

fn read<'a, T: json::FromJson<'a>>(body: &'a [u8]) -> Result<T, InvalidRequest> {
    json::read(body).map_err(|_| diagnose::diagnose_operation(body))
}
