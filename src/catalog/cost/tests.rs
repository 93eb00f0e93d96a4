//! Each token is paid once, by its own price.

use proptest::prelude::*;

use super::{Tariff, usd};
use crate::catalog::price::{Price, Prices};
use crate::usage::Usage;

fn quote(text: &str) -> Option<Price> {
    Some(Price::from_quote(text).unwrap())
}

fn tariff() -> Tariff {
    Tariff {
        prices: Prices {
            input: quote("3"),
            cached_input: quote("0.3"),
            cache_write: quote("3.75"),
            cache_write_1h: quote("6"),
            output: quote("15"),
            ..Prices::default()
        },
        above: vec![(
            200_000,
            Prices {
                input: quote("6"),
                output: quote("22.5"),
                ..Prices::default()
            },
        )],
        ..Tariff::default()
    }
}

#[test]
fn cached_written_and_fresh_tokens_are_paid_once_each() {
    let usage = Usage {
        input_tokens: 10_000,
        cached_input_tokens: 6_000,
        cache_write_tokens: 3_000,
        cache_write_1h_tokens: 1_000,
        output_tokens: 500,
        reasoning_tokens: 200,
        ..Usage::default()
    };
    // 1000 * 3 + 6000 * 0.3 + 2000 * 3.75 + 1000 * 6 + 500 * 15, in micro-USD.
    assert_eq!(tariff().nano_usd(&usage), Some(25_800_000));
}

#[test]
fn a_long_prompt_is_dearer_as_a_whole_and_only_above_the_length() {
    let at = |input_tokens| {
        tariff().nano_usd(&Usage {
            input_tokens,
            output_tokens: 10,
            ..Usage::default()
        })
    };
    assert_eq!(at(200_000), Some(600_150_000));
    assert_eq!(at(200_001), Some(1_200_006_000 + 225_000));
}

#[test]
fn what_has_no_price_has_no_cost_and_what_is_not_there_needs_none() {
    let only_input = Tariff {
        prices: Prices {
            input: quote("0.02"),
            ..Prices::default()
        },
        ..Tariff::default()
    };
    let mut usage = Usage {
        input_tokens: 1000,
        ..Usage::default()
    };
    assert_eq!(only_input.nano_usd(&usage), Some(20_000));
    usage.output_tokens = 1;
    assert_eq!(only_input.nano_usd(&usage), None);
}

#[test]
fn costs_are_written_without_losing_a_digit() {
    assert_eq!(usd(0), "0.000000000");
    assert_eq!(usd(1_234_000_567), "1.234000567");
}

proptest! {
    #[test]
    fn splitting_tokens_into_kinds_of_the_same_price_changes_nothing(
        input in 0_u64..1 << 40, output in 0_u64..1 << 40, parts in proptest::array::uniform8(0_u64..1 << 20),
    ) {
        let plain = Tariff {
            prices: Prices { input: quote("2.5"), output: quote("10"), ..Prices::default() },
            ..Tariff::default()
        };
        let [cached, cached_heard, written, hour, heard, seen, reasoning, spoken] = parts;
        let input = input + cached + cached_heard + written + hour + heard + seen;
        let output = output + reasoning + spoken;
        let whole = Usage { input_tokens: input, output_tokens: output, ..Usage::default() };
        let split = Usage {
            cached_input_tokens: cached + cached_heard,
            cached_audio_tokens: cached_heard,
            image_input_tokens: seen,
            cache_write_tokens: written + hour,
            cache_write_1h_tokens: hour,
            audio_input_tokens: heard,
            reasoning_tokens: reasoning,
            audio_output_tokens: spoken,
            ..whole
        };
        prop_assert_eq!(plain.nano_usd(&whole), plain.nano_usd(&split));
    }
}
