//! What has been observed of targets lately: recorded by attempts, read by routing and people.
//!
//! A target is a model of a provider. Records are bytes in a [`Store`] that all workers of a
//! proxy share; time is an argument. Nothing here knows who the host is.

mod bytes;
mod calibration;
mod cool_down;
mod decay;
mod in_flight;
mod memory;
mod record;
mod sketch;
mod store;
mod turns;
mod update;
mod warm;

pub use cool_down::{CoolDown, CoolDowns, key};
pub use decay::HALF_LIFE_COUNT;
pub use memory::Memory;
pub use record::{Figures, Record};
pub use store::{Recorded, Store};
pub use turns::Worker;
pub use update::{Bill, Judged, Observation, Payer, Scope, Update};
pub use warm::Warm;

/// What is known of one target. What has not been seen yet is `None`, never a guess.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TargetState {
    /// Median time to the first meaningful event, in milliseconds.
    pub ttft_p50_ms: Option<f64>,
    /// The time to the first meaningful event that 19 of 20 requests keep, in milliseconds.
    pub ttft_p95_ms: Option<f64>,
    /// Median time to the end of a reply, in milliseconds.
    pub latency_p50_ms: Option<f64>,
    /// The time to the end of a reply that 19 of 20 requests keep, in milliseconds.
    pub latency_p95_ms: Option<f64>,
    /// Share of attempts that failed lately, 0 to 1.
    pub error_rate: Option<f64>,
    /// Requests that it is serving now.
    pub in_flight_requests: u64,
    /// Estimated tokens of the requests that it is serving now.
    pub in_flight_tokens: u64,
    /// What it counts for one estimated token of a prompt.
    pub tokens_ratio: Option<f64>,
}

/// Answers what has been observed.
pub trait Observed {
    /// What is known of a model of a provider.
    fn target(&self, provider: &str, model: &str) -> TargetState;

    /// Whether it has lately served a prompt that begins with what hashes to `prefix`.
    fn is_warm(&self, provider: &str, model: &str, prefix: u64) -> bool;

    /// Until when, and why, a model of a provider is to be left alone; `None` when it is not.
    /// The time may have passed: then nobody has shown yet that it is well again.
    fn cool_down(&self, _provider: &str, _model: &str) -> Option<CoolDown> {
        None
    }

    /// Whether this request shall show whether a model of a provider is well again.
    fn probe(&self, _provider: &str, _model: &str) -> bool {
        false
    }
}

/// Nothing has been observed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observed for Unobserved {
    fn target(&self, _provider: &str, _model: &str) -> TargetState {
        TargetState::default()
    }

    fn is_warm(&self, _provider: &str, _model: &str, _prefix: u64) -> bool {
        false
    }
}

/// How observing is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The time in which what has been seen loses half of its weight, in milliseconds.
    pub half_life_ms: u64,
    /// The longest that a target is left alone, whatever it asks for; 0 for never.
    pub longest_cool_down_ms: u64,
    /// How long a provider is left alone that has no quota left or refuses its key, and does
    /// not say until when; 0 for not at all.
    pub quota_cool_down_ms: u64,
    /// Whether a target is left alone whose reply says that nothing of its limit remains.
    pub heeds_limits: bool,
    /// How long a prompt is taken to stay in a provider's cache, in milliseconds.
    pub warm_ms: u64,
}

/// What must be recorded, because something reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    /// Durations and outcomes.
    pub figures: bool,
    /// What targets are serving now.
    pub in_flight: bool,
    /// Prefixes of prompts.
    pub warmth: bool,
    /// Close estimates of tokens, and how far they are off.
    pub tokens: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            half_life_ms: 60_000,
            longest_cool_down_ms: 600_000,
            quota_cool_down_ms: 30_000,
            heeds_limits: true,
            warm_ms: 300_000,
        }
    }
}

impl Wants {
    /// What either wants.
    pub fn or(self, other: Wants) -> Wants {
        Wants {
            figures: self.figures || other.figures,
            in_flight: self.in_flight || other.in_flight,
            warmth: self.warmth || other.warmth,
            tokens: self.tokens || other.tokens,
        }
    }
}

#[cfg(test)]
mod tests;
