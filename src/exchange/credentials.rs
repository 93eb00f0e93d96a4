//! Headers that must not leave with an attempt: one provider's key never reaches another.
//!
//! Envoy shares one header map between all attempts of a request, so every attempt starts by
//! removing whatever the client sent and whatever an earlier attempt added.

use super::handoff::INTERNAL_PREFIX;

/// Credentials of every provider and of the client.
const CREDENTIALS: [&str; 10] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-portkey-api-key",
    "x-goog-user-project",
    "openai-organization",
    "openai-project",
];

/// What a proxy adds and a provider has no business with; `accept-encoding`, so that replies
/// come uncompressed.
const HOP: [&str; 14] = [
    "accept-encoding",
    "content-length",
    "expect",
    "forwarded",
    "origin",
    "referer",
    "te",
    "via",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

const PREFIXES: [&str; 5] = [
    INTERNAL_PREFIX,
    "x-envoy-",
    "x-amz-",
    "x-amzn-",
    "x-stainless-",
];

/// Whether a request header must not go to a provider.
///
/// Headers of Anthropic's mean nothing elsewhere; where they do, the attempt sets the version,
/// and the betas that the plan has kept.
pub(super) fn is_withheld(name: &str) -> bool {
    name.starts_with("anthropic-")
        || CREDENTIALS.contains(&name)
        || HOP.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a client must not send this header: it would steer Envoy or forge our own.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with(INTERNAL_PREFIX) || name.starts_with("x-envoy-")
}

/// Whether a provider's response header must not reach the client, nor Envoy, which takes
/// orders from `x-envoy-` headers.
pub(super) fn is_withheld_from_client(name: &str) -> bool {
    matches!(
        name,
        "set-cookie" | "alt-svc" | "strict-transport-security" | "content-length"
    ) || is_reserved(name)
}

/// Whether a response header tells of limits: of a provider's, or, where Envoy limits rates, of the
/// client's own, which the former must not be taken for.
pub(super) fn is_of_limits(name: &str) -> bool {
    matches!(
        name,
        "x-ratelimit-limit" | "x-ratelimit-remaining" | "x-ratelimit-reset"
    )
}
