//! Who asked to be left alone, or serves as many requests as it may, is asked only when everybody
//! else has failed. When a pause is over, one request shows whether the target is well again, before
//! all others come back.

use crate::catalog::Backend;
use crate::observed::Observed;

/// What serves as many requests as it may, in thousandths of that.
const FULL: u64 = 1000;

/// Whether a candidate serves as many requests as it may.
///
/// An attempt is counted in the callback that decides about it, so each worker knows of its own
/// ones: of `n` workers that decide at the same moment, `n - 1` requests may come on top.
pub fn is_full(candidate: &Backend, observed: &dyn Observed) -> bool {
    fullness(candidate, observed) >= FULL
}

/// What a candidate serves, in thousandths of what it may; 0 where it may serve any number.
fn fullness(candidate: &Backend, observed: &dyn Observed) -> u64 {
    candidate.concurrency.map_or(0, |limit| {
        let state = observed.target(&candidate.provider, &candidate.model);
        let allowed = limit.allowed(state.error_rate).max(1);
        state.in_flight_requests.saturating_mul(FULL) / allowed
    })
}

/// Puts the candidates that cool down, or are full, behind all others, each group in its order. Gives how many
/// these are, and whether the first candidate of all is one that this request tries.
///
/// When all are full, those come first that are the least so: whoever is dying may serve less, and
/// gets no more than its share of what is too much for everybody. When some cool down and all others
/// are full, nobody is better than another, and the order stays.
pub fn put_last(candidates: &mut Vec<&Backend>, observed: &dyn Observed) -> (usize, bool) {
    if candidates.len() < 2 {
        return (0, false);
    }
    let is_full = |c: &Backend| is_full(c, observed);
    let cools = |c: &Backend| observed.cool_down(&c.provider, &c.model).is_some() || is_full(c);
    let before = candidates.iter().take_while(|c| cools(c)).count();
    if before == candidates.len() {
        return (put_fullest_last(candidates, observed), false);
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

/// Where all are full: puts those behind that are fuller than others, and gives how many these are.
fn put_fullest_last(candidates: &mut Vec<&Backend>, observed: &dyn Observed) -> usize {
    let how_full = |c: &&Backend| fullness(c, observed);
    let least = candidates.iter().map(how_full).min().unwrap_or(0);
    if least < FULL {
        return 0;
    }
    let all = std::mem::take(candidates);
    let (fuller, mut first): (Vec<_>, Vec<_>) = all.into_iter().partition(|c| how_full(c) > least);
    candidates.append(&mut first);
    let count = fuller.len();
    candidates.extend(fuller);
    count
}

#[cfg(test)]
mod tests;
