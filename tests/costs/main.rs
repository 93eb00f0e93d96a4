//! What replies of every provider cost, to the nano-USD: by the usage that the fixtures of
//! translations hold, at prices of the catalogue, reckoned by hand.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

mod goldens;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use pointsman::catalog::built_in;
use pointsman::catalog::cost::{Percent, Tariff};
use pointsman::usage::{Tier, Usage};

fn usage(case: &str) -> Usage {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/translation");
    let bytes = fs::read(fixtures.join(case).join("usage.json")).expect("a fixture with usage");
    serde_json::from_slice(&bytes).expect("usage")
}

fn tariff(provider: &str, model: &str) -> Tariff {
    let group = built_in().groups.get(provider).expect("a known provider");
    let facts = group.model(model).expect("a known model");
    Tariff {
        prices: facts.prices.clone().expect("prices"),
        above: facts
            .above
            .iter()
            .map(|a| (a.tokens, a.prices.clone()))
            .collect(),
        percent: facts.percent,
    }
}

#[test]
fn replies_cost_what_their_tokens_cost_by_kind() {
    for (case, (provider, model), nano_usd) in [
        // 10 fresh at 5, 1000 cached at 0.5, 100 written at 6.25, 20 out at 25.
        (
            "anthropic/a5_cached_tokens",
            ("anthropic", "claude-opus-4-5"),
            50_000 + 500_000 + 625_000 + 500_000,
        ),
        // The same in a stream whose counts are running totals.
        (
            "anthropic/a6_cumulative_usage",
            ("anthropic", "claude-opus-4-5"),
            50_000 + 500_000 + 625_000 + 500_000,
        ),
        // 12 fresh at 0.8, 1000 cached at 0.2, 110 written at 0.8, 20 out at 3.2.
        (
            "bedrock_converse/b7_cached_tokens",
            ("bedrock", "amazon.nova-pro-v1:0"),
            9_600 + 200_000 + 88_000 + 64_000,
        ),
        (
            "bedrock_converse/b7_cached_tokens_streamed",
            ("bedrock", "amazon.nova-pro-v1:0"),
            9_600 + 200_000 + 88_000 + 64_000,
        ),
        // 60 fresh at 1.25, 60 cached at 0.125, 70 out at 10, 40 of them thoughts.
        (
            "gemini/g6_usage_and_envelope",
            ("gemini", "gemini-2.5-pro"),
            75_000 + 7_500 + 700_000,
        ),
        (
            "gemini/g6_usage_chunk",
            ("gemini", "gemini-2.5-pro"),
            75_000 + 7_500 + 700_000,
        ),
        // 20 in at 2.5, of which 4 cached have no price of their own, 5 out at 10.
        (
            "cohere/c2_tokens_not_billed_units",
            ("cohere", "command-a-03-2025"),
            50_000 + 50_000,
        ),
        (
            "cohere/c2_tokens_not_billed_units_streamed",
            ("cohere", "command-a-03-2025"),
            50_000 + 50_000,
        ),
        // 9 fresh at 0.4, 3 cached at 0.08, 5 out at 1.2.
        (
            "qwen/q3_usage_is_null_but_at_the_end",
            ("qwen", "qwen-plus"),
            3_600 + 240 + 6_000,
        ),
    ] {
        let cost = tariff(provider, model).nano_usd(&usage(case));
        assert_eq!(cost, Some(nano_usd), "{case}");
    }
}

#[test]
fn long_prompts_cost_what_vendors_say_for_them() {
    let long = Usage {
        input_tokens: 300_000,
        cached_input_tokens: 100_000,
        output_tokens: 1_000,
        ..Usage::default()
    };
    // 200000 at 5, 100000 at 0.5, 1000 at 22.5.
    let cost = tariff("openai", "gpt-5.4").nano_usd(&long);
    assert_eq!(cost, Some(1_000_000_000 + 50_000_000 + 22_500_000));
    // 200000 at 2.5, 100000 at 0.25, 1000 at 15.
    let cost = tariff("gemini", "gemini-2.5-pro").nano_usd(&long);
    assert_eq!(cost, Some(500_000_000 + 25_000_000 + 15_000_000));
}

#[test]
fn a_tier_costs_its_share_rounded_once() {
    let prices = Tariff {
        percent: Percent {
            batch: Some(50),
            ..Percent::default()
        },
        ..tariff("deepseek", "deepseek-v4-flash")
    };
    let usage = Usage {
        input_tokens: 1,
        cached_input_tokens: 1,
        tier: Tier::Batch,
        ..Usage::default()
    };
    // 1 cached at 0.006: 6 nano-USD, and half of it.
    assert_eq!(prices.nano_usd(&usage), Some(3));
    for (text, tier) in [
        ("\"standard\"", Tier::Standard),
        ("SERVICE_TIER_FLEX", Tier::Flex),
        ("ON_DEMAND_PRIORITY", Tier::Priority),
        ("PROVISIONED_THROUGHPUT", Tier::Standard),
        ("{\"type\":\"reserved\"}", Tier::Standard),
        ("", Tier::Standard),
    ] {
        assert_eq!(Tier::named(text), tier, "{text}");
    }
}
