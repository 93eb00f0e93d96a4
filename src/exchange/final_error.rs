//! What the client hears when no candidate could answer.

use serde::{Deserialize, Serialize};

use super::ending::Ending;
use super::fleet::{Fleet, Told};
use super::trail;
use crate::config::Config;
use crate::failure::{Class, Failure};
use crate::json;

/// What is known when Envoy gives up.
#[derive(Debug, Clone, Default)]
pub struct FinalFacts {
    /// The status that Envoy is about to send.
    pub status: u16,
    /// Envoy's `response.code_details`; empty for a provider's reply.
    pub details: String,
    /// What answers have cost that were thrown away, in nano-USD.
    pub nano_usd: u64,
    /// The attempts.
    pub trail: String,
    /// The most useful failure.
    pub failure: Vec<u8>,
    /// Why no further attempt was made, in a word; empty when that was not decided.
    pub ended: String,
    /// What the request has asked of the rate limit service.
    pub fleet: Fleet,
    /// What Envoy's rate limit filter tells.
    pub told: Told,
    /// Unix milliseconds.
    pub now_ms: u64,
}

impl FinalFacts {
    /// Whether the rate limit service has refused the request.
    pub fn is_limited(&self) -> bool {
        self.details == RATE_LIMITED
    }

    /// Whether the rate limit service was asked and did not answer.
    pub fn is_unlimited(&self) -> bool {
        self.details == RATE_LIMITER_ERROR
    }
}

/// A failure with the name of who failed, as it travels to the downstream role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Noted {
    class: Class,
    status: u16,
    message: String,
    code: Option<String>,
    param: Option<String>,
    retry_after_s: Option<u64>,
    provider: String,
    model: String,
}

impl Noted {
    pub(super) fn new(failure: &Failure, provider: &str, model: &str) -> Noted {
        Noted {
            class: failure.class,
            status: failure.status,
            message: failure.message.to_string(),
            code: failure.code.as_deref().map(str::to_owned),
            param: failure.param.as_deref().map(str::to_owned),
            retry_after_s: failure.retry_after_s,
            provider: provider.to_owned(),
            model: model.to_owned(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        json::write(&mut bytes, self);
        bytes
    }

    /// Whether the client can do more with it than with the one noted before.
    pub(super) fn is_more_useful_than(&self, noted: &[u8]) -> bool {
        let before: Option<Noted> = json::deserialize(noted).ok();
        before.is_none_or(|before| usefulness(self.class) > usefulness(before.class))
    }
}

/// Envoy's `response.code_details` of a request that its rate limit filter has refused.
const RATE_LIMITED: &str = "request_rate_limited";

/// The same when the rate limit service did not answer.
const RATE_LIMITER_ERROR: &str = "rate_limiter_error";

/// The error for the client; `is_bounded` tells that all attempts together had a limit.
pub(super) fn compose(
    config: &Config,
    model: &str,
    facts: &FinalFacts,
    is_bounded: bool,
) -> Failure {
    if facts.is_limited()
        && let Some(failure) = facts.fleet.refused(config, &facts.told, facts.now_ms)
    {
        return failure;
    }
    let ended = Ending::parse(&facts.ended);
    let is_spent = is_bounded && facts.details == TOTAL_SPENT;
    if ended == Ending::Total || is_spent {
        return too_late(model, &facts.trail);
    }
    match json::deserialize::<Noted>(&facts.failure) {
        Ok(noted) => {
            let mut failure = of_attempts(model, &noted, &facts.trail);
            if ended == Ending::Stored {
                failure.message.to_mut().push_str(NOT_REPEATED);
            }
            failure
        }
        Err(_) => of_envoy(facts),
    }
}

/// Envoy's own word for it.
const TOTAL_SPENT: &str = "response_timeout";

const NOT_REPEATED: &str =
    "; not repeated, because the reply may have been stored (see repeat_stored)";

/// The time for all attempts is over.
fn too_late(model: &str, trail: &str) -> Failure {
    let mut message = format!("the time for all attempts for {model} (timeouts.total) is over");
    if !trail.is_empty() {
        message.push_str(&format!(" ({})", trail::in_words(trail)));
    }
    Failure::new(Class::Timeout, message).with_code("total_timeout")
}

/// The status for the client: a provider's refusal of our own key is not the client's fault.
/// Where providers differ in their status for one cause, clients get OpenAI's.
pub(super) fn status(failure: &Failure) -> u16 {
    match failure.class {
        Class::Authentication => 502,
        Class::QuotaExhausted => 429,
        Class::ModelNotFound => 404,
        Class::ContextLengthExceeded => 400,
        _ if (400..600).contains(&failure.status) => failure.status,
        _ => failure.class.default_status(),
    }
}

fn of_attempts(model: &str, noted: &Noted, trail: &str) -> Failure {
    let says = format!("{}/{}: {}", noted.provider, noted.model, noted.message);
    let attempts = trail::attempts(trail);
    let message = if attempts > 1 {
        format!(
            "all {attempts} attempts for {model} failed ({}); {says}",
            trail::in_words(trail)
        )
    } else {
        format!("{says} ({})", noted.class.as_str())
    };
    let mut failure = Failure {
        class: noted.class,
        status: noted.status,
        message: message.into(),
        code: match openai_code(noted.class) {
            Some(code) => Some(code.into()),
            None => noted.code.clone().map(Into::into),
        },
        param: noted.param.clone().map(Into::into),
        retry_after_s: noted.retry_after_s,
    };
    failure.status = status(&failure);
    failure
}

/// The code that clients look for, whatever the provider calls it.
fn openai_code(class: Class) -> Option<&'static str> {
    match class {
        Class::QuotaExhausted => Some("insufficient_quota"),
        Class::RateLimited => Some("rate_limit_exceeded"),
        Class::ModelNotFound => Some("model_not_found"),
        Class::ContextLengthExceeded => Some("context_length_exceeded"),
        _ => None,
    }
}

/// Envoy's own local replies.
fn of_envoy(facts: &FinalFacts) -> Failure {
    let details = facts.details.split('{').next().unwrap_or_default();
    let (class, message) = match (facts.status, details) {
        (413, _) => (
            Class::InvalidRequest,
            "the request body exceeds the proxy's buffer limit",
        ),
        (401 | 403, _) => (
            Class::Authentication,
            "the proxy refused the client's credentials",
        ),
        (_, RATE_LIMITER_ERROR) => (
            Class::Overloaded,
            "the rate limit service, which keeps a budget, did not answer",
        ),
        (429, _) => (Class::RateLimited, "the proxy limits the rate of requests"),
        (_, "response_payload_too_large") => (
            Class::ReplyTooLarge,
            "the reply exceeds the proxy's buffer limit",
        ),
        (504 | 408, _) => (Class::Timeout, "no provider answered in time"),
        (_, "no_healthy_upstream") => (Class::Ejected, "no provider is in service"),
        (_, "cluster_not_found") => (Class::ServerError, "the proxy has no cluster for this plan"),
        (502, _) => (
            Class::Reset,
            "the connection to the provider broke before it answered",
        ),
        (503, _) => (
            Class::ConnectFailure,
            "no connection to a provider could be made",
        ),
        (400..=499, _) => (Class::InvalidRequest, "the proxy refused the request"),
        _ => (Class::ServerError, "the proxy could not serve the request"),
    };
    let failure = Failure::new(class, message);
    let status = if (400..600).contains(&facts.status) {
        facts.status
    } else {
        failure.status
    };
    match facts.status {
        413 => failure.with_status(status).with_code("request_too_large"),
        _ => failure.with_status(status),
    }
}

/// What the client can act on comes first, then what passes, then what only the operator mends.
fn usefulness(class: Class) -> u8 {
    match class {
        Class::InvalidRequest | Class::ContentFilter | Class::ContextLengthExceeded => 5,
        Class::RateLimited | Class::QuotaExhausted => 4,
        Class::Overloaded | Class::ReplyTooLarge => 3,
        Class::ServerError
        | Class::Timeout
        | Class::EmptyReply
        | Class::MalformedReply
        | Class::NotJson
        | Class::LowQuality => 2,
        Class::ConnectFailure | Class::Reset | Class::Ejected => 1,
        Class::Authentication | Class::ModelNotFound => 0,
    }
}
