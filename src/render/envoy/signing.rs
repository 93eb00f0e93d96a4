//! Credentials that Envoy writes after the filter has written the request: signatures of AWS,
//! and tokens.
//!
//! Source: Envoy's documentation, "AWS Request Signing" and "Composite Filter", and the API
//! types of 1.40, read 2026-11-21.

use serde_json::{Value, json};

use super::{tokens, typed};
use crate::config::{AwsSigning, Config, ProviderConfig};
use crate::provider::Auth;

/// What the filter leaves in the request, but Envoy itself may still change or remove: a
/// signature must not cover it.
const UNSIGNED_PREFIXES: [&str; 3] = ["x-envoy-", "x-forwarded-", "x-request-id"];

/// The filters that sign, or set tokens, for those of `providers` that want it.
///
/// All members of a static chain share its filters: there each works only on what goes to its
/// own authority, which the filter has set before, and on what carries no key.
pub(super) fn filters(config: &Config, providers: &[&ProviderConfig]) -> Vec<Value> {
    let mut alike: Vec<&ProviderConfig> = Vec::new();
    for provider in providers {
        if !alike.iter().any(|other| are_alike(provider, other)) {
            alike.push(provider);
        }
    }
    let filters = alike.into_iter().filter_map(|provider| {
        let sign = provider.signing.as_ref().map(sign);
        let inject = |client| tokens::inject(config, provider, client);
        let filter = sign.or_else(|| provider.oauth.as_ref().map(inject))?;
        Some(match providers {
            [_] => filter,
            _ => only_for(&provider.endpoint.authority(), providers, filter),
        })
    });
    filters.collect()
}

fn are_alike(a: &ProviderConfig, b: &ProviderConfig) -> bool {
    let who = |p: &ProviderConfig| (p.endpoint.authority(), p.signing.clone(), p.oauth.clone());
    who(a) == who(b)
}

/// Whether Envoy writes credentials for both, at one address, and not the same: in a chain it
/// cannot tell them apart.
pub(super) fn are_confused(a: &ProviderConfig, b: &ProviderConfig) -> bool {
    let is_written = |p: &ProviderConfig| p.signing.is_some() || p.oauth.is_some();
    let is_one_place = a.endpoint.authority() == b.endpoint.authority();
    is_written(a) && is_written(b) && is_one_place && !are_alike(a, b)
}

fn sign(signing: &AwsSigning) -> Value {
    typed(
        "envoy.filters.http.aws_request_signing",
        "envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning",
        json!({
            "service_name": signing.service,
            "region": signing.region,
            "match_excluded_headers": UNSIGNED_PREFIXES
                .map(|prefix| json!({ "prefix": prefix })),
        }),
    )
}

fn only_for(authority: &str, providers: &[&ProviderConfig], filter: Value) -> Value {
    let keyed = providers
        .iter()
        .filter(|p| p.endpoint.authority() == authority);
    let mut headers: Vec<&str> = keyed
        .filter(|p| p.key.is_some())
        .map(|p| key_header(p))
        .collect();
    headers.sort_unstable();
    headers.dedup();
    let mut predicates = vec![has_header(":authority", json!({ "exact": authority }))];
    predicates.extend(headers.into_iter().map(|name| {
        let is_there = json!({ "safe_regex": { "google_re2": {}, "regex": ".+" } });
        json!({ "not_matcher": has_header(name, is_there) })
    }));
    let predicate = match predicates.len() {
        1 => predicates.remove(0),
        _ => json!({ "and_matcher": { "predicate": predicates } }),
    };
    only_where(&format!("only.{authority}"), predicate, filter)
}

/// The header in which a provider looks for its key.
fn key_header(provider: &ProviderConfig) -> &str {
    match &provider.auth {
        Auth::Bearer | Auth::AwsSigV4 { .. } => "authorization",
        Auth::Header(name) => name,
    }
}

/// A filter for requests that are like this.
pub(super) fn only_where(name: &str, predicate: Value, filter: Value) -> Value {
    let action = typed(
        "filter",
        "envoy.extensions.filters.http.composite.v3.ExecuteFilterAction",
        json!({ "typed_config": filter }),
    );
    let composite = typed(
        "envoy.filters.http.composite",
        "envoy.extensions.filters.http.composite.v3.Composite",
        json!({}),
    );
    typed(
        name,
        "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
        json!({
            "extension_config": composite,
            "xds_matcher": { "matcher_list": { "matchers": [
                { "predicate": predicate, "on_match": { "action": action } },
            ]}},
        }),
    )
}

pub(super) fn has_header(name: &str, value: Value) -> Value {
    let input = typed(
        name,
        "envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
        json!({ "header_name": name }),
    );
    json!({ "single_predicate": { "input": input, "value_match": value } })
}
