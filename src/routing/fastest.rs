//! `fastest`: by the time that targets took lately.

use std::sync::Arc;

use super::{Param, ParamShape, Params, Policy, PolicyKind, Score, View, hash};
use crate::catalog::Backend;
use crate::observed::{TargetState, Wants};

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "fastest",
    description: "By the time that candidates took lately, longer the more they fail; those \
                  about which nothing is known come first.",
    params: &[
        Param {
            name: "of",
            shape: ParamShape::Words(&["ttft", "total"]),
            description: "Time to the first token or to the end of the reply; for streams \
                          `ttft`, else `total`, when not said.",
        },
        Param {
            name: "percentile",
            shape: ParamShape::Words(&["p50", "p95"]),
            description: "Which of the times counts; `p50` when not said.",
        },
        EXPLORE,
    ],
    build: |params| {
        Ok(Arc::new(Fastest {
            time: Time::of(params),
            explore: explore_of(params),
        }))
    },
};

/// How many requests go to a random candidate, so that news of all of them come in.
pub(super) const EXPLORE: Param = Param {
    name: "explore",
    shape: ParamShape::Number(0.0, 0.5),
    description: "Share of requests that begin with a random candidate, so that one that has \
                  recovered is found; 0.05 when not said.",
};

pub(super) fn explore_of(params: &Params) -> f64 {
    params.number("explore").unwrap_or(0.05)
}

/// Which of the observed times counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    /// `None`: what the client waits for.
    of_ttft: Option<bool>,
    late: bool,
}

impl Time {
    pub(super) fn of(params: &Params) -> Time {
        Time {
            of_ttft: params.text("of").map(|of| of == "ttft"),
            late: params.text("percentile") == Some("p95"),
        }
    }

    /// Milliseconds; `None` when not known.
    pub(super) fn read(self, state: &TargetState, streamed: bool) -> Option<f64> {
        let of_ttft = self.of_ttft.unwrap_or(streamed);
        match (of_ttft, self.late) {
            (true, false) => state.ttft_p50_ms,
            (true, true) => state.ttft_p95_ms,
            (false, false) => state.latency_p50_ms,
            (false, true) => state.latency_p95_ms,
        }
    }
}

#[derive(Debug)]
struct Fastest {
    time: Time,
    explore: f64,
}

impl Policy for Fastest {
    fn wants(&self) -> Wants {
        Wants {
            figures: true,
            ..Wants::default()
        }
    }

    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let explored = explored(candidates.len(), self.explore, view.draw);
        let scores = candidates.iter().enumerate().map(|(i, candidate)| {
            if explored == Some(i) {
                return Score::new(-2.0, "explored");
            }
            self.expect(
                &view.observed.target(&candidate.provider, &candidate.model),
                view,
            )
        });
        scores.collect()
    }
}

impl Fastest {
    /// The time, longer the more it fails: squared, so that one that is four times as fast and
    /// only fails any more is overtaken when half of what is remembered are failures.
    fn expect(&self, state: &TargetState, view: &View<'_>) -> Score {
        let errors = state.error_rate.unwrap_or(0.0);
        match self.time.read(state, view.profile.streamed) {
            Some(ms) => {
                let answers = (1.0 - errors).max(0.01);
                Score::new(ms / (answers * answers), "ms, longer for failures")
            }
            None if errors >= 0.5 => Score::new(f64::MAX, "fails"),
            None => Score::new(-1.0, "not known yet"),
        }
    }
}

/// The candidate that a request explores; `None` for most requests.
pub(super) fn explored(candidates: usize, share: f64, draw: u64) -> Option<usize> {
    let draw = hash::mix(draw ^ 0x00E8_71A7_0000_0001);
    let is_explored = hash::fraction(draw) <= share;
    let chosen = hash::mix(draw).checked_rem(candidates as u64)?;
    is_explored.then_some(usize::try_from(chosen).unwrap_or(0))
}

#[cfg(test)]
mod tests;
