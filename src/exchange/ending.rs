//! Attempts that Envoy would make and that shall not be made: it can only be told how many there
//! may be, not which.

use super::attempt::AttemptFacts;
use super::handoff::{FAILED, Handoff, Step};
use super::mutation::ImmediateResponse;
use super::{Topology, trail};
use crate::failure::Class;

/// Why no further attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ending {
    /// The plan is at its end.
    #[default]
    Over,
    /// The time for all attempts is nearly spent.
    Total,
    /// The last attempt may have stored its reply.
    Stored,
}

/// So much of the time for all attempts must be left, one in so many: for less no attempt is
/// worth its price.
const LEAST_LEFT: u64 = 10;

impl Ending {
    /// Why the attempt at `index` is not made, if it is not.
    pub(super) fn of(
        plan: &Handoff,
        index: usize,
        topology: Topology,
        facts: &AttemptFacts,
    ) -> Option<Ending> {
        let last = trail::last(&facts.trail).filter(|_| facts.number > 1);
        let step = plan.steps.get(index);
        let is_vain = match (topology, step) {
            (_, None) => true,
            (Topology::StaticChain, Some(step)) => is_vain_repeat(plan, index, step, last),
            (Topology::PerAttempt, Some(_)) => false,
        };
        let least_ms = plan.total_ms / LEAST_LEFT;
        let is_late = plan.deadline_ms > 0
            && facts.number > 1
            && facts.now_ms.saturating_add(least_ms) >= plan.deadline_ms;
        let may_be_stored = last.is_some_and(|(_, class, _)| class.is_none_or(may_have_stored));
        [
            (plan.once && may_be_stored, Ending::Stored),
            (is_vain, Ending::Over),
            (is_late, Ending::Total),
        ]
        .into_iter()
        .find_map(|(ends, why)| ends.then_some(why))
    }

    fn word(self) -> &'static str {
        match self {
            Ending::Over => "1",
            Ending::Total => "total",
            Ending::Stored => "stored",
        }
    }

    /// What [`Ending::response`] says.
    pub(super) fn parse(word: &str) -> Ending {
        let all = [Ending::Total, Ending::Stored];
        all.into_iter()
            .find(|e| e.word() == word)
            .unwrap_or_default()
    }

    /// In place of the attempt; the downstream role makes the client's error of it.
    pub(super) fn response(self) -> ImmediateResponse {
        ImmediateResponse {
            status: match self {
                Ending::Total => 504,
                _ => 503,
            },
            headers: vec![(FAILED, self.word().to_owned())],
            body: b"{}".to_vec(),
        }
    }
}

/// A static chain has a second cluster for who may be asked again after a wait, and Envoy goes on
/// to it whatever the first one said.
fn is_vain_repeat(
    plan: &Handoff,
    index: usize,
    step: &Step,
    last: Option<(&str, Option<Class>, bool)>,
) -> bool {
    let before = index.checked_sub(1).and_then(|i| plan.steps.get(i));
    let repeats = plan.wait_up_to_ms > 0 && index.saturating_add(1) == plan.steps.len();
    let is_same = |s: &Step| s.provider == step.provider && s.model == step.model;
    repeats
        && before.is_some_and(is_same)
        && last.is_some_and(|(who, _, waited)| {
            !waited && who == trail::candidate(&step.provider, &step.model)
        })
}

/// Whether a failure leaves open what the provider has done, or an answer was thrown away.
fn may_have_stored(class: Class) -> bool {
    matches!(
        class,
        Class::ServerError
            | Class::Timeout
            | Class::Reset
            | Class::EmptyReply
            | Class::MalformedReply
            | Class::NotJson
            | Class::LowQuality
            | Class::ReplyTooLarge
    )
}

#[cfg(test)]
mod tests;
