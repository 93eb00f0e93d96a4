//! What one request costs both roles, from its headers to its reply, and what a piece of a stream
//! costs. What the host does besides is left out: `make bench` has it in its figures.
//!
//! The same program runs natively and, as a WASI command, in Node's V8, which is Envoy's engine.
//! With a provider's name it does what that provider's request needs, so many times:
//! `valgrind --tool=callgrind pointsman-exchange anthropic 1000`.

#![allow(clippy::panic, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use pointsman::config::Config;
use pointsman::exchange::{
    Attempt, AttemptFacts, Downstream, RequestFacts, RequestHead, ResponseHead, Topology, Verdict,
    handoff,
};

const PROVIDERS: [&str; 3] = ["openai", "anthropic", "gemini"];
const SIZES_KIB: [usize; 3] = [1, 16, 256];
const SENTENCE: &str =
    "The switch is set by hand, and \\\"set\\\" means:\\n\\tthe blades touch the rail, each time. ";

fn main() {
    let config = config();
    let mut asked = std::env::args().skip(1);
    if let Some(provider) = asked.next() {
        let times = asked.next().and_then(|times| times.parse().ok());
        let body = request(&provider, 1024);
        for _ in 0..times.unwrap_or(1000) {
            black_box(exchange(&config, &provider, black_box(&body)));
        }
        return;
    }
    println!("{:<10}  {:>12}  {:>8}", "provider", "what", "us");
    for provider in PROVIDERS {
        for kib in SIZES_KIB {
            let body = request(provider, kib * 1024);
            let us = measure(kib, || exchange(&config, provider, black_box(&body)));
            println!("{provider:<10}  {:>12}  {us:>8.1}", format!("{kib} KiB"));
        }
        let mut stream = Stream::open(&config, provider);
        let us = measure(1, || stream.push());
        println!("{provider:<10}  {:>12}  {us:>8.1}", "a piece");
    }
}

/// The least of many short rounds, in microseconds: whatever else the machine does only adds.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn measure<T>(kib: usize, mut once: impl FnMut() -> T) -> f64 {
    const ROUNDS: usize = 200;
    let times = if kib > 16 { 2 } else { 20 };
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..times {
            black_box(once());
        }
        least = least.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(times));
    }
    least
}

fn config() -> Rc<Config> {
    let document = r#"{"version":1,"providers":{"openai":{},"anthropic":{},"gemini":{}},"models":{
        "openai":{"candidates":[{"provider":"openai","model":"gpt-5"},{"provider":"anthropic","model":"claude-opus-4-5"}]},
        "anthropic":{"candidates":[{"provider":"anthropic","model":"claude-opus-4-5"},{"provider":"openai","model":"gpt-5"}]},
        "gemini":{"candidates":[{"provider":"gemini","model":"gemini-3-pro"},{"provider":"openai","model":"gpt-5"}]}}}"#;
    match Config::from_json(document.as_bytes()) {
        Ok((config, _)) => Rc::new(config),
        Err(problems) => panic!("{problems:?}"),
    }
}

fn exchange(config: &Rc<Config>, provider: &str, body: &[u8]) -> usize {
    let (mut attempt, edits) = attempt(config, provider, body);
    let sent = match attempt.on_request_body(body) {
        Ok(sent) => sent,
        Err(refusal) => panic!("the request was refused: {}", refusal.reason),
    };
    let headers = attempt.on_response_headers(&answered("application/json"), 0);
    let answer = attempt.on_response_body(reply(provider).as_bytes(), true, 0);
    edits + sent.body.map_or(0, |b| b.len()) + headers.headers.len() + answer.state.len()
}

/// An attempt whose headers have gone, and how many headers it has changed.
fn attempt(config: &Rc<Config>, provider: &str, body: &[u8]) -> (Attempt, usize) {
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
        now_ms: 1_763_000_000_000,
        now_s: 1_763_000_000,
        ..RequestFacts::default()
    };
    let Ok(planned) = downstream.on_body(body, facts) else {
        panic!("there is no plan");
    };
    let plan = planned.state.into_iter().find(|e| e.key == handoff::PLAN);
    let facts = AttemptFacts {
        plan: plan.map(|plan| plan.value).unwrap_or_default(),
        number: 1,
        cluster: provider.to_owned(),
        ..AttemptFacts::default()
    };
    let Ok((attempt, mutation)) = Attempt::start(config, Topology::PerAttempt, facts) else {
        panic!("the attempt was refused");
    };
    let edits = attempt.on_request_headers(&headers).headers.len();
    (attempt, edits + mutation.state.len())
}

fn answered(content_type: &str) -> ResponseHead {
    let names = ["content-type", "content-length", content_type];
    ResponseHead {
        status: 200,
        names: names.map(str::to_owned).to_vec(),
        ..ResponseHead::default()
    }
}

fn request_headers() -> Vec<(String, String)> {
    const NAMES: [&str; 16] = [
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
        "x-stainless-lang",
        "x-stainless-os",
        "x-forwarded-proto",
        "x-request-id",
        "x-pointsman-key-openai",
    ];
    NAMES
        .iter()
        .map(|n| ((*n).to_owned(), "a value of some bytes".to_owned()))
        .collect()
}

/// Turns of at most 4 KiB each, about `size` bytes in all.
fn request(model: &str, size: usize) -> Vec<u8> {
    let mut body = format!(
        r#"{{"model":"{model}","temperature":0.7,"max_completion_tokens":512,"messages":[{{"role":"system","content":"You explain railways."}}"#
    );
    let mut left = size.saturating_sub(200);
    while left > 0 {
        let turn = left.min(4096);
        let text = SENTENCE.repeat((turn / SENTENCE.len()).max(1));
        body += &format!(r#",{{"role":"user","content":"{text}"}}"#);
        left -= turn;
    }
    (body + "]}").into_bytes()
}

fn reply(provider: &str) -> String {
    let text = SENTENCE.repeat(12);
    match provider {
        "anthropic" => format!(
            r#"{{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-5","content":[{{"type":"text","text":"{text}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":300,"output_tokens":250}}}}"#
        ),
        "gemini" => format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}],"role":"model"}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":300,"candidatesTokenCount":250}},"modelVersion":"gemini-3-pro","responseId":"r1"}}"#
        ),
        _ => format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":300,"completion_tokens":250,"total_tokens":550}}}}"#
        ),
    }
}

/// A stream that has begun.
struct Stream {
    attempt: Attempt,
    piece: &'static str,
}

impl Stream {
    fn open(config: &Rc<Config>, provider: &str) -> Stream {
        let body = format!(
            r#"{{"model":"{provider}","stream":true,"messages":[{{"role":"user","content":"Hi"}}]}}"#
        );
        let (mut attempt, _) = attempt(config, provider, body.as_bytes());
        if attempt.on_request_body(body.as_bytes()).is_err() {
            panic!("the request was refused");
        }
        attempt.on_response_headers(&answered("text/event-stream"), 0);
        let (opening, piece) = events(provider);
        attempt.on_response_body(opening.as_bytes(), false, 0);
        attempt.on_response_body(piece.as_bytes(), false, 0);
        Stream { attempt, piece }
    }

    fn push(&mut self) -> usize {
        let piece = black_box(self.piece.as_bytes());
        let mutation = self.attempt.on_response_body(piece, false, 0);
        mutation.body.map_or(0, |body| body.len())
    }
}

/// A stream's opening up to its first content, and one piece of content.
fn events(provider: &str) -> (&'static str, &'static str) {
    match provider {
        "anthropic" => (
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":300,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"the blades touch\"}}\n\n",
        ),
        "gemini" => (
            "",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"the blades touch\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":300,\"totalTokenCount\":305},\"modelVersion\":\"m\",\"responseId\":\"r1\"}\n\n",
        ),
        _ => (
            "",
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"the blades touch\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
        ),
    }
}
