//! The downstream role until the request leaves.

use std::rc::Rc;

use pointsman::exchange::handoff::{CHAIN, CLUSTER, Handoff, PLAN, REQUEST_MODEL};
use pointsman::exchange::{Downstream, RequestHead, Topology, Verdict};
use serde_json::{Value, json};

use crate::mesh::{Headers, Mesh, head};
use crate::{chat, gateway, plan, refused, unchanged};

#[test]
fn the_plan_names_every_attempt_and_how_long_it_may_take() {
    let mesh = plan(
        &gateway(unchanged),
        &chat(
            "smart",
            json!({"stream": true, "stream_options": {"include_usage": true}}),
        ),
    );
    let plan = Handoff::decode(&mesh.state[PLAN]).expect("a plan");
    assert_eq!(
        (plan.model.as_str(), plan.streamed, plan.include_usage),
        ("smart", true, true)
    );
    assert_eq!(
        (plan.id.as_str(), plan.created),
        ("chatcmpl-req-1", 1_700_000_000)
    );
    let clusters: Vec<_> = plan
        .steps
        .iter()
        .map(|step| step.cluster.as_str())
        .collect();
    assert_eq!(clusters, ["openai", "anthropic", "gemini"]);
    assert_eq!(mesh.text(CLUSTER), "via-openai");
    assert_eq!(mesh.text(REQUEST_MODEL), "smart");
    let set = [
        "x-envoy-max-retries",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
    ];
    assert_eq!(
        set.map(|name| mesh.header(name).expect("set")),
        // One more for a wait; Envoy's own limit would cut streams that have begun.
        ["3", "0", "2000"]
    );
}

#[test]
fn the_only_candidate_is_tried_even_when_it_is_ejected() {
    let mesh = plan(&gateway(unchanged), &chat("openai-only", json!({})));
    assert_eq!(mesh.text(CLUSTER), "openai");
    let retries = mesh.header("x-envoy-max-retries");
    assert_eq!(retries.as_deref(), Some("1"), "it may be waited for");
}

#[test]
fn every_attempt_but_the_last_is_addressed_through_its_wrapper() {
    let config = gateway(|document| {
        document["models"]["smart"]["candidates"] = json!([
            {"provider": "openai", "model": "gpt-5", "tries": 2},
            {"provider": "local", "model": "a"},
            {"provider": "local", "model": "b"},
        ]);
    });
    let body = chat("smart", json!({}));
    let addresses = |topology| {
        let mesh = Mesh::start(&config, topology, &[], &body).expect("a plan");
        let plan = Handoff::decode(&mesh.state[PLAN]).expect("a plan");
        let address = |index| plan.address(index, topology);
        (0..5).filter_map(address).collect::<Vec<_>>()
    };
    let each = addresses(Topology::PerAttempt);
    assert_eq!(each, ["via-openai", "via-openai", "via-local", "local"]);
    // Envoy tries each member of a chain once, so every further try is a member of its own.
    let chain = "chain.openai.openai~2.local.local~2";
    assert_eq!(addresses(Topology::StaticChain), [chain; 4]);
}

#[test]
fn an_older_envoy_is_told_its_chain_by_header() {
    let body = chat("smart", json!({}));
    let forged = [(CHAIN, "chain.forged")];
    let mesh =
        Mesh::start(&gateway(unchanged), Topology::StaticChain, &forged, &body).expect("a plan");
    assert_eq!(
        mesh.header(CHAIN).as_deref(),
        Some("chain.openai.anthropic.gemini")
    );
    assert!(!mesh.state.contains_key(CLUSTER));
}

#[test]
fn a_client_can_neither_steer_envoy_nor_forge_our_headers() {
    let forged = [
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-retry-on", "5xx"),
        ("x-pointsman-key-openai", "mine"),
        ("x-pointsman-anything", "x"),
        ("x-other", "stays"),
    ];
    let body = chat("smart", json!({}));
    let mesh =
        Mesh::start(&gateway(unchanged), Topology::PerAttempt, &forged, &body).expect("a plan");
    assert_eq!(mesh.header("x-other").as_deref(), Some("stays"));
    assert_eq!(
        mesh.header("x-envoy-upstream-rq-timeout-ms").as_deref(),
        Some("10000")
    );
    for name in [
        "x-envoy-retry-on",
        "x-pointsman-key-openai",
        "x-pointsman-anything",
    ] {
        assert_eq!(mesh.header(name), None, "{name}");
    }
}

#[test]
fn a_model_that_nobody_knows_is_refused_with_those_that_are_known() {
    let (status, error) = refused(&gateway(unchanged), &chat("nope", json!({})));
    assert_eq!(
        (status, error["code"].as_str(), error["param"].as_str()),
        (404, Some("model_not_found"), Some("model"))
    );
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains("local-only, openai-only, smart"),
        "{message}"
    );
}

#[test]
fn candidates_that_cannot_are_left_out_and_named_when_none_is_left() {
    let cannot_see = |document: &mut Value| {
        document["models"]["smart"]["candidates"][0]["capabilities"] = json!({"vision": false});
        document["models"]["openai-only"]["candidates"][0]["capabilities"] =
            json!({"vision": false});
    };
    let image = json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]});
    let config = gateway(cannot_see);
    let mesh = plan(&config, &chat("smart", image.clone()));
    assert_eq!(mesh.text(CLUSTER), "via-anthropic");
    let (status, error) = refused(&config, &chat("openai-only", image));
    assert_eq!(
        (status, error["code"].as_str()),
        (400, Some("no_able_candidate"))
    );
    assert_eq!(
        error["message"],
        "no candidate of openai-only can serve this request (openai/gpt-5: no images)"
    );
}

#[test]
fn a_lossy_candidate_is_rejected_where_the_model_says_so() {
    let with = |word: &str| {
        let word = word.to_owned();
        gateway(move |document| document["models"]["smart"]["on_unsupported"] = json!(word))
    };
    let biased = chat("smart", json!({"logit_bias": {"1": 1}}));
    let clusters_for = |config: &Rc<_>, body: &[u8]| {
        let plan = Handoff::decode(&plan(config, body).state[PLAN]).expect("a plan");
        plan.steps
            .into_iter()
            .map(|step| step.cluster)
            .collect::<Vec<_>>()
    };
    let clusters = |config: &Rc<_>| clusters_for(config, &biased);
    assert_eq!(clusters(&with("reject")), ["openai"]);
    // What the configuration fills in takes nothing away from the client.
    let plain = chat("smart", json!({}));
    assert_eq!(clusters_for(&with("reject"), &plain).len(), 3);
    assert_eq!(clusters(&with("report")).len(), 3);
    assert_eq!(clusters(&with("ignore")).len(), 3);
}

#[test]
fn nothing_is_left_when_every_candidate_would_lose_something() {
    let config = gateway(|document| {
        document["models"]["openai-only"]["on_unsupported"] = json!("reject");
    });
    let (status, error) = refused(&config, &chat("openai-only", json!({"top_k": 4})));
    assert_eq!(status, 400);
    assert_eq!(
        error["message"],
        "no candidate of openai-only can serve this request (openai/gpt-5: dropped top_k)"
    );
}

#[test]
fn a_candidate_whose_translation_is_refused_is_left_out() {
    let body = |model| chat(model, json!({"provider_options": {"openai": 3}}));
    let config = gateway(unchanged);
    assert_eq!(plan(&config, &body("smart")).text(CLUSTER), "via-anthropic");
    let (status, error) = refused(&config, &body("openai-only"));
    assert_eq!(
        (status, error["param"].as_str()),
        (400, Some("provider_options.openai"))
    );
}

#[test]
fn bodies_beyond_the_limit_are_refused_by_length_and_by_size() {
    let config = gateway(unchanged);
    let long = chat("smart", json!({"user": "x".repeat(5000)}));
    let (status, error) = refused(&config, &long);
    assert_eq!(
        (status, error["code"].as_str()),
        (413, Some("request_too_large"))
    );
    let head = RequestHead {
        content_length: Some(4097),
        ..head("POST", "/v1/chat/completions", &Headers::new())
    };
    assert_eq!(
        answered(Downstream::start(&config, Topology::PerAttempt, &head)),
        Some(413)
    );
}

#[test]
fn requests_are_told_apart_by_method_and_path() {
    let config = gateway(unchanged);
    let start = |method: &str, path: &str, change: fn(&mut RequestHead)| {
        let mut head = head(method, path, &Headers::new());
        change(&mut head);
        Downstream::start(&config, Topology::PerAttempt, &head)
    };
    let none: fn(&mut RequestHead) = |_| {};
    for (method, path, status) in [
        ("GET", "/v1/models", Some(200)),
        ("GET", "/v1/models?limit=1", Some(200)),
        ("GET", "/v1/models/smart", Some(200)),
        ("GET", "/v1/models/openai%2Donly", Some(200)),
        ("GET", "/v1/models/nope%zz%", Some(404)),
        ("POST", "/v1/models", Some(405)),
        ("GET", "/v1/chat/completions", Some(405)),
        ("POST", "/v1/chat/completions", None),
    ] {
        assert_eq!(
            answered(start(method, path, none)),
            status,
            "{method} {path}"
        );
    }
    for (method, path) in [
        ("POST", "/v1/files"),
        ("GET", "/"),
        ("POST", "/v2/chat/completions"),
        ("OPTIONS", "/v1/models"),
        ("POST", ""),
    ] {
        assert!(
            matches!(start(method, path, none), Verdict::Ignore),
            "{method} {path}"
        );
    }
    let path = "/v1/chat/completions";
    assert!(matches!(
        start("POST", path, |head| head.upgrade = true),
        Verdict::Ignore
    ));
    assert_eq!(
        answered(start("POST", path, |head| head.end_of_stream = true)),
        Some(400)
    );
    assert_eq!(
        answered(start("POST", path, |head| head.content_encoding =
            Some("gzip".to_owned()))),
        Some(415)
    );
    assert_eq!(
        answered(start("POST", path, |head| head.content_encoding =
            Some("identity".to_owned()))),
        None
    );
}

/// The status of an answer of our own; `None` when the request goes on.
fn answered(verdict: Verdict) -> Option<u16> {
    match verdict {
        Verdict::Respond(response) => {
            serde_json::from_slice::<Value>(&response.body).expect("JSON");
            Some(response.status)
        }
        Verdict::Inspect(..) => None,
        Verdict::Ignore => panic!("the request is ours"),
    }
}
