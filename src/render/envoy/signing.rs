//! Requests to AWS are signed by Envoy, after the filter has written them.
//!
//! Source: Envoy's documentation, "AWS Request Signing" and "Composite Filter", and the API
//! types of 1.40, read 2026-11-21.

use serde_json::{Value, json};

use super::typed;
use crate::config::{AwsSigning, ProviderConfig};

/// What the filter leaves in the request, but Envoy itself may still change or remove: a
/// signature must not cover it.
const UNSIGNED_PREFIXES: [&str; 3] = ["x-envoy-", "x-forwarded-", "x-request-id"];

/// The filters that sign for those of `providers` that want it.
///
/// All members of a static chain share its filters: there each signs only what goes to its
/// own authority, which the filter has set before, and what carries no key.
pub(super) fn filters(providers: &[&ProviderConfig]) -> Vec<Value> {
    let mut signed: Vec<(String, &AwsSigning)> = Vec::new();
    for provider in providers {
        let Some(signing) = &provider.signing else {
            continue;
        };
        let place = (provider.endpoint.authority(), signing);
        if !signed.contains(&place) {
            signed.push(place);
        }
    }
    signed
        .into_iter()
        .map(|(authority, signing)| match providers {
            [_] => sign(signing),
            _ => only_for(&authority, signing),
        })
        .collect()
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

fn only_for(authority: &str, signing: &AwsSigning) -> Value {
    let action = typed(
        "sign",
        "envoy.extensions.filters.http.composite.v3.ExecuteFilterAction",
        json!({ "typed_config": sign(signing) }),
    );
    let composite = typed(
        "envoy.filters.http.composite",
        "envoy.extensions.filters.http.composite.v3.Composite",
        json!({}),
    );
    let is_here = has_header(":authority", json!({ "exact": authority }));
    let has_key = has_header("authorization", json!({ "prefix": "Bearer " }));
    let predicate =
        json!({ "and_matcher": { "predicate": [is_here, { "not_matcher": has_key }] } });
    typed(
        &format!("sign.{authority}"),
        "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
        json!({
            "extension_config": composite,
            "xds_matcher": { "matcher_list": { "matchers": [
                { "predicate": predicate, "on_match": { "action": action } },
            ]}},
        }),
    )
}

fn has_header(name: &str, value: Value) -> Value {
    let input = typed(
        name,
        "envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
        json!({ "header_name": name }),
    );
    json!({ "single_predicate": { "input": input, "value_match": value } })
}
