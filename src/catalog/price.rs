//! What tokens cost, without rounding.

use std::fmt;

#[cfg(feature = "cli")]
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Number;

/// What one token costs, in pico-USD.
///
/// Vendors quote USD for a million tokens; 1 USD for a million is 1 000 000 pico-USD for one.
/// Cached and discounted tokens cost fractions of a nano-USD, so nano-USD would round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Price(u64);

/// Digits after the point that a quote in USD for a million tokens may have.
const DECIMALS: usize = 6;
const PICO_PER_QUOTE: u64 = 1_000_000;
/// The largest quote, in USD for a million tokens: more is a slip of the unit.
const MOST: u64 = 10_000;

impl Price {
    /// A quote as vendors write it, in USD for a million tokens, such as `0.25`; `None` for what
    /// is no decimal number, has more than six decimals or is more than 10000.
    pub fn from_quote(text: &str) -> Option<Price> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let fraction: u64 = format!("{fraction:0<DECIMALS$}").parse().ok()?;
        let pico = whole.checked_mul(PICO_PER_QUOTE)?.checked_add(fraction)?;
        (pico <= MOST * PICO_PER_QUOTE).then_some(Price(pico))
    }

    /// A quote in USD for a million tokens, from a number of JSON or YAML.
    pub fn from_number(quote: &Number) -> Option<Price> {
        // The shortest decimals that give this float are those that were written; the smallest
        // prices have an exponent.
        let text = quote.to_string();
        match text.strip_suffix("e-6") {
            Some(digit) if digit.len() == 1 => Price::from_quote(&format!("0.00000{digit}")),
            _ => Price::from_quote(text.strip_suffix(".0").unwrap_or(&text)),
        }
    }

    /// Pico-USD for one token.
    pub fn pico_usd(self) -> u64 {
        self.0
    }
}

/// The quote: USD for a million tokens, with at least two decimals.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.checked_div(PICO_PER_QUOTE).unwrap_or(0);
        let fraction = self.0.checked_rem(PICO_PER_QUOTE).unwrap_or(0);
        let fraction = format!("{fraction:0DECIMALS$}");
        let shown = fraction.trim_end_matches('0');
        f.pad(&format!("{whole}.{shown:0<2}"))
    }
}

#[cfg(feature = "cli")]
impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quote = Number::deserialize(deserializer)?;
        Price::from_number(&quote)
            .ok_or_else(|| D::Error::custom("expected USD for a million tokens, 0 to 10000"))
    }
}

/// What the tokens of one model cost. A kind of token that is not listed costs what its
/// plain kind costs: cached input as input, reasoning as output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "cli", derive(serde::Deserialize))]
#[cfg_attr(feature = "cli", serde(deny_unknown_fields, default))]
pub struct Prices {
    /// Tokens of the prompt.
    pub input: Option<Price>,
    /// Tokens of the prompt that came from the cache.
    pub cached_input: Option<Price>,
    /// Tokens of the prompt that were written to the cache, for minutes.
    pub cache_write: Option<Price>,
    /// Tokens of the prompt that were written to the cache, for an hour.
    pub cache_write_1h: Option<Price>,
    /// Tokens of the answer.
    pub output: Option<Price>,
    /// Tokens of thoughts, where they do not cost what the answer costs.
    pub reasoning: Option<Price>,
    /// Tokens of images in the prompt.
    pub image_input: Option<Price>,
    /// Tokens of audio in the prompt.
    pub audio_input: Option<Price>,
    /// Tokens of audio in the prompt that came from the cache.
    pub cached_audio_input: Option<Price>,
    /// Tokens of audio in the answer.
    pub audio_output: Option<Price>,
}

impl Prices {
    /// Each known price by the name that the file and the document give it.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Price)> + use<> {
        let Prices {
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
        } = *self;
        let named = [
            ("input", input),
            ("cached_input", cached_input),
            ("cache_write", cache_write),
            ("cache_write_1h", cache_write_1h),
            ("output", output),
            ("reasoning", reasoning),
            ("image_input", image_input),
            ("audio_input", audio_input),
            ("cached_audio_input", cached_audio_input),
            ("audio_output", audio_output),
        ];
        named
            .into_iter()
            .filter_map(|(name, price)| Some((name, price?)))
    }

    /// The dearer of plain input and plain output; `None` when neither is known.
    pub fn dearest(&self) -> Option<Price> {
        self.input.max(self.output)
    }
}

#[cfg(test)]
mod tests;
