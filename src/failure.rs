//! Why an attempt failed, and what may follow.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Why an attempt failed. The word in logs, headers and metrics is its snake_case name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Too many requests or tokens per minute.
    RateLimited,
    /// Credit, quota or a usage limit is used up.
    QuotaExhausted,
    /// The provider says that it is overloaded (529, `overloaded_error`).
    Overloaded,
    /// Any other failure of the provider (5xx).
    ServerError,
    /// No answer, or no first event, within the time for one attempt.
    Timeout,
    /// No connection could be made.
    ConnectFailure,
    /// The connection broke before the reply was committed.
    Reset,
    /// Outlier detection has taken the provider out of service.
    Ejected,
    /// The provider refused our credential.
    Authentication,
    /// The provider's model or endpoint is gone (404, 410).
    ModelNotFound,
    /// The prompt is larger than the model's context window.
    ContextLengthExceeded,
    /// The provider's content policy refused the request or the reply.
    ContentFilter,
    /// The provider calls the request invalid.
    InvalidRequest,
    /// A reply without any content.
    EmptyReply,
    /// A reply that does not follow the provider's own schema.
    MalformedReply,
    /// A reply whose text is not the JSON that it was asked for in words.
    NotJson,
    /// A reply that looks too poor for the model's quality gate.
    LowQuality,
    /// A reply larger than the buffer limit.
    ReplyTooLarge,
}

/// What may follow a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next candidate may do better.
    NextCandidate,
    /// The next candidate, when the policy lets refusals fall back.
    NextIfRefusalAllowed,
    /// No other candidate would do better: the client hears of it.
    Never,
}

/// A failed attempt, in OpenAI's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub class: Class,
    /// HTTP status for the client: the provider's own where it had one.
    pub status: u16,
    /// The provider's own message, for the client only; never logged.
    pub message: Cow<'static, str>,
    /// OpenAI's `error.code`, or the provider's own.
    pub code: Option<Cow<'static, str>>,
    /// OpenAI's `error.param`.
    pub param: Option<Cow<'static, str>>,
    /// Seconds until the provider wants to be asked again.
    pub retry_after_s: Option<u64>,
}

// === impl Class ===

impl Class {
    /// Every class.
    pub const ALL: [Class; 18] = [
        Class::RateLimited,
        Class::QuotaExhausted,
        Class::Overloaded,
        Class::ServerError,
        Class::Timeout,
        Class::ConnectFailure,
        Class::Reset,
        Class::Ejected,
        Class::Authentication,
        Class::ModelNotFound,
        Class::ContextLengthExceeded,
        Class::ContentFilter,
        Class::InvalidRequest,
        Class::EmptyReply,
        Class::MalformedReply,
        Class::NotJson,
        Class::LowQuality,
        Class::ReplyTooLarge,
    ];

    /// The class of this word.
    pub fn parse(word: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.as_str() == word)
    }

    /// The word in logs, headers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::RateLimited => "rate_limited",
            Class::QuotaExhausted => "quota_exhausted",
            Class::Overloaded => "overloaded",
            Class::ServerError => "server_error",
            Class::Timeout => "timeout",
            Class::ConnectFailure => "connect_failure",
            Class::Reset => "reset",
            Class::Ejected => "ejected",
            Class::Authentication => "authentication",
            Class::ModelNotFound => "model_not_found",
            Class::ContextLengthExceeded => "context_length_exceeded",
            Class::ContentFilter => "content_filter",
            Class::InvalidRequest => "invalid_request",
            Class::EmptyReply => "empty_reply",
            Class::MalformedReply => "malformed_reply",
            Class::NotJson => "not_json",
            Class::LowQuality => "low_quality",
            Class::ReplyTooLarge => "reply_too_large",
        }
    }

    /// What may follow.
    pub fn next(self) -> Next {
        match self {
            Class::ContentFilter => Next::NextIfRefusalAllowed,
            Class::InvalidRequest | Class::ReplyTooLarge => Next::Never,
            Class::RateLimited
            | Class::QuotaExhausted
            | Class::Overloaded
            | Class::ServerError
            | Class::Timeout
            | Class::ConnectFailure
            | Class::Reset
            | Class::Ejected
            | Class::Authentication
            | Class::ModelNotFound
            | Class::ContextLengthExceeded
            | Class::EmptyReply
            | Class::MalformedReply
            | Class::NotJson
            | Class::LowQuality => Next::NextCandidate,
        }
    }

    /// The class of an HTTP status whose body says nothing better.
    ///
    /// 413: a body of more bytes than one provider takes may be small enough for another.
    /// 451: not served to where this gateway is; ours to solve, as with a credential.
    /// 499: the provider says that we hung up, and we did not.
    pub fn of_status(status: u16) -> Class {
        match status {
            401 | 403 | 451 => Class::Authentication,
            402 => Class::QuotaExhausted,
            404 | 410 => Class::ModelNotFound,
            408 | 504 => Class::Timeout,
            413 => Class::ContextLengthExceeded,
            429 => Class::RateLimited,
            499 => Class::ServerError,
            503 | 529 => Class::Overloaded,
            400..=499 => Class::InvalidRequest,
            _ => Class::ServerError,
        }
    }

    /// The HTTP status for the client when the provider gave none (an error inside a 200).
    pub fn default_status(self) -> u16 {
        match self {
            Class::RateLimited | Class::QuotaExhausted => 429,
            Class::Overloaded | Class::Ejected => 503,
            Class::Timeout => 504,
            Class::ServerError => 500,
            Class::Authentication => 401,
            Class::ModelNotFound => 404,
            Class::ContextLengthExceeded | Class::ContentFilter | Class::InvalidRequest => 400,
            Class::ConnectFailure
            | Class::Reset
            | Class::EmptyReply
            | Class::MalformedReply
            | Class::NotJson
            | Class::LowQuality
            | Class::ReplyTooLarge => 502,
        }
    }

    /// OpenAI's `error.type` for it.
    pub fn error_type(self) -> &'static str {
        match self {
            Class::RateLimited => "rate_limit_error",
            Class::QuotaExhausted => "insufficient_quota",
            Class::Authentication => "authentication_error",
            Class::ModelNotFound
            | Class::ContextLengthExceeded
            | Class::ContentFilter
            | Class::InvalidRequest => "invalid_request_error",
            Class::Overloaded
            | Class::ServerError
            | Class::Timeout
            | Class::ConnectFailure
            | Class::Reset
            | Class::Ejected
            | Class::EmptyReply
            | Class::MalformedReply
            | Class::NotJson
            | Class::LowQuality
            | Class::ReplyTooLarge => "server_error",
        }
    }
}

// === impl Failure ===

impl Failure {
    /// A failure without anything from the provider but its class.
    pub fn new(class: Class, message: impl Into<Cow<'static, str>>) -> Failure {
        Failure {
            class,
            status: class.default_status(),
            message: message.into(),
            code: None,
            param: None,
            retry_after_s: None,
        }
    }

    /// A reply that could not be read; `message` says what it was to be.
    pub fn malformed(message: &'static str) -> Failure {
        Failure::new(Class::MalformedReply, message)
    }

    /// A reply that is not of the schema that its provider speaks.
    pub fn off_schema() -> Failure {
        Failure::malformed("the provider's reply does not follow its own schema")
    }

    /// The same failure with the provider's own status.
    pub fn with_status(mut self, status: u16) -> Failure {
        self.status = status;
        self
    }

    /// The same failure with a code.
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Failure {
        self.code = Some(code.into());
        self
    }
}
