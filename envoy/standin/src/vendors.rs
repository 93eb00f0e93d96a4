//! The vendors a stand-in can be, and what their dialects have in common.

mod anthropic;
mod bedrock;
mod cohere;
mod compatible;
mod gemini;
mod openai;
mod operations;

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::Value;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::reply::Reply;
use crate::shape::{Kind, Shape, Step, Violation};

/// Whose wire format a stand-in speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// OpenAI Chat Completions.
    OpenAi,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini `generateContent`, on AI Studio's and on Vertex's paths.
    Gemini,
    /// Amazon Bedrock's Converse.
    Bedrock,
    /// Cohere's Chat, version 2.
    Cohere,
    /// Mistral's Chat Completions.
    Mistral,
    /// DeepSeek's Chat Completions.
    DeepSeek,
    /// Qwen's Chat Completions on Model Studio.
    Qwen,
}

impl Vendor {
    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::OpenAi => &openai::OpenAi,
            Self::Anthropic => &anthropic::Anthropic,
            Self::Gemini => &gemini::Gemini,
            Self::Bedrock => &bedrock::Bedrock,
            Self::Cohere => &cohere::Cohere,
            Self::Mistral => &compatible::MISTRAL,
            Self::DeepSeek => &compatible::DEEPSEEK,
            Self::Qwen => &compatible::QWEN,
        }
    }
}

/// One vendor's way to read requests and to word replies.
pub trait Dialect: Sync {
    /// The vendor's name in answers.
    fn name(&self) -> &'static str;

    /// Reads a request, or refuses it as the vendor would.
    fn examine(&self, head: &Head, body: &[u8]) -> Result<Ask, Refusal>;

    /// Words an answer, buffered or as a stream.
    fn render(&self, ask: &Ask, answer: &Answer) -> Reply;

    /// The vendor's reply for a status, with its error `code` where it has a choice.
    fn failure(
        &self,
        ask: &Ask,
        status: u16,
        code: Option<&str>,
        retry_after: Option<u64>,
    ) -> Reply;

    /// The vendor's reply for a named trouble.
    fn trouble(&self, trouble: Trouble, ask: &Ask) -> Reply;

    /// Whether the content policy answers with an error instead of a reply
    /// that was refused.
    fn refuses_with_an_error(&self) -> bool;

    /// The error as it appears in the stream, or in the body when buffered.
    fn error_event(&self, ask: &Ask) -> Bytes;

    /// An event whose JSON is broken.
    fn broken_event(&self, ask: &Ask) -> Bytes;
}

/// Troubles that every vendor words in its own way.
#[derive(Clone, Copy, PartialEq)]
pub enum Trouble {
    /// No credit or quota left.
    Quota,
    /// The model does not exist.
    ModelGone,
    /// The prompt exceeds the context window.
    ContextOverflow,
    /// The content policy forbids the prompt.
    ContentFilter,
}

/// The head of a request, as far as vendors look at it.
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path without the query.
    pub path: &'a str,
    /// The query; empty without one.
    pub query: &'a str,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The key that is let in; without one any is.
    pub key: Option<&'a str>,
}

/// A refused request.
pub struct Refusal {
    /// Why, for the record.
    pub reason: String,
    /// What the client gets.
    pub reply: Reply,
}

/// What a vendor has to say against a request.
#[derive(Debug)]
pub struct Objection {
    /// The status code.
    pub status: u16,
    /// The vendor's own name for the kind of error.
    pub kind: &'static str,
    /// The wording.
    pub message: String,
    /// The parameter it is about, where the vendor names it.
    pub param: Option<String>,
}

/// Header fields that carry a credential, and whose style each is.
const CREDENTIALS: [&str; 5] = [
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "x-amz-security-token",
];

impl Head<'_> {
    /// A header field as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What must never reach any vendor: fields that are internal to the mesh,
    /// and credentials in the style of another vendor.
    pub fn stray(&self, own: &str) -> Option<String> {
        let names = self.headers.keys().map(hyper::header::HeaderName::as_str);
        for name in names {
            if name.starts_with("x-pointsman-") || name.starts_with("x-envoy-") {
                return Some(format!("internal header: {name}"));
            }
            if CREDENTIALS.contains(&name) && name != own {
                return Some(format!("foreign credential: {name}"));
            }
        }
        // Google takes it there as well; whoever says which key it is wants it in a header.
        let mut query = self.query.split('&');
        let key = self.key.is_some() && query.any(|pair| pair.starts_with("key="));
        key.then(|| "foreign credential: key in the query".to_owned())
    }

    /// Whether the credential is the one that is let in.
    pub fn is_let_in(&self, credential: Option<&str>) -> bool {
        self.key.is_none_or(|key| credential == Some(key))
    }
}

/// Checks a body against a shape and words the first violation.
fn check_shape(
    shape: &'static Shape,
    body: &Value,
    word: fn(&Violation) -> Objection,
) -> Result<(), Objection> {
    if !body.is_object() {
        return Err(word(&Violation {
            path: Vec::new(),
            kind: Kind::Expected("an object"),
        }));
    }
    shape.check(body).map_err(|violation| word(&violation))
}

/// A path such as `messages[0].content`.
fn bracketed(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(name) if out.is_empty() => out.push_str(name),
            Step::Key(name) => {
                out.push('.');
                out.push_str(name);
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

/// A path such as `messages.0.content`.
fn dotted(path: &[Step]) -> String {
    let steps: Vec<_> = path
        .iter()
        .map(|step| match step {
            Step::Key(name) => name.clone(),
            Step::Index(index) => index.to_string(),
        })
        .collect();
    steps.join(".")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    let values = value.get(field).and_then(Value::as_array);
    values.map_or(&[], Vec::as_slice)
}

/// The field, unless it is absent or null.
fn given<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    value.get(field).filter(|value| !value.is_null())
}

fn flag(value: &Value, field: &str) -> bool {
    value.get(field).and_then(Value::as_bool).unwrap_or(false)
}

/// A server-sent event without a name.
fn data_event(data: &Value) -> Bytes {
    Bytes::from(format!("data: {data}\n\n"))
}
