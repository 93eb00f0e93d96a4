//! A client's body to what routing must know of it. Checks shapes, keeps nothing of the content.

mod diagnose;
mod operation;
mod plain;
mod prefix;
mod tally;
mod validate;

pub use operation::{inspect_operation, sized};

pub use prefix::{LONG_ENOUGH, Prefix, prefix};
pub use tally::{tally, tally_message};

use std::borrow::Cow;

use crate::json::{self, Kind};
use crate::operation::Operation;
use crate::schema::openai::{ChatCompletionRequest, Content, Part};
use crate::tokens::{Family, Tally};

/// What a request needs of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Function tools.
    pub tools: bool,
    /// Several tool calls in one turn, asked for in so many words.
    pub parallel_tools: bool,
    /// A reply that follows a JSON schema.
    pub json_schema: bool,
    /// A reply that is a JSON object.
    pub json_mode: bool,
    /// Images.
    pub vision: bool,
    /// Audio in messages.
    pub audio: bool,
    /// PDF and other files.
    pub files: bool,
    /// Reasoning that was asked for.
    pub thinking: bool,
}

/// What routing knows of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestProfile {
    /// What it asks for.
    pub operation: Operation,
    /// What the client calls the model.
    pub model: String,
    /// The client wants a stream.
    pub streamed: bool,
    /// The client wants a usage chunk at its end.
    pub include_usage: bool,
    /// What a model must be able to do.
    pub needs: Needs,
    /// Estimated input tokens, whoever counts.
    pub input_tokens: u64,
    /// What the prompt is made of; `None` when a rough number does.
    pub tally: Option<Box<Tally>>,
    /// Output tokens that the client allows.
    pub output_limit: Option<u64>,
    /// How complex it is, in thousandths; `None` when nobody has said.
    pub complexity: Option<u16>,
    /// How the prompt begins; `None` when nobody wants to know.
    pub prefix: Option<Prefix>,
    /// Every schema can carry it for certain; otherwise each candidate has to be tried.
    pub plain: bool,
    /// The client wants the reply to be stored.
    pub stored: bool,
}

impl RequestProfile {
    /// A request for a model of which nothing more is known.
    pub fn of_model(name: &str) -> RequestProfile {
        RequestProfile {
            operation: Operation::Chat,
            model: name.to_owned(),
            streamed: false,
            include_usage: false,
            needs: Needs::default(),
            input_tokens: 0,
            tally: None,
            output_limit: None,
            complexity: None,
            prefix: None,
            plain: false,
            stored: false,
        }
    }
}

/// The request is wrong, whoever would serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequest {
    /// Path in the body; empty for the body itself.
    pub param: String,
    /// What is wrong. Never holds a value from the body.
    pub message: Cow<'static, str>,
}

impl InvalidRequest {
    /// A request whose `param` is wrong.
    pub fn new(param: impl Into<String>, message: impl Into<Cow<'static, str>>) -> InvalidRequest {
        InvalidRequest {
            param: param.into(),
            message: message.into(),
        }
    }
}

/// Why a body is no JSON object, for a body that could not be read.
pub fn diagnose(body: &[u8]) -> InvalidRequest {
    diagnose::diagnose(body)
}

/// Reads a body once; an error names the first place that is wrong.
pub fn inspect(body: &[u8]) -> Result<(ChatCompletionRequest<'_>, RequestProfile), InvalidRequest> {
    let request = ChatCompletionRequest::parse(body).ok_or_else(|| diagnose::diagnose(body))?;
    let mut needs = Needs::default();
    validate::validate(&request, &mut needs)?;
    let model = request.model.as_deref().unwrap_or_default().to_owned();
    let profile = RequestProfile {
        operation: Operation::Chat,
        model,
        streamed: request.is_streamed(),
        include_usage: request.includes_usage(),
        input_tokens: estimate_tokens(body),
        tally: None,
        output_limit: request.output_limit().and_then(json::parse),
        needs: needs.with_parameters(&request),
        complexity: None,
        prefix: None,
        plain: plain::is_plain(&request),
        stored: is_stored(&request),
    };
    Ok((request, profile))
}

fn is_stored(request: &ChatCompletionRequest<'_>) -> bool {
    request.store.is_some_and(|store| store.get() == "true")
}

impl RequestProfile {
    /// Estimates the tokens of the prompt by reading about `most` bytes of it; `size` is that of
    /// the body.
    pub fn count(&mut self, request: &ChatCompletionRequest<'_>, size: usize, most: usize) {
        let tally = tally(request, size, most);
        self.input_tokens = tally.tokens(Family::default());
        self.tally = Some(Box::new(tally));
    }

    /// Estimated input tokens for models of this family.
    pub fn tokens(&self, family: Family) -> u64 {
        let tally = self.tally.as_ref();
        tally.map_or(self.input_tokens, |tally| tally.tokens(family))
    }
}

impl Needs {
    fn with_parameters(mut self, request: &ChatCompletionRequest<'_>) -> Needs {
        let format = request
            .response_format
            .as_ref()
            .and_then(|f| f.kind.as_deref());
        self.tools = !request.tools().is_empty() || request.functions.is_some();
        self.parallel_tools = request
            .parallel_tool_calls
            .is_some_and(|raw| raw.get() == "true");
        self.json_schema = format == Some("json_schema");
        self.json_mode = format == Some("json_object");
        self.thinking = request
            .reasoning_effort
            .as_deref()
            .is_some_and(|e| e != "none")
            || request.thinking.is_some();
        self
    }

    fn note(&mut self, part: &Part<'_>) {
        match part.kind.as_deref() {
            Some("image_url") => self.vision = true,
            Some("input_audio") => self.audio = true,
            Some("file") => self.files = true,
            _ => {}
        }
    }

    fn note_content(&mut self, content: &Content<'_>) {
        if let Content::Parts(parts) = content {
            parts.iter().for_each(|part| self.note(part));
        }
    }
}

/// Tokens of a request's body, roughly: four bytes to a token, where nothing asks for more.
pub fn estimate_tokens(body: &[u8]) -> u64 {
    (body.len() / 4) as u64
}

/// Whether `raw` is of this kind, for messages that say what was expected.
fn is(raw: json::Raw<'_>, kind: Kind) -> bool {
    json::kind(raw) == kind
}

#[cfg(test)]
mod tests;
