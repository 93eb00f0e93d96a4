//! Who asked to be left alone is asked only when everybody else has failed.

use crate::catalog::Backend;
use crate::observed::Observed;

/// Puts the candidates that cool down behind all others, each group in its order. Gives how many
/// these are; none when all of them cool down, because then nobody is better than another.
pub fn put_last(candidates: &mut Vec<&Backend>, observed: &dyn Observed) -> usize {
    if candidates.len() < 2 {
        return 0;
    }
    let cools = |c: &&Backend| observed.cool_down(&c.provider, &c.model).is_some();
    let (mut cooling, others): (Vec<_>, Vec<_>) = candidates.drain(..).partition(cools);
    let count = cooling.len();
    let all_cool = others.is_empty();
    *candidates = others;
    candidates.append(&mut cooling);
    if all_cool { 0 } else { count }
}

#[cfg(test)]
mod tests;
