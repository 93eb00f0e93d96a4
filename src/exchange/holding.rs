//! What requests hold of their budgets: reserved before they are sent, settled when they are over.

use crate::budget::{self, Denied, Reservation, Standing};
use crate::catalog::Backend;
use crate::config::{Budget, Config};
use crate::failure::{Class, Failure};
use crate::inspect::RequestProfile;
use crate::observed::Store;
use crate::routing::cost::estimate_nano_usd;
use crate::routing::{Facts, View};

/// What one request holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding(Vec<(Reservation, usize)>);

/// What a request has used when it is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Tokens, in and out.
    pub tokens: u64,
    /// What they cost.
    pub nano_usd: u64,
}

impl Holding {
    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Books what was used in the place of what was reserved.
    pub fn settle(&self, config: &Config, store: &dyn Store, used: Used, now_ms: u64) {
        for (reservation, index) in &self.0 {
            let Some(budget) = config.routing.budgets.get(*index) else {
                continue;
            };
            let amount = match budget.money {
                true => used.nano_usd,
                false => used.tokens,
            };
            reservation.settle(store, budget.limit.window, amount, now_ms);
        }
    }

    /// Reserves for a request what it may use at most of all budgets that it is on. The error is
    /// for the client; nothing is held then.
    pub(super) fn reserve(
        config: &Config,
        store: &dyn Store,
        candidates: &[&Backend],
        view: &View<'_>,
    ) -> Result<Holding, Failure> {
        let mut held = Holding::default();
        for (i, budget) in config.routing.budgets.iter().enumerate() {
            let Some(who) = budget.account(view.profile, view.facts) else {
                continue;
            };
            let amount = need(budget, candidates, view);
            let limit = budget.limit;
            match budget::reserve(store, &budget.name, who, amount, limit, view.now_ms) {
                Ok(reservation) => held.0.push((reservation, i)),
                Err(denied) => {
                    held.settle(config, store, Used::default(), view.now_ms);
                    return Err(match denied {
                        Denied::Exhausted(standing) => {
                            exhausted(budget, standing, amount, view.now_ms)
                        }
                        Denied::Busy => busy(budget),
                    });
                }
            }
        }
        Ok(held)
    }
}

/// The model that serves instead, because a budget is nearly used up, with the budget's name.
pub(super) fn downgrade<'c>(
    config: &'c Config,
    store: &dyn Store,
    profile: &RequestProfile,
    facts: &Facts,
    now_ms: u64,
) -> Option<(&'c str, &'c str)> {
    config.routing.budgets.iter().find_map(|budget| {
        let (from, model) = budget.downgrade.as_ref()?;
        let who = budget.account(profile, facts)?;
        let window = budget.limit.window;
        let standing = budget::standing(store, &budget.name, who, window, now_ms);
        let is_near = standing.used() >= *from && *model != profile.model;
        is_near.then_some((model.as_str(), budget.name.as_str()))
    })
}

/// The most that any candidate may use, in the budget's unit.
fn need(budget: &Budget, candidates: &[&Backend], view: &View<'_>) -> u64 {
    let each = candidates.iter().map(|candidate| match budget.money {
        true => estimate_nano_usd(candidate, view, budget.reserve_output, 0).unwrap_or(0),
        false => {
            let most = candidate.capabilities.max_output_tokens.unwrap_or(u64::MAX);
            let output = view.profile.output_limit.unwrap_or(budget.reserve_output);
            let output = output.min(most);
            view.input_tokens(candidate).saturating_add(output)
        }
    });
    each.max().unwrap_or(0)
}

/// Nothing is served whose cost could not be reserved.
fn busy(budget: &Budget) -> Failure {
    let message = format!("too many requests are on budget {} at once", budget.name);
    let mut failure = Failure::new(Class::RateLimited, message)
        .with_status(429)
        .with_code("budget_busy");
    failure.retry_after_s = Some(1);
    failure
}

fn exhausted(budget: &Budget, standing: Standing, need: u64, now_ms: u64) -> Failure {
    let window = budget.limit.window;
    let left_s = window
        .end(now_ms)
        .saturating_sub(now_ms)
        .div_ceil(1000)
        .max(1);
    let amount = |amount: u64| match budget.money {
        true => format!("{} USD", crate::catalog::cost::usd(amount)),
        false => format!("{amount} tokens"),
    };
    let message = format!(
        "budget {} is used up: of {} per {}, {} are used and {} reserved, and this request needs up \
         to {}; a new {} begins in {left_s} s",
        budget.name,
        amount(budget.limit.most),
        window.as_str(),
        amount(standing.settled),
        amount(standing.reserved),
        amount(need),
        window.as_str(),
    );
    let mut failure = Failure::new(Class::RateLimited, message)
        .with_status(429)
        .with_code("budget_exceeded");
    failure.retry_after_s = Some(left_s);
    failure
}
