//! Who asked to be left alone, or serves as many requests as it may, is asked only when everybody
//! else has failed. When a pause is over, one request shows whether the target is well again, before
//! all others come back.

use crate::catalog::Backend;
use crate::observed::Observed;

/// Whether a candidate serves as many requests as it may.
pub fn is_full(candidate: &Backend, observed: &dyn Observed) -> bool {
    candidate.concurrency.is_some_and(|limit| {
        let state = observed.target(&candidate.provider, &candidate.model);
        state.in_flight_requests >= limit.allowed(state.error_rate)
    })
}

/// Puts the candidates that cool down, or are full, behind all others, each group in its order. Gives how many
/// these are, and whether the first candidate of all is one that this request tries.
///
/// When this is so of all of them, nobody is better than another, and the order stays.
pub fn put_last(candidates: &mut Vec<&Backend>, observed: &dyn Observed) -> (usize, bool) {
    if candidates.len() < 2 {
        return (0, false);
    }
    let is_full = |c: &Backend| is_full(c, observed);
    let cools = |c: &Backend| observed.cool_down(&c.provider, &c.model).is_some() || is_full(c);
    let before = candidates.iter().take_while(|c| cools(c)).count();
    if before == candidates.len() {
        return (0, false);
    }
    let mut rest = std::mem::take(candidates);
    let tries = |c: &&Backend| !is_full(c) && observed.probe(&c.provider, &c.model);
    let tried = rest.iter().take(before).position(tries);
    candidates.extend(tried.map(|at| rest.remove(at)));
    let (mut cooling, mut others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|c| cools(c));
    candidates.append(&mut others);
    let count = cooling.len();
    candidates.append(&mut cooling);
    (count, tried.is_some())
}

#[cfg(test)]
mod tests;
