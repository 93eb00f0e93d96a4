//! Budgets as the filter keeps them: requests come, reserve, are served, and are settled.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::rc::Rc;

use pointsman::callout::{Answer, Outcome, Spent};
use pointsman::config::{Config, yaml};
use pointsman::exchange::handoff::{INPUT_TOKENS, OUTPUT_TOKENS, PLAN, USAGE_ESTIMATED};
use pointsman::exchange::{
    Attempt, AttemptFacts, Downstream, Holding, ImmediateResponse, Mutation, RequestFacts,
    RequestHead, ResponseHead, STATE_PATH, Topology, Used, Verdict, state_page,
};
use pointsman::metrics::Request;
use pointsman::observed::{Memory, Observation, Recorded, Update};
use serde_json::{Value, json};

const NOW_S: u64 = 1_790_000_000;

/// A proxy with these budgets, a list as YAML has it.
struct Proxy {
    config: Rc<Config>,
    shared: Memory,
}

/// A request that was let through.
struct Admitted {
    held: Holding,
    mutation: Mutation,
    explanation: Value,
    counted: Request,
}

fn head(path: &str, headers: &[(&str, &str)]) -> RequestHead {
    let mut head = RequestHead {
        method: "POST".to_owned(),
        path: path.to_owned(),
        explain: true,
        ..RequestHead::default()
    };
    let owned = headers
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    head.known.headers = owned.collect();
    head
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
  smart:
    under_load: {{in_flight_requests: 3, back_at: 0.5, downgrade_to: cheap}}
    candidates: [{{provider: openai, model: gpt-5}}]
  cheap: {{candidates: [{{provider: openai, model: gpt-5-nano}}]}}
  any:
    candidates:
      - {{provider: openai, model: m, capabilities: {{operations: [embeddings, image_edits]}}}}
teams:
  - {{name: red, when: {{headers: {{x-who: [ann, bob]}}}}}}
  - {{name: blue, when: {{headers: {{x-who: cid}}}}}}
classifiers:
  kind: {{model: cheap, instruction: which, classes: [code, talk], cache: 0s}}
rules:
  - {{name: programs, when: {{headers: {{x-ask: yes}}, class: {{kind: code}}}}, policy: priority}}
envoy: {{state_port: 9902}}
budgets:
{budgets}
"
        );
        let config = yaml::load(&document).unwrap_or_else(|problems| panic!("{problems:?}"));
        Proxy {
            config: Rc::new(config.0),
            shared: Memory::default(),
        }
    }

    fn ask(
        &self,
        path: &str,
        media_type: &str,
        body: &[u8],
    ) -> Result<Admitted, ImmediateResponse> {
        let mut head = head(path, &[]);
        head.content_type = Some(media_type.to_owned());
        self.send(&head, body)
    }

    fn send(&self, head: &RequestHead, body: &[u8]) -> Result<Admitted, ImmediateResponse> {
        let start = Downstream::start(&self.config, Topology::PerAttempt, head);
        let Verdict::Inspect(mut downstream, _) = start else {
            panic!("not ours");
        };
        let facts = RequestFacts {
            now_s: NOW_S,
            books: Some(&self.shared),
            observed: &Recorded::new(&self.shared, self.config.observe, NOW_S * 1000),
            ..RequestFacts::default()
        };
        let mut mutation = downstream.on_body(body, facts)?;
        if let Some(question) = &mutation.question {
            let answer = Answer {
                spent: Spent {
                    tokens: 77,
                    nano_usd: 0,
                },
                ..Answer::without(&question.classifier, Outcome::Failed)
            };
            downstream.on_answer(&answer, 1);
            mutation = downstream.on_body(body, facts)?;
        }
        let explanation = downstream.explanation().unwrap_or("null");
        let explanation = serde_json::from_str(explanation).expect("JSON");
        let held = downstream.take_holding();
        let counted = downstream.take_counted();
        Ok(Admitted {
            held,
            mutation,
            explanation,
            counted,
        })
    }

    fn with_headers(
        &self,
        headers: &[(&str, &str)],
        more: &Value,
    ) -> Result<Admitted, ImmediateResponse> {
        let mut body = json!({"model": "smart", "max_completion_tokens": 10,
            "messages": [{"role": "user", "content": "x"}]});
        let members = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(members);
        let head = head("/v1/chat/completions", headers);
        self.send(&head, body.to_string().as_bytes())
    }

    fn page(&self) -> Value {
        let page = state_page(&self.config, &self.shared, STATE_PATH, NOW_S * 1000);
        serde_json::from_slice(&page.body).expect("JSON")
    }

    /// Attempts at the dear model begin, or end.
    fn busy(&self, update: Update) {
        let observation = Observation {
            provider: "openai".to_owned(),
            model: "gpt-5".to_owned(),
            update,
            ..Observation::default()
        };
        let Config { observe, wants, .. } = *self.config;
        observation.record(&self.shared, observe, wants, NOW_S * 1000);
    }

    fn chat(&self, body: &Value) -> Result<Admitted, ImmediateResponse> {
        self.ask("/v1/chat/completions", JSON, body.to_string().as_bytes())
    }

    /// Over, with so many tokens.
    fn settle(&self, admitted: &Admitted, tokens: u64) {
        let used = Used {
            tokens,
            requests: 1,
            ..Used::default()
        };
        admitted
            .held
            .settle(&self.config, &self.shared, used, NOW_S * 1000, &mut |_| {});
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

#[test]
fn accounts_are_told_apart_by_team_key_and_session() {
    let none = json!({});
    let session = |id: &str| json!({"metadata": {"session_id": id}});
    for (by, same, other) in [
        (
            "{team: true}",
            (["x-who", "ann"], ["x-who", "bob"]),
            ["x-who", "cid"],
        ),
        (
            "{key: true}",
            (["authorization", "Bearer 1"], ["authorization", "Bearer 1"]),
            ["x-api-key", "2"],
        ),
        (
            "{header: x-team}",
            (["x-team", "a"], ["x-team", "a"]),
            ["x-team", "b"],
        ),
    ] {
        let proxy = Proxy::with(&format!("  - {{requests: 2, per: day, by: {by}}}"));
        let ask = |[name, value]: [&str; 2]| proxy.with_headers(&[(name, value)], &none);
        assert!(ask(same.0).is_ok() && ask(same.1).is_ok(), "{by}");
        let (status, message) = refusal(ask(same.0));
        assert_eq!(status, 429, "{by}");
        let expected = "of 2 requests per day, 0 requests are used and 2 requests reserved";
        assert!(message.contains(expected), "{message}");
        assert!(ask(other).is_ok(), "{by}");
        assert!(!proxy.page().to_string().contains("Bearer"), "{by}");
    }
    let proxy = Proxy::with("  - {requests: 1, per: hour, by: {metadata: session_id}}");
    let ask = |id| proxy.with_headers(&[], &session(id));
    assert!(ask("s1").is_ok());
    assert_eq!(refusal(ask("s1")).0, 429);
    assert!(ask("s2").is_ok());
}

#[test]
fn requests_that_come_to_nothing_are_given_back() {
    let proxy = Proxy::with("  - {requests: 1, per: minute}");
    let ask = || proxy.with_headers(&[], &json!({}));
    let first = ask().expect("room");
    let nothing = Used::default();
    let Proxy { config, shared } = &proxy;
    first
        .held
        .settle(config, shared, nothing, NOW_S * 1000, &mut |_| {});
    let second = ask().expect("room again");
    proxy.settle(&second, 5);
    assert_eq!(refusal(ask()).0, 429);
}

#[test]
fn the_page_tells_who_has_used_most_of_which_budget() {
    let budgets = "  - {name: day, tokens: 1000, per: day, by: {header: x-team}, soft: 0.5, \
         downgrade_to: cheap}\n  - {name: money, usd: 2, per: month}\n";
    let proxy = Proxy::with(budgets);
    let ask = |team| {
        proxy
            .with_headers(&[("x-team", team)], &json!({}))
            .expect("room")
    };
    proxy.settle(&ask("least"), 3);
    proxy.settle(&ask("most"), 1_000);
    proxy.settle(&ask("near"), 500);
    let open = ask("open");
    let page = proxy.page();
    let [day, money] = page["budgets"].as_array().expect("budgets").as_slice() else {
        panic!("{page}");
    };
    assert_eq!(day["limit"], 1_000);
    assert_eq!(
        (&day["unit"], &day["per"]),
        (&json!("tokens"), &json!("day"))
    );
    assert_eq!(day["accounts"], 4);
    let told = day["most_used"].as_array().expect("accounts");
    let told: Vec<_> = told
        .iter()
        .map(|account| {
            (
                account["account"].as_str().expect("a name"),
                account["state"].as_str().expect("a state"),
            )
        })
        .collect();
    let expected = [
        ("most", "used up"),
        ("near", "near its end"),
        ("open", "ok"),
        ("least", "ok"),
    ];
    assert_eq!(told, expected);
    assert_eq!(day["most_used"][2]["used"], 0);
    assert!(day["most_used"][2]["reserved"].as_u64().expect("a number") > 10);
    assert_eq!(money["limit"], 2.0);
    // Whoever has no name is shown by number.
    assert_eq!(
        money["most_used"][0]["account"],
        money["most_used"][0]["id"]
    );
    proxy.settle(&open, 0);
}

#[test]
fn a_decision_tells_how_its_budgets_stand() {
    let budgets = "  - {name: day, tokens: 1000, per: day, by: {header: x-team}}";
    let proxy = Proxy::with(budgets);
    let ask = || {
        proxy
            .with_headers(&[("x-team", "a")], &json!({}))
            .expect("room")
    };
    proxy.settle(&ask(), 300);
    let told = ask().explanation;
    let [budget] = told["budgets"].as_array().expect("budgets").as_slice() else {
        panic!("{told}");
    };
    assert_eq!(
        (&budget["name"], &budget["account"]),
        (&json!("day"), &json!("a"))
    );
    assert_eq!(
        (&budget["used"], &budget["limit"]),
        (&json!(300), &json!(1000))
    );
    assert!(
        (11..20).contains(&budget["needs"].as_u64().expect("a number")),
        "{budget}"
    );
}

#[test]
fn asking_a_classifier_is_charged_to_whoever_asks() {
    let proxy = Proxy::with("  - {name: day, tokens: 1000, per: day, by: {header: x-team}}");
    let ask = |team| {
        let headers = [("x-team", team), ("x-ask", "yes")];
        proxy.settle(&proxy.with_headers(&headers, &json!({})).expect("room"), 5);
    };
    ask("a");
    let page = proxy.page();
    assert_eq!(page["budgets"][0]["most_used"][0]["used"], 82, "{page}");
}

#[test]
fn under_load_another_model_serves_until_there_is_room_again() {
    let proxy = Proxy::with("  - {tokens: 100000, per: day}");
    let begins = Update {
        begins: Some(100),
        ..Update::default()
    };
    let ends = Update {
        ends: Some((100, NOW_S * 1000)),
        ..Update::default()
    };
    let served = || {
        let admitted = proxy.with_headers(&[], &json!({})).expect("room");
        let model = admitted.explanation["model"]
            .as_str()
            .expect("a model")
            .to_owned();
        (model, admitted)
    };
    (0..3).for_each(|_| proxy.busy(begins));
    assert_eq!(served().0, "smart");
    proxy.busy(begins);
    let (model, first) = served();
    assert_eq!(model, "cheap");
    assert!(
        first
            .mutation
            .warning
            .expect("a warning")
            .contains("cheap serves instead")
    );
    assert_eq!(
        first.counted.downgraded,
        Some(("smart".to_owned(), String::new()))
    );
    assert_eq!(
        first.explanation["downgraded"],
        "smart;class=load_downgrade;ms=0"
    );
    assert_eq!(
        first.explanation["load"]["in_flight"],
        json!({"requests": 4, "tokens": 400})
    );
    assert_eq!(proxy.page()["loads"][0]["passed"], true);
    (0..2).for_each(|_| proxy.busy(ends));
    assert_eq!(served().0, "cheap", "two of three are more than a half");
    proxy.busy(ends);
    let (model, last) = served();
    assert_eq!(model, "smart");
    assert!(
        last.mutation
            .warning
            .expect("a warning")
            .contains("serves again")
    );
    assert_eq!(served().1.mutation.warning, None);
}
