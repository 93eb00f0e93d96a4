//! Prices as the document writes them: USD for a million tokens, by kind of token.

use super::shape::object;
use super::values::Int;
use crate::catalog::cost::Percent;
use crate::catalog::price::{Price, Prices};

object! {
    /// What tokens cost, in USD for a million.
    pub(super) struct RawPrices {
        /// Tokens of the prompt.
        input: Price,
        /// Tokens of the prompt that came from the cache.
        cached_input: Price,
        /// Tokens of the prompt that were written to the cache, for minutes.
        cache_write: Price,
        /// Tokens of the prompt that were written to the cache, for an hour.
        cache_write_1h: Price,
        /// Tokens of the answer.
        output: Price,
        /// Tokens of thoughts, where they do not cost what the answer costs.
        reasoning: Price,
        /// Tokens of images in the prompt.
        image_input: Price,
        /// Tokens of audio in the prompt.
        audio_input: Price,
        /// Tokens of audio in the prompt that came from the cache.
        cached_audio_input: Price,
        /// Tokens of audio in the answer.
        audio_output: Price,
    }
}

object! {
    /// What other ways to be served cost, in percent of the prices.
    pub(super) struct RawPercent {
        /// Within hours, as a batch.
        batch: Int<1, 1_000>,
        /// When there is room.
        flex: Int<1, 1_000>,
        /// Before others.
        priority: Int<1, 1_000>,
    }
}

object! {
    /// Prices of long prompts.
    pub(super) struct RawPricesAbove {
        /// Prompts with more tokens than this.
        tokens: Int<1, 100_000_000> = required,
        /// What differs from the prices of ordinary prompts.
        prices: RawPrices = required,
    }
}

impl RawPercent {
    /// What is said.
    pub(super) fn read(&self) -> Percent {
        let RawPercent {
            batch,
            flex,
            priority,
        } = self;
        let [batch, flex, priority] =
            [batch, flex, priority].map(|percent| percent.get().map(|percent| percent.0 as u16));
        Percent {
            batch,
            flex,
            priority,
        }
    }
}

impl RawPrices {
    /// Writes the user's words over what is known.
    pub(super) fn tell(&self, prices: &mut Prices) {
        let RawPrices {
            input,
            cached_input,
            cache_write,
            cache_write_1h,
            output,
            reasoning,
            image_input,
            audio_input,
            cached_audio_input,
            audio_output,
        } = self;
        for (known, said) in [
            (&mut prices.input, input),
            (&mut prices.cached_input, cached_input),
            (&mut prices.cache_write, cache_write),
            (&mut prices.cache_write_1h, cache_write_1h),
            (&mut prices.output, output),
            (&mut prices.reasoning, reasoning),
            (&mut prices.image_input, image_input),
            (&mut prices.audio_input, audio_input),
            (&mut prices.cached_audio_input, cached_audio_input),
            (&mut prices.audio_output, audio_output),
        ] {
            over(known, said.get().copied());
        }
    }
}

/// Writes what was said over what is known.
pub(super) fn over<T>(known: &mut Option<T>, said: Option<T>) {
    if said.is_some() {
        *known = said;
    }
}
