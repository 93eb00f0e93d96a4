//! Speakers of OpenAI's schema: one type, told apart by data.

use std::borrow::Cow;

use super::{Auth, Offer, Provider, encode_segment};
use crate::operation::Operation;
use crate::schema::openai::OpenAi;
use crate::schema::openai::dialect::Dialect;
use crate::schema::openai::operations::{Embeddings, Passthrough, Rerank};
use crate::schema::{OperationSchema, Schema};

/// A vendor or a model server that speaks OpenAI's schema, in its own dialect.
pub struct Speaker {
    /// `kind` in the configuration.
    pub kind: &'static str,
    /// Where it is; `None` when the configuration must say it.
    pub endpoint: Option<&'static str>,
    /// Path of a chat request after the endpoint's; `{model}` is the model's name.
    pub path: &'static str,
    /// The same with `{api_version}` in it, for configurations that name a version.
    pub versioned_path: Option<&'static str>,
    /// The header that carries the key; `None` for `authorization: Bearer`.
    pub key_header: Option<&'static str>,
    /// What it offers besides chat; the path is where its chat is, with the operation's own end.
    pub offers: &'static [Offered],
    /// How it differs from OpenAI.
    pub dialect: fn() -> Dialect,
}

/// Embeddings of OpenAI's models.
pub const OPENAI_EMBEDDINGS: (Operation, &dyn OperationSchema) =
    (Operation::Embeddings, &Embeddings::OPENAI);

/// Embeddings as most model servers have them.
pub const EMBEDDINGS: (Operation, &dyn OperationSchema) =
    (Operation::Embeddings, &Embeddings::SERVER);

/// Rerank as most model servers have it.
pub const RERANK: (Operation, &dyn OperationSchema) = (Operation::Rerank, &Rerank);

/// What a speaker offers besides chat, and its language.
pub type Offered = (Operation, &'static dyn OperationSchema);

/// An operation that passes as it is.
const fn passes(operation: Operation) -> Offered {
    (operation, &Passthrough::PLAIN)
}

/// As OpenAI's.
pub const COMPLETIONS: Offered = passes(Operation::Completions);

/// As OpenAI's.
pub const IMAGES: Offered = passes(Operation::Images);

/// As OpenAI's.
pub const IMAGE_EDITS: Offered = passes(Operation::ImageEdits);

/// As OpenAI's.
pub const IMAGE_VARIATIONS: Offered = passes(Operation::ImageVariations);

/// As OpenAI's.
pub const TRANSCRIPTIONS: Offered = passes(Operation::Transcriptions);

/// As OpenAI's.
pub const TRANSLATIONS: Offered = passes(Operation::Translations);

/// As OpenAI's.
pub const SPEECH: Offered = passes(Operation::Speech);

/// As OpenAI's.
pub const MODERATIONS: Offered = passes(Operation::Moderations);

/// As OpenAI's.
pub const INPUT_TOKENS: Offered = (Operation::InputTokens, &Passthrough::COUNT);

/// As Anthropic's.
pub const MESSAGE_TOKENS: Offered = (Operation::MessageTokens, &Passthrough::COUNT);

/// What most speakers have in common.
pub const SPEAKER: Speaker = Speaker {
    kind: "",
    endpoint: None,
    path: "/chat/completions",
    versioned_path: None,
    key_header: None,
    offers: &[],
    dialect: Dialect::default,
};

impl Provider for Speaker {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn schema(&self) -> &'static dyn Schema {
        &OpenAi
    }

    fn default_endpoint(&self) -> Option<&'static str> {
        self.endpoint
    }

    fn chat_path(&self, model: &str, _streamed: bool) -> String {
        fill(self.path, model)
    }

    fn offer(&self, operation: Operation, model: &str) -> Option<Offer> {
        let mut offers = self.offers.iter();
        let (_, schema) = offers.find(|(offered, _)| *offered == operation)?;
        Some(Offer {
            path: beside_chat(self.path, model, operation),
            schema: *schema,
        })
    }

    fn auth(&self) -> Auth {
        match self.key_header {
            None => Auth::Bearer,
            Some(name) => Auth::Header(Cow::Borrowed(name)),
        }
    }

    fn dialect(&self) -> Dialect {
        (self.dialect)()
    }

    fn path(&self) -> Option<&'static str> {
        Some(self.path)
    }

    fn versioned_path(&self) -> Option<&'static str> {
        self.versioned_path
    }
}

/// `path` with the model's name in place of `{model}`.
pub fn fill(path: &str, model: &str) -> String {
    if path.contains(MODEL) {
        path.replace(MODEL, &encode_segment(model))
    } else {
        path.to_owned()
    }
}

/// The path of an operation, by where chat is: `/x/chat/completions?y` to `/x/embeddings?y`.
///
/// A chat path of another form says nothing of other paths: the operation's own is taken.
pub fn beside_chat(chat_path: &str, model: &str, operation: Operation) -> String {
    match chat_path.contains(Operation::Chat.path()) {
        true => fill(chat_path, model).replace(Operation::Chat.path(), operation.path()),
        false => operation.path().to_owned(),
    }
}

/// Where the model's name stands in a path.
const MODEL: &str = "{model}";

/// Where the version stands in a path.
pub const API_VERSION: &str = "{api_version}";
