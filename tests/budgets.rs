//! Budgets as the filter keeps them: requests come, reserve, are served, and are settled.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pointsman::config::{Config, yaml};
use pointsman::exchange::handoff::{INPUT_TOKENS, OUTPUT_TOKENS, PLAN, USAGE_ESTIMATED};
use pointsman::exchange::{
    Attempt, AttemptFacts, Downstream, Holding, ImmediateResponse, Mutation, RequestFacts,
    RequestHead, ResponseHead, Topology, Used, Verdict,
};
use pointsman::observed::Store;
use serde_json::{Value, json};

const NOW_S: u64 = 1_790_000_000;

/// What all workers of an Envoy share.
#[derive(Default)]
struct Shared(RefCell<HashMap<String, Vec<u8>>>);

impl Store for Shared {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(name).cloned()
    }

    fn change(&self, name: &str, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
        let old = self.load(name).unwrap_or_default();
        self.0.borrow_mut().insert(name.to_owned(), change(&old));
        true
    }
}

/// A proxy with these budgets, a list as YAML has it.
struct Proxy {
    config: Rc<Config>,
    shared: Shared,
}

/// A request that was let through.
struct Admitted {
    held: Holding,
    mutation: Mutation,
}

const JSON: &str = "application/json";

impl Proxy {
    fn with(budgets: &str) -> Proxy {
        let document = format!(
            "
version: 1
providers:
  openai: {{key: {{env: A}}}}
models:
  smart: {{candidates: [{{provider: openai, model: gpt-5}}]}}
  any:
    candidates:
      - {{provider: openai, model: m, capabilities: {{operations: [embeddings, image_edits]}}}}
budgets:
{budgets}
"
        );
        let config = yaml::load(&document).unwrap_or_else(|problems| panic!("{problems:?}"));
        Proxy {
            config: Rc::new(config.0),
            shared: Shared::default(),
        }
    }

    fn ask(
        &self,
        path: &str,
        media_type: &str,
        body: &[u8],
    ) -> Result<Admitted, ImmediateResponse> {
        let head = RequestHead {
            method: "POST".to_owned(),
            path: path.to_owned(),
            content_type: Some(media_type.to_owned()),
            ..RequestHead::default()
        };
        let start = Downstream::start(&self.config, Topology::PerAttempt, &head);
        let Verdict::Inspect(mut downstream, _) = start else {
            panic!("not ours");
        };
        let facts = RequestFacts {
            now_s: NOW_S,
            books: Some(&self.shared),
            ..RequestFacts::default()
        };
        let mutation = downstream.on_body(body, facts)?;
        let held = downstream.take_holding();
        Ok(Admitted { held, mutation })
    }

    fn chat(&self, body: &Value) -> Result<Admitted, ImmediateResponse> {
        self.ask("/v1/chat/completions", JSON, body.to_string().as_bytes())
    }

    /// Over, with so many tokens.
    fn settle(&self, admitted: &Admitted, tokens: u64) {
        let used = Used {
            tokens,
            ..Used::default()
        };
        admitted
            .held
            .settle(&self.config, &self.shared, used, NOW_S * 1000);
    }

    fn attempt(&self, admitted: &Admitted, body: &Value) -> Attempt {
        let facts = AttemptFacts {
            plan: stored(&admitted.mutation, PLAN).expect("a plan").into(),
            cluster: "openai".to_owned(),
            number: 1,
            ..AttemptFacts::default()
        };
        let started = Attempt::start(&self.config, Topology::PerAttempt, facts);
        let (mut attempt, _) = started.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        attempt.on_request_headers(&[]);
        let sent = attempt.on_request_body(body.to_string().as_bytes());
        sent.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        attempt
    }
}

fn stored(mutation: &Mutation, key: &str) -> Option<String> {
    let mut edits = mutation.state.iter().rev();
    let found = edits.find(|edit| edit.key == key)?;
    Some(String::from_utf8(found.value.clone()).expect("text"))
}

fn refusal(answer: Result<Admitted, ImmediateResponse>) -> (u16, String) {
    let Err(response) = answer else {
        panic!("let through");
    };
    let body: Value = serde_json::from_slice(&response.body).expect("JSON");
    (response.status, body["error"]["message"].to_string())
}

fn form(user: &str) -> (&'static str, Vec<u8>) {
    let part = |name: &str, value: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = part("model", "any") + &part("user", user) + "--b--\r\n";
    ("multipart/form-data; boundary=b", body.into_bytes())
}

#[test]
fn each_user_has_its_own_account_whatever_it_asks_for() {
    let proxy = Proxy::with("  - {tokens: 3000, per: day, by: {user: true}}");
    let embed = |user: &str| {
        let body = json!({"model": "any", "input": "x", "user": user}).to_string();
        proxy.ask("/v1/embeddings", JSON, body.as_bytes())
    };
    let edit = |user: &str| {
        let (media_type, body) = form(user);
        proxy.ask("/v1/images/edits", media_type, &body)
    };
    proxy.settle(&embed("a").expect("room"), 2_999);
    assert_eq!(refusal(embed("a")).0, 429);
    assert_eq!(refusal(edit("a")).0, 429);
    assert!(embed("b").is_ok() && edit("b").is_ok());
}

#[test]
fn what_is_asked_for_besides_chat_reserves_too() {
    let proxy = Proxy::with("  - {tokens: 1000, per: day}");
    let body = json!({"model": "any", "input": "x".repeat(2_800)}).to_string();
    let embed = || proxy.ask("/v1/embeddings", JSON, body.as_bytes());
    let first = embed().expect("room");
    assert_eq!(refusal(embed()).0, 429);
    proxy.settle(&first, 10);
    assert!(embed().is_ok());
}

fn spoken(text: &str) -> String {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": null}]});
    format!("data: {chunk}\n\n")
}

#[test]
fn a_client_that_leaves_is_charged_for_the_prompt_and_what_was_written_so_far() {
    let proxy = Proxy::with("  - {tokens: 100000, per: day}");
    let body = |stream| {
        let message = json!({"role": "user", "content": "some words to read ".repeat(50)});
        json!({"model": "smart", "stream": stream, "messages": [message]})
    };
    let head = ResponseHead {
        status: 200,
        ..ResponseHead::default()
    };
    for (stream, chunks) in [(false, 0), (true, 0), (true, 1), (true, 30)] {
        let admitted = proxy.chat(&body(stream)).expect("room");
        let mut attempt = proxy.attempt(&admitted, &body(stream));
        attempt.on_response_headers(&head, 1);
        for _ in 0..chunks {
            attempt.on_response_body(spoken("eight chars more").as_bytes(), false, 2);
        }
        let left = attempt.on_abandoned();
        let told = |key| stored(&left, key).map_or(0, |text| text.parse().expect("a number"));
        assert_eq!(stored(&left, USAGE_ESTIMATED).as_deref(), Some("true"));
        assert!((100..260).contains(&told(INPUT_TOKENS)), "{left:?}");
        let written: u64 = told(OUTPUT_TOKENS);
        assert!(
            written >= chunks.max(1) - 1 && written <= chunks * 16,
            "{chunks}: {written}"
        );
        assert!(attempt.is_over());
    }
}

#[test]
fn a_client_that_leaves_before_anybody_good_was_asked_is_charged_nothing() {
    let proxy = Proxy::with("  - {tokens: 100000, per: day}");
    let body = json!({"model": "smart", "messages": [{"role": "user", "content": "x"}]});
    let admitted = proxy.chat(&body).expect("room");
    let mut attempt = proxy.attempt(&admitted, &body);
    let failed = ResponseHead {
        status: 500,
        ..ResponseHead::default()
    };
    attempt.on_response_headers(&failed, 1);
    let left = attempt.on_abandoned();
    assert_eq!(stored(&left, INPUT_TOKENS), None);
}
