//! Google's errors: `google.rpc.Status` as JSON, in an array when a stream was asked for.
//!
//! Source: Gemini API docs, "Troubleshooting", Google Cloud API design guide, "Errors",
//! read 2026-11-21.

use std::borrow::Cow;

use crate::failure::{Class, Failure};
use crate::json::{self, Kind, Raw, Text};
use crate::schema::ErrorReply;
use crate::wire;

wire! {
    /// The body.
    pub struct ErrorBody<'a> {
        /// A [`Status`], or a word from Google's token service.
        error: Raw<'a>,
        /// What the token service adds to its word.
        error_description: Text<'a>,
    }
}

wire! {
    /// The error.
    pub struct Status<'a> {
        /// The HTTP status.
        code: u16,
        /// For people.
        message: Text<'a>,
        /// The canonical code, such as `RESOURCE_EXHAUSTED`.
        status: Text<'a>,
        /// Each a [`Detail`].
        details: Vec<Detail<'a>>,
    }
}

wire! {
    /// One of several kinds of detail; a kind that is not read has none of these.
    pub struct Detail<'a> {
        /// `RetryInfo`: such as `36s` or `3.5s`.
        retry_delay = "retryDelay": Text<'a>,
        /// `QuotaFailure`: the quotas that are used up.
        violations: Vec<Violation<'a>>,
        /// `ErrorInfo`: such as `API_KEY_INVALID`.
        reason: Text<'a>,
    }
}

wire! {
    /// A quota that is used up.
    pub struct Violation<'a> {
        /// Such as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
        quota_id = "quotaId": Text<'a>,
    }
}

/// Reads a non-2xx reply.
pub(in crate::schema) fn read(reply: &ErrorReply<'_>) -> Failure {
    let mut failure = match parse(reply.body) {
        Some(status) => of_status(status, reply.status),
        None => Failure::new(Class::of_status(reply.status), text(reply.body)),
    };
    failure.status = reply.status;
    failure.retry_after_s = failure.retry_after_s.or(reply.retry_after_s());
    failure
}

/// The failure that an `error` field in a 200 tells of.
pub(super) fn in_reply(error: Raw<'_>) -> Failure {
    let status: Status<'_> = json::parse(error).unwrap_or_default();
    let code = status.code.filter(|code| (400..600).contains(code));
    let mut failure = of_status(status, code.unwrap_or(500));
    failure.status = code.unwrap_or(failure.class.default_status());
    failure
}

fn parse(body: &[u8]) -> Option<Status<'_>> {
    let raw: Raw<'_> = json::read(body).ok()?;
    let raw = match json::kind(raw) {
        Kind::Array => json::parse::<Vec<Raw<'_>>>(raw)?.into_iter().next()?,
        _ => raw,
    };
    let ErrorBody {
        error,
        error_description,
        extra: _, // Nothing of it could reach the client.
    } = json::parse(raw)?;
    let error = error?;
    if json::kind(error) == Kind::String {
        let message = error_description.or_else(|| json::parse(error));
        // Google's token service, such as `invalid_grant`: the credential is ours.
        return Some(Status {
            message,
            status: Some(Text::from("UNAUTHENTICATED")),
            ..Status::default()
        });
    }
    json::parse(error)
}

/// A proxy's page instead of an error: nothing of it is worth showing.
fn text(body: &[u8]) -> &'static str {
    match body {
        [] => "the provider gave no reason",
        _ => "the provider gave a reason that is not one of Gemini's errors",
    }
}

fn of_status(status: Status<'_>, http: u16) -> Failure {
    let Status {
        code: _, // The HTTP status; the caller knows it.
        message,
        status,
        details,
        extra: _,
    } = status;
    let details = details.unwrap_or_default();
    let message = message.unwrap_or_default();
    let class = class(
        http,
        status.as_deref().unwrap_or_default(),
        &message,
        &details,
    );
    let mut failure = Failure::new(class, Cow::Owned(message.into_inner().into_owned()));
    failure.retry_after_s = retry_after_s(&details);
    failure.code = match class {
        Class::ContextLengthExceeded => Some(Cow::Borrowed("context_length_exceeded")),
        Class::ContentFilter => Some(Cow::Borrowed("content_filter")),
        _ => status.map(|s| Cow::Owned(s.into_inner().into_owned())),
    };
    failure
}

fn class(http: u16, status: &str, message: &str, details: &[Detail<'_>]) -> Class {
    let says = |needle: &str| contains_ignoring_case(message, needle);
    match status {
        "RESOURCE_EXHAUSTED" if is_used_up(details) || says("credits are depleted") => {
            Class::QuotaExhausted
        }
        "RESOURCE_EXHAUSTED" => Class::RateLimited,
        "UNAVAILABLE" => Class::Overloaded,
        "DEADLINE_EXCEEDED" => Class::Timeout,
        "INTERNAL" | "UNKNOWN" | "ABORTED" | "CANCELLED" | "DATA_LOSS" => Class::ServerError,
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => Class::Authentication,
        "NOT_FOUND" => Class::ModelNotFound,
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => {
            client_fault(http, message, details)
        }
        _ => match Class::of_status(http) {
            Class::InvalidRequest => client_fault(http, message, details),
            class => class,
        },
    }
}

/// Google says "invalid" also of things that another candidate may do better.
fn client_fault(http: u16, message: &str, details: &[Detail<'_>]) -> Class {
    let says = |needle: &str| contains_ignoring_case(message, needle);
    let has_reason = |reason: &str| details.iter().any(|d| d.reason.as_deref() == Some(reason));
    if has_reason("API_KEY_INVALID") || says("api key not valid") || says("api key expired") {
        Class::Authentication
    } else if says("location is not supported") {
        // Not served from where this gateway runs: ours to solve, as with a credential.
        Class::Authentication
    } else if says("enable billing") || says("billing account") {
        Class::QuotaExhausted
    } else if says("token count") && says("exceeds") {
        Class::ContextLengthExceeded
    } else if says("prohibited_content") || says("blocked by safety") {
        Class::ContentFilter
    } else if http < 500 {
        // A status is more exact than a word that only tells whose fault it was.
        Class::of_status(http)
    } else {
        Class::InvalidRequest
    }
}

fn is_used_up(details: &[Detail<'_>]) -> bool {
    let violations = details.iter().filter_map(|d| d.violations.as_ref());
    violations
        .flatten()
        .filter_map(|v| v.quota_id.as_deref())
        .any(|id| id.contains("PerDay"))
}

/// `RetryInfo`'s delay in whole seconds, rounded up; Google sends no header.
fn retry_after_s(details: &[Detail<'_>]) -> Option<u64> {
    let delay = details.iter().find_map(|d| d.retry_delay.as_deref())?;
    let seconds: f64 = delay.strip_suffix('s')?.parse().ok()?;
    (seconds >= 0.0).then(|| seconds.ceil() as u64)
}

fn contains_ignoring_case(text: &str, needle: &str) -> bool {
    text.as_bytes()
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

#[cfg(test)]
mod tests;
