//! What a decision costs: rules that do not fit, then candidates by cost; the body's scan aside.
//!
//! The same program runs natively and, as a WASI command, in Node's V8, which is Envoy's engine.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use pointsman::config::{Config, Serving};
use pointsman::inspect::RequestProfile;
use pointsman::observed::Unobserved;
use pointsman::routing::{self, Constraints, Facts, View};

/// How many rules, and what each of them asks for.
const CASES: [(usize, &str); 3] = [(50, "lists"), (50, "expressions"), (200, "lists")];

fn main() {
    println!(
        "{:>10}  {:>5}  {:<12}  {:>8}",
        "candidates", "rules", "of", "us"
    );
    for candidates in [5, 50, 500] {
        for (rules, kind) in CASES {
            let document = document(candidates, rules, kind);
            match Config::from_json(document.as_bytes()) {
                Ok((config, _)) => {
                    let cost = measure(&config);
                    println!("{candidates:>10}  {rules:>5}  {kind:<12}  {cost:>8.1}");
                }
                Err(problems) => println!("{problems:?}"),
            }
        }
    }
}

/// The least of many short rounds, in microseconds: whatever else the machine does only adds.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn measure(config: &Config) -> f64 {
    const ROUNDS: usize = 400;
    const TIMES: u32 = 10;
    let (profile, facts) = request();
    let once = || black_box(decide(config, black_box(&profile), black_box(&facts)));
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..TIMES {
            once();
        }
        least = least.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
    }
    least
}

fn decide(config: &Config, profile: &RequestProfile, facts: &Facts) -> usize {
    let routing = &config.routing;
    let rule = routing.choose(profile, facts);
    let Some(model) = config.model(&profile.model) else {
        return 0;
    };
    let serving = Serving {
        model,
        rule: rule.unwrap_or_default(),
    };
    let mut required = vec![&model.require];
    required.extend(routing.required(profile, facts));
    let view = View {
        profile,
        facts,
        constraints: Constraints::default(),
        draw: 0x9E37_79B9,
        now_ms: 1_763_000_000_000,
        observed: &Unobserved,
    };
    let plan = routing::plan(serving.candidates(), &required, serving.policy(), &view);
    plan.candidates.len()
}

fn request() -> (RequestProfile, Facts) {
    let profile = RequestProfile {
        input_tokens: 1_200,
        output_limit: Some(400),
        ..RequestProfile::of_model("m")
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let facts = Facts {
        path: "/v1/chat/completions".to_owned(),
        headers: vec![pair("x-team", "none-of-them"), pair("x-region", "eu-west")],
        claims: vec![pair("tier", "gold")],
        ..Facts::default()
    };
    (profile, facts)
}

fn document(candidates: usize, rules: usize, kind: &str) -> String {
    let candidates = joined(candidates, |i| {
        format!(
            r#"{{"provider": "openai", "model": "m{i}", "prices": {{"input": {}, "output": 2}}}}"#,
            i + 1
        )
    });
    let rules = joined(rules, |i| match kind {
        "lists" => format!(
            r#"{{"when": {{"model": ["m*", "other"], "headers": {{"x-team": "team-{i}*"}}}}, "policy": "weighted"}}"#
        ),
        _ => format!(
            r#"{{"when": {{"expression": "model == 'm' && (headers['x-team'].startsWith('team-{i}') || claims.tier in ['silver', 'lead']) && prompt_tokens > 100"}}, "policy": "weighted"}}"#
        ),
    });
    format!(
        r#"{{"version": 1,
            "providers": {{"openai": {{"labels": {{"residency": "eu"}}, "key": {{"env": "K"}}}}}},
            "models": {{"m": {{"candidates": [{candidates}], "policy": "cheapest", "require": {{"residency": ["eu", "uk"]}}}}}},
            "rules": [{rules}],
            "requirements": [{{"when": {{"headers": {{"x-region": "eu-*"}}}}, "require": {{"residency": "eu"}}}}]}}"#
    )
}

fn joined(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut all, i| {
        let comma = if i == 0 { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = write!(all, "{comma}{}", each(i));
        all
    })
}
