//! How long an attempt may take: as declared, or by how quick candidates were lately; and how long
//! all of them may, waits included.

use super::RequestFacts;
use crate::catalog::Backend;
use crate::config::{Adaptive, Timeouts, WaitFor};
use crate::exchange::Topology;
use crate::exchange::handoff::{Handoff, Step, cluster_name};
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

/// Bounds all attempts of a plan together, and lets it wait for who comes back shortly.
pub(super) fn bound(
    plan: &mut Handoff,
    timeouts: Timeouts,
    is_warm: &dyn Fn(&Backend) -> bool,
    regular: &[&Backend],
    topology: Topology,
    facts: RequestFacts<'_>,
) {
    if timeouts.total_ms > 0 && facts.now_ms > 0 {
        plan.total_ms = timeouts.total_ms;
        plan.deadline_ms = facts.now_ms.saturating_add(timeouts.total_ms);
    }
    plan.wait_up_to_ms = topology.wait_up_to_ms(&timeouts);
    if plan.wait_up_to_ms == 0 {
        return;
    }
    let last = regular.last().copied();
    let is_last = |c: &Backend| last.is_some_and(|last| std::ptr::eq(last, c));
    let is_worth_it = |c: &&&Backend| match (topology, timeouts.wait_for) {
        (Topology::StaticChain, _) => is_last(c) && plan.last_resort == 0,
        (Topology::PerAttempt, WaitFor::Last) => is_last(c),
        (Topology::PerAttempt, WaitFor::Warm) => is_last(c) || is_warm(c),
        (Topology::PerAttempt, WaitFor::Any) => true,
    };
    for candidate in regular.iter().filter(is_worth_it) {
        let is_it = |s: &&mut Step| s.provider == candidate.provider && s.model == candidate.model;
        plan.steps
            .iter_mut()
            .filter(is_it)
            .for_each(|s| s.waits = true);
    }
    if topology == Topology::StaticChain {
        repeat_last(plan);
    }
}

/// Every static chain ends with a second cluster of its last member, for who is waited for.
fn repeat_last(plan: &mut Handoff) {
    let Some(last) = plan.steps.last().cloned() else {
        return;
    };
    let earlier = plan.steps.iter().filter(|s| s.provider == last.provider);
    let cluster = cluster_name(&last.provider, earlier.count());
    let again = Step {
        cluster,
        waits: false,
        ..last
    };
    plan.steps.push(again);
    if plan.last_resort > 0 {
        plan.last_resort = plan.last_resort.saturating_add(1);
    }
}

/// When a stream that has not begun is given up, in Unix milliseconds; 0 for never, and where Envoy
/// does it.
pub(super) fn deadline_ms(plan: &Handoff, timeouts: Timeouts) -> u64 {
    match plan.streamed && !timeouts.cuts_streams {
        true => plan.deadline_ms,
        false => 0,
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
