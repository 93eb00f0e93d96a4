//! Embeddings from speakers of OpenAI's schema.

use super::Relay;
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::json::{self, Kind, Raw, Text};
use crate::json::{Members, ObjectWriter};
use crate::schema::embeddings::{EmbeddingsRequest, Input, check_count, write_vector};
use crate::schema::openai::provider_error::read_error_body;
use crate::schema::openai::wire::{read_usage, says_something};
use crate::schema::{
    Hints, OperationSchema, Reply, ReplyContext, Target, TranslateError, Translated,
};
use crate::wire;

/// How a speaker takes requests for embeddings.
pub struct Embeddings {
    /// What changes in the body.
    pub relay: Relay,
    /// It takes tokens instead of text.
    pub tokens: bool,
}

wire! {
    /// The reply.
    pub struct Body<'a> {
        /// The model that answers.
        model: Text<'a>,
        /// The vectors.
        data: Vec<Item<'a>>,
        /// What it cost.
        usage: Raw<'a>,
        /// An error inside a 200.
        error: Raw<'a>,
    }
}

wire! {
    /// One vector.
    pub struct Item<'a> {
        /// Numbers, or base64.
        embedding: Raw<'a>,
    }
}

impl Embeddings {
    /// As OpenAI itself.
    pub const OPENAI: Embeddings = Embeddings {
        relay: Relay {
            drops: "input_type",
            ..Relay::PLAIN
        },
        tokens: true,
    };

    /// As a server that takes more than OpenAI does.
    pub const SERVER: Embeddings = Embeddings {
        relay: Relay::PLAIN,
        tokens: true,
    };
}

impl OperationSchema for Embeddings {
    fn translate_request(
        &self,
        target: &Target<'_>,
        _media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        let request: EmbeddingsRequest<'_> =
            json::read(target.source).map_err(|_| TranslateError::new("body", "a JSON object"))?;
        let input = request.input();
        if !self.tokens && matches!(input, Some(Input::Tokens(_))) {
            let expected = "texts, because this provider's models have other tokens";
            return Err(TranslateError::new("input", expected));
        }
        Ok(Translated {
            body: self.relay.write(target, report)?,
            hints: Hints {
                base64: request.wants_base64(),
                vectors: input.map_or(0, |input| input.len()),
                ..Hints::default()
            },
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
            let message = "the provider's reply is not a list of embeddings";
            Failure::malformed(message)
        };
        let Body {
            model,
            data,
            usage,
            error,
            extra: _, // `object`, and what the provider adds: passed on
        } = json::read(body).map_err(malformed)?;
        if error.is_some_and(says_something) {
            return Err(read_error_body(body, None, &context.dialect.errors));
        }
        let data = data.unwrap_or_default();
        check_count(data.len(), context.hints)?;
        let wanted = match context.hints.base64 {
            true => Kind::String,
            false => Kind::Array,
        };
        let is_wanted = |item: &Item<'_>| item.embedding.is_none_or(|e| json::kind(e) == wanted);
        match data.iter().all(is_wanted) {
            true => out.extend_from_slice(body),
            false => rewrite(body, context.hints.base64, out),
        }
        Ok(Reply {
            usage: usage.and_then(read_usage).unwrap_or_default(),
            model: model.map_or_else(|| context.model.clone(), |m| m.to_string()),
            refused: false,
        })
    }
}

/// Copies a reply of a speaker that pays no heed to `encoding_format`.
fn rewrite(body: &[u8], base64: bool, out: &mut Vec<u8>) {
    let Members(members) = json::read(body).unwrap_or_default();
    let mut writer = ObjectWriter::begin(out);
    for (name, value) in &members {
        let items: Option<Vec<Members<'_>>> = match name.as_str() {
            "data" => json::parse(value),
            _ => None,
        };
        match items {
            Some(items) => data(&items, base64, writer.value(name)),
            None => writer.raw(name, value.get()),
        }
    }
    writer.end();
}

fn data(items: &[Members<'_>], base64: bool, out: &mut Vec<u8>) {
    out.push(b'[');
    for (i, Members(members)) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let mut writer = ObjectWriter::begin(out);
        for (name, value) in members {
            let mut vector = Vec::new();
            let is_vector = *name == "embedding";
            match write_vector(value, base64, &mut vector).filter(|()| is_vector) {
                Some(()) => writer.value(name).append(&mut vector),
                None => writer.raw(name, value.get()),
            }
        }
        writer.end();
    }
    out.push(b']');
}
