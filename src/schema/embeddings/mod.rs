//! OpenAI's embeddings, the client's side: the request as it comes, the reply as it leaves.
//!
//! Source: OpenAI API reference, "Create embeddings", and the types of the official SDK, read
//! 2026-11-21.

mod asked;
mod base64;
pub(super) mod purpose;
mod reply;
mod vector;

pub(super) use asked::Asked;
pub(super) use reply::{EmbeddingsReply, check_count};
pub(super) use vector::write_vector;

use crate::json::{self, Json, Kind, Raw, RawValue, Text};
use crate::wire;
use std::ops::Deref;

wire! {
    /// The client's body.
    pub struct EmbeddingsRequest<'a> {
        /// Which model.
        model: Text<'a>,
        /// What to embed; see [`Input`].
        input: Raw<'a>,
        /// `float` or `base64`.
        encoding_format: Text<'a>,
        /// Numbers in each vector.
        dimensions: Raw<'a>,
        /// What the vectors are for: an extension of many servers.
        input_type: Text<'a>,
        /// Who asks, at the client.
        user: Raw<'a>,
        /// Fields for one provider alone.
        provider_options: Raw<'a>,
    }
}

/// What is to be embedded; every item gets one vector.
#[derive(Debug, Clone)]
pub enum Input<'a> {
    /// JSON strings.
    Texts(Vec<Raw<'a>>),
    /// Arrays of tokens, numbers of OpenAI's own vocabularies.
    Tokens(Vec<Raw<'a>>),
    /// Objects: images and the like, in a provider's own schema.
    Objects(Vec<Raw<'a>>),
}

// === impl EmbeddingsRequest ===

impl<'a> EmbeddingsRequest<'a> {
    /// What is to be embedded; `None` when it is missing or has another shape.
    pub fn input(&self) -> Option<Input<'a>> {
        let input = self.input?;
        match json::kind(input) {
            Kind::String => Some(Input::Texts(vec![input])),
            Kind::Array => Input::of_items(input, json::parse(input)?),
            _ => None,
        }
    }

    /// Whether the client wants base64 instead of numbers.
    pub fn wants_base64(&self) -> bool {
        self.encoding_format.as_deref() == Some("base64")
    }
}

// === impl Input ===

impl<'a> Input<'a> {
    /// What it must be, for an error.
    pub const EXPECTED: &'static str = "must be a string, an array of strings, or tokens";

    fn of_items(whole: Raw<'a>, items: Vec<Raw<'a>>) -> Option<Input<'a>> {
        let are = |kind| items.iter().all(|item| json::kind(item) == kind);
        match items.first().map(|item| json::kind(item)) {
            None => Some(Input::Texts(items)),
            Some(Kind::Number) if is_tokens(whole) => Some(Input::Tokens(vec![whole])),
            Some(Kind::String) if are(Kind::String) => Some(Input::Texts(items)),
            Some(Kind::Array) if items.iter().all(|item| is_tokens(item)) => {
                Some(Input::Tokens(items))
            }
            Some(Kind::Object) if are(Kind::Object) => Some(Input::Objects(items)),
            _ => None,
        }
    }

    /// How many vectors it makes.
    pub fn len(&self) -> usize {
        let (Input::Texts(items) | Input::Tokens(items) | Input::Objects(items)) = self;
        items.len()
    }

    /// Whether there is nothing to embed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A JSON array of values.
pub(super) fn array<'a, T: Deref<Target = RawValue>>(items: &[T]) -> Json<'a> {
    let mut text = String::with_capacity(items.iter().map(|i| i.get().len() + 1).sum());
    for (i, item) in items.iter().enumerate() {
        text.push(if i == 0 { '[' } else { ',' });
        text.push_str(item.get());
    }
    text.push_str(if items.is_empty() { "[]" } else { "]" });
    json::owned(text)
}

fn is_tokens(raw: Raw<'_>) -> bool {
    json::parse::<Vec<u64>>(raw).is_some_and(|tokens| !tokens.is_empty())
}

#[cfg(test)]
mod tests;
