//! `cache_affinity`: to where the beginning of the prompt has been read lately.

use std::sync::Arc;

use super::cost::{USUAL_OUTPUT_TOKENS, estimate_nano_usd};
use super::fastest::Time;
use super::{Param, ParamShape, Params, Policy, PolicyKind, Score, View};
use crate::catalog::Backend;
use crate::observed::Wants;

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "cache_affinity",
    description: "To the candidates that have read the beginning of this prompt lately and so \
                  may have it in their cache; all others tie. Those stay behind that would cost \
                  more than another one even so, or have been much slower. Put it before \
                  another policy.",
    params: &[
        Param {
            name: "min_tokens",
            shape: ParamShape::Int(0, 1_000_000),
            description: "Shorter prompts go anywhere: providers keep none; 1024 when not said.",
        },
        Param {
            name: "slower_at_most",
            shape: ParamShape::Number(1.0, 100.0),
            description: "How many times as long as the fastest a candidate may take, by the \
                          median; 2 when not said.",
        },
    ],
    build: |params| {
        Ok(Arc::new(CacheAffinity {
            min_tokens: params.number("min_tokens").unwrap_or(1024.0) as u64,
            slower_at_most: params.number("slower_at_most").unwrap_or(2.0),
        }))
    },
};

/// Who takes no longer is as fast as can be: differences below it are noise.
const NO_TIME_MS: f64 = 50.0;

#[derive(Debug)]
struct CacheAffinity {
    min_tokens: u64,
    slower_at_most: f64,
}

impl Policy for CacheAffinity {
    fn wants(&self) -> Wants {
        Wants {
            figures: true,
            warmth: true,
            ..Wants::default()
        }
    }

    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        if view.profile.input_tokens < self.min_tokens {
            return all_tie(candidates, "a short prompt");
        }
        let cached: Vec<u64> = candidates.iter().map(|c| view.cached_tokens(c)).collect();
        if cached.iter().all(|tokens| *tokens == 0) {
            return all_tie(candidates, "not in any cache");
        }
        let costs = costs(candidates, &cached, view);
        let least = costs.iter().flatten().copied().min();
        let times = times(candidates, view);
        let fastest = times.iter().flatten().copied().fold(f64::MAX, f64::min);
        let judged = cached.iter().zip(costs).zip(times);
        let scores = judged.map(|((cached, cost), time)| {
            let dearer = cost.zip(least).is_some_and(|(cost, least)| cost > least);
            let slower = time.is_some_and(|ms| ms > fastest.max(NO_TIME_MS) * self.slower_at_most);
            match cached {
                0 => Score::new(1.0, "not in its cache"),
                _ if dearer => Score::new(1.0, "in its cache, dearer even so"),
                _ if slower => Score::new(1.0, "in its cache, much slower"),
                _ => Score::new(0.0, "in its cache"),
            }
        });
        scores.collect()
    }
}

fn all_tie(candidates: &[&Backend], reason: &'static str) -> Vec<Score> {
    vec![Score::new(1.0, reason); candidates.len()]
}

fn costs(candidates: &[&Backend], cached: &[u64], view: &View<'_>) -> Vec<Option<u64>> {
    let each = candidates.iter().zip(cached);
    each.map(|(c, cached)| estimate_nano_usd(c, view, USUAL_OUTPUT_TOKENS, *cached))
        .collect()
}

fn times(candidates: &[&Backend], view: &View<'_>) -> Vec<Option<f64>> {
    let median = Time::of(&Params::default());
    let states = candidates
        .iter()
        .map(|c| view.observed.target(&c.provider, &c.model));
    states
        .map(|state| median.read(&state, view.profile.streamed))
        .collect()
}

#[cfg(test)]
mod tests;
