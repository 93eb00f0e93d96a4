//! OpenAI Chat Completions, and the same on Azure's paths: its head, its errors and its ways to fail.

mod azure;
mod digest;
mod fields;
mod render;
mod turns;

use bytes::Bytes;
use serde_json::{Value, json};

pub(super) use self::digest::digest;
pub(super) use self::turns::check as check_turns;
use super::{
    Dialect, Head, Objection, Refusal, Trouble, bracketed, check_shape, data_event, operations,
};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::besides;
use crate::reply::Reply;
use crate::shape::{Kind, Violation};

/// The dialect.
pub struct OpenAi;

impl Dialect for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn examine(&self, head: &Head, body: &[u8]) -> Result<Ask, Refusal> {
        let asked = match besides::Besides::of(head.path) {
            Some(besides) => admit(head).and_then(|()| {
                let ask = besides.examine(head, body);
                ask.ok_or_else(|| bad("invalid_request", "body", "The body is not valid."))
            }),
            None => examine(head, body),
        };
        asked.map_err(|objection| Refusal {
            reply: error_reply(&objection),
            reason: objection.message,
        })
    }

    fn render(&self, ask: &Ask, answer: &Answer) -> Reply {
        if let Some(besides) = &ask.besides {
            return besides.reply(ask);
        }
        let mut reply = ask.reply.as_ref().map_or_else(
            || render::reply(ask, answer),
            |body| Reply::json(200, body.to_string().into_bytes()),
        );
        if ask.on_azure {
            azure::annotate(&mut reply);
        }
        reply
    }

    fn failure(
        &self,
        _ask: &Ask,
        status: u16,
        code: Option<&str>,
        retry_after: Option<u64>,
    ) -> Reply {
        let (kind, usual, message) = usual(status, code);
        let error = error(message, kind, None, code.or(usual));
        let mut reply = Reply::json(status, error.to_string().into_bytes());
        if let Some(seconds) = retry_after {
            let field = ("retry-after".to_owned(), seconds.to_string());
            reply.headers.push(field);
        }
        reply
    }

    fn trouble(&self, trouble: Trouble, ask: &Ask) -> Reply {
        match trouble {
            Trouble::Quota => self.failure(ask, 429, Some("insufficient_quota"), None),
            Trouble::ModelGone => error_reply(&Objection {
                status: 404,
                kind: "model_not_found",
                message: format!("The model `{}` does not exist.", ask.model),
                param: None,
            }),
            Trouble::ContextOverflow => error_reply(&bad(
                "context_length_exceeded",
                "messages",
                "The input is longer than this model's context length of 8192 tokens.",
            )),
            Trouble::ContentFilter if ask.on_azure => azure::filtered(),
            Trouble::ContentFilter => error_reply(&bad(
                "content_filter",
                "prompt",
                "The prompt was filtered by the content policy.",
            )),
        }
    }

    fn refuses_with_an_error(&self) -> bool {
        true
    }

    fn error_event(&self, ask: &Ask) -> Bytes {
        let message = "The server had an error while processing the request.";
        let error = error(message, "server_error", None, None);
        if ask.stream {
            data_event(&error)
        } else {
            Bytes::from(error.to_string())
        }
    }

    fn broken_event(&self, _ask: &Ask) -> Bytes {
        Bytes::from_static(b"data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\n\n")
    }
}

fn examine(head: &Head, body: &[u8]) -> Result<Ask, Objection> {
    if let Some(asked) = operations::of_openai(head.path, body) {
        admit(head)?;
        return asked.map_err(|message| bad("invalid_request", "input", &message));
    }
    let on_azure = azure::is_here(head)?;
    let body = self::body(head, body)?;
    check_shape(&fields::REQUEST, &body, violated)?;
    turns::check(&body)?;
    Ok(Ask {
        on_azure,
        ..digest(&body)
    })
}

/// The body of a request whose head is right.
pub(super) fn body(head: &Head, body: &[u8]) -> Result<Value, Objection> {
    admit(head)?;
    if head.method != hyper::Method::POST || !head.path.ends_with("/chat/completions") {
        return Err(Objection {
            status: 404,
            kind: "unknown_url",
            message: format!("Invalid URL ({} {})", head.method, head.path),
            param: None,
        });
    }
    serde_json::from_slice(body)
        .map_err(|_| bad("invalid_json", "body", "The body is not valid JSON."))
}

/// Lets in who has the key, and nothing that is for others.
fn admit(head: &Head) -> Result<(), Objection> {
    let own = if azure::is_here(head)? && head.header("api-key").is_some() {
        "api-key"
    } else {
        "authorization"
    };
    if let Some(stray) = head.stray(own) {
        return Err(bad("invalid_header", "headers", &stray));
    }
    let credential = head.header(own);
    let credential = match own {
        "api-key" => credential,
        _ => credential.and_then(|value| value.strip_prefix("Bearer ")),
    };
    if !head.is_let_in(credential) {
        return Err(Objection {
            status: 401,
            kind: "invalid_api_key",
            message: "Incorrect API key provided.".to_owned(),
            param: None,
        });
    }
    Ok(())
}

/// An objection with status 400.
fn bad(kind: &'static str, param: &str, message: &str) -> Objection {
    Objection {
        status: 400,
        kind,
        message: message.to_owned(),
        param: Some(param.to_owned()),
    }
}

pub(super) fn violated(violation: &Violation) -> Objection {
    let path = bracketed(&violation.path);
    match &violation.kind {
        Kind::Unknown => {
            let message = format!("Unknown parameter: '{path}'.");
            bad("unknown_parameter", &path, &message)
        }
        Kind::Expected(expected) => {
            let message = format!("Invalid type for '{path}': expected {expected}.");
            bad("invalid_type", &path, &message)
        }
        Kind::BadWord(word) => {
            let message = format!("Invalid value for '{path}': '{word}'.");
            bad("invalid_value", &path, &message)
        }
    }
}

pub(super) fn error_reply(objection: &Objection) -> Reply {
    let error = error(
        &objection.message,
        "invalid_request_error",
        objection.param.as_deref(),
        Some(objection.kind),
    );
    Reply::json(objection.status, error.to_string().into_bytes())
}

fn error(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}

/// Type, code and wording that go with a status.
fn usual(status: u16, code: Option<&str>) -> (&'static str, Option<&'static str>, &'static str) {
    match (status, code) {
        (429, Some("insufficient_quota")) => (
            "insufficient_quota",
            None,
            "You exceeded your current quota; check your plan and billing details.",
        ),
        (429, _) => (
            "requests",
            Some("rate_limit_exceeded"),
            "Rate limit reached for requests.",
        ),
        (401, _) => (
            "invalid_request_error",
            Some("invalid_api_key"),
            "Incorrect API key provided.",
        ),
        (403, _) => (
            "invalid_request_error",
            Some("unsupported_country_region_territory"),
            "Country, region, or territory not supported.",
        ),
        (404, _) => (
            "invalid_request_error",
            Some("model_not_found"),
            "The model does not exist.",
        ),
        (503, _) => (
            "service_unavailable_error",
            None,
            "The engine is currently overloaded.",
        ),
        (500.., _) => (
            "server_error",
            None,
            "The server had an error while processing the request.",
        ),
        _ => ("invalid_request_error", None, "The request is not valid."),
    }
}
