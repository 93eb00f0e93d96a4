//! The upstream role until the provider's request leaves.

use pointsman::exchange::handoff::{CLUSTER, FIDELITY, FIDELITY_HEADER, PLAN};
use pointsman::exchange::{Misfit, Refusal, Topology};
use serde_json::{Value, json};

use crate::mesh::{Mesh, Script};
use crate::{CLAUDE_HELLO, HELLO, chat, gateway, plan, unchanged};

/// A header of the provider's request.
fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(n, _)| n == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn every_provider_gets_its_own_path_authority_key_and_body() {
    let config = gateway(|document| {
        document["models"]["all"] = json!({"candidates": [
            {"provider": "openai", "model": "gpt-5"},
            {"provider": "anthropic", "model": "claude", "defaults": {"max_tokens": 64}},
            {"provider": "gemini", "model": "gemini-3-pro"},
            {"provider": "azure", "model": "gpt/5"},
            {"provider": "local", "model": "qwen"},
        ]});
    });
    let mut mesh = plan(&config, &chat("all", json!({"stream": true})));
    let expected = [
        (
            "openai",
            "/v1/chat/completions",
            "api.openai.com",
            Some(("authorization", "Bearer KEY-openai")),
        ),
        (
            "anthropic",
            "/v1/messages",
            "api.anthropic.com",
            Some(("x-api-key", "KEY-anthropic")),
        ),
        (
            "gemini",
            "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse",
            "generativelanguage.googleapis.com",
            Some(("x-goog-api-key", "KEY-gemini")),
        ),
        (
            "azure",
            "/openai/v1/chat/completions",
            "eu.example.com",
            Some(("authorization", "Bearer KEY-azure")),
        ),
        ("local", "/llm/v1/chat/completions", "10.0.0.7:8000", None),
    ];
    for (i, (provider, path, authority, key)) in expected.into_iter().enumerate() {
        let sent = mesh.send(i + 1, provider).expect("an attempt");
        assert_eq!(sent.path, path);
        assert_eq!(header(&sent.request, ":authority"), Some(authority));
        assert_eq!(header(&sent.request, "accept"), Some("text/event-stream"));
        assert_eq!(
            header(&sent.request, "content-length"),
            Some(sent.body.len().to_string().as_str())
        );
        let keys: Vec<_> = sent
            .request
            .iter()
            .filter(|(_, value)| value.contains("KEY-"))
            .collect();
        let keys: Vec<_> = keys
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            keys,
            Vec::from_iter(key),
            "{provider}: its own key, and no other"
        );
        let body: Value = serde_json::from_slice(&sent.body).expect("JSON");
        match provider {
            "openai" => assert_eq!(body["model"], "gpt-5"),
            "anthropic" => assert_eq!(
                (&body["model"], &body["max_tokens"]),
                (&json!("claude"), &json!(64))
            ),
            "gemini" => assert_eq!(body["contents"][0]["parts"][0]["text"], "Hi"),
            "azure" => assert_eq!(body["model"], "gpt/5"),
            _ => assert_eq!(
                (&body["model"], header(&sent.request, "x-team")),
                (&json!("qwen"), Some("blue"))
            ),
        }
    }
}

#[test]
fn no_key_of_one_attempt_or_of_the_client_reaches_the_next() {
    let client = [
        ("authorization", "Bearer CLIENT"),
        ("proxy-authorization", "CLIENT"),
        ("x-api-key", "CLIENT"),
        ("api-key", "CLIENT"),
        ("x-goog-api-key", "CLIENT"),
        ("x-goog-user-project", "CLIENT"),
        ("cookie", "CLIENT"),
        ("openai-organization", "CLIENT"),
        ("openai-project", "CLIENT"),
        ("x-amz-security-token", "CLIENT"),
        ("x-forwarded-for", "CLIENT"),
        ("x-forwarded-client-cert", "CLIENT"),
        ("forwarded", "CLIENT"),
        ("via", "CLIENT"),
        ("referer", "CLIENT"),
        ("accept-encoding", "gzip"),
        ("x-stainless-os", "CLIENT"),
        ("expect", "100-continue"),
        ("x-trace", "stays"),
    ];
    let body = chat("smart", json!({}));
    let mut mesh =
        Mesh::start(&gateway(unchanged), Topology::PerAttempt, &client, &body).expect("a plan");
    let attempts = [
        ("openai", "authorization"),
        ("anthropic", "x-api-key"),
        ("gemini", "x-goog-api-key"),
    ];
    for (i, (provider, key)) in attempts.into_iter().enumerate() {
        let sent = mesh.send(i + 1, provider).expect("an attempt");
        let mut names: Vec<_> = sent.request.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let mut expected = vec![
            ":authority",
            ":path",
            "accept",
            "content-length",
            "content-type",
            "x-trace",
            key,
        ];
        expected.extend((provider == "anthropic").then_some("anthropic-version"));
        expected.sort_unstable();
        assert_eq!(names, expected, "{provider}");
        assert!(
            sent.request
                .iter()
                .all(|(_, value)| !value.contains("CLIENT"))
        );
    }
}

#[test]
fn headers_that_the_configuration_sets_for_one_provider_reach_no_other() {
    let config = gateway(|document| {
        let first = &mut document["providers"]["azure"];
        first["dialect"] = json!({
            "path": "/engines/{model}/chat?v=1",
            "auth": {"header": "X-My-Key"},
        });
        first["headers"] = json!({"x-tenant": "ours"});
        document["models"]["two"] = json!({"candidates": [
            {"provider": "azure", "model": "a/b"},
            {"provider": "local", "model": "qwen"},
        ]});
    });
    let client = [("x-my-key", "CLIENT"), ("x-tenant", "CLIENT")];
    let body = chat("two", json!({}));
    let mut mesh = Mesh::start(&config, Topology::PerAttempt, &client, &body).expect("a plan");
    let sent = mesh.send(1, "azure").expect("an attempt");
    assert_eq!(header(&sent.request, "x-my-key"), Some("KEY-azure"));
    assert_eq!(header(&sent.request, "x-tenant"), Some("ours"));
    assert_eq!(header(&sent.request, "authorization"), None);
    assert_eq!(
        header(&sent.request, ":path"),
        Some("/openai/v1/engines/a%2Fb/chat?v=1")
    );
    let sent = mesh.send(2, "local").expect("an attempt");
    assert_eq!(header(&sent.request, "x-my-key"), None);
    assert_eq!(header(&sent.request, "x-tenant"), None);
}

#[test]
fn switches_of_anthropic_reach_nobody_else() {
    let client = [("anthropic-beta", "x"), ("anthropic-version", "2020-01-01")];
    let body = chat("smart", json!({}));
    let mut mesh =
        Mesh::start(&gateway(unchanged), Topology::PerAttempt, &client, &body).expect("a plan");
    for (number, provider) in [(1, "openai"), (3, "gemini")] {
        let sent = mesh.send(number, provider).expect("an attempt");
        assert!(
            sent.request
                .iter()
                .all(|(name, _)| !name.starts_with("anthropic-")),
            "{provider}"
        );
    }
}

#[test]
fn a14_betas_outlive_the_attempts_that_do_not_know_them() {
    let client = [("anthropic-beta", "x"), ("anthropic-version", "2020-01-01")];
    let body = chat("smart", json!({}));
    let mut mesh =
        Mesh::start(&gateway(unchanged), Topology::PerAttempt, &client, &body).expect("a plan");
    let first = mesh.send(1, "openai").expect("an attempt");
    assert_eq!(header(&first.request, "anthropic-beta"), None);
    let second = mesh.send(2, "anthropic").expect("an attempt");
    assert_eq!(header(&second.request, "anthropic-beta"), Some("x"));
    let version = header(&second.request, "anthropic-version");
    assert_eq!(version, Some("2023-06-01"));
}

#[test]
fn without_its_key_a_provider_gets_none() {
    let mut mesh = plan(&gateway(unchanged), &chat("local-only", json!({})));
    mesh.headers
        .push(("x-pointsman-key-openai".to_owned(), "KEY-openai".to_owned()));
    let sent = mesh.send(1, "local").expect("an attempt");
    assert!(
        sent.request
            .iter()
            .all(|(name, value)| name != "authorization" && !value.contains("KEY"))
    );
}

#[test]
fn each_attempt_says_where_the_next_one_goes() {
    let mut mesh = plan(&gateway(unchanged), &chat("smart", json!({})));
    for (number, (cluster, next)) in [
        ("openai", "via-anthropic"),
        ("anthropic", "gemini"),
        ("gemini", "gemini"),
    ]
    .into_iter()
    .enumerate()
    {
        mesh.send(number + 1, cluster).expect("an attempt");
        assert_eq!(mesh.text(CLUSTER), next);
    }
}

#[test]
fn the_second_model_of_a_provider_is_told_from_its_first() {
    let config = gateway(|document| {
        document["models"]["smart"]["candidates"] =
            json!([{"provider": "local", "model": "a"}, {"provider": "local", "model": "b"}]);
    });
    let body = chat("smart", json!({}));
    let topologies = [
        (Topology::PerAttempt, "local"),
        (Topology::StaticChain, "local~2"),
    ];
    for (topology, cluster) in topologies {
        let mut mesh = Mesh::start(&config, topology, &[], &body).expect("a plan");
        let sent = mesh.send(2, cluster).expect("an attempt");
        let body: Value = serde_json::from_slice(&sent.body).expect("JSON");
        assert_eq!(body["model"], "b");
        assert_eq!(sent.attempt.index(), 1);
    }
}

fn reason(refusal: Result<crate::mesh::Sent, Refusal>) -> &'static str {
    let refusal = refusal.err().expect("the attempt must be refused");
    assert_eq!(refusal.response.status, 503);
    let mut headers = refusal.response.headers.iter();
    let is_told = headers.any(|(name, _)| *name == "x-pointsman-local");
    assert_eq!(is_told, refusal.misfit != Some(Misfit::NoPlan));
    let body: Value = serde_json::from_slice(&refusal.response.body).expect("JSON");
    assert_eq!(body["error"]["code"], "gateway_misconfigured");
    refusal.reason
}

#[test]
fn an_attempt_that_does_not_fit_the_plan_fails_closed() {
    let config = gateway(unchanged);
    let body = chat("smart", json!({}));
    let mut mesh = plan(&config, &body);
    assert!(reason(mesh.send(1, "anthropic")).contains("disagree"));
    assert!(reason(mesh.send(2, "")).contains("does not say"));
    assert!(reason(mesh.send(2, "openai")).contains("stays with"));
    let mut chain = Mesh::start(&config, Topology::StaticChain, &[], &body).expect("a plan");
    assert!(reason(chain.send(1, "local")).contains("disagree"));
    assert!(reason(chain.send(1, "")).contains("does not say"));
    for plan in [&b""[..], b"{}", b"\xFF", br#"{"model":"smart","streamed":false,"include_usage":false,"id":"","created":0,"steps":[]}"#] {
        mesh.state.insert(PLAN.to_owned(), plan.to_vec());
        let reason = reason(mesh.send(1, "openai"));
        assert!(reason.contains("plan") || reason.contains("has not seen"));
    }
}

#[test]
fn a_configuration_that_has_changed_since_the_plan_fails_closed() {
    for change in [
        (|document| document["models"]["smart"]["candidates"][0]["model"] = json!("other"))
            as fn(&mut Value),
        |document| {
            document["models"]
                .as_object_mut()
                .expect("models")
                .remove("smart");
        },
        |document| {
            document["models"]["openai-only"]["candidates"][0]["provider"] = json!("local");
            document["models"]["smart"]["candidates"]
                .as_array_mut()
                .expect("a list")
                .remove(0);
            document["providers"]
                .as_object_mut()
                .expect("providers")
                .remove("openai");
        },
    ] {
        let mut mesh = plan(&gateway(unchanged), &chat("smart", json!({})));
        mesh.config = gateway(change);
        assert!(reason(mesh.send(1, "openai")).contains("configuration"));
    }
}

#[test]
fn a_body_that_is_not_the_planned_one_fails_closed() {
    let mut mesh = plan(&gateway(unchanged), &chat("smart", json!({})));
    mesh.body = b"{".to_vec();
    assert!(reason(mesh.send(1, "openai")).contains("body"));
}

#[test]
fn a_request_that_no_translation_can_carry_is_the_clients_error() {
    let mut mesh = plan(&gateway(unchanged), &chat("smart", json!({})));
    mesh.body = chat("smart", json!({"provider_options": {"openai": 3}}));
    let refusal = mesh.send(1, "openai").err().expect("refused").response;
    let body: Value = serde_json::from_slice(&refusal.body).expect("JSON");
    assert_eq!(refusal.status, 400);
    assert_eq!(body["error"]["param"], "provider_options.openai");
}

#[test]
fn what_was_lost_is_told_as_the_model_says() {
    for (policy, header) in [("report", "dropped logit_bias"), ("ignore", "")] {
        let policy = json!(policy);
        let config = gateway(|document| document["models"]["smart"]["on_unsupported"] = policy);
        let mut mesh = plan(
            &config,
            &chat("smart", json!({"logit_bias": {"1": 2}, "max_tokens": 9})),
        );
        let mut sent = mesh.send(2, "anthropic").expect("an attempt");
        let reply = mesh
            .reply(&mut sent.attempt, &Script::whole(200, CLAUDE_HELLO))
            .expect("a reply");
        assert_eq!(reply.header(FIDELITY_HEADER), header);
        assert_eq!(mesh.text(FIDELITY), "dropped logit_bias");
    }
    let mut mesh = plan(
        &gateway(unchanged),
        &chat("smart", json!({"logit_bias": {"1": 2}, "max_tokens": 9})),
    );
    let mut sent = mesh.send(1, "openai").expect("an attempt");
    let reply = mesh
        .reply(&mut sent.attempt, &Script::whole(200, HELLO))
        .expect("a reply");
    assert_eq!(
        (
            reply.header(FIDELITY_HEADER),
            mesh.state.contains_key(FIDELITY)
        ),
        ("", false)
    );
}

#[test]
fn names_that_clients_make_up_cannot_break_a_header() {
    let hostile = json!({"a\r\nset-cookie: x\u{0}é🚋": 1, "b".repeat(3000): 1});
    let mut mesh = plan(&gateway(unchanged), &chat("smart", hostile));
    let mut sent = mesh.send(2, "anthropic").expect("an attempt");
    let reply = mesh
        .reply(&mut sent.attempt, &Script::whole(200, CLAUDE_HELLO))
        .expect("a reply");
    let told = reply.header(FIDELITY_HEADER);
    assert!(told.starts_with("dropped "), "{told}");
    assert!(told.contains("a??set-cookie: x???"), "{told}");
    assert_eq!(told.len(), 2048);
    assert!(told.bytes().all(|b| (b' '..=b'~').contains(&b)));
}
