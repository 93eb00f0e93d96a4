//! The rate limit service's own limits: one document is the truth of both sides.

use serde_json::{Value, json};

use super::envoy::ratelimit::{ACCOUNT, BUDGET, budgets, service};
use super::to_yaml;
use crate::budget::Window;
use crate::config::{Budget, Config};

/// Who reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitsFormat {
    /// The reference service, envoyproxy/ratelimit.
    ///
    /// Source: its README, "Configuration", read 2026-11-21.
    Envoy,
    /// Limitador's limits, where each descriptor is judged by itself.
    ///
    /// Source: Limitador's crate 0.14, `limit::Limit`, read 2026-11-21.
    Limitador,
}

/// The limits as YAML; `None` when no budget is the fleet's.
pub fn limits(config: &Config, format: LimitsFormat) -> Option<String> {
    let domain = &service(config)?.domain;
    let budgets = budgets(config);
    let limits = match format {
        LimitsFormat::Envoy => json!({
            "domain": domain,
            "descriptors": budgets.map(of_envoy).collect::<Vec<_>>(),
        }),
        LimitsFormat::Limitador => budgets.map(|b| of_limitador(domain, b)).collect(),
    };
    let units = "# Tokens, requests, or micro-USD. Written by `pointsman render limits`: change pointsman.yaml.\n";
    Some(format!("{units}{}", to_yaml(&limits)))
}

fn of_envoy(budget: &Budget) -> Value {
    let limit = json!({
        "name": budget.name,
        "unit": budget.limit.window.as_str(),
        "requests_per_unit": budget.unit.hits(budget.limit.most),
    });
    let mut descriptor = json!({ "key": BUDGET, "value": budget.name });
    if !budget.by.is_nobody() {
        // Without a value: each value has a counter of its own.
        descriptor["descriptors"] = json!([{ "key": ACCOUNT, "rate_limit": limit }]);
    } else {
        descriptor["rate_limit"] = limit;
    }
    descriptor
}

fn of_limitador(domain: &str, budget: &Budget) -> Value {
    let accounts = (!budget.by.is_nobody()).then(|| format!("descriptors[0]['{ACCOUNT}']"));
    json!({
        "namespace": domain,
        "name": budget.name,
        "max_value": budget.unit.hits(budget.limit.most),
        "seconds": seconds(budget.limit.window),
        "conditions": [format!("descriptors[0]['{BUDGET}'] == '{}'", budget.name)],
        "variables": accounts.into_iter().collect::<Vec<_>>(),
    })
}

fn seconds(window: Window) -> u64 {
    // Any moment but one of a month tells how long all of its kind are.
    (window.end(0) - window.start(0)) / 1000
}
