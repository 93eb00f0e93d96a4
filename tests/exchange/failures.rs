//! Attempts without a reply, and what the client hears when nobody answered.

use pointsman::exchange::handoff::{ANSWERED, ATTEMPTS, ESCALATE, FAILED, FAILURE, TRAIL};
use pointsman::exchange::{Flow, Mutation, ResponseHead, Topology, Used};
use pointsman::failure::Class;
use serde_json::json;

use crate::mesh::{End, Mesh, Message, Script};
use crate::{HELLO, ROLE, WORD, chat, error, gateway, plan, unchanged};

fn start() -> Mesh {
    plan(&gateway(unchanged), &chat("smart", json!({})))
}

#[test]
fn an_attempt_without_a_reply_is_told_apart_by_how_it_ended() {
    let never = |elapsed_ms| Script::chunks(&[], End::After(elapsed_ms));
    let rows = [
        (
            "openai",
            Script::chunks(&[], End::Unconnected),
            "connect_failure",
            0,
        ),
        ("openai", never(100), "reset", 100),
        ("openai", never(1994), "reset", 1994),
        ("openai", never(1996), "timeout", 1996),
        ("openai", never(5000), "timeout", 5000),
        (
            "dead-end",
            Script::chunks(&[], End::Unconnected),
            "ejected",
            0,
        ),
        ("dead-end", never(3000), "ejected", 3000),
    ];
    for (cluster, script, class, ms) in rows {
        let mut mesh = start();
        let mut sent = mesh.send(1, cluster).expect("an attempt");
        // Not even headers, but for what the harness makes of a script.
        if script.end == End::Unconnected {
            assert!(mesh.reply(&mut sent.attempt, &script).is_none());
        } else {
            mesh.now_ms += ms;
            let mutation = sent.attempt.on_done(false, mesh.now_ms);
            let trail = mutation
                .state
                .iter()
                .find(|edit| edit.key == TRAIL)
                .expect("a trail");
            mesh.state.insert(TRAIL.to_owned(), trail.value.clone());
        }
        assert_eq!(
            mesh.text(TRAIL),
            format!("openai/gpt-5;class={class};ms={ms}")
        );
    }
}

#[test]
fn a_reply_that_broke_in_the_middle_is_a_failed_attempt() {
    let mut mesh = start();
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    let half = Script {
        chunks: vec![HELLO.as_bytes()[..40].to_vec()],
        ..Script::whole(200, "")
    };
    assert!(
        mesh.reply(&mut sent.attempt, &half.ending(End::After(10)))
            .is_none()
    );
    assert_eq!(mesh.text(TRAIL), "openai/gpt-5;class=reset;ms=10");
}

#[test]
fn the_status_of_an_error_whose_body_never_came_is_not_lost() {
    let mut mesh = start();
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    let script = error(429, "x")
        .with("retry-after", "9")
        .ending(End::After(5000));
    assert!(mesh.reply(&mut sent.attempt, &script).is_none());
    assert_eq!(
        mesh.text(TRAIL),
        "openai/gpt-5;class=rate_limited;status=429;ms=5000"
    );
    let client = mesh.answer(
        Message {
            status: 504,
            ..Message::default()
        },
        "upstream_per_try_timeout",
    );
    assert_eq!((client.status, client.header("retry-after")), (429, "9"));
}

#[test]
fn nothing_is_told_twice_of_an_attempt_that_has_answered() {
    let mut mesh = start();
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    mesh.reply(&mut sent.attempt, &Script::whole(200, HELLO))
        .expect("a reply");
    assert_eq!(sent.attempt.on_done(true, 99_999).state, []);
}

#[test]
fn a_committed_stream_that_vanishes_keeps_what_it_cost() {
    let mut mesh = plan(&gateway(unchanged), &chat("smart", json!({"stream": true})));
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    let reply = mesh.reply(
        &mut sent.attempt,
        &Script::chunks(&[ROLE, WORD], End::After(9)),
    );
    assert_eq!(reply.expect("a commit").status, 200);
    let trail = "openai/gpt-5;class=ok;status=200;ms=0;broken=reset";
    assert_eq!(mesh.text(TRAIL), trail);
    assert!(!mesh.state.contains_key(FAILURE));
    assert_eq!(mesh.outcomes, [Ok(()), Err(Class::Reset)]);
}

#[test]
fn the_client_hears_of_the_failure_that_it_can_do_most_about() {
    let limited = error(429, "rate_limit_exceeded").with("retry-after", "7");
    let mut mesh = start();
    let (attempts, client) = mesh.run(&[
        ("openai", error(401, "invalid_api_key")),
        ("anthropic", limited),
        ("gemini", Script::chunks(&[], End::Unconnected)),
    ]);
    assert_eq!((attempts, client.status), (3, 429));
    assert_eq!(client.header("retry-after"), "7");
    let error = &client.json()["error"];
    assert_eq!(error["type"], "rate_limit_error");
    let message = "all 3 attempts for smart failed (openai/gpt-5: authentication (401), \
                   anthropic/claude: rate_limited (429), gemini/gemini-3-pro: connect_failure); \
                   anthropic/claude: says rate_limit_exceeded";
    assert_eq!(error["message"], message);
    assert_eq!(client.header(ATTEMPTS), mesh.text(TRAIL));
    assert_eq!((client.header(ESCALATE), client.header(FAILED)), ("", ""));
    assert_eq!(
        client.header("content-length"),
        client.body.len().to_string()
    );
}

#[test]
fn usefulness_goes_from_what_a_client_can_change_to_what_only_an_operator_can() {
    // Each of them hides those before it.
    let ladder = [
        (error(401, "invalid_api_key"), 502),
        (Script::chunks(&[], End::Unconnected), 502),
        (error(500, "x"), 500),
        (error(529, "x"), 529),
        (error(429, "rate_limit_exceeded"), 429),
        (error(400, "context_length_exceeded"), 400),
    ];
    for (i, (better, status)) in ladder.iter().enumerate() {
        for (worse, _) in &ladder[..i] {
            for (first, second) in [(better, worse), (worse, better)] {
                let mut mesh = start();
                let (attempts, client) =
                    mesh.run(&[("openai", first.clone()), ("anthropic", second.clone())]);
                assert_eq!((attempts, client.status), (2, *status));
            }
        }
    }
}

#[test]
fn a_provider_that_refuses_our_key_is_not_the_clients_fault() {
    let mut mesh = plan(&gateway(unchanged), &chat("openai-only", json!({})));
    let (_, client) = mesh.run(&[("openai", error(401, "invalid_api_key"))]);
    assert_eq!(client.status, 502);
    assert_eq!(
        client.json()["error"]["message"],
        "openai/gpt-5: says invalid_api_key (authentication)"
    );
}

#[test]
fn a_final_failure_reaches_the_client_with_its_own_status_and_words() {
    let body = json!({"error": {"message": "no such value", "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value"}});
    let mut mesh = start();
    let (attempts, client) = mesh.run(&[
        ("openai", Script::whole(400, &body.to_string())),
        ("anthropic", error(500, "x")),
    ]);
    assert_eq!((attempts, client.status), (1, 400));
    let expected = json!({"error": {
        "message": "openai/gpt-5: no such value (invalid_request)",
        "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value",
    }});
    assert_eq!(client.json(), expected);
}

#[test]
fn what_envoy_says_itself_becomes_an_error_of_openais() {
    let rows = [
        (413, "request_payload_too_large", 413, "request_too_large"),
        (500, "response_payload_too_large", 500, "reply_too_large"),
        (503, "no_healthy_upstream", 503, "ejected"),
        (503, "cluster_not_found", 503, "server_error"),
        (
            503,
            "upstream_reset_before_response_started{connection_failure}",
            503,
            "connect_failure",
        ),
        (
            502,
            "upstream_reset_before_response_started{protocol_error}",
            502,
            "reset",
        ),
        (504, "response_timeout", 504, "total_timeout"),
        (408, "request_overall_timeout", 408, "timeout"),
        (429, "request_rate_limited", 429, "rate_limited"),
        (
            401,
            "jwt_authn_access_denied{Jwt_is_missing}",
            401,
            "authentication",
        ),
        (
            403,
            "rbac_access_denied_matched_policy[none]",
            403,
            "authentication",
        ),
        (431, "x", 431, "invalid_request"),
        (500, "", 500, "server_error"),
        // Never a success, and never what cannot be a status.
        (200, "direct_response", 500, "server_error"),
        (301, "direct_response", 500, "server_error"),
        (0, "", 500, "server_error"),
    ];
    for (status, details, expected, code) in rows {
        let mut mesh = start();
        let client = mesh.answer(
            Message {
                status,
                ..Message::default()
            },
            details,
        );
        assert_eq!(client.status, expected, "{status} {details}");
        assert_eq!(client.json()["error"]["code"], code, "{status} {details}");
        assert_eq!(client.header("content-type"), "application/json");
        assert!(!client.headers.contains_key(ATTEMPTS));
    }
}

/// A request whose attempts may be under way at the same time.
fn hedged(body: serde_json::Value) -> Mesh {
    let config = gateway(|document| {
        document["models"]["smart"]["timeouts"]["hedge"] = json!("500ms");
    });
    let mesh = Mesh::start(&config, Topology::StaticChain, &[], &chat("smart", body));
    mesh.unwrap_or_else(|_| panic!("refused"))
}

#[test]
fn a_hedged_reply_is_never_held() {
    for stream in [false, true] {
        let mut mesh = hedged(json!({"stream": stream}));
        assert_eq!(
            mesh.header("x-envoy-hedge-on-per-try-timeout").as_deref(),
            Some("true")
        );
        assert_eq!(
            mesh.header("x-envoy-upstream-rq-per-try-timeout-ms")
                .as_deref(),
            Some("500")
        );
        for status in [200, 429, 503] {
            let mut sent = mesh.send(1, "openai").expect("an attempt");
            let head = ResponseHead {
                status,
                ..ResponseHead::default()
            };
            let mutation = sent.attempt.on_response_headers(&head, 0);
            assert_eq!(mutation.flow, Flow::Continue, "{status}, {stream}");
        }
    }
}

#[test]
fn only_static_chains_hedge() {
    let config = gateway(|document| {
        document["models"]["smart"]["timeouts"]["hedge"] = json!("500ms");
    });
    let mesh = plan(&config, &chat("smart", json!({})));
    assert_eq!(mesh.header("x-envoy-hedge-on-per-try-timeout"), None);
}

#[test]
fn who_is_outrun_stands_before_who_answered_and_is_blamed_for_nothing() {
    let mut mesh = hedged(json!({}));
    let mut slow = mesh.send(1, "openai").expect("an attempt").attempt;
    let mut quick = mesh.send(2, "anthropic").expect("an attempt").attempt;
    let head = ResponseHead {
        status: 200,
        ..ResponseHead::default()
    };
    let told = quick.on_response_headers(&head, mesh.now_ms + 700);
    assert!(told.state.iter().any(|edit| edit.key == ANSWERED));
    let trail = |mutation: &Mutation| {
        let edit = mutation
            .state
            .iter()
            .find(|edit| edit.key == TRAIL)
            .expect("a trail");
        String::from_utf8(edit.value.clone()).expect("text")
    };
    slow.recall(trail(&told), Vec::new(), Used::default());
    let told = slow.on_outrun(mesh.now_ms + 700).expect("it is unanswered");
    assert_eq!(
        trail(&told),
        "openai/gpt-5;class=outrun;ms=700, anthropic/claude;class=ok;status=200;ms=700"
    );
    assert!(told.observed.iter().all(|o| o.update.outcome.is_none()));
    assert_eq!(quick.on_outrun(mesh.now_ms), None);
}
