//! What an answer cost: as the provider counted, or, when a stream did not come to its end,
//! estimated from what was seen of it.

use super::ReplyState;
use crate::catalog::cost::usd;
use crate::exchange::handoff;
use crate::exchange::mutation::Mutation;
use crate::usage::{Tier, Usage};

/// What the client has been sent of a stream.
#[derive(Debug, Default)]
pub(super) struct Seen {
    events: u64,
    bytes: u64,
    /// The shortest event: its frame, with hardly any text.
    shortest: u64,
    /// There is nothing but an estimate.
    pub(super) is_all: bool,
}

impl Seen {
    /// Takes in what is written for the client.
    pub(super) fn note(&mut self, out: &[u8]) {
        let text = std::str::from_utf8(out).unwrap_or_default();
        for event in text.split_terminator("\n\n") {
            let bytes = event.len() as u64;
            self.events = self.events.saturating_add(1);
            self.bytes = self.bytes.saturating_add(bytes);
            self.shortest = match self.shortest {
                0 => bytes,
                shortest => shortest.min(bytes),
            };
        }
    }

    /// Estimated output tokens: an event brings one or more, four bytes of text each.
    fn tokens(&self) -> u64 {
        let frames = self.events.saturating_mul(self.shortest);
        let text = self.bytes.saturating_sub(frames);
        // The first event says who speaks.
        (text / 4).max(self.events.saturating_sub(1))
    }
}

impl ReplyState {
    /// Tells what the provider has counted so far.
    pub(super) fn store_usage(&mut self, usage: Usage, mutation: &mut Mutation) {
        let usage = self.tiered(usage);
        if usage == self.usage {
            return;
        }
        self.usage = usage;
        self.store_counts(usage, mutation);
    }

    /// Tells the client what a whole answer cost, with all that was thrown away before it.
    pub(super) fn tell_cost(&self, mutation: &mut Mutation) {
        if let Some(nano) = self.cost(&self.usage).filter(|_| self.usage.is_known()) {
            mutation.set(handoff::COST_HEADER, usd(self.with_rejected(nano)));
        }
    }

    /// Books what the provider has charged for an answer that nobody gets to see.
    pub(super) fn book_rejected(&mut self, mutation: &mut Mutation) {
        if !self.usage.is_known() {
            return;
        }
        let nano = self.cost(&self.usage).unwrap_or(0);
        let cost = self.with_rejected(nano);
        let rejected = &mut self.origin.rejected;
        rejected.tokens = rejected.tokens.saturating_add(self.usage.total_tokens());
        rejected.nano_usd = cost;
        mutation.store(handoff::REJECTED_TOKENS, rejected.tokens.to_string());
        if cost > 0 {
            mutation.store(handoff::REJECTED_COST, cost.to_string());
            mutation.store(handoff::COST, cost.to_string());
        }
        if self.seen.is_all {
            mutation.store(handoff::USAGE_ESTIMATED, "true");
        }
    }

    /// What a reply of so many bytes has cost that is too large to be read.
    pub(super) fn estimate_of_whole(&mut self, bytes: usize) -> Usage {
        if self.operation.is_some() {
            return Usage::default();
        }
        self.seen.is_all = true;
        self.seen.bytes = bytes as u64;
        self.estimate()
    }

    fn with_rejected(&self, nano: u64) -> u64 {
        self.origin.rejected.nano_usd.saturating_add(nano)
    }

    /// Settles what did not come to its end.
    pub(super) fn settle_unfinished(&mut self, mutation: &mut Mutation) {
        self.seen.is_all = true;
        self.usage = self.tiered(self.estimate());
        self.store_counts(self.usage, mutation);
        mutation.store(handoff::USAGE_ESTIMATED, "true");
    }

    /// What the provider has counted, or has to by what it has sent.
    pub(super) fn estimate(&self) -> Usage {
        let origin = &self.origin;
        let input = match origin.tokens {
            0 => origin.input_tokens,
            tokens => tokens,
        };
        let Usage {
            input_tokens,
            output_tokens,
            ..
        } = self.usage;
        Usage {
            input_tokens: if input_tokens > 0 {
                input_tokens
            } else {
                input
            },
            output_tokens: output_tokens.max(self.seen.tokens()),
            ..self.usage
        }
    }

    /// With the tier that the headers told, where the body tells none.
    pub(super) fn tiered(&self, usage: Usage) -> Usage {
        match (usage.tier, usage.is_known()) {
            (Tier::Standard, true) => Usage {
                tier: self.tier,
                ..usage
            },
            _ => usage,
        }
    }

    /// What the provider's cache saved, in nano-USD; below 0 when writing to it cost more.
    pub(super) fn saved(&self) -> Option<i64> {
        self.origin.tariff.as_ref()?.saved_nano_usd(&self.usage)
    }

    pub(super) fn cost(&self, usage: &Usage) -> Option<u64> {
        self.origin.tariff.as_ref()?.nano_usd(usage)
    }

    fn store_counts(&self, usage: Usage, mutation: &mut Mutation) {
        let counts = [
            (handoff::INPUT_TOKENS, usage.input_tokens),
            (handoff::OUTPUT_TOKENS, usage.output_tokens),
            (handoff::CACHED_TOKENS, usage.cached_input_tokens),
            (handoff::REASONING_TOKENS, usage.reasoning_tokens),
        ];
        for (key, tokens) in counts {
            mutation.store(key, tokens.to_string());
        }
        if usage.cache_write_tokens > 0 {
            let written = usage.cache_write_tokens.to_string();
            mutation.store(handoff::CACHE_WRITE_TOKENS, written);
        }
        if !usage.tier.is_standard() {
            mutation.store(handoff::SERVICE_TIER, usage.tier.as_str());
        }
        if let Some(nano) = self.cost(&usage) {
            mutation.store(handoff::COST, self.with_rejected(nano).to_string());
        }
        if let Some(saved) = self.saved() {
            mutation.store(handoff::SAVED, saved.to_string());
        }
    }
}
