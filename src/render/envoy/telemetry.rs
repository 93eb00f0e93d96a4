//! The access log: as JSON on standard output, and as OpenTelemetry's log records.
//!
//! Source: OpenTelemetry's conventions for generative AI and the older ones of version 1.36;
//! Envoy's API types of 1.40, "OpenTelemetryAccessLogConfig"; read 2026-11-21.

use serde_json::{Map, Value, json};

use super::clusters::endpoint_cluster;
use super::typed;
use crate::config::{Config, GenAiNames};
use crate::exchange::handoff;

/// The collector's cluster.
const OTLP: &str = "pointsman.otlp";

const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// What [`PROVIDER_NAME`] was called up to version 1.36.
const SYSTEM: &str = "gen_ai.system";

/// Every log of requests.
pub(in crate::render) fn access_logs(config: &Config) -> Vec<Value> {
    let fields = fields(config.envoy.telemetry.names);
    let otlp = config.envoy.telemetry.otlp.as_ref();
    let otlp = otlp.map(|_| open_telemetry(&fields));
    let stdout = typed(
        "envoy.access_loggers.stdout",
        "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        json!({ "log_format": { "json_format": fields } }),
    );
    std::iter::once(stdout).chain(otlp).collect()
}

/// The collector's cluster, when there is one.
pub(in crate::render) fn cluster(config: &Config) -> Option<Value> {
    let endpoint = config.envoy.telemetry.otlp.as_ref()?;
    let mut cluster = endpoint_cluster(OTLP, endpoint);
    if endpoint.tls {
        cluster["transport_socket"]["typed_config"]["common_tls_context"]["alpn_protocols"] =
            json!(["h2"]);
    }
    cluster["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http2_protocol_options": {} },
        },
    });
    Some(cluster)
}

/// What a collector gets: each field is an attribute of the record.
fn open_telemetry(fields: &Map<String, Value>) -> Value {
    let text = |text: &str| json!({ "string_value": text });
    let attributes: Vec<Value> = fields
        .iter()
        .filter(|(name, _)| *name != "start_time") // The record has a time of its own.
        .map(|(name, value)| json!({ "key": name, "value": { "string_value": value } }))
        .collect();
    typed(
        "envoy.access_loggers.open_telemetry",
        "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
        json!({
            "common_config": {
                "log_name": "pointsman",
                "transport_api_version": "V3",
                "grpc_service": { "envoy_grpc": { "cluster_name": OTLP } },
            },
            "disable_builtin_labels": true,
            "resource_attributes": { "values": [
                { "key": "service.name", "value": text("pointsman") },
            ]},
            "body": text("%REQ(:METHOD)% %RESPONSE_CODE%"),
            "attributes": { "values": attributes },
        }),
    )
}

/// One line for each request, with OpenTelemetry GenAI's names where it has them.
fn fields(names: GenAiNames) -> Map<String, Value> {
    let state = |key: &str| json!(format!("%FILTER_STATE(wasm.{key}:PLAIN)%"));
    let Value::Object(fields) = json!({
        "start_time": "%START_TIME%",
        "request_id": state(handoff::REQUEST_ID),
        "method": "%REQ(:METHOD)%",
        "path": state(handoff::REQUEST_PATH),
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "first_byte_ms": "%RESPONSE_DURATION%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "content_type": "%RESP(CONTENT-TYPE)%",
        "upstream_cluster": "%UPSTREAM_CLUSTER%",
        "attempt_count": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "gen_ai.operation.name": state(handoff::OPERATION),
        "gen_ai.request.model": state(handoff::REQUEST_MODEL),
        "gen_ai.provider.name": state(handoff::PROVIDER),
        "gen_ai.response.model": state(handoff::RESPONSE_MODEL),
        "gen_ai.usage.input_tokens": state(handoff::INPUT_TOKENS),
        "gen_ai.usage.output_tokens": state(handoff::OUTPUT_TOKENS),
        "gen_ai.usage.cache_read.input_tokens": state(handoff::CACHED_TOKENS),
        "gen_ai.usage.cache_creation.input_tokens": state(handoff::CACHE_WRITE_TOKENS),
        "gen_ai.usage.reasoning.output_tokens": state(handoff::REASONING_TOKENS),
        "pointsman.service_tier": state(handoff::SERVICE_TIER),
        "pointsman.cost_nano_usd": state(handoff::COST),
        "pointsman.rejected.tokens": state(handoff::REJECTED_TOKENS),
        "pointsman.rejected.cost_nano_usd": state(handoff::REJECTED_COST),
        "pointsman.usage_estimated": state(handoff::USAGE_ESTIMATED),
        "pointsman.cache": state(handoff::CACHE),
        "pointsman.saved_nano_usd": state(handoff::SAVED),
        "pointsman.attempts": state(handoff::TRAIL),
        "pointsman.rule": state(handoff::RULE),
        "pointsman.team": state(handoff::TEAM),
        "pointsman.intent": state(handoff::INTENT),
        "pointsman.complexity": state(handoff::COMPLEXITY),
        "pointsman.classes": state(handoff::CLASSES),
        "pointsman.variant": state(handoff::VARIANT),
        "pointsman.explanation": state(handoff::EXPLANATION),
        "pointsman.fidelity": state(handoff::FIDELITY),
    }) else {
        return Map::new();
    };
    let named = fields.into_iter().flat_map(|(name, value)| {
        let is_renamed = name == PROVIDER_NAME;
        let old = is_renamed && names != GenAiNames::Latest;
        let new = !is_renamed || names != GenAiNames::Legacy;
        let old = old.then(|| (SYSTEM.to_owned(), value.clone()));
        new.then_some((name, value)).into_iter().chain(old)
    });
    named.collect()
}
