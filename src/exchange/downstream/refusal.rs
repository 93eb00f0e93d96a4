//! What a request is refused for before anybody is asked.

use std::borrow::Cow;

use super::RequestHead;
use crate::catalog::Backend;
use crate::config::{Config, ModelConfig};
use crate::exchange::mutation::ImmediateResponse;
use crate::exchange::sieve::Loss;
use crate::failure::{Class, Failure};
use crate::inspect::{InvalidRequest, RequestProfile};
use crate::operation::Operation;
use crate::routing::{Facts, RoutePlan};
use crate::surface::Surface;

/// The code of a request that every candidate is left out of.
pub(super) const NO_ABLE_CANDIDATE: &str = "no_able_candidate";

/// How many known models an error names.
const MODELS_NAMED: usize = 20;

/// Why a request is refused before its body has come.
pub(super) fn refuse_by_headers(config: &Config, head: &RequestHead) -> Option<Failure> {
    let limit = config.limits.request_bytes;
    if head.content_length.is_some_and(|length| length > limit) {
        return Some(too_large(limit));
    }
    if head
        .content_encoding
        .as_deref()
        .is_some_and(|e| e != "identity")
    {
        let failure = Failure::new(
            Class::InvalidRequest,
            "the request body must not be compressed",
        );
        return Some(failure.with_status(415));
    }
    head.end_of_stream.then(|| {
        invalid(&InvalidRequest {
            param: String::new(),
            message: "the body is empty; it must be a JSON object".into(),
        })
    })
}

pub(super) fn invalid(error: &InvalidRequest) -> Failure {
    let message = if error.param.is_empty() {
        error.message.clone()
    } else {
        Cow::Owned(format!("{} {}", error.param, error.message))
    };
    let mut failure = Failure::new(Class::InvalidRequest, message);
    failure.param = (!error.param.is_empty()).then(|| error.param.clone().into());
    failure
}

pub(super) fn too_large(limit: u64) -> Failure {
    let message = format!("the request body exceeds the limit of {limit} bytes");
    Failure::new(Class::InvalidRequest, message)
        .with_status(413)
        .with_code("request_too_large")
}

pub(super) fn wrong_method(
    surface: Option<&'static dyn Surface>,
    allowed: &'static str,
) -> ImmediateResponse {
    let failure = Failure::new(
        Class::InvalidRequest,
        format!("use {allowed} for this path"),
    )
    .with_status(405)
    .with_code("method_not_allowed");
    let mut response = ImmediateResponse::error_of(surface, &failure);
    response.headers.push(("allow", allowed.to_owned()));
    response
}

/// The models that whoever asks may ask for, as far as it is known before a request's body is.
pub(super) fn admitted_models<'c>(
    config: &'c Config,
    facts: &'c Facts,
) -> impl Iterator<Item = &'c str> {
    let routing = &config.routing;
    let is_admitted = |name: &&str| {
        routing.admit.is_empty() || routing.admits(&RequestProfile::of_model(name), facts)
    };
    config.models.keys().map(String::as_str).filter(is_admitted)
}

/// Whoever asks may not. Says no more than whether it is known who that is.
pub(super) fn not_admitted(facts: &Facts) -> Failure {
    let is_known = !facts.identities.is_empty() || !facts.claims.is_empty();
    let (status, code, message) = match is_known {
        true => (403, "not_admitted", "the client may not ask for this"),
        false => (
            401,
            "identity_required",
            "the client is not known: a certificate or a token that the gateway admits is needed",
        ),
    };
    Failure::new(Class::Authentication, message)
        .with_status(status)
        .with_code(code)
}

pub(super) fn unknown_model(config: &Config, name: &str, facts: &Facts) -> Failure {
    let name: String = name.chars().take(100).collect();
    let mut known: Vec<&str> = admitted_models(config, facts).collect();
    let more = known.len().saturating_sub(MODELS_NAMED);
    known.truncate(MODELS_NAMED);
    let mut message = format!(
        "the model {name:?} does not exist; known models: {}",
        known.join(", ")
    );
    if more > 0 {
        message.push_str(&format!(" and {more} more"));
    }
    let mut failure = Failure::new(Class::ModelNotFound, message);
    failure.param = Some("model".into());
    failure
}

pub(super) fn no_candidate(
    model: &ModelConfig,
    operation: Operation,
    plan: &RoutePlan<'_>,
    lost: &[(&Backend, Loss)],
) -> Failure {
    let mut reasons = Vec::new();
    for (c, why) in &plan.unable {
        reasons.push(format!("{}/{}: {}", c.provider, c.model, why));
    }
    for (c, loss) in lost {
        reasons.push(format!("{}/{}: {loss}", c.provider, c.model));
    }
    let name = &model.name;
    let what = match operation {
        Operation::Chat => "request".to_owned(),
        other => format!("request for {}", other.as_str()),
    };
    let message = format!(
        "no candidate of {name} can serve this {what} ({})",
        reasons.join("; ")
    );
    let mut failure = Failure::new(Class::InvalidRequest, message).with_code(NO_ABLE_CANDIDATE);
    failure.param = lost.iter().find_map(|(_, loss)| loss.param());
    failure
}
