//! Budgets of the fleet: what Envoy's rate limit filter is told to ask of the service that keeps
//! them, before a request is sent and when it is over.
//!
//! Before it, what the request may use at most is counted as used; when it is over, the
//! difference to what it did use is given back, or counted on top. All of it travels in filter
//! state, from which the filter makes its descriptors: nobody is called from here.

use super::handoff::{FLEET_ACCOUNT, FLEET_BACK, FLEET_HITS, FLEET_MORE, FLEET_REFUSED};
use super::holding::{Purse, Refused, Used, need, used_up};
use super::mutation::Mutation;
use crate::budget;
use crate::catalog::Backend;
use crate::config::{Budget, By, Config, Holder, Scope};
use crate::failure::Failure;
use crate::observed::Store;

/// The most that Envoy takes as hits of one descriptor; more would be left out in silence.
///
/// Source: Envoy's API types of 1.40, `RateLimit.HitsAddend`, read 2026-11-21.
const MOST_HITS: u64 = 1_000_000_000;

/// What one request has asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet(Vec<Ask>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Ask {
    /// The budget's name.
    budget: String,
    holder: Holder,
    hits: u64,
    /// What asking classifiers has used of it, in the budget's unit.
    spent: u64,
    at_ms: u64,
}

/// What the rate limit filter tells in a reply's headers; each as it stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// `x-ratelimit-limit`; empty when the service has not been asked, or has not answered.
    pub limit: String,
    /// `x-ratelimit-remaining`.
    pub remaining: String,
    /// `x-ratelimit-reset`.
    pub reset: String,
}

impl Fleet {
    /// Whether the service is not asked at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks for what a request may use at most of all budgets of the fleet that it is on, and for
    /// what was spent on it already. The error is for the client.
    pub(super) fn ask(
        purse: Purse<'_, '_>,
        candidates: &[&Backend],
        mutation: &mut Mutation,
    ) -> Result<Fleet, Refused> {
        let (view, mut asked) = (purse.view, Vec::new());
        for (_, budget, holder) in purse.accounts_of(Scope::Fleet) {
            let spent = purse.spent.of(budget.unit);
            let amount = need(budget, candidates, &view).saturating_add(spent);
            let hits = budget.unit.hits(amount);
            let name = &budget.name;
            if hits > MOST_HITS {
                return Err(Refused {
                    failure: refusal(budget, amount, view.now_ms, None),
                    budget: name.clone(),
                });
            }
            if !budget.by.is_nobody() {
                let account = account(&budget.by, &holder);
                mutation.store(format!("{FLEET_ACCOUNT}{name}"), account);
            }
            mutation.store(format!("{FLEET_HITS}{name}"), hits.to_string());
            asked.push(Ask {
                budget: name.clone(),
                holder,
                hits,
                spent,
                at_ms: view.now_ms,
            });
        }
        Ok(Fleet(asked))
    }

    /// Tells what was used in the place of what was asked for. `counted` when the service has
    /// counted the latter; where it could not be asked, all that was used is counted now.
    pub fn settle(&self, config: &Config, used: Used, counted: bool, now_ms: u64) -> Mutation {
        let mut mutation = Mutation::default();
        for ask in &self.0 {
            let Some((_, budget)) = ask.with_budget(config) else {
                continue;
            };
            let window = budget.limit.window;
            let used = used.of(budget.unit).saturating_add(ask.spent);
            let used = budget.unit.hits(used);
            let counted = if counted { ask.hits } else { 0 };
            let more = used.saturating_sub(counted).min(MOST_HITS);
            let back = counted.saturating_sub(used);
            let name = &ask.budget;
            if more > 0 {
                mutation.store(format!("{FLEET_MORE}{name}"), more.to_string());
            } else if back > 0 && window.start(ask.at_ms) == window.start(now_ms) {
                // What was counted in a window that is over is not for the next one.
                mutation.store(format!("{FLEET_BACK}{name}"), back.to_string());
            }
        }
        mutation
    }

    /// The request was refused. Services that count it all the same are told what to take back: all
    /// but what was spent.
    pub fn give_up(&mut self, config: &Config) -> Mutation {
        let mut mutation = Mutation::default();
        for ask in std::mem::take(&mut self.0) {
            let Some((ask, budget)) = ask.with_budget(config) else {
                continue;
            };
            let unused = ask.hits.saturating_sub(budget.unit.hits(ask.spent));
            mutation.store(format!("{FLEET_REFUSED}{}", ask.budget), unused.to_string());
        }
        mutation
    }

    /// The error for the client of a request that the service has refused.
    pub(super) fn refused(&self, config: &Config, told: &Told, now_ms: u64) -> Option<Failure> {
        let first = self.0.first().and_then(|ask| ask.with_budget(config));
        let (ask, budget) = self.told_of(config, told).or(first)?;
        let reset_s = told.reset.trim().parse().ok();
        Some(refusal(
            budget,
            budget.unit.of_hits(ask.hits),
            now_ms,
            reset_s,
        ))
    }

    /// Notes how the account stands that the filter has told of, for the next request to be sent
    /// to another model when it is nearly used up.
    pub fn note(&self, config: &Config, store: &dyn Store, told: &Told, now_ms: u64) {
        let Some((ask, budget)) = self.told_of(config, told) else {
            return;
        };
        if let (Some(_), Ok(left)) = (&budget.downgrade, told.remaining.trim().parse()) {
            let used = budget.limit.most.saturating_sub(budget.unit.of_hits(left));
            let who = ask.holder.who();
            budget::note(store, &budget.name, who, used, budget.limit, now_ms);
        }
    }

    /// The filter tells of the limit that has least left, and which it is by its size alone.
    fn told_of<'a>(&'a self, config: &'a Config, told: &Told) -> Option<(&'a Ask, &'a Budget)> {
        let limit = told.limit.split(',').next().unwrap_or_default();
        let limit: u64 = limit.trim().parse().ok()?;
        let mut all = self.0.iter().filter_map(|ask| ask.with_budget(config));
        all.find(|(_, budget)| budget.unit.hits(budget.limit.most) == limit)
    }
}

impl Ask {
    fn with_budget<'a>(&'a self, config: &'a Config) -> Option<(&'a Ask, &'a Budget)> {
        config
            .routing
            .budget(&self.budget)
            .map(|budget| (self, budget))
    }
}

fn refusal(budget: &Budget, need: u64, now_ms: u64, reset_s: Option<u64>) -> Failure {
    used_up(
        budget,
        "too little is left in the fleet",
        need,
        now_ms,
        reset_s,
    )
}

/// The longest name of an account, in bytes; of what is longer stands a hash.
const MAX_ACCOUNT_BYTES: usize = 200;

/// The account of requests that do not say whose they are.
const NO_NAME: &str = "%";

/// An account as the service knows it: by what tells it from others when that is one thing that may
/// be told, or else by a hash.
fn account(by: &By, holder: &Holder) -> String {
    match holder.name.as_str() {
        "" if by.is_named() => NO_NAME.to_owned(),
        name if by.is_named() && name.len() <= MAX_ACCOUNT_BYTES => escaped(name),
        _ => format!("{:016x}", holder.id),
    }
}

/// What names of clients are made of stays as it is.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~@/:+=".contains(&byte) {
            true => escaped.push(char::from(byte)),
            false => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
