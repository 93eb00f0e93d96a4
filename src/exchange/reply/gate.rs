//! Whether an answer looks good enough to be committed: by what shows, and by what a webhook says
//! of it while it is held.

use std::sync::Arc;

use super::{Phase, ReplyState};
use crate::callout::{Judged, Outcome, Question, score_question};
use crate::catalog::cost::Tariff;
use crate::config::{QualityGate, Scorer};
use crate::exchange::mutation::Mutation;
use crate::exchange::trail;
use crate::failure::{Class, Failure};
use crate::observed;
use crate::quality::{Expected, Look, Score};
use crate::schema::{Reply, StreamTranslator};
use crate::usage::Usage;

/// What is said of an answer that passes.
const KEPT: &str = "kept";

/// The signal of an answer that the webhook has found wanting.
const WEBHOOK: &str = "webhook";

/// Less than this is left to nobody who is asked, and so much is left before Envoy ends the
/// attempt, in milliseconds.
const MARGIN_MS: u64 = 20;

/// What one attempt's answer must be.
pub(in crate::exchange) struct Gate {
    bounds: Arc<QualityGate>,
    expected: Expected,
    terms: Terms,
    /// When there was something to be judged, in Unix milliseconds.
    since_ms: u64,
    verdict: Option<Verdict>,
}

/// What a gate must know besides.
pub(in crate::exchange) struct Terms {
    /// The model that the client asked for.
    pub model: String,
    /// What the user said last; `None` when no text leaves.
    pub prompt: Option<String>,
    /// The request requires labels that the webhook does not keep.
    pub is_excluded: bool,
    /// What the tokens of the last candidate cost, whose answers always pass.
    pub last: Option<Box<Tariff>>,
}

/// What became of an answer at the gate.
#[derive(Clone, Copy)]
struct Verdict {
    signal: &'static str,
    /// What became of asking the webhook, where there is one.
    scorer: Option<Outcome>,
}

/// An answer that can be judged.
pub(super) enum Arrived {
    /// All of it, at once.
    Whole {
        reply: Reply,
        out: Vec<u8>,
        /// It is not what the provider wrote.
        is_changed: bool,
    },
    /// A stream that came whole before it was released.
    Ended { reply: Reply, out: Vec<u8> },
    /// The beginning of a stream.
    Begun {
        translator: Box<dyn StreamTranslator>,
        out: Vec<u8>,
        /// So many of the provider's bytes are in it.
        read: usize,
        /// What is not yet read is the rest.
        is_all_there: bool,
    },
}

enum Judgement {
    Passes,
    Fails(Failure),
    Asks(Box<Question>),
}

impl Gate {
    pub(in crate::exchange) fn new(
        bounds: Arc<QualityGate>,
        expected: Expected,
        terms: Terms,
    ) -> Gate {
        Gate {
            bounds,
            expected,
            terms,
            since_ms: 0,
            verdict: None,
        }
    }

    /// Whether so many bytes of a stream tell enough.
    pub(super) fn is_content_with(&self, bytes: usize) -> bool {
        bytes as u64 >= self.bounds.held_stream_bytes
    }

    /// There is something that could be judged.
    pub(super) fn begin(&mut self, now_ms: u64) {
        if self.since_ms == 0 {
            self.since_ms = now_ms;
        }
    }

    fn pass(&mut self, scorer: Option<Outcome>) -> Judgement {
        let signal = KEPT;
        self.verdict = Some(Verdict { signal, scorer });
        Judgement::Passes
    }

    fn fail(&mut self, score: Score, scorer: Option<Outcome>) -> Judgement {
        let Score {
            value,
            reason,
            signal,
        } = score;
        self.verdict = Some(Verdict { signal, scorer });
        let message = format!(
            "the answer scores {} where {} is asked for: {reason}",
            ratio(value),
            ratio(self.bounds.threshold)
        );
        Judgement::Fails(Failure::new(Class::LowQuality, message))
    }

    /// What shows decides where it is poor, or where nobody is to be asked besides.
    fn judge(&mut self, look: &Look, asked: &Subject<'_>) -> Judgement {
        if look.score.value < self.bounds.threshold {
            return self.fail(look.score, None);
        }
        let bounds = Arc::clone(&self.bounds);
        let Some(scorer) = &bounds.scorer else {
            return self.pass(None);
        };
        let unasked = match () {
            _ if look.text.is_empty() => Some(Outcome::Unasked),
            _ if self.terms.is_excluded => Some(Outcome::Excluded),
            _ if asked.left_ms <= MARGIN_MS => Some(Outcome::Timeout),
            _ => None,
        };
        match unasked {
            Some(outcome) => self.pass(Some(outcome)),
            None => Judgement::Asks(Box::new(self.question(scorer, look, asked))),
        }
    }

    fn question(&self, scorer: &Scorer, look: &Look, asked: &Subject<'_>) -> Question {
        let judged = Judged {
            model: &self.terms.model,
            candidate: asked.candidate,
            streamed: asked.streamed,
            is_whole: asked.is_whole,
            score: look.score.value,
            threshold: self.bounds.threshold,
            text: &look.text,
            prompt: self.terms.prompt.as_deref(),
        };
        let Scorer {
            name,
            webhook,
            deadline_ms,
            excerpt_bytes,
        } = scorer;
        let body = score_question(&judged, *excerpt_bytes);
        let deadline_ms = asked.left_ms.saturating_sub(MARGIN_MS).min(*deadline_ms);
        Question::to_webhook(name, name, webhook, body, deadline_ms)
    }

    /// Without a score what has shown holds.
    fn on_score(&mut self, outcome: Outcome, score: Option<u16>) -> Judgement {
        match score.filter(|score| *score < self.bounds.threshold) {
            None => self.pass(Some(outcome)),
            Some(value) => {
                let poor = Score {
                    value,
                    reason: "the webhook says so",
                    signal: WEBHOOK,
                };
                self.fail(poor, Some(outcome))
            }
        }
    }
}

/// Whose answer is judged, and what is left for it.
struct Subject<'a> {
    candidate: &'a str,
    streamed: bool,
    is_whole: bool,
    left_ms: u64,
}

impl Arrived {
    fn out(&self) -> &[u8] {
        match self {
            Arrived::Whole { out, .. } | Arrived::Ended { out, .. } => out,
            Arrived::Begun { out, .. } => out,
        }
    }

    /// What the provider has counted of it.
    pub(super) fn usage(&self) -> Usage {
        match self {
            Arrived::Whole { reply, .. } | Arrived::Ended { reply, .. } => reply.usage,
            Arrived::Begun { translator, .. } => translator.usage(),
        }
    }

    /// More of it has come.
    pub(super) fn grow(&mut self, end_of_stream: bool) {
        if let Arrived::Begun { is_all_there, .. } = self {
            *is_all_there |= end_of_stream;
        }
    }

    /// What of it a client would have seen as events.
    pub(super) fn events(&self) -> &[u8] {
        match self {
            Arrived::Whole { .. } => b"",
            Arrived::Ended { out, .. } | Arrived::Begun { out, .. } => out,
        }
    }
}

impl ReplyState {
    /// Lets only an answer pass that looks good enough.
    pub(in crate::exchange) fn set_gate(&mut self, gate: Option<Gate>) {
        self.gate = gate;
    }

    /// There is something that could be judged.
    pub(super) fn begin_judging(&mut self, now_ms: u64) {
        if let Some(gate) = &mut self.gate {
            gate.begin(now_ms);
        }
    }

    /// Delivers what is good enough, or asks somebody whether it is.
    pub(super) fn pass_gate(&mut self, arrived: Arrived, now_ms: u64) -> Mutation {
        match self.judge(&arrived, now_ms) {
            Judgement::Passes => self.deliver(arrived, now_ms),
            Judgement::Fails(failure) => self.fail_charged(arrived.usage(), failure, now_ms),
            Judgement::Asks(question) => {
                self.phase = Phase::Asking(Box::new(arrived));
                Mutation::ask(question)
            }
        }
    }

    fn judge(&mut self, arrived: &Arrived, now_ms: u64) -> Judgement {
        self.begin_judging(now_ms);
        let left_ms = self.left_ms(now_ms);
        let Some(gate) = &mut self.gate else {
            return Judgement::Passes;
        };
        let (expected, out) = (&gate.expected, arrived.out());
        let look = match arrived {
            Arrived::Whole { .. } => expected.look(out),
            Arrived::Ended { .. } => Some(expected.look_at_stream(out, true)),
            Arrived::Begun { .. } => Some(expected.look_at_stream(out, false)),
        };
        let Some(look) = look else {
            return gate.pass(None);
        };
        let subject = Subject {
            candidate: &trail::candidate(&self.origin.provider, &self.origin.model),
            streamed: self.streamed,
            is_whole: !matches!(arrived, Arrived::Begun { .. }),
            left_ms,
        };
        gate.judge(&look, &subject)
    }

    /// Until Envoy ends the attempt.
    fn left_ms(&self, now_ms: u64) -> u64 {
        let origin = &self.origin;
        let of_attempt = origin.started_ms.saturating_add(origin.per_try_ms);
        let until_ms = match origin.again.deadline_ms {
            0 => of_attempt,
            all => of_attempt.min(all),
        };
        until_ms.saturating_sub(now_ms)
    }

    /// Where what has come meanwhile begins; `None` when nothing of it is of use.
    pub(in crate::exchange) fn unread(&self) -> Option<usize> {
        match &self.phase {
            Phase::Asking(arrived) => match **arrived {
                Arrived::Begun { read, .. } => Some(read),
                _ => None,
            },
            _ => None,
        }
    }

    /// The webhook has answered, or will not; `more` is what has come meanwhile. `None` when nobody
    /// waits for it any more.
    pub(in crate::exchange) fn on_score(
        &mut self,
        more: &[u8],
        (outcome, score): (Outcome, Option<u16>),
        now_ms: u64,
    ) -> Option<Mutation> {
        let arrived = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Asking(arrived) => *arrived,
            other => {
                self.phase = other;
                return None;
            }
        };
        let gate = self.gate.as_mut()?;
        Some(match gate.on_score(outcome, score) {
            Judgement::Fails(failure) => self.fail_charged(arrived.usage(), failure, now_ms),
            Judgement::Passes | Judgement::Asks(_) => self.catch_up(arrived, more, now_ms),
        })
    }

    /// Delivers what was held, and what has come meanwhile.
    fn catch_up(&mut self, arrived: Arrived, more: &[u8], now_ms: u64) -> Mutation {
        let Arrived::Begun {
            mut translator,
            mut out,
            read,
            is_all_there,
        } = arrived
        else {
            return self.deliver(arrived, now_ms);
        };
        if let Err(failure) = translator.push(more, &mut out) {
            return self.fail_charged(translator.usage(), failure, now_ms);
        }
        if !is_all_there {
            let begun = Arrived::Begun {
                translator,
                out,
                read,
                is_all_there,
            };
            return self.deliver(begun, now_ms);
        }
        let usage = translator.usage();
        match translator.finish(&mut out) {
            Ok(reply) => self.deliver(Arrived::Ended { reply, out }, now_ms),
            Err(failure) => self.fail_charged(usage, failure, now_ms),
        }
    }

    fn deliver(&mut self, arrived: Arrived, now_ms: u64) -> Mutation {
        match arrived {
            Arrived::Whole {
                reply,
                out,
                is_changed,
            } => self.deliver_whole(&reply, out, is_changed, now_ms),
            Arrived::Ended { reply, out } => self.release(out, &reply, now_ms),
            Arrived::Begun {
                translator, out, ..
            } => self.begin_stream(translator, out, now_ms),
        }
    }

    /// The signal and the webhook's part in it, as the trail tells them.
    pub(super) fn told_by_gate(&self, class: &str) -> (&'static str, &'static str) {
        let Some(verdict) = self.gate.as_ref().and_then(|gate| gate.verdict) else {
            return ("", "");
        };
        let signal = match class == Class::LowQuality.as_str() {
            true => verdict.signal,
            false => "",
        };
        (signal, verdict.scorer.map_or("", Outcome::as_str))
    }

    /// What became of the answer, for metrics: what the gate has held it, or has cost the client
    /// who waits for another one.
    pub(super) fn judged(&self, now_ms: u64) -> Option<Box<observed::Judged>> {
        let gate = self.gate.as_ref()?;
        let Verdict { signal, scorer } = gate.verdict?;
        let since_ms = match signal {
            KEPT => gate.since_ms,
            _ => self.origin.started_ms,
        };
        Some(Box::new(observed::Judged {
            signal,
            scorer: scorer.map_or("", Outcome::as_str),
            added_ms: now_ms.saturating_sub(since_ms),
        }))
    }

    /// What the last candidate would have cost more for the same tokens, in nano-USD.
    pub(super) fn gained(&self) -> u64 {
        let gain = || {
            let gate = self.gate.as_ref()?;
            let last = gate.terms.last.as_ref()?;
            gate.verdict.filter(|verdict| verdict.signal == KEPT)?;
            let spent = self.cost(&self.usage)?;
            Some(last.nano_usd(&self.usage)?.saturating_sub(spent))
        };
        gain().unwrap_or(0)
    }
}

/// Thousandths as people write them.
fn ratio(thousandths: u16) -> String {
    format!("{:.2}", f64::from(thousandths) / 1000.0)
}
