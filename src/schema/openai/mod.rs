//! OpenAI Chat Completions: the client's schema, the hub of every translation.
//!
//! Source: OpenAI API reference, "Chat Completions", and the types of the official SDK 3.52,
//! read 2026-11-21.

mod chunk;
mod completion;
pub mod dialect;
mod error;
mod normalize;
pub mod operations;
mod provider_error;
mod reply;
mod request;
mod splice;
mod stream;
mod wire;

pub use chunk::ChunkWriter;
pub use completion::{Choice, Completion, FinishReason, ReasoningDetail, ToolCallReply};
pub use error::{ErrorBody, write_error};
pub use reply::OpenAi;
pub use request::{
    AssistantToolCall, ChatCompletionRequest, Content, FilePart, Function, FunctionCall, ImageUrl,
    InputAudio, JsonSchemaFormat, Message, Part, ResponseFormat, Role, StreamOptions, Tool,
    ToolChoice,
};
pub use wire::ReplyUsage;
