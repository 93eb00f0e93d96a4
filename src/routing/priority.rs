//! `priority`: in the order in which they are declared.

use std::sync::Arc;

use super::{Policy, PolicyKind, Score, View};
use crate::catalog::Backend;

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "priority",
    description: "In the order in which they are declared.",
    params: &[],
    build: |_| Ok(Arc::new(Priority)),
};

/// Declared order.
#[derive(Debug)]
pub(super) struct Priority;

impl Policy for Priority {
    fn score(&self, candidates: &[&Backend], _view: &View<'_>) -> Vec<Score> {
        let places = (0_u32..).zip(candidates);
        places
            .map(|(place, _)| Score::new(f64::from(place), "place in the document"))
            .collect()
    }

    fn keeps_order(&self) -> bool {
        true
    }
}
