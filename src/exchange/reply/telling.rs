//! What the client and the access log are told of an attempt.

use super::ReplyState;
use crate::exchange::handoff::{self, ESCALATE};
use crate::exchange::mutation::Mutation;
use crate::exchange::trail::{self, Entry};
use crate::failure::Class;
use crate::fidelity::Report;
use crate::schema::Reply;

/// The largest list of findings in a header, in bytes.
const MAX_FIDELITY_BYTES: usize = 2048;

/// The longest name of a model that a provider may answer with, in characters.
const MAX_MODEL_CHARS: usize = 200;

impl ReplyState {
    /// A reply that is whole is for the client, unless it is a refusal that may fall back.
    pub(super) fn commit_whole(&mut self, reply: &Reply, now_ms: u64, mutation: &mut Mutation) {
        self.commit(&reply.model, reply.refused, now_ms, mutation);
        if reply.refused && self.origin.falls_back_on_refusal() {
            self.usage = reply.usage;
            self.book_rejected(mutation);
            self.observe_refusal(mutation);
            return;
        }
        self.store_usage(reply.usage, mutation);
        self.tell_cost(mutation);
        self.observe_whole(now_ms, mutation);
    }

    pub(super) fn commit(
        &mut self,
        model: &str,
        refused: bool,
        now_ms: u64,
        mutation: &mut Mutation,
    ) {
        let class = match refused {
            true => Class::ContentFilter.as_str(),
            false => trail::OK,
        };
        self.append_trail(class, Some(self.status), 0, now_ms, mutation);
        mutation.store(handoff::PROVIDER, self.origin.provider.as_bytes());
        // The name is the provider's own word: it goes into a header and a log.
        let model = trail::token(&model.chars().take(MAX_MODEL_CHARS).collect::<String>());
        mutation.store(handoff::RESPONSE_MODEL, model.as_bytes());
        let answered_by = format!("{}/{model}", self.origin.provider);
        mutation.set(handoff::ANSWERED_BY, answered_by);
        mutation.set(handoff::ATTEMPTS, self.origin.trail.clone());
        if let Some(fidelity) = &self.fidelity {
            mutation.store(handoff::FIDELITY, fidelity.as_bytes());
            if self.tells_fidelity {
                mutation.set(handoff::FIDELITY_HEADER, fidelity.clone());
            }
        }
        if refused && self.origin.falls_back_on_refusal() {
            mutation.set(ESCALATE, "1");
        }
        for (name, value) in self.quota.take_headers() {
            mutation.set(name, value);
        }
        self.phase = super::Phase::Over;
    }

    pub(super) fn append_trail(
        &mut self,
        class: &str,
        status: Option<u16>,
        wait_s: u64,
        now_ms: u64,
        mutation: &mut Mutation,
    ) {
        let (gate, scorer) = self.told_by_gate(class);
        let entry = Entry {
            gate,
            scorer,
            provider: &self.origin.provider,
            model: &self.origin.model,
            class,
            status,
            elapsed_ms: now_ms.saturating_sub(self.origin.started_ms),
            wait_s,
        };
        self.origin.trail = match class {
            // Whoever answered stands last.
            trail::OUTRUN => trail::before_last(&self.origin.trail, &entry),
            _ => trail::append(&self.origin.trail, &entry),
        };
        mutation.store(handoff::TRAIL, self.origin.trail.as_bytes());
    }
}

/// The findings in one line of bounded length; parameter names may be the client's own.
pub(super) fn fidelity(report: &Report) -> String {
    let visible = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    report
        .to_string()
        .chars()
        .map(visible)
        .take(MAX_FIDELITY_BYTES)
        .collect()
}
