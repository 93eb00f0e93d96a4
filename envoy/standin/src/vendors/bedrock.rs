//! Amazon Bedrock's Converse and Anthropic's Messages by `InvokeModel`: its head, its errors and its ways to fail.

mod digest;
mod fields;
mod frame;
mod render;
mod sha256;
mod signature;
mod turns;

use bytes::Bytes;
use serde_json::{Value, json};

use super::anthropic::hosted;
use super::{Dialect, Head, Objection, Refusal, Trouble, check_shape, dotted, operations};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::reply::Reply;
use crate::shape::{Kind, Violation};

/// The dialect.
pub struct Bedrock;

impl Dialect for Bedrock {
    fn name(&self) -> &'static str {
        "bedrock"
    }

    fn examine(&self, head: &Head, body: &[u8]) -> Result<Ask, Refusal> {
        examine(head, body).map_err(|objection| Refusal {
            reply: error_reply(&objection),
            reason: objection.message,
        })
    }

    fn render(&self, ask: &Ask, answer: &Answer) -> Reply {
        if ask.speaks_messages {
            return hosted::wrapped(ask, answer, frame::MEDIA_TYPE, frame::chunk);
        }
        ask.reply.as_ref().map_or_else(
            || render::reply(ask, answer),
            |body| Reply::json(200, body.to_string().into_bytes()),
        )
    }

    fn failure(
        &self,
        _ask: &Ask,
        status: u16,
        code: Option<&str>,
        retry_after: Option<u64>,
    ) -> Reply {
        let (usual, message) = usual(status);
        let mut reply = reply(status, code.unwrap_or(usual), message);
        if let Some(seconds) = retry_after {
            let field = ("retry-after".to_owned(), seconds.to_string());
            reply.headers.push(field);
        }
        reply
    }

    fn trouble(&self, trouble: Trouble, _ask: &Ask) -> Reply {
        error_reply(&match trouble {
            Trouble::Quota => objection(
                429,
                "ThrottlingException",
                "Too many tokens per day, please wait before trying again.",
            ),
            Trouble::ModelGone => objection(
                404,
                "ResourceNotFoundException",
                "This model version has reached the end of its life.",
            ),
            Trouble::ContextOverflow => bad("Input is too long for requested model."),
            Trouble::ContentFilter => bad("Output blocked by content filtering policy"),
        })
    }

    fn refuses_with_an_error(&self) -> bool {
        false
    }

    fn error_event(&self, ask: &Ask) -> Bytes {
        let error = json!({"message": "The system encountered an unexpected error."});
        if ask.stream {
            frame::exception("internalServerException", &error)
        } else {
            Bytes::from(error.to_string())
        }
    }

    fn broken_event(&self, ask: &Ask) -> Bytes {
        if ask.stream && ask.speaks_messages {
            frame::event_of_bytes("chunk", b"{\"bytes\":\"eyJ0")
        } else if ask.stream {
            frame::event_of_bytes("contentBlockDelta", b"{\"contentBlockIndex\":0,\"delta")
        } else {
            Bytes::from_static(b"{\"output\":{\"mess")
        }
    }
}

fn examine(head: &Head, body: &[u8]) -> Result<Ask, Objection> {
    if let Some(stray) = head.stray("authorization") {
        return Err(bad(&stray));
    }
    check_credential(head, body)?;
    let (model, operation, stream) = operation(head)?;
    if operation == Operation::Invoke && !model.contains("anthropic.") {
        return operations::of_bedrock(&model, body).map_err(|message| bad(&message));
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| objection(400, "SerializationException", "the body is not valid JSON"))?;
    if operation == Operation::Invoke {
        let ask = hosted::examine(&hosted::BEDROCK, body, model, stream);
        return ask.map_err(|objection| bad(&objection.message));
    }
    let body = match operation {
        Operation::Count => counted(&model, body)?,
        _ => body,
    };
    check_shape(&fields::REQUEST, &body, violated)?;
    turns::check(&body)?;
    let mut ask = digest::digest(&body, model, stream);
    if operation == Operation::Count {
        ask.reply = Some(json!({"inputTokens": ask.input_bytes / 4 + 1}));
    }
    Ok(ask)
}

/// What is counted: a part of a request, for Anthropic's models under their own names.
fn counted(model: &str, mut body: Value) -> Result<Value, Objection> {
    if !model.starts_with("anthropic.") {
        return Err(bad("The provided model doesn't support counting tokens."));
    }
    let known = [
        "messages",
        "system",
        "toolConfig",
        "additionalModelRequestFields",
    ];
    let request = body["input"]["converse"].take();
    let fields = request
        .as_object()
        .ok_or_else(|| bad("input.converse is missing"))?;
    let stray = fields.keys().find(|name| !known.contains(&name.as_str()));
    stray.map_or(Ok(request.clone()), |name| {
        Err(bad(&format!("Unknown field {name:?}")))
    })
}

/// A key of the form `access:secret` verifies signatures, any other is a bearer token.
fn check_credential(head: &Head, body: &[u8]) -> Result<(), Objection> {
    let Some(key) = head.key else { return Ok(()) };
    let found = head.header("authorization").unwrap_or_default();
    if let Some((access, secret)) = key.split_once(':') {
        return signature::verify(head, body, access, secret)
            .map_err(|message| objection(403, "InvalidSignatureException", &message));
    }
    match found.strip_prefix("Bearer ") == Some(key) {
        true => Ok(()),
        false => Err(objection(
            403,
            "AccessDeniedException",
            "Authentication failed: Please make sure your API Key is valid.",
        )),
    }
}

/// What a model is asked for.
#[derive(Debug, PartialEq)]
enum Operation {
    Converse,
    Invoke,
    Count,
}

/// The model, the operation and whether a stream is wanted, from `/model/{modelId}/converse` and
/// its kin.
fn operation(head: &Head) -> Result<(String, Operation, bool), Objection> {
    let unknown = || {
        let message = format!("no such operation: {} {}", head.method, head.path);
        objection(404, "UnknownOperationException", &message)
    };
    let rest = head.path.strip_prefix("/model/").ok_or_else(unknown)?;
    let (model, operation) = rest.split_once('/').ok_or_else(unknown)?;
    let (operation, stream) = match operation {
        "converse" => (Operation::Converse, false),
        "converse-stream" => (Operation::Converse, true),
        "count-tokens" => (Operation::Count, false),
        "invoke" => (Operation::Invoke, false),
        "invoke-with-response-stream" => (Operation::Invoke, true),
        _ => return Err(unknown()),
    };
    if head.method != hyper::Method::POST {
        return Err(unknown());
    }
    let model = percent_decoded(model).filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| bad("The provided model identifier is invalid."))?;
    // A name that was encoded twice still has escapes.
    match model.contains('%') {
        true => Err(bad("The provided model identifier is invalid.")),
        false => Ok((model, operation, stream)),
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn objection(status: u16, kind: &'static str, message: &str) -> Objection {
    Objection {
        status,
        kind,
        message: message.to_owned(),
        param: None,
    }
}

/// An objection with status 400.
fn bad(message: &str) -> Objection {
    objection(400, "ValidationException", message)
}

fn violated(violation: &Violation) -> Objection {
    let path = dotted(&violation.path);
    bad(&match &violation.kind {
        Kind::Unknown => format!("{path}: extraneous key is not permitted"),
        Kind::Expected(expected) => format!("{path}: expected {expected}"),
        Kind::BadWord(word) => format!("{path}: '{word}' is none of those expected"),
    })
}

fn error_reply(objection: &Objection) -> Reply {
    reply(objection.status, objection.kind, &objection.message)
}

/// The exception's name stands in a header only.
fn reply(status: u16, kind: &str, message: &str) -> Reply {
    let body = json!({ "message": message });
    let mut reply = Reply::json(status, body.to_string().into_bytes());
    let field = ("x-amzn-errortype".to_owned(), kind.to_owned());
    reply.headers.push(field);
    reply
}

/// Exception and wording that go with a status.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        401 | 403 => (
            "AccessDeniedException",
            "You don't have access to the model.",
        ),
        404 => ("ResourceNotFoundException", "Could not resolve the model."),
        408 => ("ModelTimeoutException", "Model has timed out."),
        424 => ("ModelErrorException", "The model failed."),
        429 => ("ThrottlingException", "Too many requests, please wait."),
        503 => (
            "ServiceUnavailableException",
            "Bedrock is unable to process your request.",
        ),
        500.. => (
            "InternalServerException",
            "The system encountered an unexpected error.",
        ),
        _ => ("ValidationException", "The request is not valid."),
    }
}

#[cfg(test)]
mod tests;
