//! What the core costs natively, without a host: where a slow gateway benchmark's time goes.
//!
//! ```sh
//! cargo bench --bench core            # all
//! cargo bench --bench core -- inspect # one
//! ```
#![allow(missing_docs, reason = "a program, not an interface")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on ends"
)]

use std::hint::black_box;
use std::rc::Rc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pointsman::catalog::{Backend, Capabilities, Labels};
use pointsman::config::{Config, Serving};
use pointsman::exchange::{
    Attempt, AttemptFacts, Downstream, RequestFacts, RequestHead, ResponseHead, Topology, Verdict,
    handoff,
};
use pointsman::fidelity::Report;
use pointsman::inspect::{Needs, RequestProfile, inspect};
use pointsman::observed::Unobserved;
use pointsman::routing::{self, Constraints, Facts, Params, Policies, PolicyKind, View};
use pointsman::schema::openai::ChatCompletionRequest;
use pointsman::schema::{ReplyContext, Schema};
use serde_json::json;

const SENTENCE: &str =
    "The switch is set by hand, and \"set\" means:\n\tthe blades touch the rail, each time. ";

const SIZES_KIB: [usize; 3] = [1, 16, 256];

const PROVIDERS: [&str; 3] = ["openai", "anthropic", "gemini"];

criterion_group!(
    benches, inspects, requests, replies, chunks, plans, rules, exchanges
);
criterion_main!(benches);

fn inspects(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("inspect");
    for kib in SIZES_KIB {
        let body = request("m", kib * 1024);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(kib), &body, |b, body| {
            b.iter(|| inspect(black_box(body)).is_ok());
        });
    }
    group.finish();
}

fn requests(criterion: &mut Criterion) {
    let config = config();
    for name in PROVIDERS {
        let mut group = criterion.benchmark_group(format!("request/{name}"));
        let provider = config.providers.get(name).unwrap();
        let backend = config.models.get(name).unwrap().candidates.first().unwrap();
        for kib in SIZES_KIB {
            let body = request(name, kib * 1024);
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_with_input(BenchmarkId::from_parameter(kib), &body, |b, body| {
                b.iter(|| {
                    let request = ChatCompletionRequest::parse(black_box(body)).unwrap();
                    let target = provider.target(backend, body);
                    let mut report = Report::default();
                    let schema = provider.kind.schema();
                    schema
                        .translate_request(&request, &target, &mut report)
                        .unwrap()
                });
            });
        }
        group.finish();
    }
}

fn replies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reply");
    let config = config();
    let context = ReplyContext::default();
    for name in PROVIDERS {
        let schema = schema(&config, name);
        let body = reply(name);
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut out = Vec::new();
                schema
                    .translate_response(&context, black_box(&body), &mut out)
                    .unwrap();
                out
            });
        });
    }
    group.finish();
}

/// One piece of content in the middle of a stream.
fn chunks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunk");
    let config = config();
    for name in PROVIDERS {
        let (opening, piece) = stream(name);
        let mut translator = schema(&config, name).translate_stream(ReplyContext::default());
        let mut out = Vec::new();
        translator.push(opening.as_bytes(), &mut out).unwrap();
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                translator.push(black_box(piece.as_bytes()), &mut out)
            });
        });
    }
    group.finish();
}

fn plans(criterion: &mut Criterion) {
    for name in ["priority", "weighted"] {
        let mut group = criterion.benchmark_group(format!("plan/{name}"));
        let policies = policies(name);
        for count in [5, 50, 500] {
            let candidates: Vec<Backend> = (0..count).map(backend).collect();
            let (profile, facts) = (profile(), Facts::default());
            group.bench_with_input(BenchmarkId::from_parameter(count), &candidates, |b, c| {
                b.iter(|| {
                    let view = View {
                        profile: &profile,
                        facts: &facts,
                        constraints: Constraints::default(),
                        draw: 0x9E37_79B9,
                        now_ms: 1_763_000_000_000,
                        observed: &Unobserved,
                    };
                    let plan = routing::plan(black_box(c), &[], &policies, &view);
                    plan.candidates.len()
                });
            });
        }
        group.finish();
    }
}

/// A whole decision, the body's scan aside: rules that do not fit, then candidates by cost.
fn rules(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    for (candidates, rules) in [(5, 50), (5, 200), (50, 200), (500, 200)] {
        let config = ruled(candidates, rules);
        let model = config.models.get("m").unwrap();
        let profile = profile();
        let facts = Facts {
            headers: vec![("x-team".to_owned(), "none-of-them".to_owned())],
            ..Facts::default()
        };
        let name = BenchmarkId::from_parameter(format!("{candidates} candidates, {rules} rules"));
        group.bench_function(name, |b| {
            b.iter(|| {
                let chosen = config.routing.choose(black_box(&profile), &facts);
                let rule = chosen.unwrap_or_default();
                let serving = Serving { model, rule };
                let view = View {
                    profile: &profile,
                    facts: &facts,
                    constraints: Constraints::default(),
                    draw: 0x9E37_79B9,
                    now_ms: 1_763_000_000_000,
                    observed: &Unobserved,
                };
                let required = [&model.require];
                let plan = routing::plan(serving.candidates(), &required, serving.policy(), &view);
                plan.candidates.len()
            });
        });
    }
    group.finish();
}

fn ruled(candidates: usize, rules: usize) -> Config {
    let candidates: Vec<_> = (0..candidates)
        .map(|i| json!({"provider": "openai", "model": format!("m{i}"), "prices": {"input": i + 1, "output": 2}}))
        .collect();
    let rules: Vec<_> = (0..rules)
        .map(|i| {
            let when =
                json!({"model": ["m*", "other"], "headers": {"x-team": format!("team-{i}*")}});
            json!({"when": when, "policy": "weighted"})
        })
        .collect();
    let document = json!({
        "version": 1,
        "providers": {"openai": {"labels": {"residency": "eu"}, "key": {"env": "K"}}},
        "models": {"m": {
            "candidates": candidates,
            "policy": "cheapest",
            "require": {"residency": ["eu", "uk"]},
        }},
        "rules": rules,
    });
    let (config, _) = Config::from_json(document.to_string().as_bytes()).unwrap();
    config
}

fn policies(name: &str) -> Policies {
    let kind = PolicyKind::find(name).unwrap();
    Policies::new(vec![kind.configure(&Params::default()).unwrap()])
}

/// Everything that both roles do for one request and its reply, but the host calls.
fn exchanges(criterion: &mut Criterion) {
    let config = Rc::new(config());
    for name in PROVIDERS {
        let mut group = criterion.benchmark_group(format!("exchange/{name}"));
        let reply = reply(name);
        for kib in SIZES_KIB {
            let body = request(name, kib * 1024);
            group.bench_with_input(BenchmarkId::from_parameter(kib), &body, |b, body| {
                b.iter(|| exchange(&config, name, black_box(body), &reply));
            });
        }
        group.finish();
    }
}

fn exchange(config: &Rc<Config>, provider: &str, body: &[u8], reply: &[u8]) -> usize {
    let headers = request_headers();
    let head = RequestHead {
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        names: headers.iter().map(|(name, _)| name.clone()).collect(),
        ..RequestHead::default()
    };
    let Verdict::Inspect(mut downstream, _) =
        Downstream::start(config, Topology::PerAttempt, &head)
    else {
        panic!("the request is not ours");
    };
    let facts = RequestFacts {
        request_id: "7c4b2a52-2a0b-4d8e-9a0e-3b5f4c3d2e1f",
        ..RequestFacts::default()
    };
    let planned = downstream.on_body(body, facts).unwrap();
    let plan = planned.state.into_iter().find(|e| e.key == handoff::PLAN);
    let facts = AttemptFacts {
        plan: plan.unwrap().value,
        number: 1,
        cluster: provider.to_owned(),
        ..AttemptFacts::default()
    };
    let Ok((mut attempt, _)) = Attempt::start(config, Topology::PerAttempt, facts) else {
        panic!("the attempt was refused");
    };
    let headers = attempt.on_request_headers(&headers);
    let sent = attempt.on_request_body(body).unwrap();
    let head = ResponseHead {
        status: 200,
        names: vec!["content-type".to_owned(), "content-length".to_owned()],
        ..ResponseHead::default()
    };
    attempt.on_response_headers(&head, 0);
    let answered = attempt.on_response_body(reply, true, 0);
    headers.headers.len() + sent.body.map_or(0, |b| b.len()) + answered.body.map_or(0, |b| b.len())
}

fn config() -> Config {
    let candidate = |name: &str| json!({ "candidates": [{ "provider": name, "model": "m" }] });
    let document = json!({
        "version": 1,
        "providers": { "openai": {}, "anthropic": {}, "gemini": {} },
        "models": {
            "openai": candidate("openai"),
            "anthropic": candidate("anthropic"),
            "gemini": candidate("gemini"),
        },
    });
    let Ok((config, _)) = Config::from_json(document.to_string().as_bytes()) else {
        panic!("the configuration is refused");
    };
    config
}

fn schema(config: &Config, name: &str) -> &'static dyn Schema {
    config.providers.get(name).unwrap().kind.schema()
}

/// Turns of at most 4 KiB each, about `size` bytes in all.
fn request(model: &str, size: usize) -> Vec<u8> {
    let mut messages = vec![json!({ "role": "system", "content": "You explain railways." })];
    let mut left = size.saturating_sub(200);
    while left > 0 {
        let turn = left.min(4096);
        let text: String = SENTENCE.chars().cycle().take(turn - turn / 20).collect();
        messages.push(json!({ "role": "user", "content": text }));
        messages.push(json!({ "role": "assistant", "content": "Yes." }));
        left -= turn;
    }
    messages.pop();
    json!({ "model": model, "messages": messages, "temperature": 0.7, "max_completion_tokens": 512 })
        .to_string()
        .into_bytes()
}

fn request_headers() -> Vec<(String, String)> {
    const NAMES: [&str; 20] = [
        ":method",
        ":path",
        ":scheme",
        ":authority",
        "accept",
        "accept-encoding",
        "authorization",
        "content-type",
        "content-length",
        "user-agent",
        "x-stainless-arch",
        "x-stainless-async",
        "x-stainless-lang",
        "x-stainless-os",
        "x-stainless-package-version",
        "x-stainless-runtime",
        "x-forwarded-proto",
        "x-request-id",
        "x-envoy-max-retries",
        "x-pointsman-key-openai",
    ];
    NAMES
        .iter()
        .map(|n| ((*n).to_owned(), "a value of some bytes".to_owned()))
        .collect()
}

fn reply(provider: &str) -> Vec<u8> {
    let text = SENTENCE.repeat(12);
    let reply = match provider {
        "anthropic" => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-5",
            "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn",
            "stop_sequence": null, "usage": { "input_tokens": 300, "output_tokens": 250 },
        }),
        "gemini" => json!({
            "candidates": [{
                "content": { "parts": [{ "text": text }], "role": "model" },
                "finishReason": "STOP", "index": 0,
            }],
            "usageMetadata": { "promptTokenCount": 300, "candidatesTokenCount": 250 },
            "modelVersion": "gemini-3-pro-preview", "responseId": "r1",
        }),
        _ => json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5",
            "choices": [{
                "index": 0, "message": { "role": "assistant", "content": text, "refusal": null },
                "logprobs": null, "finish_reason": "stop",
            }],
            "usage": { "prompt_tokens": 300, "completion_tokens": 250, "total_tokens": 550 },
        }),
    };
    reply.to_string().into_bytes()
}

/// A stream's opening up to its first content, and one piece of content.
fn stream(provider: &str) -> (String, String) {
    let text = "the blades touch";
    let event = |data: serde_json::Value| format!("data: {data}\n\n");
    match provider {
        "anthropic" => {
            let start = json!({ "type": "message_start", "message": {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                "content": [], "usage": { "input_tokens": 300, "output_tokens": 1 },
            }});
            let block = json!({
                "type": "content_block_start", "index": 0,
                "content_block": { "type": "text", "text": "" },
            });
            let piece = json!({
                "type": "content_block_delta", "index": 0,
                "delta": { "type": "text_delta", "text": text },
            });
            (event(start) + &event(block), event(piece))
        }
        "gemini" => {
            let piece = event(json!({
                "candidates": [{
                    "content": { "parts": [{ "text": text }], "role": "model" }, "index": 0,
                }],
                "usageMetadata": { "promptTokenCount": 300, "totalTokenCount": 305 },
                "modelVersion": "m", "responseId": "r1",
            }));
            (piece.clone(), piece)
        }
        _ => {
            let piece = event(json!({
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{
                    "index": 0, "delta": { "content": text }, "logprobs": null,
                    "finish_reason": null,
                }],
            }));
            (piece.clone(), piece)
        }
    }
}

fn backend(number: usize) -> Backend {
    Backend {
        tokenizer: Default::default(),
        provider: format!("provider-{number}"),
        model: "m".to_owned(),
        weight: u32::try_from(number % 7).unwrap_or(1),
        concurrency: None,
        tries: 1,
        capabilities: Capabilities::default(),
        quality: None,
        max_complexity: None,
        prices: None,
        labels: Labels::default(),
        variant: String::new(),
        defaults: Default::default(),
        adaptation: Default::default(),
    }
}

fn profile() -> RequestProfile {
    let body = request("m", 1024);
    let (_, profile) = inspect(&body).unwrap();
    RequestProfile {
        needs: Needs {
            tools: true,
            ..Needs::default()
        },
        ..profile
    }
}
