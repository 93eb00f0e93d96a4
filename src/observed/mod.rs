//! What has been observed of targets lately, as routing reads it.
//!
//! A target is a model of a provider. Who measures, and where figures are kept, is none of
//! routing's business: it asks through [`Observed`].

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
    /// Estimated tokens of the requests that it is serving now.
    pub in_flight_tokens: u64,
    /// It asked to be left alone until then, in Unix milliseconds; 0 when it did not.
    pub cool_down_until_ms: u64,
}

/// Answers what has been observed.
pub trait Observed {
    /// What is known of a model of a provider.
    fn target(&self, provider: &str, model: &str) -> TargetState;

    /// Whether it has lately served a prompt that begins with what hashes to `prefix`.
    fn is_warm(&self, provider: &str, model: &str, prefix: u64) -> bool;
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
