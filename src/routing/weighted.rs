//! `weighted`: each candidate is first in proportion to its weight, and so on for the rest.

use std::sync::Arc;

use super::{Policy, PolicyKind, Score, View, hash};
use crate::catalog::Backend;

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "weighted",
    description: "Each is first in proportion to its weight; weight 0 is only a fallback.",
    params: &[],
    build: |_| Ok(Arc::new(Weighted)),
};

/// Weighted draw without replacement. A candidate of weight 0 is only ever a fallback.
#[derive(Debug)]
struct Weighted;

impl Policy for Weighted {
    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let tickets = candidates.iter().map(|candidate| {
            let own = hash::extend(hash::text(&candidate.provider), &candidate.model);
            Score::new(ticket(view.draw ^ own, candidate.weight), "drawn by weight")
        });
        tickets.collect()
    }
}

/// The waiting time of a candidate that arrives `weight` times as often as one of weight 1: who
/// comes first is then a weighted draw, and so is who comes next. The ticket depends on nothing
/// but the draw, the candidate and its weight, so a changed weight moves no more than it must.
fn ticket(draw: u64, weight: u32) -> f64 {
    if weight == 0 {
        return f64::MAX;
    }
    -hash::fraction(draw).ln() / f64::from(weight)
}
