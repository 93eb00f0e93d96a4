//! How long an attempt may take: as declared, or by how quick candidates were lately.

use crate::catalog::Backend;
use crate::config::{Adaptive, Timeouts};
use crate::observed::TargetState;
use crate::routing::View;

/// The times of one request. Envoy knows one time for all attempts: the slowest candidate that is
/// known sets it.
pub(super) fn adapted(declared: Timeouts, candidates: &[&Backend], view: &View<'_>) -> Timeouts {
    let Some(adaptive) = declared.adaptive else {
        return declared;
    };
    let state = |c: &&Backend| view.observed.target(&c.provider, &c.model);
    let states: Vec<TargetState> = candidates.iter().map(state).collect();
    let longest = longest(adaptive, &states, view.profile.streamed);
    Timeouts {
        per_try_ms: longest.map_or(declared.per_try_ms, |ms| ms.min(declared.per_try_ms)),
        ..declared
    }
}

/// `None` as long as nothing is known of the first candidate.
fn longest(adaptive: Adaptive, candidates: &[TargetState], streamed: bool) -> Option<u64> {
    let usual = |state: &TargetState| match streamed {
        true => state.ttft_p95_ms,
        false => state.latency_p95_ms,
    };
    let first = usual(candidates.first()?)?;
    let slowest = candidates.iter().filter_map(usual).fold(first, f64::max);
    let allowed = (slowest * adaptive.times as f64).ceil() as u64;
    Some(allowed.max(adaptive.at_least_ms))
}

#[cfg(test)]
mod tests;
