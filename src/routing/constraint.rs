//! `constraint`: those that meet every limit before those that miss some.

use std::borrow::Cow;
use std::sync::Arc;

use super::cost::{USUAL_OUTPUT_TOKENS, estimate_nano_usd};
use super::{Param, ParamShape, Params, Policy, PolicyKind, Score, View};
use crate::catalog::Backend;
use crate::observed::Wants;

/// Its name in the document.
pub const NAME: &str = "constraint";

/// The limits; rules have them as well.
pub const LIMITS: &[Param] = &[
    Param {
        name: "cost_usd",
        shape: ParamShape::Number(0.0, 1000.0),
        description: "The most that this request may cost by estimate, in USD; unknown prices \
                      miss it.",
    },
    Param {
        name: "latency_ms",
        shape: ParamShape::Number(1.0, 3_600_000.0),
        description: "The longest median time to the end of a reply; what has not been observed \
                      yet meets it.",
    },
    Param {
        name: "ttft_ms",
        shape: ParamShape::Number(1.0, 3_600_000.0),
        description: "The longest median time to the first event; what has not been observed yet \
                      meets it.",
    },
    Param {
        name: "quality",
        shape: ParamShape::Number(0.0, 1.0),
        description: "The least `quality` of a candidate; one that does not say any misses it.",
    },
];

pub(super) const KIND: PolicyKind = PolicyKind {
    name: NAME,
    description: "Those that meet every limit before those that miss some; the fewer the better.",
    params: LIMITS,
    build: |params| Ok(Arc::new(Constraint(Constraints::of(params)))),
};

/// Limits of a request; what is `None` is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Constraints {
    /// The most that it may cost by estimate, in USD.
    pub cost_usd: Option<f64>,
    /// The longest median time to the end of a reply, in milliseconds.
    pub latency_ms: Option<f64>,
    /// The longest median time to the first event, in milliseconds.
    pub ttft_ms: Option<f64>,
    /// The least quality, 0 to 1.
    pub quality: Option<f64>,
}

impl Constraints {
    /// Those that the document gives.
    pub fn of(params: &Params) -> Constraints {
        Constraints {
            cost_usd: params.number("cost_usd"),
            latency_ms: params.number("latency_ms"),
            ttft_ms: params.number("ttft_ms"),
            quality: params.number("quality"),
        }
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Constraints::default()
    }

    /// The limit of this name, to be read or set; `None` when there is no such limit.
    pub fn limit(&mut self, name: &str) -> Option<&mut Option<f64>> {
        match name {
            "cost_usd" => Some(&mut self.cost_usd),
            "latency_ms" => Some(&mut self.latency_ms),
            "ttft_ms" => Some(&mut self.ttft_ms),
            "quality" => Some(&mut self.quality),
            _ => None,
        }
    }

    /// Both: of each limit the tighter one.
    pub fn tightened(self, other: Constraints) -> Constraints {
        let least = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Constraints {
            cost_usd: least(self.cost_usd, other.cost_usd),
            latency_ms: least(self.latency_ms, other.latency_ms),
            ttft_ms: least(self.ttft_ms, other.ttft_ms),
            quality: match (self.quality, other.quality) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            },
        }
    }

    /// How many limits each candidate misses, and which.
    pub(super) fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let scores = candidates.iter().map(|candidate| {
            let missed = self.missed(candidate, view);
            let value = missed.len() as f64;
            match missed.is_empty() {
                true => Score::new(value, "meets every limit"),
                false => Score {
                    value,
                    reason: Cow::Owned(format!("misses {}", missed.join(", "))),
                },
            }
        });
        scores.collect()
    }

    fn missed(&self, candidate: &Backend, view: &View<'_>) -> Vec<&'static str> {
        let mut missed = Vec::new();
        if let Some(most) = self.cost_usd {
            let cached = view.cached_tokens(candidate);
            let cost = estimate_nano_usd(candidate, view, USUAL_OUTPUT_TOKENS, cached);
            if cost.is_none_or(|nano| nano as f64 > most * 1e9) {
                missed.push("cost_usd");
            }
        }
        if self.latency_ms.is_some() || self.ttft_ms.is_some() {
            let state = view.observed.target(&candidate.provider, &candidate.model);
            let over = |seen: Option<f64>, most: Option<f64>| {
                seen.zip(most).is_some_and(|(seen, most)| seen > most)
            };
            if over(state.latency_p50_ms, self.latency_ms) {
                missed.push("latency_ms");
            }
            if over(state.ttft_p50_ms, self.ttft_ms) {
                missed.push("ttft_ms");
            }
        }
        if let Some(least) = self.quality
            && candidate.quality.is_none_or(|quality| quality < least)
        {
            missed.push("quality");
        }
        missed
    }
}

#[derive(Debug)]
struct Constraint(Constraints);

impl Policy for Constraint {
    fn wants(&self) -> Wants {
        Wants {
            figures: self.0.latency_ms.is_some() || self.0.ttft_ms.is_some(),
            tokens: self.0.cost_usd.is_some(),
            ..Wants::default()
        }
    }

    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let limits = self.0.tightened(view.constraints);
        limits.score(candidates, view)
    }
}
