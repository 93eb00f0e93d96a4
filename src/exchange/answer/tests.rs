use std::rc::Rc;

use crate::config::Config;
use crate::exchange::downstream::{Downstream, RequestFacts, RequestHead, Verdict};
use crate::exchange::handoff::{self, Handoff};
use crate::exchange::{Flow, HeaderEdit, ImmediateResponse, Mutation, Topology};
use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::inspect::InvalidRequest;
use crate::surface::{Surface, SurfaceContext, SurfaceReply};

/// `say <words>` or `stream <words>`; anything else is wrong. Replies are shouted.
struct Shouting;

struct Shout {
    streamed: bool,
}

impl Surface for Shouting {
    fn name(&self) -> &'static str {
        "shouting"
    }

    fn path(&self) -> &'static str {
        "/shout"
    }

    fn open(
        &self,
        body: &[u8],
        context: &SurfaceContext,
        chat: &mut Vec<u8>,
        report: &mut Report,
    ) -> Result<Box<dyn SurfaceReply>, InvalidRequest> {
        let text = String::from_utf8_lossy(body);
        let (verb, words) = text
            .split_once(' ')
            .ok_or_else(|| InvalidRequest::new("verb", "is missing"))?;
        let streamed = verb == "stream";
        if words.contains("softly") {
            report.dropped("softness", "it is always loud");
        }
        let words = format!("{words} ({})", context.id);
        let request = serde_json::json!({"model": "m", "stream": streamed,
            "messages": [{"role": "user", "content": words}]});
        chat.extend_from_slice(request.to_string().as_bytes());
        Ok(Box::new(Shout { streamed }))
    }

    fn write_error(&self, failure: &Failure, out: &mut Vec<u8>) {
        let param = failure.param.as_deref().unwrap_or_default();
        out.extend_from_slice(format!("{param}! {}", failure.message).as_bytes());
    }
}

impl SurfaceReply for Shout {
    fn is_streamed(&self) -> bool {
        self.streamed
    }

    fn whole(&mut self, chat: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        if chat.is_empty() {
            return Err(Failure::new(Class::MalformedReply, "nothing to shout"));
        }
        out.extend(chat.to_ascii_uppercase());
        Ok(())
    }

    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        out.extend(chunk.to_ascii_uppercase());
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.push(b'!');
    }
}

fn config(settings: &str) -> Rc<Config> {
    let document = format!(
        r#"{{"version":1,"providers":{{"openai":{{}}}},"models":{{"m":{{
            "candidates":[{{"provider":"openai","model":"gpt-5"}}]{settings}}}}},
            "limits":{{"reply":"2KiB","held_stream":"1KiB"}}}}"#
    );
    let (config, _) = Config::from_json(document.as_bytes()).expect("a configuration");
    Rc::new(config)
}

fn head(method: &str) -> RequestHead {
    RequestHead {
        method: method.to_owned(),
        path: "/v1/shout?loud".to_owned(),
        ..RequestHead::default()
    }
}

fn start(settings: &str) -> Downstream {
    let surfaces: &[&'static dyn Surface] = &[&Shouting];
    let (config, topology) = (config(settings), Topology::PerAttempt);
    match Downstream::start_among(surfaces, &config, topology, &head("POST")) {
        Verdict::Inspect(downstream, _) => downstream,
        _ => panic!("the path of a surface is ours"),
    }
}

fn open(downstream: &mut Downstream, body: &str) -> Result<Mutation, ImmediateResponse> {
    let facts = RequestFacts {
        request_id: "r-1",
        ..RequestFacts::default()
    };
    downstream.on_body(body.as_bytes(), facts)
}

fn opened(body: &str) -> Downstream {
    let mut downstream = start("");
    open(&mut downstream, body).expect("a plan");
    downstream
}

fn set<'m>(mutation: &'m Mutation, name: &str) -> Option<&'m str> {
    mutation.headers.iter().rev().find_map(|edit| match edit {
        HeaderEdit::Set(n, value) if n == name => Some(value.as_str()),
        _ => None,
    })
}

fn body(mutation: &Mutation) -> String {
    String::from_utf8(mutation.body.clone().expect("a body")).expect("text")
}

#[test]
fn the_chat_body_takes_the_place_of_the_clients() {
    let mutation = open(&mut start(""), "say hi softly").expect("a plan");
    let chat: serde_json::Value = serde_json::from_str(&body(&mutation)).expect("JSON");
    assert_eq!(chat["messages"][0]["content"], "hi softly (r-1)");
    let length = body(&mutation).len().to_string();
    assert_eq!(set(&mutation, "content-length"), Some(length.as_str()));
    let plan = mutation.state.iter().find(|s| s.key == handoff::PLAN);
    let plan = Handoff::decode(&plan.expect("a plan").value).expect("a plan");
    assert_eq!(plan.findings.to_string(), "dropped softness");
}

#[test]
fn a_model_that_rejects_losses_rejects_those_of_the_surface() {
    let reject = r#","on_unsupported":"reject""#;
    assert!(open(&mut start(reject), "say hi").is_ok());
    let response = open(&mut start(reject), "say hi softly").expect_err("a refusal");
    let text = String::from_utf8(response.body).expect("text");
    assert!(text.contains("dropped softness"), "{text}");
}

#[test]
fn errors_have_the_surfaces_own_shape() {
    let response = open(&mut start(""), "silence").expect_err("a refusal");
    assert_eq!(response.status, 400);
    assert_eq!(response.body, b"verb! verb is missing");
    let surfaces: &[&'static dyn Surface] = &[&Shouting];
    let topology = Topology::PerAttempt;
    let verdict = Downstream::start_among(surfaces, &config(""), topology, &head("GET"));
    let Verdict::Respond(response) = verdict else {
        panic!("a surface takes POST only");
    };
    assert_eq!(
        (response.status, &*response.body),
        (405, &b"! use POST for this path"[..])
    );
    let response = opened("say hi").failure_response(&crate::exchange::FinalFacts {
        status: 504,
        ..Default::default()
    });
    assert_eq!(response.body, b"! no provider answered in time");
}

#[test]
fn a_whole_reply_is_held_and_translated() {
    let mut downstream = opened("say hi");
    assert!(downstream.wants_reply());
    let held = downstream.on_reply_headers(200, false);
    assert_eq!(held.flow, Flow::Pause);
    assert!(!downstream.reads_reply(false) && downstream.reads_reply(true));
    let mutation = downstream.on_reply_body(b"hello", true);
    assert_eq!(body(&mutation), "HELLO");
    assert_eq!(set(&mutation, "content-length"), Some("5"));
    assert_eq!(mutation.flow, Flow::Continue);
}

#[test]
fn a_reply_that_cannot_be_translated_is_an_error() {
    let too_large = vec![b'x'; 2049];
    for (chat, message) in [
        (&b""[..], "! nothing to shout"),
        (&too_large, "! the reply exceeds limits.reply"),
    ] {
        let mut downstream = opened("say hi");
        downstream.on_reply_headers(200, false);
        let mutation = downstream.on_reply_body(chat, true);
        assert_eq!(set(&mutation, ":status"), Some("502"));
        assert_eq!(body(&mutation), message);
    }
}

#[test]
fn a_stream_is_translated_as_it_comes() {
    let mut downstream = opened("stream hi");
    let headers = downstream.on_reply_headers(200, false);
    assert_eq!(headers.flow, Flow::Continue);
    assert_eq!(
        headers.headers,
        [HeaderEdit::Remove("content-length".into())]
    );
    assert!(downstream.reads_reply(false));
    assert_eq!(body(&downstream.on_reply_body(b"a", false)), "A");
    assert_eq!(body(&downstream.on_reply_body(b"b", true)), "B!");
}

#[test]
fn an_upstream_filters_own_error_is_written_again() {
    let mut downstream = opened("stream hi");
    assert_eq!(downstream.on_reply_headers(503, true).flow, Flow::Pause);
    assert!(!downstream.reads_reply(false));
    let error =
        br#"{"error":{"message":"not set up","type":"server_error","param":null,"code":"x"}}"#;
    let mutation = downstream.on_reply_body(error, true);
    assert_eq!(set(&mutation, ":status"), Some("503"));
    assert_eq!(body(&mutation), "! not set up");
}
