//! Streams: held until they say something, then committed, never both.

use pointsman::exchange::handoff::{
    ANSWERED_BY, ATTEMPTS, ESCALATE, FAILED, INPUT_TOKENS, OUTPUT_TOKENS, TRAIL,
};
use serde_json::json;

use crate::mesh::{End, Mesh, Message, Script};
use crate::{DONE, ROLE, STOP, USAGE, WORD, chat, error, gateway, plan, unchanged};

const ERROR: &str =
    "data: {\"error\":{\"message\":\"too much\",\"type\":\"overloaded_error\"}}\n\n";

fn start(rest: serde_json::Value) -> Mesh {
    let mut body = json!({"stream": true});
    body.as_object_mut()
        .expect("object")
        .extend(rest.as_object().expect("object").clone());
    plan(&gateway(unchanged), &chat("smart", body))
}

fn stream(chunks: &[&str], end: End) -> (Mesh, Option<Message>) {
    let mut mesh = start(json!({"stream_options": {"include_usage": true}}));
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    let reply = mesh.reply(&mut sent.attempt, &Script::chunks(chunks, end));
    (mesh, reply)
}

#[test]
fn a_stream_is_held_until_it_says_something() {
    let never = End::After(1);
    let held = stream(&[ROLE, ": ping\n\n", ROLE], never);
    assert!(held.1.is_none(), "nothing was said");
    assert_eq!(held.0.text(TRAIL), "openai/gpt-5;class=reset;ms=1");
    let (mesh, reply) = stream(&[ROLE, WORD], never);
    let reply = reply.expect("a commit");
    assert_eq!((reply.status, reply.text()), (200, [ROLE, WORD].concat()));
    assert_eq!(
        reply.header(ATTEMPTS),
        "openai/gpt-5;class=ok;status=200;ms=0"
    );
    assert_eq!(reply.header(ANSWERED_BY), "openai/gpt-5");
    // What came of it later.
    let broken = format!("{};broken=reset", reply.header(ATTEMPTS));
    assert_eq!(mesh.text(TRAIL), broken);
}

#[test]
fn a_whole_stream_goes_out_as_it_came_wherever_it_is_cut() {
    let body = [ROLE, WORD, STOP, USAGE, DONE].concat();
    for cut in 0..=body.len() {
        let (head, tail) = body.split_at(cut);
        for end in [End::WithLastChunk, End::Alone, End::WithTrailers] {
            let (mesh, reply) = stream(&[head, tail], end);
            let reply = reply.expect("a reply");
            assert_eq!(
                (reply.status, reply.text()),
                (200, body.clone()),
                "cut at {cut}, {end:?}"
            );
            assert_eq!(
                [INPUT_TOKENS, OUTPUT_TOKENS].map(|key| mesh.text(key)),
                ["3", "2"]
            );
        }
    }
}

#[test]
fn usage_is_hidden_from_who_did_not_ask_and_still_counted() {
    let mut mesh = start(json!({}));
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    let script = Script::chunks(&[ROLE, WORD, STOP, USAGE, DONE], End::WithLastChunk);
    let reply = mesh.reply(&mut sent.attempt, &script).expect("a reply");
    assert_eq!(reply.text(), [ROLE, WORD, STOP, DONE].concat());
    assert_eq!(
        [INPUT_TOKENS, OUTPUT_TOKENS].map(|key| mesh.text(key)),
        ["3", "2"]
    );
}

#[test]
fn an_error_before_the_commit_leads_to_the_next_candidate() {
    for chunks in [&[ERROR][..], &[ROLE, ERROR], &[ROLE, ERROR, DONE]] {
        let (mesh, reply) = stream(chunks, End::WithLastChunk);
        let reply = reply.expect("a reply");
        assert_eq!((reply.status, reply.header(FAILED)), (503, "1"));
        assert_eq!(
            mesh.text(TRAIL),
            "openai/gpt-5;class=overloaded;status=200;ms=0"
        );
    }
}

#[test]
fn an_error_after_the_commit_is_one_error_event_and_no_done() {
    let (mesh, reply) = stream(&[ROLE, WORD, ERROR, WORD, DONE], End::WithLastChunk);
    let reply = reply.expect("a reply");
    let event = "data: {\"error\":{\"message\":\"too much\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n";
    assert_eq!(
        (reply.status, reply.text()),
        (200, [ROLE, WORD, event].concat())
    );
    assert_eq!(
        mesh.text(TRAIL),
        "openai/gpt-5;class=ok;status=200;ms=0;broken=overloaded"
    );
}

#[test]
fn a_stream_that_stops_short_is_told_apart_by_what_the_client_has_seen() {
    // Nothing has reached the client: it came whole and at once.
    let (mesh, reply) = stream(&[&[ROLE, WORD].concat()], End::WithLastChunk);
    assert_eq!(reply.expect("a reply").status, 503);
    assert_eq!(mesh.text(TRAIL), "openai/gpt-5;class=reset;status=200;ms=0");
    // The client has begun to read.
    let (mesh, reply) = stream(&[ROLE, WORD], End::Alone);
    let text = reply.expect("a reply").text();
    assert!(
        text.starts_with(&[ROLE, WORD].concat()) && text.contains("\"error\""),
        "{text}"
    );
    assert!(!text.contains("[DONE]"));
    assert!(mesh.text(TRAIL).ends_with(";broken=reset"));
}

#[test]
fn a_stream_without_a_word_is_an_empty_reply() {
    for chunks in [
        &[][..],
        &[""],
        &[ROLE],
        &[DONE],
        &[": ping\n\n"],
        &["garbage"],
    ] {
        let (mesh, reply) = stream(chunks, End::Alone);
        assert_eq!(reply.expect("a reply").status, 503);
        assert_eq!(
            mesh.text(TRAIL),
            "openai/gpt-5;class=empty_reply;status=200;ms=0"
        );
    }
    // The end may come with the headers.
    let (mesh, reply) = stream(&[], End::WithLastChunk);
    assert_eq!(reply.expect("a reply").status, 503);
    assert_eq!(
        mesh.text(TRAIL),
        "openai/gpt-5;class=empty_reply;status=200;ms=0"
    );
}

#[test]
fn a_stream_that_says_nothing_for_long_is_let_through() {
    let ping = format!(": {}\n\n", "x".repeat(1020));
    let (_, reply) = stream(&[&ping], End::After(1));
    assert!(reply.is_none(), "1024 bytes may be held");
    let (mesh, reply) = stream(&[&ping, ":"], End::After(1));
    assert_eq!(reply.expect("a commit").status, 200);
    assert_eq!(
        mesh.text(TRAIL),
        "openai/gpt-5;class=ok;status=200;ms=0;broken=reset"
    );
    let (_, reply) = stream(&[&ping, "\n", ROLE, WORD, STOP], End::WithLastChunk);
    let reply = reply.expect("a commit");
    assert_eq!(
        (reply.status, reply.text()),
        (200, [ROLE, WORD, STOP, DONE].concat())
    );
}

#[test]
fn a_streamed_refusal_waits_for_its_end() {
    let said = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"refusal\":\"No.\"}}]}\n\n";
    assert!(stream(&[said], End::After(1)).1.is_none());
    for (fallback_on_refusal, escalate) in [(false, ""), (true, "1")] {
        let config = gateway(|document| {
            document["models"]["smart"]["fallback_on_refusal"] = json!(fallback_on_refusal);
        });
        let mut mesh = plan(&config, &chat("smart", json!({"stream": true})));
        let mut sent = mesh.send(1, "openai").expect("an attempt");
        let script = Script::chunks(&[said, STOP, DONE], End::WithLastChunk);
        let reply = mesh.reply(&mut sent.attempt, &script).expect("a reply");
        assert_eq!((reply.status, reply.header(ESCALATE)), (200, escalate));
        assert_eq!(reply.text(), [said, STOP, DONE].concat());
        assert_eq!(
            mesh.text(TRAIL),
            "openai/gpt-5;class=content_filter;status=200;ms=0"
        );
    }
}

#[test]
fn an_error_in_answer_to_a_streamed_request_is_read_whole() {
    let mut mesh = start(json!({}));
    let (_, client) = mesh.run(&[("openai", error(400, "unsupported_value"))]);
    assert_eq!(client.status, 400);
    assert_eq!(client.header("content-type"), "application/json");
    assert_eq!(client.json()["error"]["code"], "unsupported_value");
}

#[test]
fn the_second_candidate_streams_after_the_first_has_failed() {
    let mut mesh = start(json!({}));
    let claude = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude-x\",\"usage\":{\"input_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let broken = Script::chunks(&[ROLE, ERROR], End::Alone);
    let (attempts, client) = mesh.run(&[
        ("openai", broken),
        ("anthropic", Script::chunks(&[claude], End::Alone)),
    ]);
    assert_eq!((attempts, client.status), (2, 200));
    assert!(client.text().ends_with("data: [DONE]\n\n"));
    assert!(!client.text().contains("too much"));
}

#[test]
fn a_stream_that_its_provider_leaves_is_told_by_how_long_it_was_silent() {
    for (silent_ms, class) in [(100, "reset"), (600_000, "timeout")] {
        let (mesh, _) = stream(&[ROLE, WORD], End::After(silent_ms));
        let told = format!(";broken={class}");
        assert!(mesh.text(TRAIL).ends_with(&told), "{}", mesh.text(TRAIL));
    }
}
