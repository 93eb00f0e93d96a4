//! What a reply cost, from what the provider counted.

use super::price::{Price, Prices};
use crate::usage::Usage;

/// Prices of one model, by the length of the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tariff {
    /// Of ordinary prompts.
    pub prices: Prices,
    /// Of prompts with more tokens than this, for all tokens of the request; by rising length.
    pub above: Vec<(u64, Prices)>,
}

impl Tariff {
    /// Nano-USD of a reply, rounded to the nearest; `None` when a price is not known that it
    /// needs.
    ///
    /// Each token is paid once: input is what is neither cached nor audio, output what is neither
    /// reasoning nor audio. A kind without a price of its own costs what its plain kind costs.
    pub fn nano_usd(&self, usage: &Usage) -> Option<u64> {
        let prices = self.at(usage.input_tokens);
        let mut pico = 0_u64;
        for (tokens, price) in buckets(prices, usage) {
            if tokens > 0 {
                pico = pico.saturating_add(tokens.saturating_mul(price?.pico_usd()));
            }
        }
        Some(pico.saturating_add(500) / 1000)
    }

    /// The prices of a request with so many tokens in its prompt.
    pub fn at(&self, input_tokens: u64) -> &Prices {
        let longer = self.above.iter().rev();
        let mut longer = longer.filter(|(length, _)| input_tokens > *length);
        longer.next().map_or(&self.prices, |(_, prices)| prices)
    }
}

/// Tokens that are in no other bucket, with what one of them costs.
fn buckets(prices: &Prices, usage: &Usage) -> [(u64, Option<Price>); 8] {
    let Usage {
        input_tokens,
        output_tokens,
        cached_input_tokens: cached,
        cache_write_tokens: written,
        cache_write_1h_tokens: for_an_hour,
        reasoning_tokens: reasoning,
        audio_input_tokens: heard,
        audio_output_tokens: spoken,
    } = *usage;
    let (input, output) = (prices.input, prices.output);
    let write = prices.cache_write.or(input);
    let rest = |all: u64, parts: [u64; 3]| parts.into_iter().fold(all, u64::saturating_sub);
    [
        (rest(input_tokens, [cached, written, heard]), input),
        (cached, prices.cached_input.or(input)),
        (written.saturating_sub(for_an_hour), write),
        (for_an_hour, prices.cache_write_1h.or(write)),
        (heard, prices.audio_input.or(input)),
        (rest(output_tokens, [reasoning, spoken, 0]), output),
        (reasoning, prices.reasoning.or(output)),
        (spoken, prices.audio_output.or(output)),
    ]
}

/// Nano-USD as USD, with nine decimals: for people, exact for machines.
pub fn usd(nano: u64) -> String {
    format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}

#[cfg(test)]
mod tests;
