//! `least_loaded`: by the tokens that targets are serving now.

use std::sync::Arc;

use super::{Policy, PolicyKind, Score, View};
use crate::catalog::Backend;
use crate::observed::Wants;

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "least_loaded",
    description: "By the tokens of the prompts that candidates are serving now, divided by \
                  `weight`; weight 0 is only a fallback.",
    params: &[],
    build: |_| Ok(Arc::new(LeastLoaded)),
};

#[derive(Debug)]
struct LeastLoaded;

impl Policy for LeastLoaded {
    fn wants(&self) -> Wants {
        Wants {
            in_flight: true,
            ..Wants::default()
        }
    }

    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let scores = candidates.iter().map(|candidate| {
            if candidate.weight == 0 {
                return Score::new(f64::MAX, "only a fallback");
            }
            let state = view.observed.target(&candidate.provider, &candidate.model);
            let load = state.in_flight_tokens as f64 / f64::from(candidate.weight);
            Score::new(load, "tokens in flight for its weight")
        });
        scores.collect()
    }
}

#[cfg(test)]
mod tests;
