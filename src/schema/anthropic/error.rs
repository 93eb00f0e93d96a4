//! Anthropic's errors to classes of failure, from a reply's body or from a stream.
//!
//! Source: Claude API reference, "Errors" and "Rate limits", read 2026-11-21.

use std::borrow::Cow;

use super::wire::{ErrorBody, ErrorObject};
use crate::failure::{Class, Failure};
use crate::json;
use crate::schema::ErrorReply;

/// Reads a non-2xx reply.
pub(super) fn read(reply: &ErrorReply<'_>) -> Failure {
    let body = json::read::<ErrorBody<'_>>(reply.body).unwrap_or_default();
    let failure = match body.error {
        Some(error) => of_object(&error, Some(reply.status)),
        None => Failure::new(
            Class::of_status(reply.status),
            "the provider answered with an error that is not of its own schema",
        ),
    };
    Failure {
        retry_after_s: reply.retry_after_s(),
        ..failure.with_status(reply.status)
    }
}

/// Whether a body is of this schema.
pub(super) fn is_own(body: &[u8]) -> bool {
    let error = json::read::<ErrorBody<'_>>(body).ok().and_then(|b| b.error);
    error.is_some_and(|error| error.kind.is_some())
}

/// Reads an error object; `status` is that of its reply, none in a stream.
pub(super) fn of_object(error: &ErrorObject<'_>, status: Option<u16>) -> Failure {
    let kind = error.kind.as_deref().unwrap_or_default();
    let message = error.message.as_deref();
    let message = message.unwrap_or("the provider reported an error without a message");
    let code = error.details.as_ref().and_then(|d| d.error_code.as_deref());
    let class = class_of_reason(kind, code.unwrap_or_default(), message)
        .or_else(|| class_of_kind(kind, status))
        .unwrap_or_else(|| status.map_or(Class::ServerError, Class::of_status));
    let failure = Failure::new(class, message.to_owned());
    Failure {
        code: code.map_or_else(|| code_of(class, kind), |code| Some(code.to_owned().into())),
        ..failure
    }
}

/// OpenAI's code where clients look for it, else the provider's own category.
fn code_of(class: Class, kind: &str) -> Option<Cow<'static, str>> {
    match class {
        Class::QuotaExhausted => Some("insufficient_quota".into()),
        // The name of the class is OpenAI's code.
        Class::ContextLengthExceeded | Class::ModelNotFound | Class::ContentFilter => None,
        _ => Some(kind.to_owned().into()).filter(|code: &Cow<'_, str>| !code.is_empty()),
    }
}

/// What the broad category does not tell: 400 and 429 stand for several classes.
fn class_of_reason(kind: &str, code: &str, message: &str) -> Option<Class> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if code.ends_with("spend_limit_reached") {
        return Some(Class::QuotaExhausted);
    }
    if !matches!(
        kind,
        "invalid_request_error" | "rate_limit_error" | "permission_error"
    ) {
        return None;
    }
    if says(&[
        "credit balance",
        "usage limit",
        "spend limit",
        "spending limit",
    ]) {
        return Some(Class::QuotaExhausted);
    }
    if kind != "invalid_request_error" {
        return None;
    }
    if says(&["prompt is too long", "context limit", "context window"]) {
        return Some(Class::ContextLengthExceeded);
    }
    // The model is not there with this feature: another candidate does without, or has it.
    if says(&["`anthropic-beta` header", "invalid beta flag"]) {
        return Some(Class::ModelNotFound);
    }
    says(&["content filtering policy"]).then_some(Class::ContentFilter)
}

/// A status is more exact than a kind that only tells whose fault it was.
fn class_of_kind(kind: &str, status: Option<u16>) -> Option<Class> {
    Some(match kind {
        "overloaded_error" => Class::Overloaded,
        "rate_limit_error" => Class::RateLimited,
        "api_error" | "conflict_error" => Class::ServerError,
        "timeout_error" => Class::Timeout,
        "billing_error" => Class::QuotaExhausted,
        "authentication_error" | "permission_error" => Class::Authentication,
        "not_found_error" => Class::ModelNotFound,
        "request_too_large" => Class::ContextLengthExceeded,
        "invalid_request_error" => status.map_or(Class::InvalidRequest, Class::of_status),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_more_exact_than_a_kind_that_only_blames() {
        let rows = [
            (400, Class::InvalidRequest),
            (402, Class::QuotaExhausted),
            (408, Class::Timeout),
            (410, Class::ModelNotFound),
            (413, Class::ContextLengthExceeded),
            (302, Class::ServerError),
        ];
        for (status, expected) in rows {
            let reply = ErrorReply {
                status,
                retry_after: None,
                body:
                    br#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#,
                rules: &[],
            };
            assert_eq!(read(&reply).class, expected, "{status}");
        }
    }
}
