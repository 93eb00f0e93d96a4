//! Replies that are whole: how they are judged, and what Envoy and the client are told.

use pointsman::exchange::handoff::{
    ANSWERED_BY, ATTEMPTS, CACHED_TOKENS, COST, COST_HEADER, ESCALATE, FAILED, FAILURE,
    INPUT_TOKENS, OUTPUT_TOKENS, PROVIDER, REASONING_TOKENS, REJECTED_COST, REJECTED_TOKENS,
    RESPONSE_MODEL, TRAIL, USAGE_ESTIMATED,
};
use serde_json::{Value, json};

use crate::mesh::{End, Mesh, Message, Script, is_retried};
use crate::{CLAUDE_HELLO, HELLO, chat, error, gateway, plan, unchanged};

fn reply_to(mesh: &mut Mesh, script: &Script) -> Message {
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    mesh.reply(&mut sent.attempt, script).expect("a reply")
}

fn reply(script: &Script) -> (Mesh, Message) {
    let mut mesh = plan(&gateway(unchanged), &chat("smart", json!({})));
    let reply = reply_to(&mut mesh, script);
    (mesh, reply)
}

#[test]
fn a_good_reply_goes_out_as_it_came_and_is_accounted_for() {
    let (mesh, reply) = reply(&Script::whole(200, HELLO));
    assert_eq!((reply.status, reply.text().as_str()), (200, HELLO));
    assert_eq!(reply.header("content-length"), HELLO.len().to_string());
    assert_eq!(reply.header(ANSWERED_BY), "openai/gpt-5-2025");
    let trail = "openai/gpt-5;class=ok;status=200;ms=0";
    assert_eq!(
        (reply.header(ATTEMPTS), mesh.text(TRAIL).as_str()),
        (trail, trail)
    );
    let keys = [
        PROVIDER,
        RESPONSE_MODEL,
        INPUT_TOKENS,
        OUTPUT_TOKENS,
        CACHED_TOKENS,
        REASONING_TOKENS,
    ];
    assert_eq!(
        keys.map(|key| mesh.text(key)),
        ["openai", "gpt-5-2025", "3", "2", "1", "1"]
    );
    assert!(!reply.headers.contains_key(FAILED) && !is_retried(&reply));
}

#[test]
fn a_reply_means_the_same_however_it_arrives() {
    let (_, whole) = reply(&Script::whole(200, HELLO));
    for cut in 0..=HELLO.len() {
        let (head, tail) = HELLO.split_at(cut);
        for end in [End::WithLastChunk, End::Alone, End::WithTrailers] {
            let script = Script {
                chunks: vec![head.into(), tail.into()],
                ..Script::whole(200, "")
            };
            assert_eq!(reply(&script.ending(end)).1, whole, "cut at {cut}, {end:?}");
        }
    }
}

#[test]
fn headers_of_a_provider_that_are_not_for_clients_are_removed() {
    let script = [
        "set-cookie",
        "alt-svc",
        "strict-transport-security",
        "x-pointsman-escalate",
        "x-pointsman-local",
        "x-envoy-immediate-health-check-fail",
    ]
    .into_iter()
    .fold(Script::whole(200, HELLO), |script, name| {
        script.with(name, "1")
    });
    let (_, reply) = reply(
        &script
            .with("x-ratelimit-remaining", "9")
            .with("content-length", "1"),
    );
    let mut names: Vec<_> = reply.headers.keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "content-length",
        "content-type",
        ANSWERED_BY,
        ATTEMPTS,
        "x-ratelimit-remaining",
        // The same as OpenAI would say it.
        "x-ratelimit-remaining-requests",
    ];
    assert_eq!(names, expected);
}

#[test]
fn limits_of_a_provider_are_not_told_where_envoy_tells_of_the_clients_own() {
    let config = gateway(|document| {
        document["rate_limit_service"] = json!({"endpoint": "http://h:1"});
        document["budgets"] =
            json!([{"name": "b", "scope": "fleet", "tokens": 1000, "per": "day"}]);
    });
    let limits = [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ];
    let script = limits
        .into_iter()
        .fold(Script::whole(200, HELLO), |script, name| {
            script
                .with(name, "9")
                .with("x-ratelimit-remaining-tokens", "9")
        });
    let mut mesh = plan(&config, &chat("openai-only", json!({})));
    let reply = reply_to(&mut mesh, &script);
    for name in limits {
        assert!(!reply.headers.contains_key(name), "{name}");
    }
}

/// What Envoy is told of a failure.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    /// By 503: outlier detection counts it.
    Failed,
    /// By the header, with this status: nobody is blamed.
    Escalated(u16),
    /// Not at all: the client gets this status.
    Final(u16),
}

#[test]
fn every_class_is_told_to_envoy_in_its_own_way() {
    use Told::{Escalated, Failed, Final};
    let in_200 = |code: &str| {
        Script::whole(
            200,
            &json!({"error": {"message": "m", "code": code}}).to_string(),
        )
    };
    let rows = [
        (
            "rate_limited",
            error(429, "rate_limit_exceeded"),
            Failed,
            Failed,
        ),
        (
            "quota_exhausted",
            error(429, "insufficient_quota"),
            Failed,
            Failed,
        ),
        ("overloaded", error(529, "x"), Failed, Failed),
        ("overloaded", error(503, "x"), Failed, Failed),
        ("server_error", error(500, "x"), Failed, Failed),
        ("server_error", in_200("server_error"), Failed, Failed),
        ("timeout", error(504, "x"), Failed, Failed),
        (
            "authentication",
            error(401, "invalid_api_key"),
            Failed,
            Failed,
        ),
        (
            "model_not_found",
            error(404, "model_not_found"),
            Escalated(404),
            Escalated(404),
        ),
        (
            "model_not_found",
            error(410, "x"),
            Escalated(410),
            Escalated(410),
        ),
        (
            "context_length_exceeded",
            error(400, "context_length_exceeded"),
            Escalated(400),
            Escalated(400),
        ),
        (
            "context_length_exceeded",
            in_200("context_length_exceeded"),
            Escalated(400),
            Escalated(400),
        ),
        (
            "content_filter",
            error(400, "content_filter"),
            Final(400),
            Escalated(400),
        ),
        (
            "content_filter",
            in_200("content_filter"),
            Final(400),
            Escalated(400),
        ),
        (
            "invalid_request",
            error(400, "unsupported_value"),
            Final(400),
            Final(400),
        ),
        ("invalid_request", error(422, "x"), Final(422), Final(422)),
        (
            "empty_reply",
            Script::whole(200, r#"{"choices":[]}"#),
            Failed,
            Failed,
        ),
        (
            "malformed_reply",
            Script::whole(200, "no JSON"),
            Failed,
            Failed,
        ),
        (
            "malformed_reply",
            Script::whole(200, HELLO).with("content-encoding", "gzip"),
            Failed,
            Failed,
        ),
        (
            "reply_too_large",
            Script::whole(200, &HELLO.replace("Hello", &"x".repeat(8192))),
            Final(502),
            Final(502),
        ),
        ("server_error", error(302, "x"), Failed, Failed),
    ];
    for (class, script, strict, lenient) in rows {
        for (fallback_on_refusal, told) in [(false, strict), (true, lenient)] {
            let config = gateway(|document| {
                document["models"]["smart"]["fallback_on_refusal"] = json!(fallback_on_refusal);
            });
            let mut mesh = plan(&config, &chat("smart", json!({})));
            let reply = reply_to(&mut mesh, &script);
            let seen = match (reply.headers.contains_key(ESCALATE), reply.status) {
                (true, status) => Escalated(status),
                (false, 503) => Failed,
                (false, status) => Final(status),
            };
            assert_eq!(
                seen, told,
                "{class}, fallback_on_refusal: {fallback_on_refusal}"
            );
            assert!(reply.headers.contains_key(FAILED), "{class}");
            let trail = mesh.text(TRAIL);
            assert!(
                trail.starts_with(&format!(
                    "openai/gpt-5;class={class};status={}",
                    script.status
                )),
                "{trail}"
            );
            assert!(mesh.state.contains_key(FAILURE));
        }
    }
}

#[test]
fn a_refusal_is_an_answer_unless_the_model_lets_it_fall_back() {
    let refusal = HELLO.replace(r#""content":"Hello""#, r#""content":null,"refusal":"No.""#);
    for (fallback_on_refusal, retried) in [(false, false), (true, true)] {
        let config = gateway(|document| {
            document["models"]["smart"]["fallback_on_refusal"] = json!(fallback_on_refusal);
        });
        let mut mesh = plan(&config, &chat("smart", json!({})));
        let reply = reply_to(&mut mesh, &Script::whole(200, &refusal));
        assert_eq!((reply.status, is_retried(&reply)), (200, retried));
        assert_eq!(reply.text(), refusal);
        assert_eq!(
            mesh.text(TRAIL),
            "openai/gpt-5;class=content_filter;status=200;ms=0"
        );
        // When it was the last attempt, the client gets the refusal itself.
        let client = mesh.answer(reply, "");
        assert_eq!(
            (client.text(), client.header(ESCALATE)),
            (refusal.clone(), "")
        );
    }
}

#[test]
fn a_reply_without_a_body_is_a_failed_attempt() {
    for (status, class) in [
        (200, "empty_reply"),
        (204, "empty_reply"),
        (500, "server_error"),
        (429, "rate_limited"),
    ] {
        let script = Script {
            chunks: Vec::new(),
            ..Script::whole(status, "")
        };
        let (mesh, reply) = reply(&script);
        assert_eq!((reply.status, reply.body.len()), (503, 0));
        let trail = mesh.text(TRAIL);
        assert!(
            trail.contains(&format!(";class={class};status={status};")),
            "{trail}"
        );
    }
}

#[test]
fn only_what_an_operator_can_mend_is_a_warning() {
    let warned = |script: &Script| reply(script).0.warnings;
    let what = "provider openai refuses its key (model gpt-5, status 401)";
    assert_eq!(warned(&error(401, "invalid_api_key")), [what]);
    for (script, word) in [
        (error(429, "insufficient_quota"), "quota"),
        (error(404, "model_not_found"), "model"),
        (Script::whole(200, "{"), "schema"),
    ] {
        let warnings = warned(&script);
        assert!(
            warnings.len() == 1 && warnings[0].contains(word),
            "{warnings:?}"
        );
    }
    for script in [
        error(429, "rate_limit_exceeded"),
        error(500, "x"),
        error(400, "y"),
        Script::whole(200, HELLO),
    ] {
        assert!(warned(&script).is_empty());
    }
}

#[test]
fn the_trail_grows_from_attempt_to_attempt() {
    let mut mesh = plan(&gateway(unchanged), &chat("smart", json!({})));
    let (attempts, client) = mesh.run(&[
        ("openai", error(429, "rate_limit_exceeded")),
        ("anthropic", Script::whole(200, CLAUDE_HELLO)),
        ("gemini", error(500, "x")),
    ]);
    assert_eq!((attempts, client.status), (2, 200));
    let trail = "openai/gpt-5;class=rate_limited;status=429;ms=0, anthropic/claude;class=ok;status=200;ms=0";
    assert_eq!(
        (client.header(ATTEMPTS), mesh.text(TRAIL).as_str()),
        (trail, trail)
    );
    assert_eq!(client.header(ANSWERED_BY), "anthropic/claude-x");
    assert_eq!(client.json()["choices"][0]["message"]["content"], "Hello");
}

#[test]
fn a_model_name_of_the_providers_making_cannot_break_a_header() {
    let long = "x".repeat(500);
    for (name, seen) in [
        ("a,b;c\r\nd é", "a%2Cb%3Bc%0D%0Ad%20%C3%A9"),
        (long.as_str(), long.get(..200).expect("long")),
    ] {
        let mut body: Value = serde_json::from_str(HELLO).expect("JSON");
        body["model"] = json!(name);
        let (mesh, reply) = reply(&Script::whole(200, &body.to_string()));
        assert_eq!(reply.header(ANSWERED_BY), format!("openai/{seen}"));
        assert_eq!(mesh.text(RESPONSE_MODEL), seen);
    }
}

#[test]
fn a_reply_that_outgrows_its_limit_is_judged_before_its_end() {
    let chunk = vec![b'x'; 3000];
    let script = Script {
        chunks: vec![chunk.clone(), chunk.clone(), chunk],
        ..Script::whole(200, "")
    };
    // The rest never comes, as when it is more than Envoy buffers.
    let (mesh, reply) = reply(&script.ending(End::After(0)));
    assert_eq!(reply.status, 502);
    assert!(mesh.text(TRAIL).contains("class=reply_too_large"));
}

/// What a reply whose answer nobody sees has cost, and what the next one says of it.
fn thrown_away(model: &str, script: &Script) -> (Mesh, Message) {
    let priced = gateway(|document| {
        let prices = json!({"input": 1, "cached_input": 1, "output": 10});
        for candidate in document["models"]["smart"]["candidates"]
            .as_array_mut()
            .expect("some")
        {
            candidate["prices"] = prices.clone();
        }
        document["models"]["gated"] = document["models"]["smart"].clone();
        document["models"]["gated"]["quality_gate"] = json!({});
        document["models"]["smart"]["fallback_on_refusal"] = json!(true);
    });
    let mut mesh = plan(&priced, &chat(model, json!({})));
    let reply = reply_to(&mut mesh, script);
    assert!(is_retried(&reply) && mesh.text(INPUT_TOKENS).is_empty());
    let mut sent = mesh.send(2, "anthropic").expect("an attempt");
    let script = Script::whole(200, CLAUDE_HELLO);
    let reply = mesh.reply(&mut sent.attempt, &script).expect("a reply");
    (mesh, reply)
}

#[test]
fn answers_that_are_thrown_away_are_charged() {
    let poor = HELLO.replace("Hello", "I'm sorry, but I can't help with that.");
    let refusal = HELLO.replace(r#""content":"Hello""#, r#""content":null,"refusal":"No""#);
    for (model, reply) in [("gated", poor), ("smart", refusal)] {
        let (mesh, reply) = thrown_away(model, &Script::whole(200, &reply));
        // Three tokens in and two out, twice, of which the client sees one.
        assert_eq!(reply.header(COST_HEADER), "0.000046000");
        let keys = [
            INPUT_TOKENS,
            OUTPUT_TOKENS,
            REJECTED_TOKENS,
            REJECTED_COST,
            COST,
        ];
        let told = keys.map(|key| mesh.text(key));
        assert_eq!(told, ["3", "2", "5", "23000", "46000"], "{model}");
    }
}

#[test]
fn a_reply_that_is_too_large_to_be_read_is_charged_by_its_size() {
    let (mesh, _) = reply(&Script::whole(200, &"x".repeat(9000)));
    let tokens: u64 = mesh.text(REJECTED_TOKENS).parse().expect("a number");
    assert!((2250..2400).contains(&tokens), "{tokens}");
    assert_eq!(mesh.text(USAGE_ESTIMATED), "true");
}
