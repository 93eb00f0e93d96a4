//! Budgets: in which unit, whose, and what happens near their end.

use std::collections::BTreeMap;
#[cfg(feature = "cli")]
use std::collections::BTreeSet;

use super::rules::check_when;
use crate::budget::{Limit, USUAL_LAPSE_MS, Window};
#[cfg(feature = "cli")]
use crate::catalog::Backend;
#[cfg(feature = "cli")]
use crate::config::Config;
use crate::config::ModelConfig;
use crate::config::budgets::{Budget, By, Scope, Team, Unit};
use crate::config::names::{LabelValue, ModelRef};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw_budgets::{RawBudget, RawBudgetBy, RawTeam};
use crate::config::shape::Given;
use crate::config::values::List;
use crate::config::words::{did_you_mean, quote};
#[cfg(feature = "cli")]
use crate::operation::Operation;

/// Output that is reckoned with when nobody says how much there may be.
const USUAL_OUTPUT: u64 = 1000;

pub(super) fn check(
    raw: &Given<List<RawBudget, 1, 100>>,
    models: &BTreeMap<String, ModelConfig>,
    findings: &mut Findings<'_>,
) -> Vec<Budget> {
    let items = raw
        .get()
        .into_iter()
        .flat_map(|list| list.0.iter().enumerate());
    let mut budgets: Vec<Budget> = Vec::new();
    for (i, raw) in items {
        let Some(raw) = raw else { continue };
        let path = Path::default().key("budgets").index(i);
        let budget = budget(i, raw, models, &path, findings);
        if budgets.iter().any(|earlier| earlier.name == budget.name) {
            let found = format!("{} again", quote(&budget.name));
            findings.error(
                At::Value,
                &path.key("name"),
                Finding::new(found, "each name once"),
            );
        }
        budgets.push(budget);
    }
    budgets
}

fn budget(
    index: usize,
    raw: &RawBudget,
    models: &BTreeMap<String, ModelConfig>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Budget {
    let RawBudget {
        name,
        when,
        by,
        tokens,
        usd,
        requests,
        per,
        lapse,
        scope,
        reserve_output,
        soft,
        downgrade_to,
    } = raw;
    let unit = unit(raw, path, findings);
    if soft.is_absent() != downgrade_to.is_absent() {
        let (found, expected) = match soft.is_absent() {
            true => ("downgrade_to alone", "soft beside it: from where on"),
            false => ("soft alone", "downgrade_to beside it: what serves then"),
        };
        findings.error(At::Value, path, Finding::new(found.to_owned(), expected));
    }
    // USD as pico-USD for a million: a thousandth of nano-USD.
    let nano_usd = usd.get().map(|usd| usd.pico_usd().saturating_mul(1000));
    let count = tokens.get().map(|n| n.0).or(requests.get().map(|n| n.0));
    let most = count.or(nano_usd).unwrap_or(u64::MAX);
    let other = downgrade_to.get().map(|ModelRef(name)| name);
    if let Some(name) = other {
        refuse_unknown_model(name, models, &path.key("downgrade_to"), findings);
    }
    let share = soft.get().map(|ratio| (most as f64 * ratio.0) as u64);
    Budget {
        name: match name.get() {
            Some(LabelValue(name)) => name.clone(),
            None => format!("budget-{}", index + 1),
        },
        when: when
            .get()
            .map(|raw| check_when(raw, &path.key("when"), findings))
            .unwrap_or_default(),
        by: by.get().map(check_by).unwrap_or_default(),
        unit,
        limit: Limit {
            most,
            window: per
                .get()
                .and_then(|word| Window::find(&word.0))
                .unwrap_or_default(),
            lapse_ms: lapse.get().map_or(USUAL_LAPSE_MS, |duration| duration.0),
        },
        reserve_output: reserve_output.get().map_or(USUAL_OUTPUT, |n| n.0),
        downgrade: share.zip(other.cloned()),
        scope: match scope.get().is_some_and(|word| word.0 == "fleet") {
            true => Scope::Fleet,
            false => Scope::Proxy,
        },
    }
}

/// What is counted: one thing.
fn unit(raw: &RawBudget, path: &Path, findings: &mut Findings<'_>) -> Unit {
    let given = [
        ("tokens", !raw.tokens.is_absent(), Unit::Tokens),
        ("usd", !raw.usd.is_absent(), Unit::Money),
        ("requests", !raw.requests.is_absent(), Unit::Requests),
    ];
    let given: Vec<_> = given.into_iter().filter(|(_, said, _)| *said).collect();
    if given.len() != 1 {
        let names: Vec<&str> = given.iter().map(|(name, ..)| *name).collect();
        let found = match names.is_empty() {
            true => "none of tokens, usd and requests".to_owned(),
            false => names.join(" and "),
        };
        let finding = Finding::new(found, "one of tokens, usd and requests");
        findings.error(At::Value, path, finding);
    }
    given.first().map_or(Unit::Tokens, |(.., unit)| *unit)
}

fn refuse_unknown_model(
    name: &str,
    models: &BTreeMap<String, ModelConfig>,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    if !models.contains_key(name) {
        let near = did_you_mean(name, models.keys().map(String::as_str));
        let finding = Finding::new(quote(name), "a name under models");
        findings.error(At::Value, path, finding.hint(near.unwrap_or_default()));
    }
}

/// Whose prices are not known uses no money: that may be meant, or not.
#[cfg(feature = "cli")]
pub(super) fn warn_of_unknown_prices(config: &Config, findings: &mut Findings<'_>) {
    let budgets = config.routing.budgets.iter().enumerate();
    let mut of_money = budgets.filter(|(_, budget)| budget.unit == Unit::Money);
    let Some((first, _)) = of_money.next() else {
        return;
    };
    let candidates = config.models.values().flat_map(|model| &model.candidates);
    let unpriced = candidates.filter(|c| !has_prices(c));
    let unpriced: BTreeSet<_> = unpriced
        .map(|c| format!("{}/{}", c.provider, c.model))
        .collect();
    if unpriced.is_empty() {
        return;
    }
    let found = unpriced.into_iter().collect::<Vec<_>>().join(", ");
    let finding = Finding::new(
        format!("no prices of {found}"),
        "prices of every candidate: without, its answers use no money",
    )
    .hint("say prices under catalog or at the candidate; {input: 0, output: 0} if it is free");
    let path = Path::default().key("budgets").index(first).key("usd");
    findings.warning(At::Value, &path, finding);
}

/// Whether prompts have a price, and answers where it writes any.
#[cfg(feature = "cli")]
fn has_prices(candidate: &Backend) -> bool {
    let prices = candidate.prices.as_ref().map(|tariff| &tariff.prices);
    let writes = candidate.capabilities.operations.contains(Operation::Chat);
    prices.is_some_and(|p| p.input.is_some() && (p.output.is_some() || !writes))
}

/// Teams may share a name: it takes several conditions to know one by claims and by certificates.
pub(super) fn check_teams(
    raw: &Given<List<RawTeam, 1, 1_000>>,
    findings: &mut Findings<'_>,
) -> Vec<Team> {
    let items = raw
        .get()
        .into_iter()
        .flat_map(|list| list.0.iter().enumerate());
    let mut teams = Vec::new();
    for (i, raw) in items {
        let Some(RawTeam { name, when }) = raw else {
            continue;
        };
        let path = Path::default().key("teams").index(i).key("when");
        if let (Some(LabelValue(name)), Some(when)) = (name.get(), when.get()) {
            teams.push(Team {
                name: name.clone(),
                when: check_when(when, &path, findings),
            });
        }
    }
    teams
}

pub(super) fn check_by(raw: &RawBudgetBy) -> By {
    let RawBudgetBy {
        header,
        claim,
        identity,
        user,
        metadata,
        team,
        key,
    } = raw;
    let is_set = |given: &Given<bool>| given.get().copied().unwrap_or(false);
    By {
        header: header.get().map(|name| name.0.to_ascii_lowercase()),
        claim: claim.get().map(|path| path.0.clone()),
        identity: is_set(identity),
        user: is_set(user),
        metadata: metadata.get().map(|name| name.0.clone()),
        team: is_set(team),
        key: is_set(key),
    }
}
