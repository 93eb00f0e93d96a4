//! What faults do to a good reply's body.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::ask::Ask;
use crate::gzip;
use crate::reply::{Reply, Script, Step};
use crate::vendors::Dialect;

/// Time enough for what was written before to leave.
pub(super) fn flushed() -> Step {
    Step::Wait(Duration::from_millis(20))
}

pub(super) fn wait(ms: Option<u64>) -> Step {
    ms.map_or(Step::WaitForever, |ms| {
        Step::Wait(Duration::from_millis(ms))
    })
}

pub(super) fn replace(reply: &mut Reply, steps: Vec<Step>) {
    let length = match &reply.body {
        Script::Whole(bytes) if !steps.is_empty() => steps_length(&steps, bytes),
        _ => None,
    };
    let steps = VecDeque::from(steps);
    reply.body = Script::Steps { length, steps };
}

/// A buffered reply keeps announcing its length when it is to be broken off.
fn steps_length(steps: &[Step], body: &Bytes) -> Option<u64> {
    let broken = steps.iter().any(|s| matches!(s, Step::Reset | Step::Close));
    broken.then_some(body.len() as u64)
}

/// Turns a whole body into two halves, so that faults have a middle to act on.
fn steps(reply: &mut Reply) -> &mut VecDeque<Step> {
    if let Script::Whole(bytes) = &reply.body {
        let mut head = bytes.clone();
        let tail = head.split_off(head.len() / 2);
        reply.body = Script::Steps {
            length: Some(bytes.len() as u64),
            steps: VecDeque::from([Step::Send(head), Step::Send(tail)]),
        };
    }
    match &mut reply.body {
        Script::Steps { steps, .. } => steps,
        Script::Whole(_) => unreachable!("a whole body was split just now"),
    }
}

/// Where to act in the body: buffered replies have two halves.
fn position(reply: &Reply, after: usize) -> usize {
    match &reply.body {
        Script::Whole(_) => 1,
        Script::Steps { .. } => after,
    }
}

pub(super) fn insert(reply: &mut Reply, after: usize, step: Step) {
    let at = position(reply, after);
    let steps = steps(reply);
    steps.insert(at.min(steps.len()), step);
}

pub(super) fn break_after(reply: &mut Reply, after: usize, step: Step) {
    let at = position(reply, after);
    if let Script::Whole(_) = reply.body {
        return replace(reply, vec![step]);
    }
    let steps = steps(reply);
    steps.truncate(at);
    steps.push_back(flushed());
    steps.push_back(step);
}

pub(super) fn cut(reply: &mut Reply, after: usize, end: Step) {
    let at = position(reply, after);
    let steps = steps(reply);
    // A cut after the last event would be an ordinary end.
    steps.truncate(at.min(steps.len().saturating_sub(1)));
    steps.push_back(flushed());
    steps.push_back(end);
}

pub(super) fn malform(dialect: &dyn Dialect, ask: &Ask, reply: &mut Reply, after: usize) {
    match &mut reply.body {
        Script::Whole(bytes) => bytes.truncate(bytes.len() / 2),
        Script::Steps { .. } => insert(reply, after, Step::Send(dialect.broken_event(ask))),
    }
}

/// Ends in order, but early: what was sent looks like all there is.
pub(super) fn end_early(reply: &mut Reply, after: usize) {
    let at = position(reply, after);
    let steps = steps(reply);
    // An end after the last event would be a good one.
    steps.truncate(at.min(steps.len().saturating_sub(1)));
    if let Script::Steps { length, .. } = &mut reply.body {
        *length = None;
    }
}

/// Comments and nothing else, until the client leaves.
pub(super) fn keep_alive(reply: &mut Reply, pause: Duration) {
    const COMMENT: &[u8] = b": keep-alive\n\n";
    let beats = Duration::from_secs(60).as_millis() / pause.as_millis().max(1);
    let steps =
        (0..beats).flat_map(|_| [Step::Send(Bytes::from_static(COMMENT)), Step::Wait(pause)]);
    replace(reply, steps.collect());
}

pub(super) fn slow_down(reply: &mut Reply, pause: Duration) {
    let steps = steps(reply);
    *steps = std::mem::take(steps)
        .into_iter()
        .flat_map(|step| [Step::Wait(pause), step])
        .collect();
}

pub(super) fn compress(reply: &mut Reply) {
    let mut plain = Vec::new();
    match &reply.body {
        Script::Whole(bytes) => plain.extend_from_slice(bytes),
        Script::Steps { steps, .. } => {
            for step in steps {
                if let Step::Send(bytes) = step {
                    plain.extend_from_slice(bytes);
                }
            }
        }
    }
    reply.body = Script::Whole(Bytes::from(gzip::store(&plain)));
    let encoding = ("content-encoding".to_owned(), "gzip".to_owned());
    reply.headers.push(encoding);
}
