//! What a reply cost, from what the provider counted.

use super::price::{Price, Prices};
use crate::usage::{Tier, Usage};

/// Prices of one model, by the length of the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tariff {
    /// Of ordinary prompts.
    pub prices: Prices,
    /// Of prompts with more tokens than this, for all tokens of the request; by rising length.
    pub above: Vec<(u64, Prices)>,
    /// What other tiers cost, in percent of these prices.
    pub percent: Percent,
}

/// Other ways to pay, in percent of the plain prices; `None` where none is offered or known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "cli", derive(serde::Deserialize))]
#[cfg_attr(feature = "cli", serde(deny_unknown_fields, default))]
pub struct Percent {
    /// Within hours, as a batch.
    pub batch: Option<u16>,
    /// When there is room.
    pub flex: Option<u16>,
    /// Before others.
    pub priority: Option<u16>,
}

impl Percent {
    /// Each known one by the name that the file and the document give it.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u16)> + use<> {
        let Percent {
            batch,
            flex,
            priority,
        } = *self;
        let named = [("batch", batch), ("flex", flex), ("priority", priority)];
        named
            .into_iter()
            .filter_map(|(name, percent)| Some((name, percent?)))
    }

    /// What a tier costs; as much as the standard one where nothing is known.
    fn of(&self, tier: Tier) -> u64 {
        let known = match tier {
            Tier::Standard => None,
            Tier::Batch => self.batch,
            Tier::Flex => self.flex,
            Tier::Priority => self.priority,
        };
        known.map_or(100, u64::from)
    }
}

impl Tariff {
    /// Nano-USD of a reply, rounded to the nearest; `None` when a price is not known that it
    /// needs.
    ///
    /// Each token is paid once: input is what is neither cached nor audio, output what is neither
    /// reasoning nor audio. A kind without a price of its own costs what its plain kind costs.
    /// The tier is the one that the provider reports, not the one that was asked for.
    pub fn nano_usd(&self, usage: &Usage) -> Option<u64> {
        let prices = self.at(usage.input_tokens);
        let mut pico = 0_u64;
        for (tokens, price) in buckets(prices, usage) {
            if tokens > 0 {
                pico = pico.saturating_add(tokens.saturating_mul(price?.pico_usd()));
            }
        }
        let percent = self.percent.of(usage.tier);
        Some(match percent {
            100 => pico.saturating_add(500) / 1000,
            percent => pico.saturating_mul(percent).saturating_add(50_000) / 100_000,
        })
    }

    /// Nano-USD that the provider's cache saved: what was read from it, against fresh tokens, less
    /// what writing to it cost more. `None` when it was not used, or prices are not known.
    pub fn saved_nano_usd(&self, usage: &Usage) -> Option<i64> {
        if usage.cached_input_tokens == 0 && usage.cache_write_tokens == 0 {
            return None;
        }
        let fresh = Usage {
            cached_input_tokens: 0,
            cache_write_tokens: 0,
            cache_write_1h_tokens: 0,
            ..*usage
        };
        let (fresh, paid) = (self.nano_usd(&fresh)?, self.nano_usd(usage)?);
        Some(i64::try_from(fresh).ok()? - i64::try_from(paid).ok()?)
    }

    /// The prices of a request with so many tokens in its prompt.
    pub fn at(&self, input_tokens: u64) -> &Prices {
        let longer = self.above.iter().rev();
        let mut longer = longer.filter(|(length, _)| input_tokens > *length);
        longer.next().map_or(&self.prices, |(_, prices)| prices)
    }
}

/// Tokens that are in no other bucket, with what one of them costs.
fn buckets(prices: &Prices, usage: &Usage) -> [(u64, Option<Price>); 10] {
    let Usage {
        input_tokens,
        output_tokens,
        cached_input_tokens: cached,
        cache_write_tokens: written,
        cache_write_1h_tokens: for_an_hour,
        reasoning_tokens: reasoning,
        audio_input_tokens: heard,
        cached_audio_tokens: cached_heard,
        image_input_tokens: looked_at,
        audio_output_tokens: spoken,
        tier: _, // of all of them
    } = *usage;
    let (input, output) = (prices.input, prices.output);
    let write = prices.cache_write.or(input);
    let rest = |all: u64, parts: [u64; 4]| parts.into_iter().fold(all, u64::saturating_sub);
    let from_cache = prices.cached_input.or(input);
    [
        (
            rest(input_tokens, [cached, written, heard, looked_at]),
            input,
        ),
        (cached.saturating_sub(cached_heard), from_cache),
        (cached_heard, prices.cached_audio_input.or(from_cache)),
        (written.saturating_sub(for_an_hour), write),
        (for_an_hour, prices.cache_write_1h.or(write)),
        (heard, prices.audio_input.or(input)),
        (looked_at, prices.image_input.or(input)),
        (rest(output_tokens, [reasoning, spoken, 0, 0]), output),
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
