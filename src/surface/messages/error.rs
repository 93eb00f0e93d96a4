//! Failures in Anthropic's words.
//!
//! Source: Claude API reference, "Errors", read 2026-11-21.

use std::borrow::Cow;

use serde::Serialize;

use crate::failure::{Class, Failure};
use crate::json::{self, Raw, Text};
use crate::schema::openai::OpenAi;
use crate::schema::{ErrorReply, Schema};
use crate::wire;

#[derive(Serialize)]
struct ErrorBody<'a> {
    r#type: &'static str,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    r#type: &'static str,
    message: Cow<'a, str>,
}

/// What clients look for to learn that they must shorten the conversation.
const TOO_LONG: &str = "prompt is too long";

/// Appends the error body.
pub(super) fn write(failure: &Failure, out: &mut Vec<u8>) {
    json::write(
        out,
        &ErrorBody {
            r#type: "error",
            error: ErrorObject {
                r#type: kind(failure),
                message: message(failure),
            },
        },
    );
}

/// Appends the error event of a stream, after which nothing comes.
pub(super) fn write_event(failure: &Failure, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: error\ndata: ");
    write(failure, out);
    out.extend_from_slice(b"\n\n");
}

fn message(failure: &Failure) -> Cow<'_, str> {
    let is_told = failure.message.contains(TOO_LONG);
    match failure.class {
        Class::ContextLengthExceeded if !is_told => {
            format!("{TOO_LONG}: {}", failure.message).into()
        }
        _ => Cow::Borrowed(&failure.message),
    }
}

/// Anthropic's category. The status is the gateway's own word on whose fault it was.
fn kind(failure: &Failure) -> &'static str {
    match failure.class {
        Class::QuotaExhausted if failure.status == 402 => "billing_error",
        Class::RateLimited | Class::QuotaExhausted => "rate_limit_error",
        Class::Overloaded | Class::Ejected => "overloaded_error",
        Class::Timeout => "timeout_error",
        Class::ContextLengthExceeded => "invalid_request_error",
        Class::Authentication
        | Class::ModelNotFound
        | Class::ContentFilter
        | Class::InvalidRequest => kind_of_status(failure.status),
        Class::ServerError
        | Class::ConnectFailure
        | Class::Reset
        | Class::EmptyReply
        | Class::MalformedReply
        | Class::NotJson
        | Class::LowQuality
        | Class::ReplyTooLarge => "api_error",
    }
}

fn kind_of_status(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

wire! {
    /// The gateway's own error event.
    pub struct ChatErrorEvent<'a> {
        /// What went wrong.
        error: ChatErrorObject<'a>,
    }
}

wire! {
    /// What went wrong.
    pub struct ChatErrorObject<'a> {
        /// In words.
        message: Text<'a>,
        /// The class, if the gateway wrote it.
        code: Raw<'a>,
    }
}

/// Reads an error event of a chat completion stream: the gateway's own class where the code is one, else what OpenAI's words mean.
pub(super) fn read_event(data: &[u8]) -> Failure {
    let event: ChatErrorEvent<'_> = json::read(data).unwrap_or_default();
    let error = event.error.unwrap_or_default();
    match error
        .code
        .and_then(|code| json::deserialize::<Class>(code.get().as_bytes()).ok())
    {
        Some(class) => Failure::new(class, error.message.unwrap_or_default().to_string()),
        None => OpenAi.read_error(&ErrorReply {
            status: Class::ServerError.default_status(),
            retry_after: None,
            body: data,
            rules: &[],
        }),
    }
}
