//! Budgets of the fleet: what the rate limit filter is told, before and after.

use std::rc::Rc;

use pointsman::callout::{Answer, Outcome, Spent};
use pointsman::config::Config;
use pointsman::exchange::{
    Downstream, FinalFacts, Fleet, ImmediateResponse, Mutation, RequestFacts, Topology, Used,
    Verdict,
};
use pointsman::observed::Unobserved;
use serde_json::{Value, json};

use crate::mesh::head;
use crate::{chat, gateway};

/// In the middle of a minute, in seconds.
const NOW_S: u64 = 1_800_000_030;
const NOW_MS: u64 = NOW_S * 1000;

/// What asking the classifier uses.
const ASKING: Spent = Spent {
    tokens: 77,
    nano_usd: 5_500,
};

/// Keys and values of filter state.
type Told = Vec<(String, String)>;

fn with(budgets: Value) -> Rc<Config> {
    gateway(|document| {
        document["models"]["openai-only"]["candidates"][0]["prices"] =
            json!({"input": 1, "output": 10});
        document["rate_limit_service"] = json!({"endpoint": "http://h:1"});
        document["budgets"] = budgets;
    })
}

/// The request after its decision, and what was handed to Envoy.
fn decide(
    config: &Rc<Config>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<(Downstream, Fleet, Told), Value> {
    let headers = headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut head = head("POST", "/v1/chat/completions", &headers);
    head.known.headers = headers;
    let start = Downstream::start(config, Topology::PerAttempt, &head);
    let Verdict::Inspect(mut downstream, _) = start else {
        panic!("not ours");
    };
    let facts = RequestFacts {
        now_s: NOW_S,
        books: Some(&Unobserved),
        ..RequestFacts::default()
    };
    let refused = |response: ImmediateResponse| {
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        body["error"].clone()
    };
    let mut mutation = downstream.on_body(body, facts).map_err(refused)?;
    if let Some(question) = &mutation.question {
        let answer = Answer {
            spent: ASKING,
            ..Answer::without(&question.classifier, Outcome::Failed)
        };
        downstream.on_answer(&answer, 1);
        mutation = downstream.on_body(body, facts).map_err(refused)?;
    }
    let fleet = downstream.take_fleet();
    Ok((downstream, fleet, told(&mutation)))
}

/// What of filter state is for the rate limit filter.
fn told(mutation: &Mutation) -> Told {
    let ours = [
        "pointsman_account.",
        "pointsman_hits.",
        "pointsman_more.",
        "pointsman_back.",
        "pointsman_refused.",
    ];
    let edits = mutation.state.iter();
    edits
        .filter(|edit| ours.iter().any(|prefix| edit.key.starts_with(prefix)))
        .map(|edit| {
            (
                edit.key.to_string(),
                String::from_utf8(edit.value.clone()).expect("text"),
            )
        })
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Told {
    expected
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn hi() -> Vec<u8> {
    chat("openai-only", json!({"max_completion_tokens": 100}))
}

#[test]
fn a_request_asks_for_all_that_it_may_use_of_each_budget_that_it_is_on() {
    let config = with(json!([
        {"name": "team", "scope": "fleet", "by": {"header": "x-team"}, "tokens": 1000, "per": "day"},
        {"name": "cost", "scope": "fleet", "usd": 1, "per": "day"},
        {"name": "not-this", "scope": "fleet", "tokens": 1, "per": "day", "when": {"headers": {"x-no": "*"}}},
    ]));
    let (_, fleet, told) = decide(&config, &[("x-team", "red, blue%")], &hi()).expect("a plan");
    assert!(!fleet.is_empty());
    let hits: u64 = told[1].1.parse().expect("a number");
    let input = hits - 100;
    assert!((1..20).contains(&input), "{input}");
    let micro_usd = (input + 1000).to_string();
    assert_eq!(
        told,
        pairs(&[
            ("pointsman_account.team", "red%2C%20blue%25"),
            ("pointsman_hits.team", &hits.to_string()),
            ("pointsman_hits.cost", &micro_usd),
        ])
    );
}

#[test]
fn long_names_of_accounts_are_hashes_and_missing_parts_are_marked() {
    let team = json!([{"name": "b", "scope": "fleet", "by": {"header": "x-team"}, "tokens": 1000, "per": "day"}]);
    let long = "a".repeat(300);
    let (.., told) = decide(&with(team), &[("x-team", &long)], &hi()).expect("a plan");
    let account = &told[0].1;
    assert!(
        account.len() == 16 && account.bytes().all(|b| b.is_ascii_hexdigit()),
        "{account}"
    );
    let config = with(json!([
        {"name": "b", "scope": "fleet", "by": {"header": "x-team", "user": true}, "tokens": 1000, "per": "day"},
    ]));
    let (.., told) = decide(&config, &[], &hi()).expect("a plan");
    assert_eq!(told[0].1.len(), 16, "{told:?}");
}

#[test]
fn in_the_end_the_difference_to_what_was_used_is_told() {
    let config = with(json!([{"name": "b", "scope": "fleet", "tokens": 1000, "per": "minute"}]));
    let (_, fleet, asked) = decide(&config, &[], &hi()).expect("a plan");
    let hits: u64 = asked[0].1.parse().expect("a number");
    let settle = |tokens, counted, now_ms| {
        let used = Used {
            tokens,
            ..Used::default()
        };
        told(&fleet.settle(&config, used, counted, now_ms))
    };
    let next_minute = NOW_MS + 60_000;
    for (used, counted, now_ms, key, value) in [
        (30, true, NOW_MS, "pointsman_back.b", hits - 30),
        (0, true, NOW_MS, "pointsman_back.b", hits),
        (hits + 7, true, NOW_MS, "pointsman_more.b", 7),
        // The service was not there when it should have counted.
        (30, false, NOW_MS, "pointsman_more.b", 30),
        (hits + 7, true, next_minute, "pointsman_more.b", 7),
    ] {
        let expected = pairs(&[(key, &value.to_string())]);
        assert_eq!(settle(used, counted, now_ms), expected, "{used} {counted}");
    }
    assert_eq!(settle(hits, true, NOW_MS), []);
    // Nothing of the last window is given to the next one.
    assert_eq!(settle(30, true, next_minute), []);
}

#[test]
fn a_refusal_names_the_budget_that_the_filter_tells_of_and_gives_up_all() {
    let config = with(json!([
        {"name": "large", "scope": "fleet", "tokens": 1_000_000, "per": "hour"},
        {"name": "small", "scope": "fleet", "usd": 0.5, "per": "day"},
    ]));
    let (downstream, mut fleet, asked) = decide(&config, &[], &hi()).expect("a plan");
    let facts = FinalFacts {
        status: 429,
        details: "request_rate_limited".to_owned(),
        fleet: fleet.clone(),
        told: pointsman::exchange::Told {
            limit: "500000, 500000;w=86400;name=\"small\"".to_owned(),
            remaining: "0".to_owned(),
            reset: "77".to_owned(),
        },
        now_ms: NOW_MS,
        ..FinalFacts::default()
    };
    let response = downstream.failure_response(&facts);
    assert_eq!(response.status, 429);
    assert!(response.headers.contains(&("retry-after", "77".to_owned())));
    let body: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(body["error"]["code"], "budget_exceeded");
    let message = body["error"]["message"].as_str().expect("a message");
    let expected =
        "budget small is used up: of 0.500000000 USD per day, too little is left in the fleet";
    assert!(message.starts_with(expected), "{message}");
    let given_up: Vec<_> = told(&fleet.give_up(&config));
    let renamed =
        |(key, value): &(String, String)| (key.replace("_hits.", "_refused."), value.clone());
    assert_eq!(given_up, asked.iter().map(renamed).collect::<Vec<_>>());
    assert!(fleet.is_empty());
}

#[test]
fn asking_a_classifier_is_charged_to_the_request_whatever_becomes_of_it() {
    let budgets = json!([
        {"name": "tokens", "scope": "fleet", "tokens": 10_000, "per": "day"},
        {"name": "cost", "scope": "fleet", "usd": 1, "per": "day"},
    ]);
    let (.., asked) = decide(&with(budgets.clone()), &[], &hi()).expect("a plan");
    let config = gateway(|document| {
        document["models"]["openai-only"]["candidates"][0]["prices"] =
            json!({"input": 1, "output": 10});
        document["rate_limit_service"] = json!({"endpoint": "http://h:1"});
        document["budgets"] = budgets;
        document["classifiers"] = json!({"kind": {
            "model": "openai-only", "instruction": "which", "classes": ["code", "talk"],
        }});
        document["rules"] =
            json!([{"name": "r", "when": {"class": {"kind": "code"}}, "policy": "priority"}]);
    });
    let (_, mut fleet, classified) = decide(&config, &[], &hi()).expect("a plan");
    let hits = |told: &Told| -> Vec<u64> {
        told.iter()
            .map(|(_, hits)| hits.parse().expect("a number"))
            .collect()
    };
    let plain = hits(&asked);
    // Micro-USD: begun ones count in full.
    assert_eq!(hits(&classified), [plain[0] + 77, plain[1] + 6]);
    let used = Used {
        tokens: 30,
        nano_usd: 2_600,
        requests: 1,
    };
    let settled = told(&fleet.settle(&config, used, true, NOW_MS));
    assert_eq!(hits(&settled), [plain[0] - 30, plain[1] + 6 - 9]);
    let unheard = told(&fleet.settle(&config, Used::default(), false, NOW_MS));
    assert_eq!(hits(&unheard), [77, 6], "the service was not there before");
    let refused = told(&fleet.give_up(&config));
    assert_eq!(hits(&refused), plain, "what was spent is not taken back");
}

#[test]
fn what_envoy_would_leave_out_in_silence_is_refused() {
    let config =
        with(json!([{"name": "b", "scope": "fleet", "tokens": 4_000_000_000_u64, "per": "day"}]));
    let body = chat(
        "openai-only",
        json!({"max_completion_tokens": 1_000_000_001}),
    );
    let error = decide(&config, &[], &body).err().expect("a refusal");
    assert_eq!(error["code"], "budget_exceeded", "{error}");
}
