//! Chat completions, whole or in chunks, as far as other APIs of OpenAI tell of them.

use crate::json::{Raw, Text};
use crate::schema::openai::ReplyUsage;
use crate::wire;

wire! {
    /// A `chat.completion` or a `chat.completion.chunk`.
    pub struct Completion<'a> {
        /// The model that answers.
        model: Text<'a>,
        /// The choices; a response has one.
        choices: Vec<Choice<'a>>,
        /// What it cost.
        usage: ReplyUsage<'a>,
        /// The tier that served it.
        service_tier: Raw<'a>,
        /// Fields of the provider that OpenAI does not have.
        provider_metadata: Raw<'a>,
        /// The gateway's own error, in the middle of a stream.
        error: StreamError<'a>,
    }
}

wire! {
    /// One choice.
    pub struct Choice<'a> {
        /// Which one.
        index: u64,
        /// In a whole completion.
        message: Said<'a>,
        /// In a chunk.
        delta: Said<'a>,
        /// Why it stopped.
        finish_reason: Text<'a>,
        /// Log probabilities.
        logprobs: Logprobs<'a>,
    }
}

wire! {
    /// What the model said.
    pub struct Said<'a> {
        /// A JSON string.
        content: Raw<'a>,
        /// A refusal.
        refusal: Text<'a>,
        /// Readable reasoning.
        reasoning_content: Text<'a>,
        /// Reasoning with its signatures.
        reasoning_details: Vec<Raw<'a>>,
        /// Citations.
        annotations: Vec<Annotation<'a>>,
        /// Calls.
        tool_calls: Vec<Call<'a>>,
    }
}

wire! {
    /// A call, or more of one.
    pub struct Call<'a> {
        /// Which call of a stream.
        index: u64,
        /// Its id.
        id: Text<'a>,
        /// The function.
        function: CallFunction<'a>,
        /// Gemini's thought signature.
        extra_content: Raw<'a>,
    }
}

wire! {
    /// Name and arguments.
    pub struct CallFunction<'a> {
        /// Name of the function.
        name: Text<'a>,
        /// JSON text, or more of it.
        arguments: Text<'a>,
    }
}

wire! {
    /// A citation.
    pub struct Annotation<'a> {
        /// The citation itself.
        url_citation: UrlCitation<'a>,
    }
}

wire! {
    /// Where it stands and what it cites.
    pub struct UrlCitation<'a> {
        /// First character.
        start_index: u64,
        /// The character after the last.
        end_index: u64,
        /// The source.
        url: Text<'a>,
        /// Its title.
        title: Text<'a>,
    }
}

wire! {
    /// `logprobs`.
    pub struct Logprobs<'a> {
        /// Of the text.
        content: Vec<Token<'a>>,
    }
}

wire! {
    /// A token.
    pub struct Token<'a> {
        /// Its text.
        token: Text<'a>,
        /// Its UTF-8 bytes.
        bytes: Vec<u8>,
        /// How probable it was.
        logprob: Raw<'a>,
        /// What else it could have been.
        top_logprobs: Vec<Token<'a>>,
    }
}

wire! {
    /// `error` of an event.
    pub struct StreamError<'a> {
        /// For people.
        message: Text<'a>,
        /// OpenAI's class.
        kind = "type": Text<'a>,
    }
}
