//! Every fault, as the client sees it.

use std::io;
use std::time::Duration;

use pointsman_standin::{Standin, Vendor};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::{Reply, call, start};

const OPENAI: &str = "POST /v1/chat/completions";

fn ask(stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "good day"}]})
}

/// Plays one fault on one request.
async fn play(stream: bool, fault: Value) -> io::Result<Reply> {
    let standin = scripted(Vendor::OpenAi, fault).await;
    call(standin.address(), OPENAI, &[], &ask(stream)).await
}

async fn scripted(vendor: Vendor, fault: Value) -> Standin {
    let standin = start(vendor, None).await;
    let script = json!({"rules": [{"times": 1, "fault": fault}]});
    standin.control().set_script(script).unwrap();
    standin
}

/// Plays one fault at each vendor on a buffered request.
async fn play_everywhere(fault: Value) -> [Reply; 3] {
    let openai = scripted(Vendor::OpenAi, fault.clone()).await;
    let anthropic = scripted(Vendor::Anthropic, fault.clone()).await;
    let gemini = scripted(Vendor::Gemini, fault).await;
    let version = [("anthropic-version", "2023-06-01")];
    let words = json!([{"role": "user", "content": "x"}]);
    let message = json!({"model": "m", "max_tokens": 9, "messages": words});
    let contents = json!({"contents": [{"parts": [{"text": "x"}]}]});
    let path = "POST /v1beta/models/m:generateContent";
    [
        call(openai.address(), OPENAI, &[], &ask(false))
            .await
            .unwrap(),
        call(anthropic.address(), "POST /v1/messages", &version, &message)
            .await
            .unwrap(),
        call(gemini.address(), path, &[], &contents).await.unwrap(),
    ]
}

#[tokio::test]
async fn a_status_comes_with_the_vendors_own_error() {
    let [openai, anthropic, gemini] =
        play_everywhere(json!({"kind": "status", "status": 429, "retry_after": 3})).await;
    assert_eq!(openai.status, 429);
    assert_eq!(openai.json()["error"]["code"], "rate_limit_exceeded");
    assert!(openai.head.contains("retry-after: 3"));
    assert_eq!(anthropic.json()["error"]["type"], "rate_limit_error");
    assert_eq!(gemini.json()["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(gemini.json()["error"]["details"][0]["retryDelay"], "3s");
    assert!(!gemini.head.contains("retry-after"));
    let [_, overloaded, _] = play_everywhere(json!({"kind": "status", "status": 529})).await;
    assert_eq!(overloaded.json()["error"]["type"], "overloaded_error");
}

#[tokio::test]
async fn a_status_can_bring_its_own_body_and_headers() {
    let fault = json!({
        "kind": "status", "status": 503, "body": {"a": 1}, "headers": {"x-reason": "because"},
    });
    let reply = play(false, fault).await.unwrap();
    assert_eq!((reply.status, reply.json()), (503, json!({"a": 1})));
    assert!(reply.head.contains("x-reason: because"));
}

#[tokio::test]
async fn troubles_are_worded_by_each_vendor() {
    let [openai, anthropic, gemini] = play_everywhere(json!({"kind": "quota"})).await;
    assert_eq!(
        (openai.status, anthropic.status, gemini.status),
        (429, 400, 429)
    );
    assert_eq!(openai.json()["error"]["code"], "insufficient_quota");
    let [openai, anthropic, gemini] = play_everywhere(json!({"kind": "model_gone"})).await;
    assert_eq!(
        (openai.status, anthropic.status, gemini.status),
        (404, 404, 404)
    );
    let [openai, anthropic, gemini] = play_everywhere(json!({"kind": "context_overflow"})).await;
    assert_eq!(
        (openai.status, anthropic.status, gemini.status),
        (400, 400, 400)
    );
    assert_eq!(openai.json()["error"]["code"], "context_length_exceeded");
    let [openai, anthropic, gemini] = play_everywhere(json!({"kind": "content_filter"})).await;
    assert_eq!(openai.json()["error"]["code"], "content_filter");
    assert_eq!(anthropic.json()["stop_reason"], "refusal");
    assert_eq!(gemini.json()["promptFeedback"]["blockReason"], "SAFETY");
}

#[tokio::test]
async fn a_reset_comes_before_any_byte() {
    let error = play(false, json!({"kind": "reset"})).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_reset_can_come_after_the_head() {
    for stream in [false, true] {
        let fault = json!({"kind": "reset_after_headers"});
        let reply = play(stream, fault).await.unwrap();
        assert!(reply.status == 200 && !reply.whole && reply.body.is_empty());
    }
}

#[tokio::test]
async fn a_stall_delays_the_head() {
    let begin = Instant::now();
    let reply = play(false, json!({"kind": "stall", "ms": 150}))
        .await
        .unwrap();
    assert!(reply.status == 200 && begin.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_stream_can_stall_and_go_on() {
    let begin = Instant::now();
    let fault = json!({"kind": "stall_stream", "after_events": 2, "ms": 150});
    let reply = play(true, fault).await.unwrap();
    assert!(reply.whole && reply.text().ends_with("[DONE]\n\n"));
    assert!(begin.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_slow_stream_pauses_before_every_event() {
    let begin = Instant::now();
    let reply = play(true, json!({"kind": "slow_stream", "ms": 20}))
        .await
        .unwrap();
    let events = u32::try_from(reply.events().len()).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(20) * events);
}

#[tokio::test]
async fn a_cut_leaves_the_body_unfinished() {
    let reply = play(true, json!({"kind": "cut", "after_events": 2}))
        .await
        .unwrap();
    assert_eq!(reply.events().len(), 2);
    assert!(!reply.whole);
    let reply = play(false, json!({"kind": "cut"})).await.unwrap();
    assert!(!reply.whole && !reply.body.is_empty());
}

#[tokio::test]
async fn a_body_can_end_in_order_before_its_end() {
    for (stream, fault) in [
        (true, json!({"kind": "end_early", "after_events": 2})),
        (false, json!({"kind": "end_early"})),
    ] {
        let reply = play(stream, fault).await.unwrap();
        assert!(reply.whole && !reply.body.is_empty());
        assert!(!reply.text().contains("[DONE]") && !reply.text().ends_with('}'));
    }
}

#[tokio::test]
async fn a_body_can_be_reset_in_its_middle() {
    for stream in [false, true] {
        let reply = play(stream, json!({"kind": "reset_after"})).await.unwrap();
        assert!(reply.status == 200 && !reply.whole);
    }
}

#[tokio::test]
async fn a_connection_can_end_without_a_reply() {
    let error = play(false, json!({"kind": "close"})).await.unwrap_err();
    assert_ne!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!(play(false, json!({"kind": "not_http"})).await.is_err());
}

#[tokio::test]
async fn a_head_can_be_too_large() {
    let fault = json!({"kind": "big_head", "bytes": 5000});
    assert!(play(false, fault).await.unwrap().head.len() > 5000);
}

#[tokio::test]
async fn a_reply_can_be_of_the_other_mode() {
    let fault = json!({"kind": "other_mode"});
    let reply = play(true, fault.clone()).await.unwrap();
    assert!(reply.json()["choices"][0]["message"]["content"].is_string());
    let reply = play(false, fault).await.unwrap();
    assert!(reply.text().ends_with("[DONE]\n\n"));
}

#[tokio::test]
async fn a_good_reply_can_say_nothing() {
    let reply = play(false, json!({"kind": "nothing_said"})).await.unwrap();
    let choice = &reply.json()["choices"][0];
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(
        choice["message"]["content"].as_str().unwrap_or_default(),
        ""
    );
}

#[tokio::test]
async fn a_body_can_be_empty() {
    let stream = play(true, json!({"kind": "empty_stream"})).await.unwrap();
    assert!(stream.head.contains("text/event-stream"));
    assert!(stream.status == 200 && stream.whole && stream.body.is_empty());
    let body = play(false, json!({"kind": "empty_body"})).await.unwrap();
    assert!(body.status == 200 && body.whole && body.body.is_empty());
}

#[tokio::test]
async fn an_error_can_come_inside_a_stream() {
    let first = play(true, json!({"kind": "error_event_first"}))
        .await
        .unwrap();
    assert_eq!(first.status, 200);
    assert_eq!(first.events().len(), 1);
    assert!(first.events()[0]["error"]["message"].is_string());
    let later = play(true, json!({"kind": "error_event_after", "events": 3}))
        .await
        .unwrap();
    assert_eq!(later.events().len(), 4);
    assert!(later.events()[3]["error"]["message"].is_string());
}

#[tokio::test]
async fn an_event_can_be_broken_in_a_stream_that_goes_on() {
    let fault = json!({"kind": "malformed_event", "after_events": 2});
    let text = play(true, fault).await.unwrap().text();
    let broken = |line: &str| {
        let data = line.strip_prefix("data: ");
        data.is_some_and(|d| d != "[DONE]" && serde_json::from_str::<Value>(d).is_err())
    };
    assert_eq!(text.lines().filter(|line| broken(line)).count(), 1);
    assert!(text.ends_with("[DONE]\n\n"));
}

#[tokio::test]
async fn garbage_is_neither_json_nor_text() {
    let reply = play(false, json!({"kind": "garbage"})).await.unwrap();
    assert!(reply.status == 200 && String::from_utf8(reply.body).is_err());
}

#[tokio::test]
async fn a_big_reply_has_the_size_asked_for() {
    let fault = json!({"kind": "big_reply", "bytes": 100_000});
    let body = play(false, fault).await.unwrap().json();
    let text = body["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(text.len(), 100_000);
}

#[tokio::test]
async fn gzip_is_announced_and_well_formed() {
    let reply = play(true, json!({"kind": "gzip"})).await.unwrap();
    assert!(reply.head.contains("content-encoding: gzip"));
    assert_eq!(reply.body[..3], [0x1f, 0x8b, 8]);
}
