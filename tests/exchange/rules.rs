//! Rules, labels and what clients may say, from the request's head to the plan.

use std::collections::BTreeMap;
use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::handoff::{EXPLANATION, Handoff, INTENT, PLAN, RULE, TEAM, VARIANT};
use pointsman::exchange::{Downstream, ImmediateResponse, RequestFacts, Topology, Verdict};
use pointsman::observed::Unobserved;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::mesh::{Mesh, head};
use crate::{chat, gateway};

/// The shared gateway with labels, and `change` applied.
fn labelled(change: impl FnOnce(&mut Value)) -> Rc<Config> {
    gateway(|document| {
        for (name, place) in [("openai", "us"), ("anthropic", "eu"), ("gemini", "eu")] {
            document["providers"][name]["labels"] = json!({"residency": place});
        }
        change(document);
    })
}

type Outcome = Result<Mesh, ImmediateResponse>;

fn ask(config: &Rc<Config>, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
    Mesh::start(config, Topology::PerAttempt, headers, body)
}

fn providers(outcome: &Outcome) -> Vec<String> {
    let mesh = outcome
        .as_ref()
        .map_err(|r| String::from_utf8_lossy(&r.body).into_owned());
    let plan = Handoff::decode(&mesh.expect("a plan").state[PLAN]).expect("a plan");
    plan.steps.into_iter().map(|step| step.provider).collect()
}

fn message<T>(outcome: Result<T, ImmediateResponse>) -> String {
    let response = outcome.err().expect("a refusal");
    assert_eq!(response.status, 400);
    let body: Value = serde_json::from_slice(&response.body).expect("JSON");
    body["error"]["message"]
        .as_str()
        .expect("a message")
        .to_owned()
}

#[test]
fn the_first_team_that_fits_is_told_and_nobody_else_is() {
    let config = labelled(|document| {
        document["teams"] = json!([
            {"name": "search", "when": {"headers": {"x-team": "search-*"}}},
            {"name": "others", "when": {"headers": {"x-team": "*"}, "path": "/v1/chat/*"}}
        ]);
    });
    let body = chat("smart", json!({}));
    for (header, team) in [
        (("x-team", "search-web"), Some("search")),
        (("x-team", "billing"), Some("others")),
        (("x-other", "search-web"), None),
    ] {
        let mesh = ask(&config, &[header], &body).expect("a plan");
        assert_eq!(
            mesh.state.get(TEAM).map(Vec::as_slice),
            team.map(str::as_bytes)
        );
        let plan = Handoff::decode(&mesh.state[PLAN]).expect("a plan");
        assert_eq!(plan.team.as_deref(), team);
    }
}

#[test]
fn an_intent_is_told_by_words_and_logged_by_its_name() {
    let config = labelled(|document| {
        document["intents"] = json!([{"name": "refund", "any": ["refund*", "退款"]}]);
        document["rules"] = json!([
            {"name": "money", "when": {"intent": "refund"}, "candidates": ["anthropic/claude"]},
            {"name": "programs", "when": {"intent": ["code", "math"]}, "candidates": ["gemini/gemini-3-pro"]}
        ]);
    });
    for (said, rule, intent) in [
        ("I want to be refunded.", Some("money"), Some("refund")),
        ("我想要退款", Some("money"), Some("refund")),
        (
            "Write a Python script that sorts lines.",
            Some("programs"),
            Some("code"),
        ),
        ("Hello, thanks!", None, Some("chat")),
        ("Explain how a heat pump works.", None, None),
    ] {
        let text = |state: Option<&Vec<u8>>| {
            state.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let asked = ask(
            &config,
            &[],
            &chat(
                "smart",
                json!({"messages": [{"role": "user", "content": said}]}),
            ),
        );
        let state = asked.expect("a plan").state;
        assert_eq!(text(state.get(RULE)).as_deref(), rule, "{said}");
        assert_eq!(text(state.get(INTENT)).as_deref(), intent, "{said}");
    }
}

#[test]
fn complexity_is_told_by_what_the_user_said_last() {
    let config = labelled(|document| {
        document["rules"] = json!([
            {"name": "hard", "when": {"complexity": {"over": 0.85}}, "candidates": ["anthropic/claude"]},
            {"name": "easy", "when": {"complexity": {"up_to": 0.25}}, "candidates": ["gemini/gemini-3-pro"]}
        ]);
    });
    for (said, rule) in [
        ("Hi there!", "easy"),
        (
            "Write a Python function that returns the n most frequent words of a text file, with a test.",
            "",
        ),
        (
            "Prove that the queue never loses an element, analyse why the root cause is a race, \
             and justify every step of the design.",
            "hard",
        ),
    ] {
        let body = chat(
            "smart",
            json!({"messages": [{"role": "user", "content": said}]}),
        );
        let mesh = ask(&config, &[], &body).unwrap_or_else(|_| panic!("no plan"));
        assert_eq!(mesh.text(RULE), rule, "{said}");
    }
}

#[test]
fn the_first_rule_that_fits_names_candidates_times_and_itself() {
    let config = labelled(|document| {
        document["rules"] = json!([
            {"name": "tools", "when": {"needs": "tools"}, "candidates": ["gemini/gemini-3-pro"]},
            {
                "name": "beta",
                "when": {"headers": {"X-Beta": ["yes", "on*"]}},
                "candidates": ["local/qwen", "openai/gpt-5"],
                "timeouts": {"per_try": "1s", "total": "3s"}
            },
            {"when": {"headers": {"x-beta": "*"}}, "candidates": ["anthropic/claude"]}
        ]);
    });
    let body = chat("smart", json!({}));
    for (beta, rule, expected) in [
        (None, None, &["openai", "anthropic", "gemini"][..]),
        (Some("yes"), Some("beta"), &["local", "openai"]),
        (Some("once"), Some("beta"), &["local", "openai"]),
        (Some("no"), Some("rule-3"), &["anthropic"]),
    ] {
        let headers: Vec<_> = beta.map(|value| ("x-beta", value)).into_iter().collect();
        let outcome = ask(&config, &headers, &body);
        assert_eq!(providers(&outcome), expected, "{beta:?}");
        let mesh = outcome.expect("a plan");
        assert_eq!(mesh.state.contains_key(RULE), rule.is_some());
        assert_eq!(mesh.text(RULE), rule.unwrap_or_default());
        let per_try = mesh.header("x-envoy-upstream-rq-per-try-timeout-ms");
        let is_hasty = rule == Some("beta");
        assert_eq!(
            per_try.as_deref(),
            Some(if is_hasty { "1000" } else { "2000" })
        );
    }
    let tool = json!({"tools": [{"type": "function", "function": {"name": "f"}}]});
    let outcome = ask(&config, &[("x-beta", "yes")], &chat("smart", tool));
    assert_eq!(providers(&outcome), ["gemini"]);
}

#[test]
fn an_attempt_finds_the_candidate_of_a_rule() {
    let config = labelled(|document| {
        document["rules"] = json!([{"candidates": ["local/qwen"]}]);
    });
    let mut mesh = ask(&config, &[], &chat("smart", json!({}))).expect("a plan");
    let sent = mesh.send(1, "local").expect("sent");
    let body: Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(body["model"], "qwen");
}

#[test]
fn an_attempt_goes_on_when_its_rule_is_not_there_yet_or_no_more() {
    let with_rule = labelled(|document| {
        document["rules"] = json!([{"candidates": ["local/qwen"]}]);
    });
    let mut mesh = ask(&with_rule, &[], &chat("smart", json!({}))).expect("a plan");
    mesh.config = labelled(|_| {});
    assert!(mesh.send(1, "local").is_ok());
}

#[test]
fn metadata_and_users_of_the_body_are_read_when_a_rule_asks() {
    let config = labelled(|document| {
        document["rules"] = json!([
            {"when": {"metadata": {"project": "p-*"}}, "candidates": ["gemini/gemini-3-pro"]},
            {"when": {"script": "han"}, "candidates": ["anthropic/claude"]},
        ]);
    });
    let project = json!({"metadata": {"project": "p-1", "other": 3}});
    assert_eq!(
        providers(&ask(&config, &[], &chat("smart", project))),
        ["gemini"]
    );
    let body = json!({"model": "smart", "messages": [
        {"role": "user", "content": "hello"},
        {"role": "user", "content": [{"type": "text", "text": "法国的首都是哪里？"}]},
    ]});
    let outcome = ask(&config, &[], body.to_string().as_bytes());
    assert_eq!(providers(&outcome), ["anthropic"]);
}

#[test]
fn what_serves_near_the_end_of_a_budget_keeps_the_labels_of_what_was_asked_for() {
    for place in ["requirements", "model"] {
        let config = labelled(|document| {
            document["budgets"] = json!([
                {"tokens": 1_000_000, "per": "day", "soft": 0, "downgrade_to": "openai-only"}
            ]);
            match place {
                "model" => document["models"]["smart"]["require"] = json!({"residency": "eu"}),
                _ => {
                    document["requirements"] =
                        json!([{"when": {"model": "smart"}, "require": {"residency": "eu"}}]);
                }
            }
        });
        let head = head("POST", "/v1/chat/completions", &Vec::new());
        let start = Downstream::start(&config, Topology::PerAttempt, &head);
        let Verdict::Inspect(mut downstream, _) = start else {
            panic!("not ours");
        };
        let facts = RequestFacts {
            books: Some(&Unobserved),
            ..RequestFacts::default()
        };
        let refusal = message(downstream.on_body(&chat("smart", json!({})), facts));
        assert!(
            refusal.contains("label residency is not kept"),
            "{place}: {refusal}"
        );
    }
}

#[test]
fn required_labels_add_up_from_everywhere() {
    let config = labelled(|document| {
        document["providers"]["gemini"]["labels"]["retention"] = json!("none");
        document["models"]["smart"]["require"] = json!({"residency": ["eu", "us"]});
        document["rules"] = json!([{
            "when": {"headers": {"x-eu": "*"}},
            "require": {"residency": "eu"}
        }]);
        document["requirements"] = json!([
            {"when": {"metadata": {"private": "yes"}}, "require": {"retention": "none"}},
            {"when": {"model": "openai-only"}, "require": {"residency": "eu"}},
        ]);
        document["routing"] = json!({"client_labels": "x-require"});
    });
    let plain = || chat("smart", json!({}));
    let private = chat("smart", json!({"metadata": {"private": "yes"}}));
    let all = ["openai", "anthropic", "gemini"];
    assert_eq!(providers(&ask(&config, &[], &plain())), all);
    assert_eq!(
        providers(&ask(&config, &[("x-eu", "1")], &plain())),
        all[1..]
    );
    assert_eq!(providers(&ask(&config, &[], &private)), ["gemini"]);
    let us = [("x-require", "residency=us")];
    assert_eq!(providers(&ask(&config, &us, &plain())), ["openai"]);
    // A client can only tighten.
    let wide = [("x-require", "residency=us|eu"), ("x-eu", "1")];
    assert_eq!(providers(&ask(&config, &wide, &plain())), all[1..]);
    let both = [("x-require", "residency=us"), ("x-eu", "1")];
    let refusal = message(ask(&config, &both, &plain()));
    assert!(refusal.contains("label residency is not kept"), "{refusal}");
    message(ask(&config, &[], &chat("openai-only", json!({}))));
    let twice = [
        ("x-require", "residency=us|eu"),
        ("x-require", "retention=none"),
    ];
    assert_eq!(providers(&ask(&config, &twice, &plain())), ["gemini"]);
    let refusal = message(ask(&config, &[("x-require", "eu")], &plain()));
    assert!(refusal.contains("x-require"), "{refusal}");
}

#[test]
fn clients_limit_what_they_may() {
    let config = labelled(|document| {
        for (i, quality) in [0.5, 0.9, 0.7].into_iter().enumerate() {
            document["models"]["smart"]["candidates"][i]["quality"] = json!(quality);
        }
        document["routing"] = json!({
            "client_constraints": {"header": "x-limits", "metadata": "limits", "allow": "quality"}
        });
    });
    let plain = chat("smart", json!({}));
    let good = [("x-limits", "quality>=0.6")];
    assert_eq!(
        providers(&ask(&config, &good, &plain)),
        ["anthropic", "gemini", "openai"]
    );
    let better = chat("smart", json!({"metadata": {"limits": "quality>=0.8"}}));
    let order = providers(&ask(&config, &good, &better));
    assert_eq!(order, ["anthropic", "openai", "gemini"]);
    message(ask(&config, &[("x-limits", "cost_usd<=1")], &plain));
}

#[test]
fn a_sticky_user_is_told_its_variant() {
    let config = labelled(|document| {
        let smart = &mut document["models"]["smart"];
        smart["policy"] = json!({"weighted": {"sticky": {"header": "x-user"}}});
        smart["candidates"][0]["variant"] = json!("control");
    });
    let mut variants = BTreeMap::new();
    for user in 0..60 {
        let user = format!("u{user}");
        let outcome = ask(&config, &[("x-user", &user)], &chat("smart", json!({})));
        let first = providers(&outcome)[0].clone();
        let variant = outcome.expect("a plan").text(VARIANT);
        let earlier = variants.insert(first, variant.clone());
        assert!(earlier.is_none_or(|earlier| earlier == variant));
    }
    assert_eq!(variants["openai"], "control");
    assert_eq!(variants["anthropic"], "anthropic/claude");
}

#[test]
fn a_decision_is_explained_when_it_is_asked_for() {
    let config = labelled(|document| {
        document["models"]["smart"]["candidates"][2]["capabilities"] = json!({"tools": false});
        document["models"]["smart"]["candidates"][1]["prices"] = json!({"input": 1, "output": 2});
        document["rules"] = json!([{
            "name": "eu",
            "when": {"headers": {"x-secret": "*"}},
            "require": {"residency": "eu"},
            "policy": "cheapest"
        }]);
        document["explain"] = json!({"header": "x-debug"});
    });
    let tool = json!({"tools": [{"type": "function", "function": {"name": "SECRET"}}], "max_tokens": 1000});
    let headers = [("x-debug", "SECRET"), ("x-secret", "SECRET")];
    let mesh = ask(&config, &headers, &chat("smart", tool.clone())).expect("a plan");
    let text = mesh.text(EXPLANATION);
    assert!(!text.contains("SECRET"), "{text}");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(told["rule"], "eu");
    assert_eq!(told["request"]["needs"], json!(["tools"]));
    assert_eq!(told["required_labels"], json!(["residency=eu"]));
    assert_eq!(told["policy"], "cheapest");
    assert_eq!(told["timeouts_ms"]["per_try"], 2000);
    let candidates = told["candidates"].as_array().expect("a list");
    assert_eq!(candidates[0]["candidate"], "anthropic/claude");
    assert_eq!(candidates[0]["place"], 1);
    assert_eq!(candidates[0]["scores"][0]["reason"], "nano-USD, the least");
    assert!(candidates[0]["cost_usd"].as_f64().expect("a cost") > 0.002);
    assert_eq!(candidates[1]["left_out"], "label residency is not kept");
    assert_eq!(candidates[2]["left_out"], "no tools");
    let quiet = ask(&config, &[], &chat("smart", tool)).expect("a plan");
    assert!(!quiet.state.contains_key(EXPLANATION));
}

#[test]
fn a_sample_of_all_decisions_is_explained() {
    let explained = |share: f64| {
        let config = labelled(|document| document["explain"] = json!({"sample": share}));
        let mesh = ask(&config, &[], &chat("smart", json!({}))).expect("a plan");
        mesh.state.contains_key(EXPLANATION)
    };
    assert!(explained(1.0));
    assert!(!explained(0.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever rules, labels and clients say: nobody is planned who breaks a required label.
    #[test]
    fn a_forbidden_provider_is_in_no_plan(
        places in proptest::collection::vec(0_usize..4, 3),
        rule in 0_usize..4,
        client in 0_usize..4,
        model in 0_usize..4,
        policy in 0_usize..4,
        static_chain: bool,
    ) {
        let place = |i: usize| [Some("eu"), Some("us"), Some("cn"), None][i];
        let names = ["openai", "anthropic", "gemini"];
        let config = gateway(|document| {
            for (name, i) in names.iter().zip(&places) {
                if let Some(place) = place(*i) {
                    document["providers"][*name]["labels"] = json!({"residency": place});
                }
            }
            if let Some(place) = place(model) {
                document["models"]["smart"]["require"] = json!({"residency": [place, "eu"]});
            }
            let policy = ["priority", "weighted", "cheapest", "tiers"][policy];
            let mut given = json!({"policy": policy, "candidates": [
                "gemini/gemini-3-pro", "openai/gpt-5", "anthropic/claude"
            ]});
            if let Some(place) = place(rule) {
                given["require"] = json!({"residency": place});
            }
            document["rules"] = json!([given]);
            document["routing"] = json!({"client_labels": "x-require"});
        });
        let wish = place(client).map(|place| format!("residency={place}"));
        let headers: Vec<_> = wish.iter().map(|wish| ("x-require", wish.as_str())).collect();
        let topology = if static_chain { Topology::StaticChain } else { Topology::PerAttempt };
        let outcome = Mesh::start(&config, topology, &headers, &chat("smart", json!({})));
        let allowed = |i: usize| {
            let own = place(places[i]);
            let keeps = |wanted: Option<&str>| wanted.is_none() || own == wanted;
            let of_model = place(model).is_none() || (own.is_some() && (own == place(model) || own == Some("eu")));
            keeps(place(rule)) && keeps(place(client)) && of_model
        };
        let expected = (0..3).filter(|i| allowed(*i)).count();
        match outcome {
            Ok(mesh) => {
                let plan = Handoff::decode(&mesh.state[PLAN]).expect("a plan");
                prop_assert_eq!(plan.steps.len(), expected);
                for step in plan.steps {
                    let i = names.iter().position(|n| *n == step.provider).expect("known");
                    prop_assert!(allowed(i), "{}", step.provider);
                }
            }
            Err(_) => prop_assert_eq!(expected, 0),
        }
    }
}

fn admitting() -> Rc<Config> {
    labelled(|document| {
        document["routing"] = json!({"identity_header": "x-client"});
        document["admit"] = json!([
            {"identity": "spiffe://a/*"},
            {"model": "smart", "identity": "spiffe://b/*"},
            {"model": "smart", "headers": {"x-free": "*"}},
        ]);
    })
}

/// Status and code of a refusal; `None` for a plan.
fn refused(outcome: Outcome) -> Option<(u16, String)> {
    let response = outcome.err()?;
    let body: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(body["error"]["type"], "authentication_error");
    let code = body["error"]["code"].as_str().expect("a code").to_owned();
    Some((response.status, code))
}

#[test]
fn only_whoever_is_admitted_may_ask() {
    let config = admitting();
    let other = config.models.keys().find(|name| *name != "smart");
    let other = other.expect("another model").as_str();
    let identity_required = Some((401, "identity_required".to_owned()));
    let not_admitted = Some((403, "not_admitted".to_owned()));
    let (a, b) = (("x-client", "spiffe://a/x"), ("x-client", "spiffe://b/x"));
    for (headers, model, expected) in [
        (vec![a], "smart", None),
        (vec![a], other, None),
        (vec![b], "smart", None),
        (vec![b], other, not_admitted.clone()),
        (
            vec![("x-client", "spiffe://c/x")],
            "smart",
            not_admitted.clone(),
        ),
        (vec![("x-client", "")], "smart", identity_required.clone()),
        (vec![], "smart", identity_required.clone()),
        (vec![], "no-such-model", identity_required.clone()),
        (vec![("x-free", "1")], "smart", None),
        (vec![("x-free", "1")], other, identity_required.clone()),
    ] {
        let outcome = ask(&config, &headers, &chat(model, json!({})));
        assert_eq!(refused(outcome), expected, "{headers:?} {model}");
    }
}

#[test]
fn the_listing_names_what_the_client_is_admitted_to() {
    let config = admitting();
    let listed = |headers: &[(&str, &str)], path: &str| {
        let given = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(given).collect();
        let mut head = head("GET", path, &headers);
        head.known.headers = headers;
        match Downstream::start(&config, Topology::PerAttempt, &head) {
            Verdict::Respond(response) => String::from_utf8(response.body).expect("text"),
            _ => panic!("the listing is answered at once"),
        }
    };
    let b = [("x-client", "spiffe://b/x")];
    let count = |text: &str| text.matches(r#""id":"#).count();
    assert_eq!(count(&listed(&b, "/v1/models")), 1);
    assert_eq!(count(&listed(&[], "/v1/models")), 0);
    let all = listed(&[("x-client", "spiffe://a/x")], "/v1/models");
    assert_eq!(count(&all), config.models.len());
    assert!(listed(&b, "/v1/models/smart").contains(r#""id":"smart""#));
    let unknown = listed(&[], "/v1/models/smart");
    assert!(
        unknown.contains("does not exist; known models: \""),
        "{unknown}"
    );
}

#[test]
fn a_header_that_nobody_declared_is_no_identity() {
    let config = labelled(|document| {
        document["admit"] = json!([{"identity": "spiffe://a/*"}]);
    });
    let forged = [
        ("x-forwarded-client-cert", "URI=spiffe://a/x"),
        ("x-client", "spiffe://a/x"),
    ];
    let outcome = ask(&config, &forged, &chat("smart", json!({})));
    assert_eq!(
        refused(outcome),
        Some((401, "identity_required".to_owned()))
    );
}

#[test]
fn the_clients_identity_stays_with_us() {
    let config = admitting();
    let outcome = ask(
        &config,
        &[("x-client", "spiffe://a/x")],
        &chat("smart", json!({})),
    );
    let Ok(mesh) = outcome else {
        panic!("admitted")
    };
    assert!(mesh.headers.iter().all(|(name, _)| name != "x-client"));
}

#[test]
fn whoever_is_not_admitted_may_ask_for_nothing_else_either() {
    let config = admitting();
    let body = br#"{"model":"smart","input":"hi"}"#;
    for path in ["/v1/embeddings", "/v1/responses"] {
        let outcome = Mesh::ask(path, &config, Topology::PerAttempt, &[], body);
        let expected = Some((401, "identity_required".to_owned()));
        assert_eq!(refused(outcome), expected, "{path}");
    }
}
