//! Attempts under way in this VM, by the client request that they are made for.
//!
//! When a client leaves, Envoy tells the downstream role first, and then writes the access log;
//! the attempt hears of it last. So the downstream role ends it, and books what came of it.

use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::HashMap;
use pointsman::exchange::Attempt;
use pointsman::exchange::handoff::ANSWERED;

use crate::host::{self, Recording};
use crate::upstream::recall;

/// An attempt that both roles can end; `None` before it has begun.
pub(crate) type Running = Rc<RefCell<Option<Attempt>>>;

thread_local! {
    static UNDERWAY: RefCell<HashMap<u64, (Running, Recording)>> = RefCell::default();
}

/// An attempt has begun. It takes the place of an earlier one for the same request.
pub(crate) fn enter(stream: u64, attempt: &Running, recording: Recording) {
    if stream == 0 {
        return;
    }
    UNDERWAY.with(|underway| {
        let running = (Rc::clone(attempt), recording);
        underway.borrow_mut().insert(stream, running);
    });
}

/// An attempt has ended.
pub(crate) fn leave(stream: u64, attempt: &Running) {
    UNDERWAY.with(|underway| {
        let mut underway = underway.borrow_mut();
        let is_it = |(running, _): &(Running, _)| Rc::ptr_eq(running, attempt);
        if underway.get(&stream).is_some_and(is_it) {
            underway.remove(&stream);
        }
    });
}

/// A client's request is over: so is the attempt that is made for it.
pub(crate) fn end(stream: u64) {
    let running = UNDERWAY.with(|underway| underway.borrow_mut().remove(&stream));
    if let Some((attempt, recording)) = running {
        conclude(&attempt, recording);
    }
}

/// Ends an attempt that has not come to a verdict.
pub(crate) fn conclude(attempt: &Running, recording: Recording) {
    let Ok(mut attempt) = attempt.try_borrow_mut() else {
        return;
    };
    let Some(mut attempt) = attempt.take().filter(|attempt| !attempt.is_over()) else {
        return;
    };
    let now_ms = host::now_ms();
    let has_answered = recall(&mut attempt) && host::property(&[ANSWERED]).is_some();
    let outrun = match has_answered {
        true => attempt.on_outrun(now_ms),
        false => None,
    };
    let mutation = if let Some(outrun) = outrun {
        outrun
    } else if client_has_left() {
        attempt.on_abandoned()
    } else {
        let unconnected = host::property(&["upstream", "transport_failure_reason"]);
        let connect_failed = unconnected.is_some_and(|reason| !reason.is_empty());
        attempt.on_done(connect_failed, now_ms)
    };
    host::store(&mutation);
    recording.note(&mutation, now_ms);
}

/// Envoy tears attempts down when the client hangs up; `http2.remote_reset` and its kin are the
/// client's, too.
fn client_has_left() -> bool {
    let details = host::property(&["response", "code_details"]);
    let of_client =
        |details: &Vec<u8>| details.starts_with(b"downstream_") || details.starts_with(b"http");
    details.as_ref().is_some_and(of_client)
}
