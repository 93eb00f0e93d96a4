//! Traffic: requests with what is known of each, whatever they were read from.

use std::collections::BTreeSet;

use super::figures::Figures;
use crate::inspect::RequestProfile;
use crate::routing::Facts;
use crate::usage::Usage;

/// Requests in the order of their times.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// What it is called.
    pub(super) name: String,
    /// Where its numbers come from.
    pub(super) sources: Vec<String>,
    /// What was drawn or read.
    pub(super) requests: Vec<Request>,
    /// How many real ones these stand for.
    pub(super) total: u64,
    /// How its targets do.
    pub(super) figures: Figures,
    /// What is not in the traffic and was taken for granted.
    pub(super) assumed: BTreeSet<String>,
    /// Lines that were not taken, with the reason; of each reason the first.
    pub(super) skipped: Vec<String>,
    /// How many lines that were.
    pub(super) skipped_lines: usize,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// When, in Unix milliseconds.
    pub(super) at_ms: u64,
    /// What routing knows of its body.
    pub(super) profile: RequestProfile,
    /// What routing knows besides.
    pub(super) known: Facts,
    /// What its answer uses, whoever gives it.
    pub(super) usage: Usage,
    /// Who was tried in fact.
    pub(super) tried: Vec<Tried>,
    /// Which others it is equal to.
    pub(super) repeat: Repeat,
}

/// What is known of other requests that were the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Repeat {
    /// Nothing: none was.
    #[default]
    None,
    /// Those of the same kind with the same number.
    Of {
        /// The kind's place in the mix.
        kind: usize,
        /// Which of its different ones it is.
        number: u64,
    },
    /// It was answered from the cache; the answer had cost so much when it was new, in nano-USD.
    Was(u64),
}

/// An attempt as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    /// `provider/model`.
    pub(super) target: String,
    /// Whether it answered.
    pub(super) answered: bool,
    /// Whether it gave an answer that was thrown away, and paid for.
    pub(super) thrown_away: bool,
    /// How long it took, in milliseconds.
    pub(super) ms: u64,
}

/// A sequence of numbers that look random, the same for the same seed (splitmix64).
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(seed: u64, index: usize) -> Draws {
        let mut draws = Draws(seed ^ (index as u64).wrapping_mul(0xA24B_AED4_963E_E407));
        draws.next();
        draws
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to less than 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A number, or how numbers are spread: straight lines between the percentiles that are said.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a number, or percentiles such as {p50: 300, p95: 1200}"
)]
pub(super) enum Spread {
    /// Always the same.
    Fixed(f64),
    /// From 0 to twice the median when no more is said, so that the mean is the median.
    Percentiles {
        /// The smallest.
        #[serde(default)]
        min: f64,
        /// The median.
        p50: f64,
        /// What 19 of 20 do not pass.
        p95: Option<f64>,
        /// The largest.
        max: Option<f64>,
    },
}

impl Spread {
    /// The number at a share from 0 to 1.
    pub(super) fn at(&self, share: f64) -> f64 {
        let (min, p50, p95, max) = match *self {
            Spread::Fixed(number) => return number,
            Spread::Percentiles { min, p50, p95, max } => {
                let p95 = p95.unwrap_or(p50 + 0.9 * (p50 - min));
                (min, p50, p95, max.unwrap_or(p95 + (p95 - p50) / 9.0))
            }
        };
        let between = |from: f64, to: f64, (low, high): (f64, f64)| {
            from + (to - from) * (share - low) / (high - low)
        };
        match share {
            share if share < 0.5 => between(min, p50, (0.0, 0.5)),
            share if share < 0.95 => between(p50, p95, (0.5, 0.95)),
            _ => between(p95, max, (0.95, 1.0)),
        }
    }

    /// Whether percentiles rise.
    pub(super) fn is_sound(&self) -> bool {
        let shares = [0.0, 0.5, 0.95, 1.0];
        let ends = shares.map(|share| self.at(share));
        ends.iter().all(|end| end.is_finite() && *end >= 0.0) && ends.is_sorted()
    }
}
