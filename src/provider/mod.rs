//! Who speaks which schema: path, auth header, model naming. One file per speaker, no state.

mod anthropic;
mod bedrock;
mod cohere;
mod dialects;
mod gcp;
mod gemini;
mod speaker;
mod vertex_anthropic;
mod vertex_gemini;

pub use speaker::{API_VERSION, beside_chat, fill};

use std::borrow::Cow;
use std::fmt;

use crate::operation::Operation;
use crate::schema::counting::CountTokens;
use crate::schema::openai::dialect::Dialect;
use crate::schema::{OperationSchema, Schema};

/// One vendor's API.
pub trait Provider: Sync {
    /// `kind` in the configuration.
    fn kind(&self) -> &'static str;

    /// The language it speaks.
    fn schema(&self) -> &'static dyn Schema;

    /// Where it is when the configuration does not say; with the path prefix that comes
    /// before [`Provider::chat_path`].
    fn default_endpoint(&self) -> Option<&'static str>;

    /// Where it is in a region of AWS, for providers that have one address in each.
    fn regional_endpoint(&self, _region: &str) -> Option<String> {
        None
    }

    /// Where it is for a project and a location of Google Cloud, for providers that have one
    /// address for each.
    fn project_endpoint(&self, _project: &str, _location: &str) -> Option<String> {
        None
    }

    /// Path of a chat request, after the endpoint's prefix. `model` may hold any character.
    fn chat_path(&self, model: &str, streamed: bool) -> String;

    /// How it is asked for an operation besides chat; `None` when it does not offer it, or not
    /// for this model.
    fn offer(&self, _operation: Operation, _model: &str) -> Option<Offer> {
        None
    }

    /// How it wants to see its key.
    fn auth(&self) -> Auth;

    /// Headers that every request carries.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The media type of its streams, which it is asked for.
    fn stream_media_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// How it differs from OpenAI; of no effect unless it speaks OpenAI's schema.
    fn dialect(&self) -> Dialect {
        Dialect::default()
    }

    /// Path of its list of models, which costs nothing, after the endpoint's prefix; `None` where
    /// it stands beside chat as with OpenAI, or there is none.
    fn models_path(&self) -> Option<&'static str> {
        None
    }

    /// The path that [`Provider::chat_path`] fills in, where the configuration may replace it.
    fn path(&self) -> Option<&'static str> {
        None
    }

    /// The same with [`API_VERSION`] in it, where the configuration may name a version.
    fn versioned_path(&self) -> Option<&'static str> {
        None
    }
}

/// How a provider is asked for an operation besides chat.
pub struct Offer {
    /// Path of the request, after the endpoint's prefix.
    pub path: String,
    /// The language of its body and its reply.
    pub schema: &'static dyn OperationSchema,
}

impl Offer {
    fn new(path: impl Into<String>, schema: &'static dyn OperationSchema) -> Offer {
        Offer {
            path: path.into(),
            schema,
        }
    }
}

/// The offer of one of a provider's ways to count, for the API that the client speaks.
fn counting(operation: Operation, path: String, ways: &'static [CountTokens; 2]) -> Option<Offer> {
    let [of_messages, of_responses] = ways;
    Some(match operation {
        Operation::MessageTokens => Offer::new(path, of_messages),
        Operation::InputTokens => Offer::new(path, of_responses),
        _ => return None,
    })
}

/// How a provider wants to see its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer <key>`.
    Bearer,
    /// The key alone in this header.
    Header(Cow<'static, str>),
    /// With a key as `Bearer`; without one Envoy signs the request for this service of AWS.
    AwsSigV4 {
        /// The service's name in signatures.
        service: &'static str,
    },
}

/// Every kind of provider; a new one is one file and one line here.
pub const PROVIDERS: &[&dyn Provider] = &[
    &dialects::openai::OPENAI,
    &anthropic::ANTHROPIC,
    &gemini::Gemini,
    &vertex_gemini::VertexGemini,
    &vertex_anthropic::VertexAnthropic,
    &bedrock::CONVERSE,
    &bedrock::ANTHROPIC,
    &anthropic::FOUNDRY,
    &dialects::azure_openai::AZURE_OPENAI,
    &dialects::mistral::MISTRAL,
    &cohere::Cohere,
    &dialects::deepseek::DEEPSEEK,
    &dialects::qwen::QWEN,
    &dialects::moonshot::MOONSHOT,
    &dialects::xai::XAI,
    &dialects::groq::GROQ,
    &dialects::cerebras::CEREBRAS,
    &dialects::sambanova::SAMBANOVA,
    &dialects::together::TOGETHER,
    &dialects::fireworks::FIREWORKS,
    &dialects::nvidia_nim::NVIDIA_NIM,
    &dialects::huggingface::HUGGINGFACE,
    &dialects::openrouter::OPENROUTER,
    &dialects::tokenmix::TOKENMIX,
    &dialects::litellm::LITELLM,
    &dialects::portkey::PORTKEY,
    &dialects::vllm::VLLM,
    &dialects::llama_cpp::LLAMA_CPP,
    &dialects::ollama::OLLAMA,
    &dialects::openai_compatible::OPENAI_COMPATIBLE,
];

/// The provider of this kind.
pub fn find(kind: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|p| p.kind() == kind)
}

impl fmt::Debug for dyn Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// `segment` with every byte that may not stand in a path segment percent-encoded.
///
/// Slashes are encoded too: a model name is one segment.
pub(crate) fn encode_segment(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
