//! The metrics of one VM: each is defined once, and only then counted.

use std::cell::RefCell;
use std::collections::HashMap;

use pointsman::metrics::{Kind, Sample};

use crate::host;

/// More names than any configuration has; what comes after is not counted.
const MOST_NAMES: usize = 20_000;

thread_local! {
    static IDS: RefCell<HashMap<String, u32>> = RefCell::default();
}

/// Counts.
pub(crate) fn count(sample: &Sample) {
    let kind = sample.metric.metric().kind;
    let id = IDS.with(|ids| {
        let mut ids = ids.try_borrow_mut().ok()?;
        if let Some(id) = ids.get(&sample.name) {
            return Some(*id);
        }
        if ids.len() >= MOST_NAMES {
            return None;
        }
        let id = host::define_metric(kind == Kind::Histogram, &sample.name)?;
        ids.insert(sample.name.clone(), id);
        Some(id)
    });
    match (id, kind) {
        (Some(id), Kind::Counter) => host::increment(id, sample.value),
        (Some(id), Kind::Histogram) => host::record(id, sample.value),
        (None, _) => {}
    }
}
