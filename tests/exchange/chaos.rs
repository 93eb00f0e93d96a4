//! Anything at all, cut anywhere: no panic, always a verdict, always the same bytes.

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::handoff::{FAILED, FAILURE, PLAN, TRAIL};
use pointsman::exchange::{Attempt, AttemptFacts, Downstream, Topology};
use proptest::prelude::*;
use serde_json::json;

use crate::mesh::{End, Headers, Mesh, Message, Script, head, is_retried};
use crate::{CLAUDE_HELLO, DONE, HELLO, ROLE, STOP, USAGE, WORD, chat, gateway, plan};

const PROVIDERS: [&str; 4] = ["openai", "anthropic", "gemini", "local"];

fn config() -> Rc<Config> {
    gateway(|document| {
        for provider in PROVIDERS {
            document["models"][format!("only-{provider}")] = json!({"candidates": [{"provider": provider, "model": "m", "defaults": {"max_tokens": 9}}]});
        }
        document["models"]["only-gemini"]["candidates"][0]["defaults"] = json!({});
    })
}

/// Bytes that are nearly JSON or nearly a stream, so that more than the first check sees them.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b",",
        b":",
        b"null",
        b"true",
        b"-1e9",
        b"\\u00",
        b"\xFF",
        b"\xEF\xBB\xBF",
        b"data: ",
        b"event: error\n",
        b"\n\n",
        b"\r\n\r\n",
        b"\r",
        b": \n",
        b"[DONE]",
        b"{\"choices\":[{\"delta\":{\"content\":\"x\"}}]}",
        b"\"choices\"",
        b"\"error\"",
        b"\"message\"",
        b"\"usage\":{\"prompt_tokens\":",
        b"\"model\"",
        b"\"messages\":[",
        b"{\"type\":\"message_start\"}",
        b"{\"type\":\"content_block_delta\",\"index\":",
        b"{\"candidates\":[{\"content\":{\"parts\":[",
        HELLO.as_bytes(),
        CLAUDE_HELLO.as_bytes(),
        ROLE.as_bytes(),
        WORD.as_bytes(),
        STOP.as_bytes(),
        b"{\"model\":\"smart\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
    ];
    let word = prop::sample::select(words).prop_map(<[u8]>::to_vec);
    let any_bytes = prop::collection::vec(any::<u8>(), 0..8);
    prop::collection::vec(prop_oneof![6 => word, 1 => any_bytes], 0..12)
        .prop_map(|words| words.concat())
}

/// A stream of OpenAI's events, good and odd, that mostly comes to its end.
fn events() -> impl Strategy<Value = Vec<u8>> {
    let words = vec![
        ROLE,
        WORD,
        USAGE,
        STOP,
        ": ping\n\n",
        "data: {\"choices\":[\n\n",
        "event: x\r\ndata: {\"choices\":[]}\r\n\r\n",
        "data:{\"id\":\"é🚋\",\ndata:\"choices\":[]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"refusal\":\"No\"}}]}\r\r",
        "data: {\"error\":{\"message\":\"x\"}}\n\n",
    ];
    let rarely = prop::bool::weighted(0.1);
    let event = (prop::sample::select(words), rarely).prop_map(|(event, keep)| {
        if event.contains("error") && !keep {
            WORD
        } else {
            event
        }
    });
    let ends = prop::sample::select(vec![[STOP, DONE], [STOP, ""], ["", DONE], [WORD, ""]]);
    (prop::collection::vec(event, 0..8), ends).prop_map(|(events, end)| {
        let stream = [events.concat(), end.concat()].concat();
        stream.into_bytes()
    })
}

fn end() -> impl Strategy<Value = End> {
    prop::sample::select(vec![End::WithLastChunk, End::Alone, End::WithTrailers])
}

/// `body` in chunks that end at `cuts`.
fn cut(body: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| body[pair[0]..pair[1]].to_vec())
        .collect()
}

fn reply(
    config: &Rc<Config>,
    provider: &str,
    streamed: bool,
    script: &Script,
) -> (Mesh, Option<Message>) {
    let mut mesh = plan(
        config,
        &chat(&format!("only-{provider}"), json!({"stream": streamed})),
    );
    let mut sent = mesh.send(1, provider).expect("an attempt");
    let reply = mesh.reply(&mut sent.attempt, script);
    (mesh, reply)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_reply_ends_in_a_verdict(
        provider in prop::sample::select(PROVIDERS.to_vec()),
        streamed in any::<bool>(),
        status in prop::sample::select(vec![0_u16, 100, 200, 204, 302, 400, 401, 429, 500, 999]),
        body in noise(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        end in end(),
    ) {
        let script = Script { status, headers: Vec::new(), chunks: cut(&body, &cuts), end };
        let (mut mesh, reply) = reply(&config(), provider, streamed, &script);
        let reply = reply.expect("a reply that has ended is let through");
        prop_assert!(mesh.text(TRAIL).starts_with(provider));
        prop_assert!(reply.status == 200 || (400..600).contains(&reply.status) || (200..300).contains(&status), "{}", reply.status);
        prop_assert_eq!(reply.headers.contains_key(FAILED), mesh.state.contains_key(FAILURE));
        let client = mesh.answer(reply, "");
        prop_assert!(!is_retried(&client) || client.status == 503);
        if !(200..300).contains(&client.status) {
            prop_assert!(client.json()["error"]["message"].is_string());
        } else if streamed {
            std::str::from_utf8(&client.body).ok();
        } else {
            client.json();
        }
    }

    #[test]
    fn a_reply_is_the_same_wherever_it_is_cut(
        body in events(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        end in end(),
    ) {
        let config = config();
        let script = |chunks| Script { status: 200, headers: Vec::new(), chunks, end };
        let (_, whole) = reply(&config, "openai", true, &script(vec![body.clone()]));
        let (_, pieces) = reply(&config, "openai", true, &script(cut(&body, &cuts)));
        let (whole, pieces) = (whole.expect("a reply"), pieces.expect("a reply"));
        // What fails as a whole may have been committed in pieces, never the other way round.
        if whole.status == 200 {
            prop_assert_eq!((pieces.status, pieces.text()), (200, whole.text()));
        } else {
            let is_told = pieces.status == 503 || pieces.text().contains("\"error\"");
            prop_assert!(is_told, "a failure was hidden: {}", pieces.text());
        }
    }

    #[test]
    fn a_good_stream_is_the_same_wherever_it_is_cut(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        crlf in any::<bool>(),
        end in end(),
    ) {
        let body = [ROLE, ": ping\n\n", WORD, WORD, STOP, USAGE, DONE].concat();
        let sent = if crlf { body.replace('\n', "\r\n") } else { body };
        let script = Script { chunks: cut(sent.as_bytes(), &cuts), ..Script::chunks(&[], end) };
        let (_, reply) = reply(&config(), "openai", true, &script);
        prop_assert_eq!(reply.expect("a reply").text(), [ROLE, WORD, WORD, STOP, DONE].concat());
    }

    #[test]
    fn any_body_is_planned_or_refused_in_openais_words(body in noise()) {
        let config = config();
        if let Err(response) = Mesh::start(&config, Topology::PerAttempt, &[], &body) {
            let error: serde_json::Value = serde_json::from_slice(&response.body).expect("JSON");
            prop_assert!(error["error"]["message"].is_string());
            prop_assert!((400..500).contains(&response.status));
        }
    }

    #[test]
    fn any_plan_and_any_facts_lead_to_an_attempt_or_a_refusal(
        noise in noise(),
        name in "[a-z~-]{0,9}",
        steps in 0_usize..3,
        number in any::<usize>(),
        cluster in prop::sample::select(vec!["openai", "dead-end", "", "x"]),
        chain in any::<bool>(),
        now_ms in any::<u64>(),
    ) {
        let step = json!({"provider": "openai", "model": "gpt-5", "cluster": cluster});
        let made = json!({"model": name, "streamed": true, "include_usage": true, "id": name, "created": u64::MAX, "steps": vec![step; steps]});
        let topology = if chain { Topology::StaticChain } else { Topology::PerAttempt };
        let config = config();
        for plan in [noise.clone(), made.to_string().into_bytes(), made.to_string().replace(&format!("\"{name}\""), "\"smart\"").into_bytes()] {
            let facts = AttemptFacts {
                plan,
                trail: String::from_utf8_lossy(&noise).into_owned(),
                failure: noise.clone(),
                token: name.clone(),
                rejected: pointsman::exchange::Used::default(),
                number,
                cluster: cluster.to_owned(),
                now_ms,
            };
            if let Ok((mut attempt, _)) = Attempt::start(&config, topology, facts) {
                attempt.on_request_headers(&[(name.clone(), name.clone())]);
                attempt.on_request_body(&noise).ok();
                attempt.on_done(chain, 0);
            }
        }
    }

    #[test]
    fn any_path_and_method_is_decided(method in "[A-Z]{0,7}", path in "/?(v1)?/?(models|chat/completions)?[ -~é]{0,9}") {
        let head = head(&method, &path, &Headers::new());
        Downstream::start(&config(), Topology::PerAttempt, &head);
    }

    #[test]
    fn any_failure_in_filter_state_is_composed(failure in noise(), trail in ".{0,30}", status in any::<u16>()) {
        let mut mesh = plan(&config(), &chat("smart", json!({})));
        mesh.state.insert(PLAN.to_owned(), Vec::new());
        mesh.state.insert(FAILURE.to_owned(), failure);
        let trail: String = trail.chars().filter(|c| (' '..='~').contains(c)).collect();
        mesh.state.insert(TRAIL.to_owned(), trail.into_bytes());
        let client = mesh.answer(Message { status, ..Message::default() }, "x");
        prop_assert!((400..600).contains(&client.status));
        prop_assert!(client.json()["error"]["message"].is_string());
    }
}

#[test]
fn nesting_beyond_reason_is_borne_by_every_schema() {
    let depth = 8_000;
    let config = gateway(|document| {
        document["limits"] = json!({});
        document["models"]["all"] = json!({"candidates": PROVIDERS.map(|provider| json!({"provider": provider, "model": "m"}))});
    });
    let nested =
        |open: &str, close: &str| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let values = [
        nested("[", "]"),
        nested("{\"properties\":", "}"),
        nested("{\"content\":[", "]}"),
    ];
    for value in &values {
        for place in [
            "\"x\":@",
            "\"metadata\":@",
            "\"provider_options\":{\"openai\":{\"x\":@},\"anthropic\":{\"x\":@},\"gemini\":{\"x\":@}}",
            "\"thinking\":@",
            "\"tools\":[{\"type\":\"function\",\"cache_control\":{},\"function\":{\"name\":\"f\",\"parameters\":{\"$ref\":\"#\",\"properties\":@}}}]",
            "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\",\"schema\":{\"$ref\":\"#\",\"a\":@}}}",
            "\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"cache_control\":@}]",
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\",\"cache_control\":@}]}]",
            "\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"reasoning_details\":[@],\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},\"extra_content\":@}]},{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":\"x\"}]",
        ] {
            let messages = if place.contains("messages") {
                ""
            } else {
                ",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
            };
            let body = format!(
                "{{\"model\":\"all\",{}{messages}}}",
                place.replace('@', value)
            );
            let Ok(mut mesh) = Mesh::start(&config, Topology::PerAttempt, &[], body.as_bytes())
            else {
                continue;
            };
            for (i, provider) in PROVIDERS.into_iter().enumerate() {
                mesh.send(i + 1, provider).ok();
            }
        }
        for provider in PROVIDERS {
            for reply_body in [
                value.clone(),
                HELLO.replace("\"Hello\"", value),
                CLAUDE_HELLO.replace("\"Hello\"", value),
                format!("{{\"error\":{value}}}"),
            ] {
                let script = Script::whole(200, &reply_body);
                let mut mesh = plan(&config, &chat("all", json!({})));
                let number = 1 + PROVIDERS
                    .iter()
                    .position(|p| *p == provider)
                    .expect("known");
                let mut sent = mesh.send(number, provider).expect("an attempt");
                mesh.reply(&mut sent.attempt, &script).expect("a verdict");
            }
        }
    }
}
