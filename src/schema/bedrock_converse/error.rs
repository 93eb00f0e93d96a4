//! Bedrock's errors to classes of failure, from a reply's body or from a stream.
//!
//! A reply names its exception in a header that the translation does not see, and only
//! sometimes in its body too: otherwise status and words tell.
//!
//! Source: Amazon Bedrock user guide, "Troubleshooting Amazon Bedrock API error codes", the
//! API reference, "ConverseStream" and "Common errors", read 2026-11-21.

use std::borrow::Cow;

use super::wire::ErrorBody;
use crate::failure::{Class, Failure};
use crate::framing::event_stream::{Frame, FrameError};
use crate::json;
use crate::schema::ErrorReply;

/// Reads a non-2xx reply.
pub(in crate::schema) fn read(reply: &ErrorReply<'_>) -> Failure {
    let failure = match json::read::<ErrorBody<'_>>(reply.body) {
        Ok(body) => of_body(&body, None, Some(reply.status)),
        Err(_) => Failure::new(
            class_of_status(reply.status),
            "the provider answered with an error that is not of its own schema",
        ),
    };
    Failure {
        retry_after_s: reply.retry_after_s(),
        ..failure.with_status(reply.status)
    }
}

/// Reads an exception within a stream.
pub(in crate::schema) fn of_exception(frame: &Frame<'_>) -> Failure {
    let kind = frame.headers.text(":exception-type");
    let body = json::read::<ErrorBody<'_>>(frame.payload).unwrap_or_default();
    of_body(&body, kind, None)
}

/// Reads an error that the transport itself reports within a stream.
pub(in crate::schema) fn of_error_frame(frame: &Frame<'_>) -> Failure {
    let code = frame.headers.text(":error-code").unwrap_or_default();
    let message = frame.headers.text(":error-message");
    let message = message.unwrap_or("the provider reported an error without a message");
    let class = class_of_kind(code).unwrap_or(Class::ServerError);
    failure(class, code, message)
}

/// Reads what is said in place of a reply; none when it is no error.
pub(super) fn in_reply(body: &[u8]) -> Option<Failure> {
    let body = json::read::<ErrorBody<'_>>(body).ok()?;
    let is_error = body.kind.is_some() || body.message.is_some();
    is_error.then(|| of_body(&body, None, None))
}

/// A stream whose frames cannot be read.
pub(in crate::schema) fn of_framing(error: FrameError) -> Failure {
    let class = match error {
        FrameError::TooLarge { .. } => Class::ReplyTooLarge,
        _ => Class::MalformedReply,
    };
    Failure::new(class, format!("the provider's stream is broken: {error}"))
}

fn of_body(body: &ErrorBody<'_>, kind: Option<&str>, status: Option<u16>) -> Failure {
    let ErrorBody {
        kind: own_kind,
        message,
        capital_message,
        original_message,
        extra: _, // the original status and the name of a resource
    } = body;
    let kind = kind.or(own_kind.as_deref()).map(simple).unwrap_or_default();
    let said = [message, capital_message, original_message];
    let message = said.into_iter().flatten().find(|text| !text.is_empty());
    let message = message.map_or("the provider reported an error without a message", |m| m);
    let class = class_of_words(kind, status, message)
        .or_else(|| class_of_kind(kind))
        .unwrap_or_else(|| status.map_or(Class::ServerError, class_of_status));
    failure(class, kind, message)
}

fn failure(class: Class, kind: &str, message: &str) -> Failure {
    Failure {
        code: code_of(class, kind),
        ..Failure::new(class, message.to_owned())
    }
}

/// `com.amazon.coral.service#ThrottlingException:http://...` to `throttlingexception`, as far
/// as it names anything; streams write its first letter small.
fn simple(kind: &str) -> &str {
    let kind = kind.rsplit_once('#').map_or(kind, |(_, name)| name);
    kind.split(':').next().unwrap_or_default()
}

/// OpenAI's code where clients look for it, else the provider's own name.
fn code_of(class: Class, kind: &str) -> Option<Cow<'static, str>> {
    match class {
        Class::QuotaExhausted => Some("insufficient_quota".into()),
        // The name of the class is OpenAI's code.
        Class::ContextLengthExceeded | Class::ModelNotFound | Class::ContentFilter => None,
        _ => Some(kind.to_owned().into()).filter(|code: &Cow<'_, str>| !code.is_empty()),
    }
}

/// What the exception's name does not tell: invalid and throttled stand for several classes.
fn class_of_words(kind: &str, status: Option<u16>, message: &str) -> Option<Class> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    let is = |name: &str, of: u16| {
        kind.eq_ignore_ascii_case(name) || (kind.is_empty() && status == Some(of))
    };
    if is("ValidationException", 400) {
        if says(TOO_LONG) {
            return Some(Class::ContextLengthExceeded);
        }
        if says(NO_SUCH_MODEL) {
            return Some(Class::ModelNotFound);
        }
    }
    let is_throttled = is("ThrottlingException", 429);
    if is_throttled && says(&["per day", "daily"]) {
        return Some(Class::QuotaExhausted);
    }
    (is_throttled && says(&["not ready"])).then_some(Class::Overloaded)
}

const TOO_LONG: &[&str] = &[
    "too long",
    "context length",
    "context limit",
    "context window",
    "maximum number of input tokens",
    "maximum context",
];

const NO_SUCH_MODEL: &[&str] = &[
    "model identifier is invalid",
    "on-demand throughput",
    "end of its life",
    "model is not supported in this region",
    // The model is there, but not with this feature: elsewhere it may be.
    "invalid beta flag",
];

fn class_of_kind(kind: &str) -> Option<Class> {
    let known = CLASSES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(kind));
    known.map(|(_, class)| *class)
}

const CLASSES: &[(&str, Class)] = &[
    ("ThrottlingException", Class::RateLimited),
    ("TooManyRequestsException", Class::RateLimited),
    ("ServiceQuotaExceededException", Class::QuotaExhausted),
    ("ModelNotReadyException", Class::Overloaded),
    ("ServiceUnavailableException", Class::Overloaded),
    ("ModelTimeoutException", Class::Timeout),
    ("RequestTimeoutException", Class::Timeout),
    ("ModelErrorException", Class::ServerError),
    ("ModelStreamErrorException", Class::ServerError),
    ("InternalServerException", Class::ServerError),
    ("InternalFailure", Class::ServerError),
    ("ResourceNotFoundException", Class::ModelNotFound),
    ("UnknownOperationException", Class::ModelNotFound),
    ("AccessDeniedException", Class::Authentication),
    ("UnrecognizedClientException", Class::Authentication),
    ("ExpiredTokenException", Class::Authentication),
    ("ExpiredToken", Class::Authentication),
    ("InvalidSignatureException", Class::Authentication),
    ("IncompleteSignature", Class::Authentication),
    ("IncompleteSignatureException", Class::Authentication),
    ("InvalidClientTokenId", Class::Authentication),
    ("MissingAuthenticationTokenException", Class::Authentication),
    ("NotAuthorized", Class::Authentication),
    ("OptInRequired", Class::Authentication),
    ("ValidationException", Class::InvalidRequest),
];

/// 424 is a failure of the model behind Bedrock.
fn class_of_status(status: u16) -> Class {
    match status {
        424 => Class::ServerError,
        status => Class::of_status(status),
    }
}
