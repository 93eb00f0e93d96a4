mod fitting;
mod replies;
mod templates;
mod words;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::catalog::{Fit, Trim};
use crate::provider;
use crate::tokens::MOST_SCANNED;

fn backend(change: impl FnOnce(&mut Backend)) -> Backend {
    let document = json!({
        "version": 1,
        "providers": {"local": {"kind": "openai_compatible", "endpoint": "http://a/v1"}},
        "models": {"smart": {"candidates": [{"provider": "local", "model": "qwen"}]}}
    });
    let checked = crate::config::Config::from_json(document.to_string().as_bytes());
    let (config, _) = checked.expect("a configuration");
    let mut backend = config.models["smart"].candidates[0].clone();
    change(&mut backend);
    backend
}

fn without_tools() -> Backend {
    backend(|b| {
        b.capabilities.tools = false;
        b.adaptation.tools = Lack::Prompt;
    })
}

fn small(window: u64, fit: Fit) -> Backend {
    backend(|b| {
        b.capabilities.context_window = Some(window);
        b.adaptation.fit = Some(fit);
    })
}

const OLDEST: Fit = Fit {
    trim: Trim::OldestTurns,
    keep_last: 1,
    reserve_output: 10,
};

fn templated(template: Template) -> Backend {
    backend(|b| b.adaptation.template = Some(Arc::new(template)))
}

/// What a kind of provider is sent in the end, what was found, what the reply needs.
fn adapted(
    kind: &str,
    backend: &Backend,
    body: &Value,
) -> Result<Option<(Value, String, Option<Reshape>)>, TranslateError> {
    let body = body.to_string().into_bytes();
    let request = ChatCompletionRequest::parse(&body).expect("a request");
    let kind = provider::find(kind).expect("a kind");
    let dialect = kind.dialect();
    let candidate = Candidate {
        backend,
        schema: kind.schema(),
        dialect: &dialect,
        alias: "smart",
        is_fallback: false,
    };
    let mut report = Report::default();
    let adapted = adapt(&request, &body, &candidate, &mut report)?;
    Ok(adapted.map(|a| {
        let value = serde_json::from_slice(&a.body).expect("JSON");
        (value, report.to_string(), a.reshape)
    }))
}

fn done(backend: &Backend, body: &Value) -> (Value, String, Option<Reshape>) {
    let adapted = adapted("openai_compatible", backend, body).expect("no error");
    adapted.expect("something to do")
}

fn weather() -> Value {
    json!([{"type": "function", "function": {
        "name": "weather", "description": "Tells it.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}
    }}])
}

/// Estimated tokens of a request.
fn tokens_of(sent: &Value) -> u64 {
    let body = sent.to_string();
    let request = ChatCompletionRequest::parse(body.as_bytes()).expect("a request");
    crate::inspect::tally(&request, body.len(), MOST_SCANNED).tokens(Default::default())
}
