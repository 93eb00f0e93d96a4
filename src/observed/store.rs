//! Records in shared bytes: read for decisions, changed by observations.

use std::cell::RefCell;

use super::{
    CoolDown, CoolDowns, Observation, Observed, Record, Settings, TargetState, Unobserved, Wants,
    Warm, key,
};

/// Names of values begin with this, and with the number of their layout.
pub(super) const PREFIX: &str = "pointsman.observed.1.";

/// Bytes by name, shared by all workers.
pub trait Store {
    /// A value; `None` when there is none.
    fn load(&self, name: &str) -> Option<Vec<u8>>;

    /// Changes a value. `change` makes the new one of the old one, and is called again when
    /// another worker has been faster. False when nothing was stored: others were faster too
    /// often.
    fn change(&self, name: &str, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool;

    /// Sets a value, whatever it was.
    fn put(&self, name: &str, value: &[u8]) {
        self.change(name, &mut |_| value.to_vec());
    }
}

impl Store for Unobserved {
    fn load(&self, _name: &str) -> Option<Vec<u8>> {
        None
    }

    fn change(&self, _name: &str, _change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
        false
    }
}

/// What has been recorded, as it is now. Each record is read once.
pub struct Recorded<'s> {
    store: &'s dyn Store,
    settings: Settings,
    now_ms: u64,
    cool_downs: RefCell<Option<CoolDowns>>,
    targets: RefCell<Vec<(u64, TargetState)>>,
}

impl Observation {
    /// Records what is wanted of it.
    pub fn record(&self, store: &dyn Store, settings: Settings, wants: Wants, now_ms: u64) {
        if let Some(update) = self.update.wanted(wants) {
            store.change(&record_name(&self.provider, &self.model), &mut |old| {
                let mut record = Record::decode(old);
                record.apply(&update, settings.half_life_ms, now_ms);
                record.encode()
            });
        }
        if let Some(cool_down) = self.cool_down {
            store.change(&cool_downs_name(), &mut |old| {
                let mut list = CoolDowns::decode(old);
                list.add(cool_down, now_ms);
                list.encode()
            });
        }
        if self.recovered {
            store.change(&cool_downs_name(), &mut |old| {
                let mut list = CoolDowns::decode(old);
                list.recover(&self.provider, &self.model);
                list.encode()
            });
        }
        if let Some(prefix) = self.warm.filter(|_| wants.warmth) {
            let until_ms = now_ms.saturating_add(settings.warm_ms);
            store.change(&warm_name(&self.provider, &self.model), &mut |old| {
                let mut warm = Warm::decode(old);
                warm.add(prefix, until_ms);
                warm.encode()
            });
        }
    }
}

impl<'s> Recorded<'s> {
    /// As it is at `now_ms`.
    pub fn new(store: &'s dyn Store, settings: Settings, now_ms: u64) -> Recorded<'s> {
        Recorded {
            store,
            settings,
            now_ms,
            cool_downs: RefCell::default(),
            targets: RefCell::default(),
        }
    }

    /// A target's record, for people.
    pub fn record(&self, provider: &str, model: &str) -> Record {
        let bytes = self.store.load(&record_name(provider, model));
        Record::decode(&bytes.unwrap_or_default())
    }

    fn read(&self, provider: &str, model: &str) -> TargetState {
        let record = self.record(provider, model);
        record.state(self.settings.half_life_ms, self.now_ms)
    }
}

impl Observed for Recorded<'_> {
    fn target(&self, provider: &str, model: &str) -> TargetState {
        let who = key(provider, Some(model));
        let known = |(known, _): &&(u64, TargetState)| *known == who;
        let found = self.targets.borrow().iter().find(known).map(|(_, s)| *s);
        found.unwrap_or_else(|| {
            let state = self.read(provider, model);
            self.targets.borrow_mut().push((who, state));
            state
        })
    }

    fn is_warm(&self, provider: &str, model: &str, prefix: u64) -> bool {
        let bytes = self.store.load(&warm_name(provider, model));
        bytes.is_some_and(|bytes| Warm::decode(&bytes).has(prefix, self.now_ms))
    }

    fn cool_down(&self, provider: &str, model: &str) -> Option<CoolDown> {
        let mut list = self.cool_downs.borrow_mut();
        let list = list.get_or_insert_with(|| {
            CoolDowns::decode(&self.store.load(&cool_downs_name()).unwrap_or_default())
        });
        list.of(provider, model, self.now_ms)
    }

    fn probe(&self, provider: &str, model: &str) -> bool {
        let mut is_free = false;
        self.store.change(&cool_downs_name(), &mut |old| {
            let mut list = CoolDowns::decode(old);
            is_free = list.probe(provider, model, self.now_ms);
            list.encode()
        });
        is_free
    }
}

fn record_name(provider: &str, model: &str) -> String {
    format!("{PREFIX}target.{provider}/{model}")
}

fn warm_name(provider: &str, model: &str) -> String {
    format!("{PREFIX}warm.{provider}/{model}")
}

fn cool_downs_name() -> String {
    format!("{PREFIX}cool_downs")
}
