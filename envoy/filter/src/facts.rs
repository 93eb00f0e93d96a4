//! What the downstream role reads of the host, for the core.

use pointsman::config::Routing;
use pointsman::exchange::handoff::{ATTEMPTS, COST, ESCALATE, FAILED, FAILURE, LOCAL, TRAIL};
use pointsman::exchange::{FinalFacts, Fleet, RequestHead, Told};

use crate::host::{self, Side};

/// Where Envoy keeps the claims of tokens that it has checked.
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// What is known of a request by its headers.
pub(crate) fn request_head(routing: &Routing, end_of_stream: bool) -> RequestHead {
    let mut head = RequestHead {
        end_of_stream,
        ..RequestHead::default()
    };
    let reads = &routing.reads;
    for (name, value) in host::headers(Side::Request) {
        if reads.headers.contains(&name) {
            head.known.headers.push((name.clone(), value.clone()));
        }
        match name.as_str() {
            ":method" => head.method.clone_from(&value),
            ":path" => head.path.clone_from(&value),
            "content-length" => head.content_length = value.parse().ok(),
            "content-type" => head.content_type = Some(value),
            "content-encoding" => head.content_encoding = Some(value),
            "upgrade" => head.upgrade = true,
            "anthropic-beta" => head.betas.push(value.clone()),
            "cache-control" => {
                let said = head.cache_control.get_or_insert_default();
                said.push_str(&value);
                said.push(',');
            }
            "x-request-id" => head.request_id.clone_from(&value),
            _ => {}
        }
        head.names.push(name);
    }
    if head.method == "GET" {
        // The listing is decided by the head alone.
        let now_s = host::now().as_secs();
        head.known.set_time(now_s, routing.utc_offset_minutes);
    }
    if reads.identity && routing.identity_header.is_none() {
        let uri = host::property_text(&["connection", "uri_san_peer_certificate"]);
        head.known.identities = vec![uri];
        head.known.identities.retain(|uri| !uri.is_empty());
    }
    for claim in &reads.claims {
        let mut path = vec!["metadata", "filter_metadata", JWT_AUTHN];
        path.push(routing.jwt_payload.as_str());
        path.extend(claim.split('.'));
        if let Some(bytes) = host::property(&path) {
            head.add_claim(claim, &bytes);
        }
    }
    head
}

/// The header that may tell Envoy of an attempt's answer, and is not for the client; `None` when
/// no attempt has answered.
pub(crate) fn signal_of_answer() -> Option<&'static str> {
    let has = |name| host::header(Side::Response, name).is_some();
    if has(ATTEMPTS) {
        Some(ESCALATE)
    } else if has(LOCAL) && !has(FAILED) {
        Some(LOCAL)
    } else {
        None
    }
}

/// What is known when Envoy gives up.
pub(crate) fn final_facts(fleet: &Fleet, told: Told) -> FinalFacts {
    FinalFacts {
        status: response_status(),
        details: host::property_text(&["response", "code_details"]),
        nano_usd: host::property_number(COST),
        trail: host::property_text(&[TRAIL]),
        failure: host::property(&[FAILURE]).unwrap_or_default(),
        ended: host::header(Side::Response, FAILED).unwrap_or_default(),
        fleet: fleet.clone(),
        told,
        now_ms: host::now_ms(),
    }
}

/// Whether Envoy has sent the request to anybody.
pub(crate) fn has_been_tried() -> bool {
    let attempts = host::property_int(&["upstream", "request_attempt_count"]);
    attempts.is_some_and(|attempts| attempts > 0)
}

/// What the client is about to get; 0 when that is not known.
pub(crate) fn response_status() -> u16 {
    let status = host::header(Side::Response, ":status");
    status.and_then(|s| s.parse().ok()).unwrap_or(0)
}

/// A draw that differs from request to request: FNV-1a over what is at hand.
pub(crate) fn draw(nanos: u32, context_id: u32, request_id: &str) -> u64 {
    let facts = nanos
        .to_le_bytes()
        .into_iter()
        .chain(context_id.to_le_bytes());
    facts
        .chain(request_id.bytes())
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        })
}
