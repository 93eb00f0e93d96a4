//! `cheapest`: by the estimated cost of this request.

use std::sync::Arc;

use super::cost::{USUAL_OUTPUT_TOKENS, estimate_nano_usd};
use super::{Param, ParamShape, Policy, PolicyKind, Score, View};
use crate::catalog::Backend;
use crate::observed::Wants;

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "cheapest",
    description: "By the estimated cost of this request; unknown prices come last.",
    params: &[
        Param {
            name: "output_tokens",
            shape: ParamShape::Int(0, 1_000_000),
            description: "Output that is reckoned with when the client sets no limit; 500 when \
                          not said.",
        },
        Param {
            name: "tolerance",
            shape: ParamShape::Number(0.0, 10.0),
            description: "What costs up to this share more than the cheapest ties with it; 0 \
                          when not said.",
        },
    ],
    build: |params| {
        Ok(Arc::new(Cheapest {
            output_tokens: params
                .number("output_tokens")
                .map_or(USUAL_OUTPUT_TOKENS, |n| n as u64),
            tolerance: params.number("tolerance").unwrap_or(0.0),
        }))
    },
};

#[derive(Debug)]
struct Cheapest {
    output_tokens: u64,
    tolerance: f64,
}

impl Policy for Cheapest {
    fn wants(&self) -> Wants {
        Wants {
            tokens: true,
            ..Wants::default()
        }
    }

    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let costs: Vec<f64> = candidates
            .iter()
            .map(|candidate| self.cost(candidate, view).unwrap_or(f64::MAX))
            .collect();
        let least = costs.iter().copied().fold(f64::MAX, f64::min);
        let ties = least * (1.0 + self.tolerance);
        costs
            .into_iter()
            .map(|cost| match cost {
                f64::MAX => Score::new(cost, "prices not known"),
                cost if cost <= ties => Score::new(least, "nano-USD, the least"),
                cost => Score::new(cost, "nano-USD"),
            })
            .collect()
    }
}

impl Cheapest {
    fn cost(&self, candidate: &Backend, view: &View<'_>) -> Option<f64> {
        let cached = view.cached_tokens(candidate);
        estimate_nano_usd(candidate, view, self.output_tokens, cached).map(|n| n as f64)
    }
}
