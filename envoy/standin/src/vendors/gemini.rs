//! Gemini `generateContent`, and Anthropic's Messages on Vertex AI: its head, its errors and its ways to fail.

mod digest;
mod fields;
mod render;
mod turns;

use bytes::Bytes;
use serde_json::{Value, json};

use super::anthropic::hosted;
use super::{
    Dialect, Head, Objection, Refusal, Trouble, bracketed, check_shape, data_event, operations,
};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::reply::Reply;
use crate::shape::{Kind, Step, Violation};

/// The dialect.
pub struct Gemini;

/// What a path addresses.
struct Target<'a> {
    model: &'a str,
    counts: bool,
    stream: bool,
    vertex: bool,
    messages: bool,
}

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn examine(&self, head: &Head, body: &[u8]) -> Result<Ask, Refusal> {
        examine(head, body).map_err(|objection| Refusal {
            reply: error_reply(&objection),
            reason: objection.message,
        })
    }

    fn render(&self, ask: &Ask, answer: &Answer) -> Reply {
        if ask.speaks_messages {
            return hosted::reply(ask, answer);
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
        let mut error = error(status, code.unwrap_or(usual), message);
        // The delay travels in the body; there is no header for it.
        let delay = retry_after.or((status == 429).then_some(30));
        if let Some(seconds) = delay {
            error["error"]["details"] = json!([{
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": format!("{seconds}s"),
            }]);
        }
        Reply::json(status, error.to_string().into_bytes())
    }

    fn trouble(&self, trouble: Trouble, ask: &Ask) -> Reply {
        match trouble {
            Trouble::Quota => quota(ask),
            Trouble::ModelGone => error_reply(&Objection {
                status: 404,
                kind: "NOT_FOUND",
                message: format!("models/{} is not found.", ask.model),
                param: None,
            }),
            Trouble::ContextOverflow => error_reply(&bad(
                "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
            )),
            Trouble::ContentFilter => error_reply(&bad("The prompt was blocked.")),
        }
    }

    fn refuses_with_an_error(&self) -> bool {
        false
    }

    fn error_event(&self, ask: &Ask) -> Bytes {
        if ask.speaks_messages {
            return super::anthropic::Anthropic.error_event(ask);
        }
        let (status, message) = usual(503);
        let error = error(503, status, message);
        if ask.stream && ask.sse {
            data_event(&error)
        } else if ask.stream {
            Bytes::from(format!("[{error}]"))
        } else {
            Bytes::from(error.to_string())
        }
    }

    fn broken_event(&self, ask: &Ask) -> Bytes {
        if ask.sse {
            Bytes::from_static(b"data: {\"candidates\": [{\"content\": {\r\n\r\n")
        } else {
            Bytes::from_static(b",\r\n{\"candidates\": [{\"content\": {\r\n")
        }
    }
}

fn examine(head: &Head, body: &[u8]) -> Result<Ask, Objection> {
    let target = target(head)?;
    let own = if target.vertex {
        "authorization"
    } else {
        "x-goog-api-key"
    };
    if let Some(stray) = head.stray(own) {
        return Err(bad(&stray));
    }
    let credential = head.header(own);
    let credential = match target.vertex {
        true => credential.and_then(|value| value.strip_prefix("Bearer ")),
        false => credential,
    };
    if !head.is_let_in(credential) {
        return Err(Objection {
            status: 401,
            kind: "UNAUTHENTICATED",
            message: "The request has invalid authentication credentials.".to_owned(),
            param: None,
        });
    }
    if let Some(asked) = operations::of_gemini(head.path, body) {
        return asked.map_err(|message| bad(&message));
    }
    let mut body: Value =
        serde_json::from_slice(body).map_err(|_| bad("Invalid JSON payload received."))?;
    if target.messages {
        if target.model == "count-tokens" {
            return hosted::count(&hosted::VERTEX, body);
        }
        let model = target.model.to_owned();
        return hosted::examine(&hosted::VERTEX, body, model, target.stream);
    }
    let shape = if target.vertex {
        &fields::VERTEX_REQUEST
    } else {
        &fields::REQUEST
    };
    if target.counts {
        body = counted(&target, body).map_err(|message| bad(&message))?;
    }
    shape.adopt_camel_case(&mut body);
    check_shape(shape, &body, violated)?;
    turns::check(&body, target.model)?;
    let mut ask = digest::digest(&body, target.model);
    ask.stream = target.stream;
    ask.sse = head.query.split('&').any(|pair| pair == "alt=sse");
    if target.counts {
        ask.reply = Some(json!({"totalTokens": ask.input_bytes / 4 + 1}));
    }
    Ok(ask)
}

/// What is counted: a whole request on AI Studio, some of its fields on Vertex AI.
fn counted(target: &Target<'_>, mut body: Value) -> Result<Value, String> {
    if target.vertex {
        let fields = body.as_object().ok_or("not an object")?;
        let known = ["contents", "systemInstruction", "tools", "generationConfig"];
        let stray = fields.keys().find(|name| !known.contains(&name.as_str()));
        return stray.map_or(Ok(body.clone()), |name| {
            Err(format!("Unknown name {name:?}"))
        });
    }
    let mut request = body["generateContentRequest"].take();
    let fields = request
        .as_object_mut()
        .ok_or("generateContentRequest is missing")?;
    match fields.remove("model") {
        Some(model) if model == format!("models/{}", target.model) => Ok(request),
        _ => Err("The model in the request does not match the one in the path.".to_owned()),
    }
}

fn target<'a>(head: &Head<'a>) -> Result<Target<'a>, Objection> {
    find_target(head).ok_or_else(|| Objection {
        status: 404,
        kind: "NOT_FOUND",
        message: format!("No such method: {} {}", head.method, head.path),
        param: None,
    })
}

fn find_target<'a>(head: &Head<'a>) -> Option<Target<'a>> {
    let (place, rest) = head.path.split_once("/models/")?;
    let (model, method) = rest.rsplit_once(':')?;
    let messages = place.ends_with("/publishers/anthropic");
    let vertex = messages || place.ends_with("/publishers/google");
    let known_place = vertex || matches!(place, "/v1beta" | "/v1" | "/v1alpha");
    let stream = match (method, messages) {
        ("generateContent", false) | ("rawPredict", true) => false,
        ("streamGenerateContent", false) | ("streamRawPredict", true) => true,
        ("countTokens", false) => false,
        ("batchEmbedContents", false) if !vertex => false,
        _ => return None,
    };
    let known = known_place && !model.is_empty() && head.method == hyper::Method::POST;
    known.then_some(Target {
        model,
        counts: method == "countTokens",
        stream,
        vertex,
        messages,
    })
}

/// An objection with status 400.
fn bad(message: &str) -> Objection {
    Objection {
        status: 400,
        kind: "INVALID_ARGUMENT",
        message: message.to_owned(),
        param: None,
    }
}

fn violated(violation: &Violation) -> Objection {
    let path = bracketed(&violation.path);
    let unknown = |name: &str, parent: &str| {
        format!(
            "Invalid JSON payload received. Unknown name \"{name}\" at '{parent}': Cannot find field."
        )
    };
    let message = match (&violation.kind, violation.path.split_last()) {
        (Kind::Unknown, Some((Step::Key(name), parents))) => unknown(name, &bracketed(parents)),
        (Kind::Unknown, _) => unknown(&path, ""),
        (Kind::Expected(expected), _) => {
            format!("Invalid value at '{path}': expected {expected}.")
        }
        (Kind::BadWord(word), _) => format!("Invalid value at '{path}': \"{word}\""),
    };
    Objection {
        param: Some(path),
        ..bad(&message)
    }
}

fn error_reply(objection: &Objection) -> Reply {
    let mut error = error(objection.status, objection.kind, &objection.message);
    if let Some(field) = &objection.param {
        error["error"]["details"] = json!([{
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": field, "description": objection.message}],
        }]);
    }
    Reply::json(objection.status, error.to_string().into_bytes())
}

fn error(code: u16, status: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message, "status": status}})
}

fn quota(ask: &Ask) -> Reply {
    let message = "You exceeded your current quota; check your plan and billing details.";
    let mut error = error(429, "RESOURCE_EXHAUSTED", message);
    error["error"]["details"] = json!([
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{
                "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
                "quotaId": "GenerateRequestsPerDayPerProjectPerModel",
                "quotaDimensions": {"model": ask.model, "location": "global"},
                "quotaValue": "50",
            }],
        },
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3600s"},
    ]);
    Reply::json(429, error.to_string().into_bytes())
}

/// Status name and wording that go with a status code.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => (
            "UNAUTHENTICATED",
            "The request has invalid authentication credentials.",
        ),
        403 => ("PERMISSION_DENIED", "The caller has no permission."),
        404 => ("NOT_FOUND", "The model is not found."),
        429 => ("RESOURCE_EXHAUSTED", "Resource has been exhausted."),
        499 => ("CANCELLED", "The operation was cancelled."),
        503 => (
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.",
        ),
        504 => ("DEADLINE_EXCEEDED", "The deadline expired."),
        500.. => ("INTERNAL", "An internal error has occurred."),
        _ => (
            "INVALID_ARGUMENT",
            "The request contains an invalid argument.",
        ),
    }
}
