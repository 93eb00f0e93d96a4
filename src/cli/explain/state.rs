//! What the page of `envoy.state_port` tells, read back.

use std::io;

use serde::Deserialize;

use crate::budget::{self, Limit, Who};
use crate::cli::read;
use crate::config::{Config, Unit};
use crate::exchange::set_downgraded;
use crate::failure::Class;
use crate::observed::Memory;
use crate::observed::{CoolDown, Observed, TargetState, key};

/// What has been observed of targets at one moment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct State {
    /// When, in Unix milliseconds; 0 when it does not say.
    #[serde(default)]
    pub(super) now_ms: u64,
    targets: Vec<Target>,
    #[serde(default)]
    budgets: Vec<Budget>,
    #[serde(default)]
    loads: Vec<Load>,
}

/// One budget. Who is left out has used nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    name: String,
    #[serde(default)]
    most_used: Vec<Account>,
    /// For people.
    #[serde(default, rename = "unit")]
    _unit: serde::de::IgnoredAny,
    #[serde(default, rename = "per")]
    _per: serde::de::IgnoredAny,
    #[serde(default, rename = "limit")]
    _limit: serde::de::IgnoredAny,
    #[serde(default, rename = "ends_in_ms")]
    _ends_in_ms: serde::de::IgnoredAny,
    #[serde(default, rename = "accounts")]
    _accounts: serde::de::IgnoredAny,
}

/// One account of a budget.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    id: String,
    used: f64,
    #[serde(default)]
    reserved: f64,
    /// For people.
    #[serde(default, rename = "account")]
    _account: serde::de::IgnoredAny,
    #[serde(default, rename = "state")]
    _state: serde::de::IgnoredAny,
}

/// A model that another one can stand in for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    model: String,
    /// Whether another one does.
    passed: bool,
    /// For people: what targets serve says it.
    #[serde(default, rename = "in_flight")]
    _in_flight: serde::de::IgnoredAny,
    #[serde(default, rename = "ceiling")]
    _ceiling: serde::de::IgnoredAny,
}

/// One target. What is left out has not been seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    provider: String,
    model: String,
    #[serde(default)]
    ttft_ms: Times,
    #[serde(default)]
    total_ms: Times,
    #[serde(default)]
    error_rate: Option<f64>,
    #[serde(default)]
    tokens_ratio: Option<f64>,
    #[serde(default)]
    in_flight: InFlight,
    #[serde(default)]
    cool_down: Option<Pause>,
    /// It has the beginning of the request's prompt in its cache: the page keeps prompts to
    /// itself, so only a person says this.
    #[serde(default)]
    warm: bool,
    /// For people.
    #[serde(default, rename = "failed")]
    _failed: serde::de::IgnoredAny,
    #[serde(default, rename = "attempts")]
    _attempts: serde::de::IgnoredAny,
    #[serde(default, rename = "failures")]
    _failures: serde::de::IgnoredAny,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Times {
    #[serde(rename = "mean")]
    _mean: serde::de::IgnoredAny,
    p50: Option<f64>,
    p95: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct InFlight {
    requests: u64,
    tokens: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    class: String,
    for_ms: u64,
}

impl State {
    /// Reads a file, or standard input when it is `-`. The error names the file and the place.
    pub(in crate::cli) fn read(file: &str) -> io::Result<State> {
        serde_json::from_str(&read(file)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{file}: {error}")))
    }

    /// The books as they were, of the budgets that the configuration has.
    pub(super) fn books(&self, config: &Config) -> Memory {
        let books = Memory::default();
        for Budget {
            name, most_used, ..
        } in &self.budgets
        {
            let mut budgets = config.routing.budgets.iter();
            let Some(budget) = budgets.find(|budget| budget.name == *name) else {
                continue;
            };
            let amount = |number: f64| match budget.unit {
                Unit::Money => (number * 1e9).round() as u64,
                Unit::Tokens | Unit::Requests => number as u64,
            };
            let limit = Limit {
                most: u64::MAX,
                ..budget.limit
            };
            for account in most_used {
                let who = Who {
                    id: u64::from_str_radix(&account.id, 16).unwrap_or(0),
                    name: "",
                };
                let now_ms = self.now_ms;
                let reserve = |amount| budget::reserve(&books, name, who, amount, limit, now_ms);
                if let Ok(all) = reserve(0) {
                    all.settle(&books, limit, amount(account.used), now_ms);
                }
                // There is room for everything.
                reserve(amount(account.reserved)).ok();
            }
        }
        for load in self.loads.iter().filter(|load| load.passed) {
            set_downgraded(&books, &load.model);
        }
        books
    }

    fn find(&self, provider: &str, model: &str) -> Option<&Target> {
        let mut targets = self.targets.iter();
        targets.find(|target| target.provider == provider && target.model == model)
    }
}

impl Observed for State {
    fn target(&self, provider: &str, model: &str) -> TargetState {
        let found = self.find(provider, model);
        found.map_or_else(TargetState::default, |target| TargetState {
            ttft_p50_ms: target.ttft_ms.p50,
            ttft_p95_ms: target.ttft_ms.p95,
            latency_p50_ms: target.total_ms.p50,
            latency_p95_ms: target.total_ms.p95,
            error_rate: target.error_rate,
            tokens_ratio: target.tokens_ratio,
            in_flight_requests: target.in_flight.requests,
            in_flight_tokens: target.in_flight.tokens,
        })
    }

    fn is_warm(&self, provider: &str, model: &str, _prefix: u64) -> bool {
        self.find(provider, model).is_some_and(|target| target.warm)
    }

    fn cool_down(&self, provider: &str, model: &str) -> Option<CoolDown> {
        let pause = self.find(provider, model)?.cool_down.as_ref()?;
        (pause.for_ms > 0).then(|| CoolDown {
            who: key(provider, Some(model)),
            until_ms: self.now_ms.saturating_add(pause.for_ms),
            class: Class::parse(&pause.class).unwrap_or(Class::RateLimited),
        })
    }
}
