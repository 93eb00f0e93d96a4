//! What a request asks for, in terms that all vendors share.

use serde_json::Value;

/// The digest of a request that passed its vendor's checks.
#[derive(Default)]
pub struct Ask {
    /// The model as the client named it.
    pub model: String,
    /// Whether the reply is streamed.
    pub stream: bool,
    /// Whether the reply is Anthropic's, whatever else the vendor speaks.
    pub speaks_messages: bool,
    /// Whether it came on a path of Azure's.
    pub on_azure: bool,
    /// Whether a stream is sent as server-sent events.
    pub sse: bool,
    /// Whether a stream ends with a usage event (OpenAI).
    pub stream_usage: bool,
    /// The text of the last user message.
    pub user_text: String,
    /// The texts of the tool results that end the conversation.
    pub tool_results: Vec<String>,
    /// The number of messages so far; it makes tool call ids unique.
    pub turns: usize,
    /// The tools on offer.
    pub tools: Vec<Tool>,
    /// What the client demands about tools.
    pub choice: Choice,
    /// Whether two calls at once are forbidden.
    pub one_call: bool,
    /// The form of the answer.
    pub format: Format,
    /// Whether thoughts are to be shown.
    pub thinking: Thinking,
    /// The number of alternative answers; 0 counts as 1.
    pub count: usize,
    /// Whether log probabilities are wanted (OpenAI).
    pub logprobs: bool,
    /// The limit on the answer's tokens.
    pub max_tokens: Option<u64>,
    /// Texts that end the answer.
    pub stops: Vec<String>,
    /// The size of all input texts in bytes.
    pub input_bytes: usize,
    /// Whether prompt caching was asked for.
    pub cache: bool,
    /// Tokens of a long prompt that are read from the cache, and that are written to it.
    pub kept: Option<(u64, u64)>,
    /// What is asked for, when it is neither a chat nor anything like it.
    pub besides: Option<crate::besides::Besides>,
    /// What the answer rests on and cites (Cohere).
    pub documents: Vec<Value>,
    /// The whole reply to what is no chat.
    pub reply: Option<Value>,
}

/// A function the model may call.
pub struct Tool {
    /// Its name.
    pub name: String,
    /// The JSON schema of its arguments.
    pub schema: Value,
}

/// The demand on tool use.
#[derive(Default, PartialEq)]
pub enum Choice {
    /// The model decides.
    #[default]
    Auto,
    /// No tool may be used.
    Never,
    /// Some tool must be used.
    Any,
    /// This tool must be used.
    Named(String),
}

/// The form of the answer.
#[derive(Default)]
pub enum Format {
    /// Free text.
    #[default]
    Text,
    /// Any JSON object.
    Json,
    /// An instance of this schema.
    Schema(Value),
}

/// The demand on reasoning.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Thinking {
    /// None.
    #[default]
    Off,
    /// It happens and is billed, but its text is not shown.
    Hidden,
    /// Its text is shown.
    Shown,
}

impl Format {
    /// A model that is held to JSON heeds a schema that the messages describe.
    pub fn described(self, messages: &[Value]) -> Self {
        let texts = || messages.iter().filter_map(|m| m.get("content")?.as_str());
        match self {
            Self::Json => texts().find_map(schema_in).map_or(self, Self::Schema),
            _ => self,
        }
    }
}

/// The first JSON schema of an object that stands in a text.
fn schema_in(text: &str) -> Option<Value> {
    text.match_indices('{').find_map(|(at, _)| {
        let (_, rest) = text.split_at(at);
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let value = values.next()?.ok()?;
        (value.get("type")? == "object" && value.get("properties").is_some()).then_some(value)
    })
}

impl Ask {
    /// Input tokens: a quarter of the bytes, at least one.
    pub fn input_tokens(&self) -> u64 {
        (self.input_bytes as u64 / 4).max(1)
    }

    /// Input tokens read from the cache: half of them when caching was asked for.
    pub fn cached_tokens(&self) -> u64 {
        match self.kept {
            Some((read, _)) => read.min(self.input_tokens()),
            None if self.cache => self.input_tokens() / 2,
            None => 0,
        }
    }

    /// Input tokens written to the cache: a quarter of them when caching was asked for.
    pub fn written_tokens(&self) -> u64 {
        match self.kept {
            Some((_, written)) => written.min(self.input_tokens() - self.cached_tokens()),
            None if self.cache => self.input_tokens() / 4,
            None => 0,
        }
    }
}
