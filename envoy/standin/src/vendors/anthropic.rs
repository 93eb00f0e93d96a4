//! Anthropic Messages: its head, its errors and its ways to fail.

mod digest;
mod fields;
pub mod hosted;
mod render;
mod turns;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Dialect, Head, Objection, Refusal, Trouble, check_shape, dotted};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::besides::Besides;
use crate::reply::Reply;
use crate::shape::{Kind, Violation};

/// The dialect.
pub struct Anthropic;

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn examine(&self, head: &Head, body: &[u8]) -> Result<Ask, Refusal> {
        examine(head, body).map_err(|objection| Refusal {
            reply: error_reply(&objection),
            reason: objection.message,
        })
    }

    fn render(&self, ask: &Ask, answer: &Answer) -> Reply {
        match &ask.besides {
            Some(besides) => besides.reply(ask),
            None => render::reply(ask, answer),
        }
    }

    fn failure(
        &self,
        _ask: &Ask,
        status: u16,
        code: Option<&str>,
        retry_after: Option<u64>,
    ) -> Reply {
        let (usual, message) = usual(status);
        let error = error(code.unwrap_or(usual), message);
        let mut reply = with_request_id(Reply::json(status, error.to_string().into_bytes()));
        if let Some(seconds) = retry_after {
            let field = ("retry-after".to_owned(), seconds.to_string());
            reply.headers.push(field);
        }
        reply
    }

    fn trouble(&self, trouble: Trouble, ask: &Ask) -> Reply {
        error_reply(&match trouble {
            Trouble::Quota => bad("Your credit balance is too low to access the Anthropic API."),
            Trouble::ModelGone => Objection {
                status: 404,
                kind: "not_found_error",
                message: format!("model: {}", ask.model),
                param: None,
            },
            Trouble::ContextOverflow => bad("prompt is too long: 250000 tokens > 200000 maximum"),
            Trouble::ContentFilter => bad("Output blocked by content filtering policy"),
        })
    }

    fn refuses_with_an_error(&self) -> bool {
        false
    }

    fn error_event(&self, ask: &Ask) -> Bytes {
        let error = error("overloaded_error", "Overloaded");
        if ask.stream {
            render::event("error", &error)
        } else {
            Bytes::from(error.to_string())
        }
    }

    fn broken_event(&self, _ask: &Ask) -> Bytes {
        Bytes::from_static(
            b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\n\n",
        )
    }
}

/// Its own path, and Microsoft Foundry's.
const PATHS: [&str; 2] = ["/v1/messages", "/anthropic/v1/messages"];

fn examine(head: &Head, body: &[u8]) -> Result<Ask, Objection> {
    let (own, credential) = credential(head);
    if let Some(stray) = head.stray(own) {
        return Err(bad(&stray));
    }
    if !head.is_let_in(credential) {
        return Err(Objection {
            status: 401,
            kind: "authentication_error",
            message: "invalid x-api-key".to_owned(),
            param: None,
        });
    }
    let counted = head.path.strip_suffix("/count_tokens");
    if counted.is_some_and(|path| PATHS.contains(&path)) {
        check_version(head.header("anthropic-version"))?;
        let ask = Besides::MessageTokens.examine(head, body);
        return ask.ok_or_else(|| bad("The request body is not valid JSON"));
    }
    if head.method != hyper::Method::POST || !PATHS.contains(&head.path) {
        return Err(Objection {
            status: 404,
            kind: "not_found_error",
            message: format!("no such endpoint: {} {}", head.method, head.path),
            param: None,
        });
    }
    check_version(head.header("anthropic-version"))?;
    let body: Value =
        serde_json::from_slice(body).map_err(|_| bad("The request body is not valid JSON"))?;
    check_shape(&fields::REQUEST, &body, violated)?;
    turns::check(&body)?;
    Ok(digest::digest(&body))
}

/// The documented field is `x-api-key`. The official SDK 2.11 sends the key as a
/// bearer token instead, so exactly the configured key passes that way too; any
/// other token there is a credential that was not meant for this vendor.
fn credential<'a>(head: &'a Head) -> (&'static str, Option<&'a str>) {
    let bearer = head.header("authorization");
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    if bearer.is_some() && bearer == head.key {
        return ("authorization", bearer);
    }
    ("x-api-key", head.header("x-api-key"))
}

/// The version that the documentation names and the one that the SDK 2.11 sends.
const VERSIONS: [&str; 2] = ["2023-06-01", "2026-10-21"];

fn check_version(version: Option<&str>) -> Result<(), Objection> {
    match version {
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(version) => Err(bad(&format!(
            "anthropic-version: \"{version}\" is not valid"
        ))),
        None => Err(bad("anthropic-version: header is required")),
    }
}

/// An objection with status 400.
fn bad(message: &str) -> Objection {
    Objection {
        status: 400,
        kind: "invalid_request_error",
        message: message.to_owned(),
        param: None,
    }
}

fn violated(violation: &Violation) -> Objection {
    let path = dotted(&violation.path);
    bad(&match &violation.kind {
        Kind::Unknown => format!("{path}: Extra inputs are not permitted"),
        Kind::Expected(expected) => format!("{path}: Input should be {expected}"),
        Kind::BadWord(word) => format!("{path}: Input '{word}' is none of those expected"),
    })
}

fn error_reply(objection: &Objection) -> Reply {
    let error = error(objection.kind, &objection.message);
    with_request_id(Reply::json(
        objection.status,
        error.to_string().into_bytes(),
    ))
}

fn with_request_id(mut reply: Reply) -> Reply {
    let field = ("request-id".to_owned(), "req_standin".to_owned());
    reply.headers.push(field);
    reply
}

fn error(kind: &str, message: &str) -> Value {
    json!({
        "type": "error", "error": {"type": kind, "message": message},
        "request_id": "req_standin",
    })
}

/// Error type and wording that go with a status.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("authentication_error", "invalid x-api-key"),
        402 => ("billing_error", "There is a problem with billing."),
        403 => ("permission_error", "Not allowed with this key."),
        404 => ("not_found_error", "Not found."),
        413 => ("request_too_large", "The request is too large."),
        429 => ("rate_limit_error", "The rate limit was exceeded."),
        504 => ("timeout_error", "The request timed out."),
        529 => ("overloaded_error", "Overloaded"),
        500.. => ("api_error", "Internal server error"),
        _ => ("invalid_request_error", "The request is not valid."),
    }
}
