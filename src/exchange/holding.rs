//! What requests hold of their budgets: reserved before they are sent, settled when they are over.

use crate::budget::{self, Denied, Reservation, Standing};
use crate::callout::Spent;
use crate::catalog::Backend;
use crate::config::{Budget, Config, Holder, Scope, Unit};
use crate::failure::{Class, Failure};
use crate::json;
use crate::metrics::{self, Sample};
use crate::observed::Store;
use crate::routing::View;
use crate::routing::cost::estimate_nano_usd;

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
    /// 1 when it was answered.
    pub requests: u64,
}

impl From<Spent> for Used {
    fn from(spent: Spent) -> Used {
        let Spent { tokens, nano_usd } = spent;
        Used {
            tokens,
            nano_usd,
            requests: 0,
        }
    }
}

impl Used {
    pub(super) fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Tokens => self.tokens,
            Unit::Money => self.nano_usd,
            Unit::Requests => self.requests,
        }
    }
}

impl Holding {
    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Books what was used in the place of what was reserved.
    pub fn settle(
        &self,
        config: &Config,
        store: &dyn Store,
        used: Used,
        now_ms: u64,
        count: &mut dyn FnMut(&Sample<'_>),
    ) {
        for (reservation, index) in &self.0 {
            if let Some(budget) = config.routing.budgets.get(*index) {
                let amount = used.of(budget.unit);
                reservation.settle(store, budget.limit, amount, now_ms);
                metrics::of_budget(&budget.name, budget.unit.as_str(), amount, count);
            }
        }
    }

    /// Gives everything back.
    fn refund(&self, config: &Config, store: &dyn Store, now_ms: u64) {
        self.settle(config, store, Used::default(), now_ms, &mut |_| {});
    }

    /// Reserves for a request what it may use at most of all budgets that it is on. The error is
    /// for the client; nothing is held then.
    pub(super) fn reserve(
        purse: &Purse<'_, '_>,
        candidates: &[&Backend],
    ) -> Result<Holding, Refused> {
        let Purse {
            config,
            store,
            view,
            ..
        } = *purse;
        let mut held = Holding::default();
        for (i, budget, holder) in purse.accounts_of(Scope::Proxy) {
            let amount = need(budget, candidates, &view);
            let limit = budget.limit;
            let who = holder.who();
            match budget::reserve(store, &budget.name, who, amount, limit, view.now_ms) {
                Ok(reservation) => held.0.push((reservation, i)),
                Err(denied) => {
                    held.refund(config, store, view.now_ms);
                    let failure = match denied {
                        Denied::Exhausted(standing) => {
                            exhausted(budget, standing, amount, view.now_ms)
                        }
                        Denied::Busy => busy(budget),
                    };
                    let budget = budget.name.clone();
                    return Err(Refused { failure, budget });
                }
            }
        }
        Ok(held)
    }
}

/// Why a request is refused for want of budget.
pub(super) struct Refused {
    /// For the client.
    pub failure: Failure,
    /// The budget's name.
    pub budget: String,
}

/// A request, and the books of all budgets.
#[derive(Clone, Copy)]
pub(super) struct Purse<'c, 'a> {
    pub config: &'c Config,
    pub store: &'a dyn Store,
    pub view: View<'a>,
    /// The declared team that asks.
    pub team: Option<&'a str>,
    /// What asking classifiers has used for the request.
    pub spent: Used,
}

impl<'c> Purse<'c, '_> {
    /// The budgets that the request is on, with their places, and on whose account.
    fn accounts(self) -> impl Iterator<Item = (usize, &'c Budget, Holder)> {
        let budgets = self.config.routing.budgets.iter().enumerate();
        budgets.filter_map(move |(i, budget)| {
            let View { profile, facts, .. } = self.view;
            Some((i, budget, budget.account(profile, facts, self.team)?))
        })
    }

    /// Those that somebody keeps.
    pub(super) fn accounts_of(
        self,
        scope: Scope,
    ) -> impl Iterator<Item = (usize, &'c Budget, Holder)> {
        self.accounts()
            .filter(move |(_, budget, _)| budget.scope == scope)
    }

    fn standing(self, budget: &Budget, holder: &Holder) -> Standing {
        let (limit, now_ms) = (budget.limit, self.view.now_ms);
        budget::standing(self.store, &budget.name, holder.id, limit, now_ms)
    }

    /// The model that serves instead, because a budget is nearly used up, with the budget's name.
    pub(super) fn downgrade(self) -> Option<(&'c str, &'c str)> {
        self.accounts().find_map(|(_, budget, holder)| {
            let (from, model) = budget.downgrade.as_ref()?;
            let is_near = || self.standing(budget, &holder).used() >= *from;
            let is_other = *model != self.view.profile.model;
            (is_other && is_near()).then_some((model.as_str(), budget.name.as_str()))
        })
    }

    /// Books what was used for the request besides its answer.
    pub(super) fn book(self) {
        if self.spent == Used::default() {
            return;
        }
        for (_, budget, holder) in self.accounts_of(Scope::Proxy) {
            let now_ms = self.view.now_ms;
            let nothing = Reservation {
                page: budget::page_name(&budget.name, holder.id),
                who: holder.id,
                amount: 0,
                at_ms: now_ms,
            };
            let used = self.spent.of(budget.unit);
            nothing.settle(self.store, budget.limit, used, now_ms);
        }
    }

    /// How the request's budgets stand and what it needs of them, as JSON.
    pub(super) fn tell(self, candidates: &[&Backend]) -> String {
        let told = self.accounts().map(|(_, budget, holder)| {
            let standing = self.standing(budget, &holder);
            let number = |amount| budget.number(amount);
            format!(
                "{{\"name\":{},\"account\":{},\"unit\":\"{}\",\"limit\":{},\"used\":{},\
                 \"reserved\":{},\"needs\":{}}}",
                json::to_string(&budget.name),
                json::to_string(&account_name(holder.id, &holder.name)),
                budget.unit.as_str(),
                number(budget.limit.most),
                number(standing.settled),
                number(standing.reserved),
                number(need(budget, candidates, &self.view)),
            )
        });
        format!("[{}]", told.collect::<Vec<_>>().join(","))
    }
}

/// Whose account it is, for people: a number where the name may not be told.
pub(super) fn account_name(id: u64, name: &str) -> String {
    match name {
        "" => format!("{id:016x}"),
        name => name.to_owned(),
    }
}

/// The most that any candidate may use, in the budget's unit.
pub(super) fn need(budget: &Budget, candidates: &[&Backend], view: &View<'_>) -> u64 {
    let each = candidates.iter().map(|candidate| match budget.unit {
        Unit::Requests => 1,
        Unit::Money => estimate_nano_usd(candidate, view, budget.reserve_output, 0).unwrap_or(0),
        Unit::Tokens => {
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
    let standing = format!(
        "{} are used and {} reserved",
        budget.show(standing.settled),
        budget.show(standing.reserved)
    );
    used_up(budget, &standing, need, now_ms, None)
}

/// The error for the client of a request that a budget has no room for. The next window begins
/// in `reset_s` seconds; by the clock when nobody has told.
pub(super) fn used_up(
    budget: &Budget,
    standing: &str,
    need: u64,
    now_ms: u64,
    reset_s: Option<u64>,
) -> Failure {
    let window = budget.limit.window;
    let left_ms = window.end(now_ms).saturating_sub(now_ms);
    let left_s = reset_s.unwrap_or(left_ms.div_ceil(1000)).max(1);
    let message = format!(
        "budget {} is used up: of {} per {}, {standing}, and this request needs up to {}; a new {} \
         begins in {left_s} s",
        budget.name,
        budget.show(budget.limit.most),
        window.as_str(),
        budget.show(need),
        window.as_str(),
    );
    let mut failure = Failure::new(Class::RateLimited, message)
        .with_status(429)
        .with_code("budget_exceeded");
    failure.retry_after_s = Some(left_s);
    failure
}
