//! One request at a stand-in, from its head to its reply.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};

use crate::answer::Answer;
use crate::ask::Ask;
use crate::besides::Besides;
use crate::connection::Fate;
use crate::control;
use crate::faults::{Fault, Outcome};
use crate::record::Exchange;
use crate::reply::{Reply, ReplyBody};
use crate::server::Shared;
use crate::vendors::{Head, Refusal};

/// The connection is to end without a reply.
#[derive(Debug)]
pub struct NoReply;

impl std::fmt::Display for NoReply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the stand-in gives no reply")
    }
}

impl std::error::Error for NoReply {}

impl From<Infallible> for NoReply {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Answers one request.
pub async fn handle(
    shared: Arc<Shared>,
    fate: Fate,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, NoReply> {
    let (head, body) = request.into_parts();
    if let Some(task) = head.uri.path().strip_prefix(control::PREFIX) {
        let body = collect(body).await?;
        let reply = control::task(&shared, &head.method, task, &body).await;
        let exchange = Exchange::unrecorded();
        return Ok(response(reply, fate, exchange));
    }
    let mut exchange = shared.recorder.begin(&head);
    let body = collect(body).await?;
    exchange.body(&body);
    let reply = match examine(&shared, &head, &body) {
        Ok(ask) => answer(&shared, ask, &mut exchange).await,
        Err(refusal) => {
            exchange.refusal(&refusal.reason);
            Outcome::Reply(refusal.reply)
        }
    };
    match reply {
        Outcome::Reply(reply) => {
            exchange.status(reply.status);
            Ok(response(reply, fate, exchange))
        }
        Outcome::End(end) => {
            fate.decide(end);
            exchange.complete();
            Err(NoReply)
        }
    }
}

async fn collect(body: Incoming) -> Result<Bytes, NoReply> {
    // An error means that the client went away in mid-request.
    let body = body.collect().await.map_err(|_| NoReply)?;
    Ok(body.to_bytes())
}

fn examine(shared: &Shared, head: &Parts, body: &[u8]) -> Result<Ask, Refusal> {
    if head.method == Method::GET && head.uri.path().ends_with("/models") {
        return Ok(Ask {
            besides: Some(Besides::Models),
            reply: Some(Besides::models()),
            ..Ask::default()
        });
    }
    let head = Head {
        method: &head.method,
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        key: shared.key.as_deref(),
    };
    shared.vendor.dialect().examine(&head, body)
}

async fn answer(shared: &Shared, ask: Ask, exchange: &mut Exchange) -> Outcome {
    let dialect = shared.vendor.dialect();
    let fault = shared.rules().fault_for(&ask);
    let answer = Answer::to(&ask, dialect.name());
    exchange.tokens(ask.input_tokens(), answer.output_tokens());
    let Some(fault) = fault else {
        return Outcome::Reply(dialect.render(&ask, &answer));
    };
    exchange.fault(fault.kind());
    stall(&fault).await;
    let ask = fault.misheard(ask);
    fault.play(dialect, &ask)
}

async fn stall(fault: &Fault) {
    match fault.stall() {
        Some(Some(time)) => tokio::time::sleep(time).await,
        Some(None) => std::future::pending().await,
        None => {}
    }
}

fn response(reply: Reply, fate: Fate, exchange: Exchange) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::new(reply.body, fate, exchange));
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status)
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    for (name, value) in reply.headers {
        // A script may hold names that are no header names; those cannot be sent.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            headers.insert(name, value);
        }
    }
    response
}
