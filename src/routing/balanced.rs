//! `balanced`: a draw in which the faster, the more reliable and the cheaper have better odds.

use std::sync::Arc;

use super::cost::{USUAL_OUTPUT_TOKENS, estimate_nano_usd};
use super::fastest::{EXPLORE, Time, explore_of};
use super::{Param, ParamShape, Policy, PolicyKind, Score, View, hash};
use crate::catalog::Backend;
use crate::observed::Wants;

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "balanced",
    description: "Drawn: the odds of a candidate are (least time / its time)^latency x (share of \
                  attempts that it answers)^errors x (least cost / its cost)^cost. What is not \
                  known of one counts as the best.",
    params: &[
        Param {
            name: "latency",
            shape: ParamShape::Number(0.0, 10.0),
            description: "Exponent of the time; 1 when not said, 0 to leave it out.",
        },
        Param {
            name: "errors",
            shape: ParamShape::Number(0.0, 10.0),
            description: "Exponent of the answered share; 4 when not said, 0 to leave it out.",
        },
        Param {
            name: "cost",
            shape: ParamShape::Number(0.0, 10.0),
            description: "Exponent of the cost; 1 when not said, 0 to leave it out.",
        },
        Param {
            name: "of",
            shape: ParamShape::Words(&["ttft", "total"]),
            description: "Time to the first token or to the end of the reply; for streams \
                          `ttft`, else `total`, when not said.",
        },
        EXPLORE,
    ],
    build: |params| {
        let exponent = |name: &str, unsaid: f64| params.number(name).unwrap_or(unsaid);
        Ok(Arc::new(Balanced {
            time: Time::of(params),
            latency: exponent("latency", 1.0),
            errors: exponent("errors", 4.0),
            cost: exponent("cost", 1.0),
            explore: explore_of(params),
        }))
    },
};

#[derive(Debug)]
struct Balanced {
    time: Time,
    latency: f64,
    errors: f64,
    cost: f64,
    explore: f64,
}

impl Policy for Balanced {
    fn wants(&self) -> Wants {
        Wants {
            figures: true,
            ..Wants::default()
        }
    }

    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let odds = self.odds(candidates, view);
        let all: f64 = odds.iter().sum();
        let even = self.explore / candidates.len().max(1) as f64;
        let scores = candidates.iter().zip(&odds).map(|(candidate, odds)| {
            let share = odds / all * (1.0 - self.explore) + even;
            let own = hash::extend(hash::text(&candidate.provider), &candidate.model);
            // As `weighted` draws: who waits shortest is first.
            let ticket = -hash::fraction(view.draw ^ own).ln() / share;
            Score::new(ticket.min(f64::MAX), "drawn by its odds")
        });
        scores.collect()
    }
}

impl Balanced {
    /// The odds of each, above 0 and at most 1.
    fn odds(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<f64> {
        let states = candidates
            .iter()
            .map(|c| view.observed.target(&c.provider, &c.model));
        let states: Vec<_> = states.collect();
        let streamed = view.profile.streamed;
        let times = states.iter().map(|state| self.time.read(state, streamed));
        let costs = candidates.iter().map(|candidate| {
            let cached = view.cached_tokens(candidate);
            let cost = estimate_nano_usd(candidate, view, USUAL_OUTPUT_TOKENS, cached);
            cost.map(|nano| nano as f64)
        });
        let (times, costs) = (to_the_best(times.collect()), to_the_best(costs.collect()));
        let factors = times.into_iter().zip(costs).zip(states);
        let odds = factors.map(|((time, cost), state)| {
            let answers = 1.0 - state.error_rate.unwrap_or(0.0);
            let odds = time.powf(self.latency) * cost.powf(self.cost) * answers.powf(self.errors);
            odds.max(1e-6)
        });
        odds.collect()
    }
}

/// Each as a share that the least is of it; what is not known is as good as the least.
fn to_the_best(values: Vec<Option<f64>>) -> Vec<f64> {
    let least = values.iter().flatten().copied().fold(f64::MAX, f64::min);
    let share = |value: Option<f64>| match value {
        // A millisecond more or less is no difference.
        Some(value) => (least.max(1.0) / value.max(1.0)).min(1.0),
        None => 1.0,
    };
    values.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests;
