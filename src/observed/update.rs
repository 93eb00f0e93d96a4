//! What an attempt tells of its target.

use super::{CoolDown, Settings, Wants, key};
use crate::failure::{Class, Failure};
use crate::usage::Usage;

/// What changes in a target's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Update {
    /// A request begins, with so many estimated tokens.
    pub begins: Option<u64>,
    /// A request has ended, with the tokens and the time of its beginning (Unix milliseconds).
    pub ends: Option<(u64, u64)>,
    /// From the start of the attempt to the first meaningful event, in milliseconds.
    pub ttft_ms: Option<u64>,
    /// From the start of the attempt to the end of the reply, in milliseconds.
    pub total_ms: Option<u64>,
    /// Tokens of the prompt: estimated, and as the provider counted them.
    pub counted: Option<(u64, u64)>,
    /// How the attempt ended.
    pub outcome: Option<Result<(), Class>>,
}

/// What an attempt tells of its target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observation {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// Attempts of the same request before this one.
    pub number: usize,
    /// What changes in its record.
    pub update: Update,
    /// What it has used, told once, when it is over.
    pub bill: Option<Box<Bill>>,
    /// Its answer, if it was one, is thrown away.
    pub rejected: bool,
    /// What a quality gate has found.
    pub judged: Option<Box<Judged>>,
    /// It is to be left alone.
    pub cool_down: Option<CoolDown>,
    /// It was to be left alone until lately, and is well again.
    pub recovered: bool,
    /// It has read a prompt whose beginning hashes to this.
    pub warm: Option<u64>,
}

/// What a quality gate has found; for metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What was found wanting; `kept` when nothing was.
    pub signal: &'static str,
    /// What became of asking a webhook; empty where there is none.
    pub scorer: &'static str,
    /// What judging has added to the time until the client has an answer, in milliseconds.
    pub added_ms: u64,
}

/// What an attempt has used, and for whom; for metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bill {
    /// Its tokens.
    pub usage: Usage,
    /// What they cost, in nano-USD; 0 where prices are not known.
    pub nano_usd: u64,
    /// What the provider's cache saved, in nano-USD; below 0 when writing to it cost more.
    pub saved_nano_usd: i64,
    /// What the answer would have cost more of the candidate whose answers always pass, in nano-USD.
    pub gained_nano_usd: u64,
    /// Who has asked.
    pub payer: Payer,
}

/// Who asks, by names of the configuration; empty for what does not apply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payer {
    /// The model that the client asked for.
    pub model: String,
    /// The rule that fitted.
    pub rule: String,
    /// The team.
    pub team: String,
}

/// Who is concerned when a target is to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One model of a provider.
    Model,
    /// All of a provider: its account has no credit, or its key is refused.
    Provider,
}

impl Update {
    /// What of it is wanted.
    pub(super) fn wanted(&self, wants: Wants) -> Option<Update> {
        let mut update = *self;
        if !wants.in_flight {
            (update.begins, update.ends) = (None, None);
        }
        if !wants.figures {
            (update.ttft_ms, update.total_ms, update.outcome) = (None, None, None);
        }
        if !wants.tokens {
            update.counted = None;
        }
        (update != Update::default()).then_some(update)
    }
}

impl CoolDown {
    /// Until when a target shall be left alone after this failure; `None` when it shall not.
    ///
    /// A provider that says when to come back is believed, up to the longest that is allowed.
    /// Without a word, only what concerns the account leads to a pause: whatever one request
    /// can bring about must not take a provider away from all others.
    pub fn after(
        failure: &Failure,
        provider: &str,
        model: &str,
        settings: Settings,
        now_ms: u64,
    ) -> Option<CoolDown> {
        let (scope, unsaid_ms) = match failure.class {
            Class::RateLimited | Class::Overloaded | Class::ServerError => (Scope::Model, 0),
            Class::QuotaExhausted => (Scope::Provider, settings.quota_cool_down_ms),
            // 403 can be about what was asked; 401 never is.
            Class::Authentication if failure.status == 401 => {
                (Scope::Provider, settings.quota_cool_down_ms)
            }
            // How long Envoy leaves it alone is Envoy's to say: whoever asks next finds out.
            Class::Ejected if settings.longest_cool_down_ms > 0 => (Scope::Provider, 0),
            _ => return None,
        };
        let is_known_elsewhere = failure.class == Class::Ejected;
        let said_ms = failure.retry_after_s.map(|s| s.saturating_mul(1000));
        let pause_ms = said_ms.unwrap_or(unsaid_ms);
        let pause_ms = pause_ms.min(settings.longest_cool_down_ms);
        let model = (scope == Scope::Model).then_some(model);
        (pause_ms > 0 || is_known_elsewhere).then(|| CoolDown {
            who: key(provider, model),
            until_ms: now_ms.saturating_add(pause_ms),
            class: failure.class,
        })
    }
}
