//! Classes that rules read: who is asked for them, who may not be, and what the answer changes.

use std::rc::Rc;

use pointsman::callout::{Answer, Outcome, Question};
use pointsman::config::Config;
use pointsman::exchange::handoff::{CLASSES, Handoff, PLAN, QUESTION, RULE};
use pointsman::exchange::{
    Downstream, Flow, Mutation, RequestFacts, RequestHead, Topology, Verdict, relay,
};
use serde_json::{Value, json};

use crate::{chat, gateway};

/// Two webhooks, one of the EU, and one model there is a candidate of in the EU.
fn classified(rules: Value) -> Rc<Config> {
    gateway(|document| {
        for (name, place) in [("openai", "us"), ("anthropic", "eu"), ("gemini", "eu")] {
            document["providers"][name]["labels"] = json!({"residency": place});
        }
        let hook = |labels: Value| {
            json!({
                "webhook": {"url": "http://10.0.0.1/classify", "labels": labels},
                "classes": ["high", "low"]
            })
        };
        document["classifiers"] = json!({
            "risk": hook(json!({"residency": "eu"})),
            "loose": hook(json!({})),
            "kind": {"model": "smart", "instruction": "What?", "classes": ["code", "chat"], "default": "chat"}
        });
        document["routing"] = json!({"client_labels": "x-require"});
        document["rules"] = rules;
    })
}

fn start(config: &Rc<Config>, topology: Topology, headers: &[(&str, &str)]) -> Downstream {
    let mut head = RequestHead {
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        ..RequestHead::default()
    };
    for (name, value) in headers {
        let pair = ((*name).to_owned(), (*value).to_owned());
        head.known.headers.push(pair);
    }
    match Downstream::start(config, topology, &head) {
        Verdict::Inspect(downstream, _) => downstream,
        _ => panic!("not ours"),
    }
}

fn state(mutation: &Mutation, key: &str) -> Option<String> {
    let found = mutation.state.iter().find(|edit| edit.key == key)?;
    Some(String::from_utf8_lossy(&found.value).into_owned())
}

/// What is asked, and then where the request goes once it has been answered.
struct Seen {
    questions: Vec<Question>,
    mutation: Mutation,
}

fn ask(config: &Rc<Config>, headers: &[(&str, &str)], answers: &[(&str, Outcome)]) -> Seen {
    let mut downstream = start(config, Topology::PerAttempt, headers);
    let body = chat(
        "smart",
        json!({"messages": [{"role": "user", "content": "my secret prompt"}]}),
    );
    let (mut questions, mut answers) = (Vec::new(), answers.iter());
    loop {
        let mutation = downstream
            .on_body(&body, RequestFacts::default())
            .expect("a plan");
        let Some(question) = &mutation.question else {
            return Seen {
                questions,
                mutation,
            };
        };
        assert_eq!(mutation.flow, Flow::Pause);
        assert!(
            mutation.state.is_empty() && mutation.headers.is_empty() && mutation.body.is_none()
        );
        let (class, outcome) = *answers.next().expect("an answer is left");
        let answer = Answer {
            class: (outcome == TOLD).then(|| class.to_owned()),
            ..Answer::without(&question.classifier, outcome)
        };
        questions.push((**question).clone());
        downstream.on_answer(&answer, 7);
    }
}

fn rule(name: &str, when: Value) -> Value {
    json!({"name": name, "when": when})
}

const TOLD: Outcome = Outcome::Answered;

#[test]
fn the_answer_decides_which_rule_fits_and_is_told_in_the_log() {
    let config = classified(json!([
        rule("high", json!({"class": {"risk": "high"}})),
        rule("low", json!({"class": {"risk": ["low"]}}))
    ]));
    for (class, outcome, fits, log) in [
        (
            "high",
            TOLD,
            Some("high"),
            "risk;outcome=answered;class=high;ms=7",
        ),
        (
            "low",
            TOLD,
            Some("low"),
            "risk;outcome=answered;class=low;ms=7",
        ),
        (
            "",
            Outcome::Timeout,
            None,
            "risk;outcome=timeout;class=-;ms=7",
        ),
        (
            "",
            Outcome::Failed,
            None,
            "risk;outcome=failed;class=-;ms=7",
        ),
    ] {
        let seen = ask(&config, &[], &[(class, outcome)]);
        assert_eq!(seen.questions.len(), 1, "asked once for both rules");
        assert_eq!(state(&seen.mutation, RULE).as_deref(), fits);
        assert_eq!(state(&seen.mutation, CLASSES).as_deref(), Some(log));
    }
}

#[test]
fn a_default_class_counts_when_none_is_told() {
    let config = classified(json!([rule("talk", json!({"class": {"kind": "chat"}}))]));
    let seen = ask(&config, &[], &[("", Outcome::Timeout)]);
    assert_eq!(state(&seen.mutation, RULE).as_deref(), Some("talk"));
    let log = state(&seen.mutation, CLASSES);
    assert_eq!(log.as_deref(), Some("kind;outcome=timeout;class=chat;ms=7"));
}

#[test]
fn nobody_is_asked_when_something_else_decides() {
    let config = classified(json!([
        rule("first", json!({"headers": {"x-first": "*"}})),
        rule("never", json!({"headers": {"x-other": "*"}, "class": {"risk": "high"}})),
        {"name": "unless", "when": {"class": {"risk": "high"}}, "unless": {"headers": {"x-quiet": "*"}}},
    ]));
    let seen = ask(&config, &[("x-first", "1")], &[]);
    assert_eq!(state(&seen.mutation, RULE).as_deref(), Some("first"));
    let seen = ask(&config, &[("x-quiet", "1")], &[]);
    assert_eq!(state(&seen.mutation, RULE), None);
    assert_eq!(state(&seen.mutation, CLASSES), None);
}

#[test]
fn an_exception_that_reads_a_class_is_asked_for_too() {
    let config = classified(json!([
        {"name": "calm", "when": {"model": "smart"}, "unless": {"class": {"risk": "high"}}},
    ]));
    let seen = ask(&config, &[], &[("high", TOLD)]);
    assert_eq!(state(&seen.mutation, RULE), None);
    let seen = ask(&config, &[], &[("low", TOLD)]);
    assert_eq!(state(&seen.mutation, RULE).as_deref(), Some("calm"));
    let seen = ask(&config, &[], &[("", Outcome::Failed)]);
    assert_eq!(
        state(&seen.mutation, RULE).as_deref(),
        Some("calm"),
        "not known to be high"
    );
}

#[test]
fn several_classifiers_are_asked_one_after_the_other() {
    let config = classified(json!([rule(
        "both",
        json!({"class": {"risk": "high", "kind": "code"}})
    ),]));
    let seen = ask(&config, &[], &[("code", TOLD), ("high", TOLD)]);
    let names: Vec<&str> = seen
        .questions
        .iter()
        .map(|q| q.classifier.as_str())
        .collect();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
    assert_eq!(state(&seen.mutation, RULE).as_deref(), Some("both"));
    let one = ask(&config, &[], &[("chat", TOLD)]);
    assert_eq!(one.questions.len(), 1, "the rule cannot fit any more");
}

/// The providers that a question to a model may reach.
fn reached(question: &Question) -> Vec<String> {
    let plan = question.headers.iter().find(|(name, _)| *name == QUESTION);
    let plan = Handoff::decode(plan.expect("a plan").1.as_bytes()).expect("a plan");
    plan.steps.into_iter().map(|step| step.provider).collect()
}

#[test]
fn labels_hold_for_the_question_whoever_requires_them() {
    let plain = classified(json!([rule("code", json!({"class": {"kind": "code"}}))]));
    let free = ask(&plain, &[], &[("code", TOLD)]);
    assert_eq!(
        reached(&free.questions[0]),
        ["openai", "anthropic", "gemini"]
    );
    let by_client = ask(&plain, &[("x-require", "residency=eu")], &[("code", TOLD)]);
    assert_eq!(reached(&by_client.questions[0]), ["anthropic", "gemini"]);
    let own = classified(json!([
        {"name": "code", "when": {"class": {"kind": "code"}}, "require": {"residency": "eu"}}
    ]));
    assert_eq!(
        reached(&ask(&own, &[], &[("code", TOLD)]).questions[0]),
        ["anthropic", "gemini"]
    );
    let later = classified(json!([
        rule("code", json!({"class": {"kind": "code"}})),
        {"name": "health", "when": {"headers": {"x-health": "*"}}, "require": {"residency": "eu"}},
    ]));
    let other = ask(&later, &[], &[("chat", TOLD)]);
    assert_eq!(
        reached(&other.questions[0]),
        ["openai", "anthropic", "gemini"]
    );
    let health = ask(&later, &[("x-health", "1")], &[("chat", TOLD)]);
    assert_eq!(
        reached(&health.questions[0]),
        ["anthropic", "gemini"],
        "it may be that rule's"
    );
}

#[test]
fn a_webhook_that_keeps_no_label_is_not_asked() {
    let config = classified(json!([
        rule(
            "loose",
            json!({"headers": {"x-loose": "*"}, "class": {"loose": "high"}})
        ),
        rule("risk", json!({"class": {"risk": "high"}})),
    ]));
    let eu = ("x-require", "residency=eu");
    let seen = ask(&config, &[eu, ("x-loose", "1")], &[("high", TOLD)]);
    assert_eq!(seen.questions[0].classifier, "risk");
    let log = state(&seen.mutation, CLASSES).expect("a log");
    assert!(
        log.starts_with("loose;outcome=excluded;class=-;ms=0, risk;outcome=answered"),
        "{log}"
    );
}

#[test]
fn a_webhook_is_asked_without_the_text_and_a_model_by_the_inner_way() {
    let config = classified(json!([rule(
        "both",
        json!({"class": {"risk": "high", "kind": "code"}})
    )]));
    let seen = ask(&config, &[], &[("code", TOLD), ("high", TOLD)]);
    for question in &seen.questions {
        let body = String::from_utf8_lossy(&question.body);
        let is_webhook = question.classifier == "risk";
        assert_eq!(body.contains("secret prompt"), !is_webhook, "{body}");
        let cluster = if is_webhook {
            "classifier.risk"
        } else {
            "pointsman.inner"
        };
        assert_eq!(question.cluster, cluster);
        assert_eq!(question.deadline_ms, 500);
    }
}

#[test]
fn a_question_goes_where_its_plan_says_in_both_topologies() {
    let config = classified(json!([rule("code", json!({"class": {"kind": "code"}}))]));
    for topology in [Topology::PerAttempt, Topology::StaticChain] {
        let mut downstream = start(&config, topology, &[]);
        let asked = downstream.on_body(&chat("smart", json!({})), RequestFacts::default());
        let question = asked.expect("a question").question.expect("a question");
        let plan = question.headers.iter().find(|(name, _)| *name == QUESTION);
        let plan = &plan.expect("a plan").1;
        let mutation = relay(&config, topology, plan).expect("a way");
        assert_eq!(state(&mutation, PLAN).as_ref(), Some(plan));
        assert_eq!(mutation.flow, Flow::Continue);
        let refused = relay(&config, topology, "{}").expect_err("no plan");
        assert_eq!(refused.status, 400);
    }
}
