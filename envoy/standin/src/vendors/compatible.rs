//! Hosts that speak Chat Completions with rules of their own: Mistral, DeepSeek, Qwen.
//!
//! What they share with OpenAI is taken from there: the head, most fields, turns and faults.

mod deepseek;
mod fields;
mod mistral;
mod qwen;
mod render;

pub use deepseek::DEEPSEEK;
pub use mistral::MISTRAL;
pub use qwen::QWEN;

use bytes::Bytes;
use serde_json::Value;

use super::openai::{self, OpenAi, error_reply, violated};
use super::{Dialect, Head, Objection, Refusal, Trouble, check_shape};
use crate::answer::{Answer, Call};
use crate::ask::{Ask, Thinking};
use crate::reply::Reply;
use crate::shape::{Shape, Violation};

/// What a host does otherwise than OpenAI.
pub struct Host {
    /// Its name in answers.
    pub name: &'static str,
    /// The fields it knows.
    pub request: &'static Shape,
    /// How it words a field that it does not know, or that is of another type.
    pub violated: fn(&Violation) -> Objection,
    /// Its rules beyond fields and types.
    pub check: fn(&Value) -> Result<(), Objection>,
    /// Whether and how a request makes the model think.
    pub thinking: fn(&Value) -> Thinking,
    /// Ids of its tool calls.
    pub call_id: fn(&Call) -> String,
    /// Usage in its words.
    pub usage: fn(&Ask, &Answer) -> Value,
    /// How it shows thoughts.
    pub thoughts: Thoughts,
    /// Whether a stream tells a call in one chunk, with the end, and usage unasked.
    pub whole_calls: bool,
}

/// Where the thoughts of a reply stand.
#[derive(PartialEq)]
pub enum Thoughts {
    /// In `reasoning_content`.
    Field,
    /// In a part of `content`.
    Part,
}

impl Dialect for Host {
    fn name(&self) -> &'static str {
        self.name
    }

    fn examine(&self, head: &Head, body: &[u8]) -> Result<Ask, Refusal> {
        self.read(head, body).map_err(|objection| Refusal {
            reply: error_reply(&objection),
            reason: objection.message,
        })
    }

    fn render(&self, ask: &Ask, answer: &Answer) -> Reply {
        render::reply(self, ask, answer)
    }

    fn failure(
        &self,
        ask: &Ask,
        status: u16,
        code: Option<&str>,
        retry_after: Option<u64>,
    ) -> Reply {
        OpenAi.failure(ask, status, code, retry_after)
    }

    fn trouble(&self, trouble: Trouble, ask: &Ask) -> Reply {
        OpenAi.trouble(trouble, ask)
    }

    fn refuses_with_an_error(&self) -> bool {
        true
    }

    fn error_event(&self, ask: &Ask) -> Bytes {
        OpenAi.error_event(ask)
    }

    fn broken_event(&self, ask: &Ask) -> Bytes {
        OpenAi.broken_event(ask)
    }
}

impl Host {
    fn read(&self, head: &Head, body: &[u8]) -> Result<Ask, Objection> {
        let body = openai::body(head, body)?;
        check_shape(self.request, &body, self.violated)?;
        openai::check_turns(&body)?;
        (self.check)(&body)?;
        let ask = openai::digest(&body);
        Ok(Ask {
            thinking: (self.thinking)(&body),
            format: ask.format.described(super::list(&body, "messages")),
            ..ask
        })
    }
}

/// An objection with status 400, worded as DeepSeek and Qwen do.
fn invalid(message: &str) -> Objection {
    Objection {
        status: 400,
        kind: "invalid_request_error",
        message: message.to_owned(),
        param: None,
    }
}

/// Whether a tool must be called.
fn forces_a_tool(body: &Value) -> bool {
    match body.get("tool_choice") {
        Some(Value::String(word)) => word == "required" || word == "any",
        Some(Value::Object(_)) => true,
        _ => false,
    }
}

/// JSON without being told of JSON is refused, for the model would never end.
fn check_json_is_mentioned(body: &Value) -> Result<(), Objection> {
    let wants = body.pointer("/response_format/type");
    let messages = super::list(body, "messages");
    let mentions = |message: &Value| message.to_string().to_lowercase().contains("json");
    if wants == Some(&Value::from("json_object")) && !messages.iter().any(mentions) {
        return Err(invalid(
            "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
        ));
    }
    Ok(())
}
