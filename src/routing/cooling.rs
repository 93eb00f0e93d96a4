//! Who asked to be left alone is asked only when there is nobody else.

use crate::catalog::Backend;
use crate::observed::{CoolDown, Observed};

/// Takes the candidates that cool down out of a plan, unless that would leave none.
pub fn set_aside<'a>(
    candidates: &mut Vec<&'a Backend>,
    observed: &dyn Observed,
) -> Vec<(&'a Backend, CoolDown)> {
    if candidates.len() < 2 {
        return Vec::new();
    }
    let cooling = |c: &&'a Backend| Some((*c, observed.cool_down(&c.provider, &c.model)?));
    let aside: Vec<_> = candidates.iter().filter_map(cooling).collect();
    if aside.is_empty() || aside.len() == candidates.len() {
        return Vec::new();
    }
    candidates.retain(|c| !aside.iter().any(|(other, _)| std::ptr::eq(*other, *c)));
    aside
}

#[cfg(test)]
mod tests;
