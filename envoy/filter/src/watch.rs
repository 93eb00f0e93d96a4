//! Notices that no body comes while headers are held. Without `allow_on_headers_stop_iteration`
//! Envoy waits for the filter and the filter for Envoy; what waits so is refused instead.
//!
//! A client may take its time, so Envoy is asked how many bytes it has: only a body that has come
//! to it and not to the filter is held back.
//!
//! The first body that comes proves that all is well: after it nothing is watched.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pointsman::exchange::{Misfit, Role};

use crate::host;
use crate::misfit;
use crate::underway::Running;

/// How often calls to classifiers are looked at while somebody waits, in milliseconds.
const CALLS_MS: u64 = 10;
/// How often held requests are looked at, in milliseconds.
const BODIES_MS: u64 = 100;

/// How long Envoy may have bytes of a client's body, and get no more, without passing any on, in
/// milliseconds: a filter before this one may gather a body, too.
const OF_CLIENT_MS: u64 = 2_000;
/// Once one has been refused, others need not wait as long.
const OF_NEXT_CLIENT_MS: u64 = 1_000;
/// An attempt's body is there, and comes at once.
const OF_ATTEMPT_MS: u64 = 100;

/// The tick of one root context, which has more than one reason.
#[derive(Default)]
pub(crate) struct Ticks {
    calls: Cell<bool>,
    bodies: Cell<bool>,
    /// How often to look whose connections are to be kept open; 0 for never.
    warmth_ms: Cell<u64>,
    /// What the host has been told; 0 for not at all.
    period_ms: Cell<u64>,
}

impl Ticks {
    /// Whether calls to classifiers are waited for.
    pub(crate) fn for_calls(&self, wanted: bool) {
        self.want(&self.calls, wanted);
    }

    fn for_bodies(&self, wanted: bool) {
        self.want(&self.bodies, wanted);
    }

    /// How often connections are to be looked after; 0 for never.
    pub(crate) fn for_warmth(&self, every_ms: u64) {
        self.warmth_ms.set(every_ms);
        self.hasten();
    }

    fn want(&self, reason: &Cell<bool>, wanted: bool) {
        if reason.replace(wanted) != wanted && wanted {
            self.hasten();
        }
    }

    /// Each setting begins the period anew, and many of them would keep the tick from coming: so
    /// it is only made shorter here, and longer by the tick itself.
    fn hasten(&self) {
        let (now_ms, wanted_ms) = (self.period_ms.get(), self.wanted_ms());
        if wanted_ms > 0 && (now_ms == 0 || wanted_ms < now_ms) {
            self.set(wanted_ms);
        }
    }

    /// A tick has come: from now on it comes as often as it must.
    pub(crate) fn settle(&self) {
        let wanted_ms = self.wanted_ms();
        if wanted_ms != self.period_ms.get() {
            self.set(wanted_ms);
        }
    }

    fn set(&self, period_ms: u64) {
        self.period_ms.set(period_ms);
        host::tick(period_ms);
    }

    fn wanted_ms(&self) -> u64 {
        let wanted = [
            self.calls.get().then_some(CALLS_MS),
            self.bodies.get().then_some(BODIES_MS),
            Some(self.warmth_ms.get()).filter(|ms| *ms > 0),
        ];
        wanted.into_iter().flatten().min().unwrap_or(0)
    }
}

/// Those of one worker whose headers are held.
pub(crate) struct Watch {
    root: u32,
    ticks: Rc<Ticks>,
    patience_ms: Cell<u64>,
    is_proven: Cell<bool>,
    held: RefCell<Vec<Held>>,
}

struct Held {
    id: u32,
    /// When anything happened last.
    since_ms: u64,
    /// Bytes that Envoy had of the request then; not counted for an attempt.
    bytes: i64,
    /// Whether a body has come to Envoy; an attempt's is always there.
    has_body: bool,
    attempt: Option<Running>,
}

impl Held {
    /// Notes what has come of a client's body since the last time.
    fn look(&mut self, now_ms: u64) {
        if self.attempt.is_some() || !host::act_for(self.id) {
            return;
        }
        let bytes = received();
        if bytes > self.bytes {
            self.bytes = bytes;
            self.since_ms = now_ms;
            self.has_body = true;
        }
    }

    /// Whether Envoy holds the body back: it has some, and for so long no more has come.
    fn is_overdue(&self, now_ms: u64, patience_ms: u64) -> bool {
        self.has_body && now_ms.saturating_sub(self.since_ms) >= patience_ms
    }
}

/// Bytes that Envoy has of the request, headers and body.
fn received() -> i64 {
    host::property_int(&["request", "total_size"]).unwrap_or(0)
}

impl Watch {
    pub(crate) fn new(role: Role, root: u32, ticks: Rc<Ticks>) -> Watch {
        let of_clients = role == Role::Downstream;
        let patience_ms = if of_clients {
            OF_CLIENT_MS
        } else {
            OF_ATTEMPT_MS
        };
        Watch {
            root,
            ticks,
            patience_ms: Cell::new(patience_ms),
            is_proven: Cell::new(false),
            held: RefCell::default(),
        }
    }

    /// Its headers are held, and its body is to come. An attempt is forgotten when it is
    /// refused: nobody is to blame.
    pub(crate) fn hold(&self, id: u32, attempt: Option<&Running>) {
        if self.is_proven.get() {
            return;
        }
        self.held.borrow_mut().push(Held {
            id,
            since_ms: host::now_ms(),
            bytes: attempt.map_or_else(received, |_| 0),
            has_body: attempt.is_some(),
            attempt: attempt.map(Rc::clone),
        });
        self.ticks.for_bodies(true);
    }

    /// A body has come.
    pub(crate) fn body_came(&self) {
        if !self.is_proven.replace(true) {
            self.held.borrow_mut().clear();
            self.ticks.for_bodies(false);
        }
    }

    /// It is over.
    pub(crate) fn forget(&self, id: u32) {
        if !self.is_proven.get() {
            self.held.borrow_mut().retain(|each| each.id != id);
        }
    }

    /// Refuses what has waited for too long.
    pub(crate) fn on_tick(&self) {
        if self.is_proven.get() {
            return;
        }
        let overdue = self.take_overdue();
        for each in &overdue {
            if let Some(attempt) = &each.attempt {
                attempt.take();
            }
            misfit::tell(Misfit::NoStopIteration);
            if host::act_for(each.id) {
                host::respond(&Misfit::NoStopIteration.response());
            }
        }
        if !overdue.is_empty() {
            let patience_ms = self.patience_ms.get().min(OF_NEXT_CLIENT_MS);
            self.patience_ms.set(patience_ms);
        }
        host::act_for(self.root);
        if self.held.borrow().is_empty() {
            self.ticks.for_bodies(false);
        }
    }

    fn take_overdue(&self) -> Vec<Held> {
        let (now_ms, patience_ms) = (host::now_ms(), self.patience_ms.get());
        let mut held = self.held.take();
        held.iter_mut().for_each(|each| each.look(now_ms));
        let (overdue, held) = held
            .into_iter()
            .partition(|each| each.is_overdue(now_ms, patience_ms));
        self.held.replace(held);
        overdue
    }
}
