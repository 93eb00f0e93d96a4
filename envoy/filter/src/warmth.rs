//! Keeps providers' connections open while nobody asks anything: by the tick, one worker of all at
//! a time.
//!
//! Each worker has connections of its own, so that turns go round. Envoy's main thread ticks too,
//! and has no inner listener: what it is given comes back without a word of it, and it stands back.

use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::HashMap;
use pointsman::config::Config;
use pointsman::exchange::Role;
use pointsman::exchange::keep_warm::{WARMED, kept_warm, looks_every_ms, rests};
use pointsman::metrics::of_kept_warm;
use pointsman::observed::{Recorded, Worker};

use crate::host::{self, SharedData};
use crate::meter;

/// How long a thread stands back whose calls do not get through, in milliseconds.
const STANDS_BACK_MS: u64 = 600_000;

/// This thread's part in it.
#[derive(Default)]
struct Part {
    workers: HashMap<String, Worker>,
    back_at_ms: u64,
}

thread_local! {
    static PART: RefCell<Part> = RefCell::default();
}

/// A client's request goes to the provider: what it needs is open.
pub(crate) fn note(provider: &str, now_ms: u64) {
    PART.with_borrow_mut(|part| match part.workers.get_mut(provider) {
        Some(worker) => worker.used_ms = now_ms,
        None => {
            let worker = part.workers.entry(provider.to_owned()).or_default();
            worker.used_ms = now_ms;
        }
    });
}

/// Of one worker and one configuration.
pub(crate) struct Warmth {
    /// `None` where nothing is to be done.
    config: Option<Rc<Config>>,
    root: u32,
    /// Calls under way, and whose connections they keep open.
    calls: RefCell<Vec<(u32, String)>>,
}

impl Warmth {
    pub(crate) fn new(role: Role, config: Rc<Config>, root: u32) -> Warmth {
        let is_wanted = role == Role::Downstream && looks_every_ms(&config).is_some();
        Warmth {
            config: is_wanted.then_some(config),
            root,
            calls: RefCell::default(),
        }
    }

    /// How often to look; 0 for never.
    pub(crate) fn looks_every_ms(&self) -> u64 {
        let config = self.config.as_ref();
        config.and_then(|c| looks_every_ms(c)).unwrap_or(0)
    }

    pub(crate) fn on_tick(&self) {
        let Some(config) = &self.config else {
            return;
        };
        let now_ms = host::now_ms();
        if PART.with_borrow(|part| part.back_at_ms) > now_ms {
            return;
        }
        let recorded = Recorded::new(&SharedData, config.observe, now_ms);
        for (provider, warm) in kept_warm(config) {
            let name = &provider.name;
            if !rests(config, name, &recorded, now_ms) && has_turn(name, warm.every_ms, now_ms) {
                self.ask(name);
            }
        }
    }

    fn ask(&self, provider: &str) {
        host::act_for(self.root);
        match host::keep_warm(provider) {
            Some(call) => self.calls.borrow_mut().push((call, provider.to_owned())),
            None => stand_back(provider),
        }
    }

    /// Whether it was one of ours.
    pub(crate) fn on_reply(&self, call: u32) -> bool {
        let mut calls = self.calls.borrow_mut();
        let Some(at) = calls.iter().position(|(number, _)| *number == call) else {
            return false;
        };
        let (_, provider) = calls.swap_remove(at);
        match host::reply_header(WARMED) {
            Some(status) => of_kept_warm(&provider, &status, &mut meter::count),
            None => stand_back(&provider),
        }
        true
    }
}

fn has_turn(provider: &str, every_ms: u64, now_ms: u64) -> bool {
    PART.with_borrow_mut(|part| {
        let worker = part.workers.entry(provider.to_owned()).or_default();
        worker.takes_turn(&SharedData, provider, every_ms, now_ms)
    })
}

/// This thread cannot do it: another one shall.
fn stand_back(provider: &str) {
    PART.with_borrow_mut(|part| {
        part.back_at_ms = host::now_ms().saturating_add(STANDS_BACK_MS);
        if let Some(worker) = part.workers.get_mut(provider) {
            worker.gives_up(&SharedData, provider);
        }
    });
}
