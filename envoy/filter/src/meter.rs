//! The metrics of one VM: each is defined once, and only then counted.

use std::cell::RefCell;

use hashbrown::HashMap;
use pointsman::metrics::{Kind, Sample};

use crate::host;

/// More names than any configuration has; what comes after is not counted.
const MOST_NAMES: usize = 20_000;

#[derive(Default)]
struct Meter {
    ids: HashMap<String, u32>,
    /// The name that is being looked up.
    name: String,
}

thread_local! {
    static METER: RefCell<Meter> = RefCell::default();
}

/// Counts.
pub(crate) fn count(sample: &Sample<'_>) {
    let kind = sample.metric.metric().kind;
    let id = METER.with(|meter| meter.try_borrow_mut().ok()?.id(sample, kind));
    match (id, kind) {
        (Some(id), Kind::Counter) => host::increment(id, sample.value),
        (Some(id), Kind::Histogram) => host::record(id, sample.value),
        (None, _) => {}
    }
}

impl Meter {
    fn id(&mut self, sample: &Sample<'_>, kind: Kind) -> Option<u32> {
        self.name.clear();
        sample.write_name(&mut self.name);
        if let Some(id) = self.ids.get(&self.name) {
            return Some(*id);
        }
        if self.ids.len() >= MOST_NAMES {
            return None;
        }
        let id = host::define_metric(kind == Kind::Histogram, &self.name)?;
        self.ids.insert(self.name.clone(), id);
        Some(id)
    }
}
