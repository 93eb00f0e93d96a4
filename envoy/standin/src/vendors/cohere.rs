//! Cohere's Chat, version 2: its head, its errors and its ways to fail.

mod digest;
mod fields;
mod render;
mod turns;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Dialect, Head, Objection, Refusal, Trouble, bracketed, check_shape, operations};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::reply::Reply;
use crate::shape::{Kind, Violation};

/// The dialect.
pub struct Cohere;

impl Dialect for Cohere {
    fn name(&self) -> &'static str {
        "cohere"
    }

    fn examine(&self, head: &Head, body: &[u8]) -> Result<Ask, Refusal> {
        examine(head, body).map_err(|objection| Refusal {
            reply: error_reply(objection.status, &objection.message),
            reason: objection.message,
        })
    }

    fn render(&self, ask: &Ask, answer: &Answer) -> Reply {
        ask.reply.as_ref().map_or_else(
            || render::reply(ask, answer),
            |body| Reply::json(200, body.to_string().into_bytes()),
        )
    }

    fn failure(
        &self,
        _ask: &Ask,
        status: u16,
        _code: Option<&str>,
        retry_after: Option<u64>,
    ) -> Reply {
        let mut reply = error_reply(status, usual(status));
        if let Some(seconds) = retry_after {
            let field = ("retry-after".to_owned(), seconds.to_string());
            reply.headers.push(field);
        }
        reply
    }

    fn trouble(&self, trouble: Trouble, ask: &Ask) -> Reply {
        match trouble {
            Trouble::Quota => error_reply(
                429,
                "You are using a Trial key, which is limited to 1000 API calls / month.",
            ),
            Trouble::ModelGone => {
                let message = format!(
                    "model '{}' not found, make sure the correct model ID was used.",
                    ask.model
                );
                error_reply(404, &message)
            }
            Trouble::ContextOverflow => error_reply(
                400,
                "too many tokens: total number of tokens in the prompt cannot exceed 8192.",
            ),
            Trouble::ContentFilter => error_reply(400, "blocked output: try another prompt."),
        }
    }

    fn refuses_with_an_error(&self) -> bool {
        true
    }

    fn error_event(&self, ask: &Ask) -> Bytes {
        render::breakdown(ask)
    }

    fn broken_event(&self, _ask: &Ask) -> Bytes {
        Bytes::from_static(b"event: content-delta\ndata: {\"type\":\"content-delta\",\"de\n\n")
    }
}

fn examine(head: &Head, body: &[u8]) -> Result<Ask, Objection> {
    if let Some(stray) = head.stray("authorization") {
        return Err(bad(&stray));
    }
    let credential = head.header("authorization");
    if !head.is_let_in(credential.and_then(|value| value.strip_prefix("Bearer "))) {
        return Err(objection(401, "invalid api token".to_owned()));
    }
    if let Some(asked) = operations::of_cohere(head.path, body) {
        return asked.map_err(|message| bad(&message));
    }
    if head.method != hyper::Method::POST || !head.path.ends_with("/v2/chat") {
        let message = format!("{} {} is no endpoint", head.method, head.path);
        return Err(objection(404, message));
    }
    let body: Value =
        serde_json::from_slice(body).map_err(|_| bad("the body is not valid JSON"))?;
    check_shape(&fields::REQUEST, &body, violated)?;
    turns::check(&body)?;
    Ok(digest::digest(&body))
}

/// An objection with status 400.
fn bad(message: &str) -> Objection {
    objection(400, format!("invalid request: {message}"))
}

fn objection(status: u16, message: String) -> Objection {
    Objection {
        status,
        kind: "error",
        message,
        param: None,
    }
}

fn violated(violation: &Violation) -> Objection {
    let path = bracketed(&violation.path);
    match &violation.kind {
        Kind::Unknown => bad(&format!("unknown field: '{path}'.")),
        Kind::Expected(expected) => bad(&format!("{path} must be {expected}.")),
        Kind::BadWord(word) => bad(&format!("{path} cannot be '{word}'.")),
    }
}

fn error_reply(status: u16, message: &str) -> Reply {
    let error = json!({"id": "standin", "message": message});
    Reply::json(status, error.to_string().into_bytes())
}

fn usual(status: u16) -> &'static str {
    match status {
        401 => "invalid api token",
        402 => "Please add or update your payment method.",
        404 => "the model was not found",
        429 => "You are past the per minute request limit, please wait and try again later.",
        498 => "invalid token",
        499 => "request cancelled",
        500.. => "internal server error, this has been reported to our developers",
        _ => "invalid request: it is not valid.",
    }
}
