//! Answers that a webhook scores while they are held.

use pointsman::callout::{Outcome, Question};
use pointsman::exchange::handoff::{ESCALATE, REJECTED_TOKENS, TRAIL};
use pointsman::exchange::{Attempt, Flow, HeaderEdit, Mutation, ResponseHead};
use serde_json::{Value, json};

use crate::mesh::Mesh;
use crate::{HELLO, ROLE, STOP, WORD, chat, gateway, plan};

/// A held answer, and the question that is asked of it.
struct Asked {
    mesh: Mesh,
    attempt: Attempt,
    question: Question,
}

fn gated(webhook: &Value, stream: bool) -> (Mesh, Attempt) {
    let config = gateway(|document| {
        let gate = json!({"webhook": webhook, "excerpt": 16, "held_stream": 1});
        document["models"]["smart"]["quality_gate"] = gate;
    });
    let mut mesh = plan(&config, &chat("smart", json!({"stream": stream})));
    let sent = mesh.send(1, "openai").expect("an attempt");
    (mesh, sent.attempt)
}

fn answered(mesh: &Mesh, attempt: &mut Attempt, body: &str, is_whole: bool) -> Mutation {
    let head = ResponseHead {
        status: 200,
        ..ResponseHead::default()
    };
    attempt.on_response_headers(&head, mesh.now_ms);
    attempt.on_response_body(body.as_bytes(), is_whole, mesh.now_ms)
}

fn asks(webhook: &Value, body: &str, stream: bool) -> Asked {
    let (mesh, mut attempt) = gated(webhook, stream);
    let mutation = answered(&mesh, &mut attempt, body, !stream);
    assert_eq!(mutation.flow, Flow::Pause);
    assert!(mutation.headers.is_empty() && mutation.body.is_none());
    Asked {
        mesh,
        attempt,
        question: *mutation.question.expect("a question"),
    }
}

fn url() -> Value {
    json!({"url": "http://10.0.0.9/score", "send_text": true})
}

fn is_escalated(mutation: &Mutation) -> bool {
    let mut headers = mutation.headers.iter();
    headers.any(|edit| matches!(edit, HeaderEdit::Set(name, _) if name == ESCALATE))
}

fn stored(mutation: &Mutation, key: &str) -> String {
    let edit = mutation.state.iter().rev().find(|edit| edit.key == key);
    let value = edit.map(|edit| edit.value.clone()).unwrap_or_default();
    String::from_utf8(value).expect("text")
}

#[test]
fn a_score_below_the_threshold_leads_on_and_any_other_lets_pass() {
    let cases = [
        (
            (Outcome::Answered, Some(699)),
            "low_quality",
            ";gate=webhook;scorer=answered",
        ),
        ((Outcome::Answered, Some(700)), "ok", ";scorer=answered"),
        ((Outcome::Timeout, None), "ok", ";scorer=timeout"),
        ((Outcome::Failed, None), "ok", ";scorer=failed"),
        ((Outcome::Resting, None), "ok", ";scorer=resting"),
    ];
    for (score, class, told) in cases {
        for stream in [false, true] {
            let body = if stream {
                format!("{ROLE}{WORD}")
            } else {
                HELLO.to_owned()
            };
            let mut asked = asks(&url(), &body, stream);
            let now_ms = asked.mesh.now_ms + 30;
            let verdict = asked
                .attempt
                .on_score(b"", score, now_ms)
                .expect("it waits");
            assert_eq!(verdict.flow, Flow::Continue);
            assert_eq!(is_escalated(&verdict), class == "low_quality");
            let trail = format!("openai/gpt-5;class={class};status=200;ms=30{told}");
            assert_eq!(stored(&verdict, TRAIL), trail);
            let again = asked.attempt.on_score(b"", score, now_ms);
            assert_eq!(again, None, "told once");
        }
    }
}

#[test]
fn a_question_says_what_is_judged_and_text_only_where_that_is_wanted() {
    let long = HELLO.replace("Hello", "Hello, this is more than sixteen bytes");
    for sends_text in [true, false] {
        let webhook = json!({"url": "http://10.0.0.9/score", "send_text": sends_text});
        let question = asks(&webhook, &long, false).question;
        assert_eq!(question.cluster, "gate.smart");
        assert!(question.headers.contains(&(":path", "/score".to_owned())));
        let told: Value = serde_json::from_slice(&question.body).expect("JSON");
        let mut expected = json!({
            "version": 1, "model": "smart", "candidate": "openai/gpt-5", "stream": false,
            "whole": true, "score": 1.0, "threshold": 0.7, "answer_bytes": 38,
        });
        if sends_text {
            expected["prompt"] = json!("Hi");
            expected["answer"] = json!("Hello, this is m");
        }
        assert_eq!(told, expected);
    }
}

#[test]
fn nobody_is_asked_about_what_is_poor_already_or_says_nothing() {
    let refusal = HELLO.replace("Hello", "I'm sorry, but I can't help with that.");
    let call = r#""content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]"#;
    let call = HELLO.replace(r#""content":"Hello""#, call);
    for (body, told) in [(refusal, "gate=refusal"), (call, "scorer=unasked")] {
        let (mesh, mut attempt) = gated(&url(), false);
        let verdict = answered(&mesh, &mut attempt, &body, true);
        assert_eq!(
            (verdict.question.is_none(), verdict.flow),
            (true, Flow::Continue)
        );
        assert!(
            stored(&verdict, TRAIL).ends_with(told),
            "{}",
            stored(&verdict, TRAIL)
        );
    }
}

#[test]
fn no_attempt_is_over_before_its_score_is_there() {
    // An attempt may take two seconds, and the webhook half a one.
    for (elapsed_ms, deadline_ms) in [(0, Some(500)), (1700, Some(280)), (1985, None)] {
        let (mut mesh, mut attempt) = gated(&url(), false);
        mesh.now_ms += elapsed_ms;
        let asked = answered(&mesh, &mut attempt, HELLO, true).question;
        assert_eq!(asked.map(|question| question.deadline_ms), deadline_ms);
    }
}

#[test]
fn what_comes_meanwhile_follows_and_is_not_held_without_end() {
    let begun = format!("{ROLE}{WORD}");
    let good = (Outcome::Answered, Some(900));
    let text = |mutation: &Mutation| {
        let body = mutation.body.clone().unwrap_or_default();
        String::from_utf8(body).expect("text")
    };
    let mut asked = asks(&url(), &begun, true);
    assert_eq!(asked.attempt.reads_from(begun.len() + 9, false), None);
    assert_eq!(asked.attempt.unread(), Some(begun.len()));
    let more = asked.attempt.on_score(WORD.as_bytes(), good, 1030);
    assert_eq!(text(&more.expect("it waits")).matches("Hi").count(), 2);

    let mut asked = asks(&url(), &begun, true);
    assert_eq!(asked.attempt.reads_from(begun.len() + 9, true), None);
    let rest = asked.attempt.on_score(STOP.as_bytes(), good, 1030);
    assert!(text(&rest.expect("it waits")).ends_with("data: [DONE]\n\n"));
    assert!(asked.attempt.is_over());

    let mut asked = asks(&url(), &begun, true);
    let start = asked.attempt.reads_from(1025, false);
    assert_eq!(start, Some(begun.len()), "more than limits.held_stream");
    let released = asked.attempt.on_response_body(WORD.as_bytes(), false, 1030);
    assert_eq!(text(&released).matches("Hi").count(), 2);
    assert!(stored(&released, TRAIL).ends_with("scorer=timeout"));
    assert_eq!(asked.attempt.on_score(b"", good, 1040), None);
}

#[test]
fn what_was_held_is_charged_when_the_client_leaves_or_the_attempt_ends() {
    let mut asked = asks(&url(), HELLO, false);
    let left = asked.attempt.on_abandoned();
    assert_eq!(stored(&left, "pointsman_output_tokens"), "2");
    let mut asked = asks(&url(), HELLO, false);
    let ended = asked.attempt.on_done(false, asked.mesh.now_ms + 9);
    assert_eq!(stored(&ended, REJECTED_TOKENS), "5");
}

#[test]
fn a_request_whose_labels_the_webhook_does_not_keep_is_not_shown_to_it() {
    let config = gateway(|document| {
        let smart = &mut document["models"]["smart"];
        smart["quality_gate"] = json!({"webhook": url()});
        smart["require"] = json!({"residency": "eu"});
        for candidate in smart["candidates"].as_array_mut().expect("some") {
            candidate["labels"] = json!({"residency": "eu"});
        }
    });
    let mut mesh = plan(&config, &chat("smart", json!({})));
    let mut attempt = mesh.send(1, "openai").expect("an attempt").attempt;
    let verdict = answered(&mesh, &mut attempt, HELLO, true);
    assert!(verdict.question.is_none());
    assert!(stored(&verdict, TRAIL).ends_with(";scorer=excluded"));
}
