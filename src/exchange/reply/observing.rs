//! What an attempt tells of its target, and when: as soon as it is known, because a stream may
//! take minutes to end.

use super::{Mutation, Phase, ReplyState};
use crate::failure::{Class, Failure};
use crate::observed::{Bill, CoolDown, Observation, Update, key};

impl ReplyState {
    /// The attempt begins.
    pub(in crate::exchange) fn observe_start(&self, mutation: &mut Mutation) {
        let update = Update {
            begins: Some(self.origin.input_tokens),
            ..Update::default()
        };
        mutation.observed.push(self.observation(update));
    }

    /// The first meaningful event of a stream has come.
    pub(super) fn observe_first(&self, now_ms: u64, mutation: &mut Mutation) {
        let update = Update {
            ttft_ms: Some(self.elapsed(now_ms)),
            outcome: Some(Ok(())),
            ..Update::default()
        };
        self.tell_answer(update, now_ms, mutation);
    }

    /// The whole reply has come at once.
    pub(super) fn observe_whole(&self, now_ms: u64, mutation: &mut Mutation) {
        let update = Update {
            ttft_ms: self.streamed.then(|| self.elapsed(now_ms)),
            total_ms: Some(self.elapsed(now_ms)),
            outcome: Some(Ok(())),
            ..self.ended()
        };
        self.tell_answer(update, now_ms, mutation);
        self.tell_usage(mutation);
    }

    /// A committed stream is over; `now_ms` when it came to its end. A broken one counts once
    /// as answered and once as failed.
    pub(super) fn observe_end(
        &self,
        now_ms: Option<u64>,
        outcome: Result<(), Class>,
        mutation: &mut Mutation,
    ) {
        let update = Update {
            total_ms: now_ms.map(|now_ms| self.elapsed(now_ms)),
            outcome: outcome.is_err().then_some(outcome),
            ..self.ended()
        };
        mutation.observed.push(self.observation(update));
        self.tell_usage(mutation);
    }

    pub(super) fn observe_failure(&self, failure: &Failure, now_ms: u64, mutation: &mut Mutation) {
        let update = Update {
            outcome: Some(Err(failure.class)),
            ..self.ended()
        };
        let origin = &self.origin;
        let (provider, model) = (&origin.provider, &origin.model);
        let cool_down = CoolDown::after(failure, provider, model, origin.settings, now_ms);
        let is_poor = failure.class == Class::LowQuality;
        mutation.observed.push(Observation {
            cool_down,
            rejected: true,
            judged: is_poor.then(|| self.judged(now_ms)).flatten(),
            ..self.observation(update)
        });
        self.tell_usage(mutation);
    }

    /// A refusal goes on to the next candidate.
    pub(super) fn observe_refusal(&self, mutation: &mut Mutation) {
        let update = Update {
            outcome: Some(Err(Class::ContentFilter)),
            ..self.ended()
        };
        mutation.observed.push(Observation {
            rejected: true,
            ..self.observation(update)
        });
        self.tell_usage(mutation);
    }

    /// Another attempt has answered first: nobody is to blame.
    pub(super) fn observe_outrun(&self, mutation: &mut Mutation) {
        mutation.observed.push(Observation {
            rejected: true,
            ..self.observation(self.ended())
        });
        self.tell_usage(mutation);
    }

    /// The client has left before there was a verdict. Whoever was asked has read the prompt, and
    /// has written what came of it, and will charge for both.
    pub(in crate::exchange) fn on_abandoned(&mut self) -> Mutation {
        let mut mutation = Mutation::default();
        let (usage, is_charged) = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Committed { translator } => (translator.usage(), true),
            Phase::Held {
                translator, out, ..
            } => {
                self.seen.note(&out);
                (translator.usage(), true)
            }
            Phase::Asking(arrived) => {
                self.seen.note(arrived.events());
                (arrived.usage(), true)
            }
            Phase::Awaited | Phase::Buffered => (self.usage, !self.origin.ejected),
            Phase::Error { .. } | Phase::Over => (self.usage, false),
        };
        if is_charged {
            self.store_usage(usage, &mut mutation);
            self.settle_unfinished(&mut mutation);
        }
        mutation.observed.push(self.observation(self.ended()));
        self.tell_usage(&mut mutation);
        mutation
    }

    /// Once, when the attempt is over: the counts of a stream are totals.
    fn tell_usage(&self, mutation: &mut Mutation) {
        if let Some(last) = mutation.observed.last_mut() {
            last.bill = self.usage.is_known().then(|| {
                Box::new(Bill {
                    usage: self.usage,
                    nano_usd: self.cost(&self.usage).unwrap_or(0),
                    saved_nano_usd: self.saved().unwrap_or(0),
                    gained_nano_usd: self.gained(),
                    payer: self.origin.payer.clone(),
                })
            });
        }
    }

    /// Until when nothing is left of the provider's limit, as it says itself.
    fn used_up(&self, now_ms: u64) -> Option<CoolDown> {
        let origin = &self.origin;
        let longest_ms = match origin.settings.heeds_limits {
            true => origin.settings.longest_cool_down_ms,
            false => 0,
        };
        let pause_ms = self.quota.back_in_ms.min(longest_ms);
        (pause_ms > 0).then(|| CoolDown {
            who: key(&origin.provider, Some(&origin.model)),
            until_ms: now_ms.saturating_add(pause_ms),
            class: Class::RateLimited,
        })
    }

    fn tell_answer(&self, update: Update, now_ms: u64, mutation: &mut Mutation) {
        let warm = (self.origin.prefix != 0).then_some(self.origin.prefix);
        mutation.observed.push(Observation {
            warm,
            cool_down: self.used_up(now_ms),
            recovered: self.origin.probes,
            judged: self.judged(now_ms),
            ..self.observation(update)
        });
    }

    fn ended(&self) -> Update {
        Update {
            ends: Some((self.origin.input_tokens, self.origin.started_ms)),
            counted: self.counted(),
            ..Update::default()
        }
    }

    /// How far the estimate was off, where there was one and the provider has counted.
    fn counted(&self) -> Option<(u64, u64)> {
        let counted = self.usage.input_tokens;
        (self.origin.tokens > 0 && counted > 0 && !self.seen.is_all)
            .then_some((self.origin.tokens, counted))
    }

    fn elapsed(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.origin.started_ms)
    }

    fn observation(&self, update: Update) -> Observation {
        Observation {
            provider: self.origin.provider.clone(),
            model: self.origin.model.clone(),
            number: self.origin.number,
            update,
            ..Observation::default()
        }
    }
}
