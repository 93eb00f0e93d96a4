//! What becomes of a reply that fails.

use super::{Phase, ReplyState};
use crate::exchange::final_error::{self, Noted};
use crate::exchange::handoff::{self, ESCALATE, FAILED, RETRIABLE_STATUS};
use crate::exchange::mutation::{Flow, Mutation};
use crate::failure::{Class, Failure, Next};
use crate::schema::ErrorReply;
use crate::schema::openai::{ChunkWriter, write_error};
use crate::usage::Usage;

impl ReplyState {
    /// Tells of an attempt that never came to a verdict.
    pub(in crate::exchange) fn on_done(&mut self, connect_failed: bool, now_ms: u64) -> Mutation {
        let mut mutation = Mutation::default();
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Over => {}
            Phase::Committed { translator } => {
                self.store_usage(translator.usage(), &mut mutation);
                self.settle_unfinished(&mut mutation);
                // The client is still there: it was the provider that went, or fell silent.
                let silent_ms = now_ms.saturating_sub(self.heard_ms);
                let class = match silent_ms.saturating_add(5) >= self.origin.idle_ms {
                    true => Class::Timeout,
                    false => Class::Reset,
                };
                self.tell_broken(class, &mut mutation);
            }
            // Its status says more than the way in which its body was lost.
            Phase::Error {
                status,
                retry_after,
            } => {
                let error = ErrorReply {
                    rules: &self.context.dialect.errors,
                    status,
                    retry_after: retry_after.as_deref(),
                    body: b"",
                };
                let failure = self.schema.read_error(&error);
                self.note(&failure, Some(status), now_ms, &mut mutation);
            }
            Phase::Buffered if self.origin.hedged => {
                self.lose_hedged(Class::Reset, &mut mutation);
            }
            phase @ (Phase::Awaited | Phase::Buffered | Phase::Held { .. } | Phase::Asking(_)) => {
                match phase {
                    Phase::Held { translator, .. } => self.usage = translator.usage(),
                    Phase::Asking(arrived) => self.usage = self.tiered(arrived.usage()),
                    _ => {}
                }
                let class = self.unanswered(connect_failed, now_ms);
                let failure = Failure::new(class, unanswered_message(class));
                self.note(&failure, None, now_ms, &mut mutation);
            }
        }
        mutation
    }

    pub(super) fn unanswered(&self, connect_failed: bool, now_ms: u64) -> Class {
        let elapsed = now_ms.saturating_sub(self.origin.started_ms);
        if self.origin.ejected {
            Class::Ejected
        } else if connect_failed {
            Class::ConnectFailure
        } else if elapsed.saturating_add(5) >= self.origin.per_try_ms || self.is_too_late(now_ms) {
            Class::Timeout
        } else {
            Class::Reset
        }
    }

    /// The same for an answer that nobody gets to see, but that has to be paid for.
    pub(super) fn fail_charged(&mut self, usage: Usage, failure: Failure, now_ms: u64) -> Mutation {
        self.usage = self.tiered(usage);
        self.fail(failure, now_ms, Mutation::default())
    }

    /// Whether Envoy has ended the request because the time for all attempts is over.
    fn is_too_late(&self, now_ms: u64) -> bool {
        let deadline_ms = self.origin.again.deadline_ms;
        deadline_ms > 0 && now_ms.saturating_add(5) >= deadline_ms
    }

    /// Turns the reply into a failed attempt that Envoy retries, or into the client's error.
    pub(super) fn fail(
        &mut self,
        failure: Failure,
        now_ms: u64,
        mut mutation: Mutation,
    ) -> Mutation {
        self.phase = Phase::Over;
        mutation.flow = Flow::Continue;
        match signal(failure.class, self.origin.falls_back_on_refusal()) {
            Signal::ProviderFailed => mutation.set(":status", RETRIABLE_STATUS.to_string()),
            Signal::Escalate => {
                // Outlier detection counts what looks like a server's error.
                if failure.status < 500 {
                    mutation.set(":status", failure.status.to_string());
                }
                mutation.set(ESCALATE, "1");
            }
            Signal::Final => mutation.set(":status", final_error::status(&failure).to_string()),
        }
        mutation.set(FAILED, "1");
        mutation.set("content-type", "application/json");
        let status = (self.status != 0).then_some(self.status);
        mutation.warning = self.warning(failure.class);
        self.note(&failure, status, now_ms, &mut mutation);
        let mut body = Vec::new();
        write_error(&failure, &mut body);
        mutation.body = Some(body);
        mutation
    }

    /// In how many seconds the same candidate is asked again; 0 when it is not. Envoy does the
    /// waiting, up to half as long again, so that not all come back at once.
    fn wait_s(&self, failure: &Failure, now_ms: u64) -> u64 {
        let is_passing = matches!(
            failure.class,
            Class::RateLimited | Class::Overloaded | Class::ServerError
        );
        let said = failure.retry_after_s.filter(|_| is_passing).unwrap_or(0);
        let (said_ms, again) = (said.saturating_mul(1000), &self.origin.again);
        let over_ms = now_ms.saturating_add(said_ms.saturating_mul(3) / 2);
        let is_in_time = again.deadline_ms == 0 || over_ms < again.deadline_ms;
        match said_ms <= again.up_to_ms && is_in_time {
            true => said,
            false => 0,
        }
    }

    /// What only the operator can mend.
    fn warning(&self, class: Class) -> Option<String> {
        let what = match class {
            Class::Authentication => "refuses its key",
            Class::QuotaExhausted => "has no quota left",
            Class::ModelNotFound => "does not know this model",
            Class::MalformedReply => "does not follow its own schema",
            _ => return None,
        };
        let super::Origin {
            provider, model, ..
        } = &self.origin;
        Some(format!(
            "provider {provider} {what} (model {model}, status {})",
            self.status
        ))
    }

    /// Writes a failure into the trail, and keeps it if it is the most useful so far.
    pub(super) fn note(
        &mut self,
        failure: &Failure,
        status: Option<u16>,
        now_ms: u64,
        mutation: &mut Mutation,
    ) {
        let wait_s = self.wait_s(failure, now_ms);
        if wait_s > 0 {
            mutation.set(handoff::WAIT, wait_s.to_string());
            let again = self.origin.again.cluster.take();
            mutation.store(handoff::CLUSTER, again.unwrap_or_default());
        }
        self.append_trail(failure.class.as_str(), status, wait_s, now_ms, mutation);
        self.book_rejected(mutation);
        self.observe_failure(failure, now_ms, mutation);
        let noted = Noted::new(failure, &self.origin.provider, &self.origin.model);
        if noted.is_more_useful_than(&self.origin.failure) {
            mutation.store(handoff::FAILURE, noted.encode());
        }
    }

    /// After the commit a failure is told, not hidden: one error event and no `[DONE]`.
    pub(super) fn break_stream(
        &mut self,
        failure: &Failure,
        out: &mut Vec<u8>,
        mutation: &mut Mutation,
    ) {
        ChunkWriter::error(failure, out);
        self.settle_unfinished(mutation);
        self.tell_broken(failure.class, mutation);
    }

    /// The client's part of it cannot be taken back.
    pub(super) fn tell_broken(&self, class: Class, mutation: &mut Mutation) {
        let broken = format!("{};broken={}", self.origin.trail, class.as_str());
        mutation.store(handoff::TRAIL, broken);
        self.observe_end(None, Err(class), mutation);
    }
}

/// How a failure is told to Envoy.
enum Signal {
    /// By a retriable status, which outlier detection counts too.
    ProviderFailed,
    /// By the retriable header: the provider is healthy, the answer is not of use.
    Escalate,
    /// Not at all.
    Final,
}

fn signal(class: Class, fallback_on_refusal: bool) -> Signal {
    match class.next() {
        Next::Never => Signal::Final,
        Next::NextIfRefusalAllowed if fallback_on_refusal => Signal::Escalate,
        Next::NextIfRefusalAllowed => Signal::Final,
        Next::NextCandidate => match class {
            Class::ModelNotFound
            | Class::ContextLengthExceeded
            | Class::NotJson
            | Class::LowQuality => Signal::Escalate,
            _ => Signal::ProviderFailed,
        },
    }
}

fn unanswered_message(class: Class) -> &'static str {
    match class {
        Class::Ejected => "the provider is out of service after repeated failures",
        Class::ConnectFailure => "no connection to the provider could be made",
        Class::Timeout => "the provider did not answer in time",
        _ => "the connection to the provider broke before it answered",
    }
}
