//! `tiers`: the smallest tier that is meant for requests of this complexity.

use std::sync::Arc;

use super::{Policy, PolicyKind, Reads, Score, View};
use crate::catalog::Backend;

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "tiers",
    description: "By `max_complexity` of the candidates: the smallest that is meant for this \
                  request, then larger ones, then smaller ones. A request whose complexity is not \
                  known makes them all tie.",
    params: &[],
    build: |_| Ok(Arc::new(Tiers)),
};

/// Thousandths: the largest complexity.
const MOST: u16 = 1000;

#[derive(Debug)]
struct Tiers;

impl Policy for Tiers {
    fn reads(&self, reads: &mut Reads) {
        reads.complexity = true;
    }

    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let scores = candidates.iter().map(|candidate| {
            let tier = candidate.max_complexity.unwrap_or(MOST);
            match view.profile.complexity {
                None => Score::new(0.0, "complexity not known"),
                Some(c) if c <= tier => {
                    Score::new(f64::from(tier), "thousandths, meant for this complexity")
                }
                // The larger of those that are too small comes first.
                Some(_) => Score::new(
                    f64::from(MOST) + f64::from(MOST.saturating_sub(tier)) + 1.0,
                    "meant for simpler requests",
                ),
            }
        });
        scores.collect()
    }
}
