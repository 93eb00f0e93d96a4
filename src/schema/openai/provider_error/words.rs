//! What the codes, types and messages of OpenAI-compatible servers mean.

use crate::failure::Class;

/// The class of an error: its own words first, then its HTTP status.
pub(super) fn class_of(
    code: Option<&str>,
    kind: Option<&str>,
    message: &str,
    status: Option<u16>,
) -> Class {
    code.and_then(of_word)
        .or_else(|| kind.and_then(of_word))
        .or_else(|| of_message(message))
        .unwrap_or_else(|| of_status(code, kind, status))
}

/// What a code or a type means whatever the status.
fn of_word(word: &str) -> Option<Class> {
    Some(match word {
        "insufficient_quota"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "quota_exceeded"
        | "credit_limit"
        | "credits_exhausted" => Class::QuotaExhausted,
        "rate_limit_exceeded" | "rate_limit_error" | "tokens" | "requests" => Class::RateLimited,
        // `capacity_exceeded` is Groq's, with its own status 498.
        "engine_overloaded"
        | "overloaded_error"
        | "server_overloaded"
        | "model_overloaded"
        | "capacity_exceeded"
        | "service_tier_capacity_exceeded" => Class::Overloaded,
        "context_length_exceeded" | "exceed_context_size_error" | "string_above_max_length" => {
            Class::ContextLengthExceeded
        }
        // `invalid_prompt` is how OpenAI's reasoning models refuse.
        "content_filter"
        | "content_policy_violation"
        | "data_inspection_failed"
        | "invalid_prompt"
        | "moderation_blocked" => Class::ContentFilter,
        "model_not_found"
        | "model_not_available"
        | "unknown_model"
        | "model_decommissioned"
        | "DeploymentNotFound"
        | "deployment_not_found"
        | "model_deprecated" => Class::ModelNotFound,
        "invalid_api_key" | "authentication_error" | "account_deactivated" => Class::Authentication,
        // Groq: the model wrote what its own server could not read; another may do better.
        "tool_use_failed" | "json_validate_failed" => Class::MalformedReply,
        _ => return None,
    })
}

/// What servers without codes say in words.
fn of_message(message: &str) -> Option<Class> {
    const CONTEXT_LENGTH: &[&str] = &[
        "maximum context length",
        "maximum model length",
        "context window",
        "context length",
        "available context size",
        "`inputs` tokens + `max_new_tokens` must be",
    ];
    const QUOTA: &[&str] = &[
        "exceeded your current quota",
        "insufficient credit",
        "insufficient balance",
    ];
    const CONTENT: &[&str] = &["input was flagged", "content exists risk"];
    const MODEL: &[&str] = &[
        "has been deprecated",
        "model does not exist",
        "model not found",
        "is not a valid model",
    ];
    // xAI answers 400 to a wrong key.
    const KEY: &[&str] = &["incorrect api key", "invalid api key"];
    let message = message.to_ascii_lowercase();
    let meanings = [
        (CONTEXT_LENGTH, Class::ContextLengthExceeded),
        (QUOTA, Class::QuotaExhausted),
        (CONTENT, Class::ContentFilter),
        (MODEL, Class::ModelNotFound),
        (KEY, Class::Authentication),
    ];
    meanings
        .into_iter()
        .find(|(words, _)| words.iter().any(|word| message.contains(word)))
        .map(|(_, class)| class)
}

/// The status is more exact than words that only tell whose fault it was; such a word counts
/// where the status says no more, or is missing.
fn of_status(code: Option<&str>, kind: Option<&str>, status: Option<u16>) -> Class {
    let by_status = status.map(Class::of_status);
    let blames = |words: &[&str]| {
        [code, kind]
            .into_iter()
            .flatten()
            .any(|w| words.contains(&w))
    };
    match by_status {
        None | Some(Class::InvalidRequest) if blames(&SERVER) => Class::ServerError,
        None if blames(&CLIENT) => Class::InvalidRequest,
        None => Class::ServerError,
        Some(class) => class,
    }
}

const SERVER: [&str; 4] = [
    "server_error",
    "internal_error",
    "internal_server_error",
    "InternalServerError",
];

const CLIENT: [&str; 2] = ["invalid_request_error", "BadRequestError"];
