//! Every order of candidates that a plan can take, as static chains for older Envoys.

use std::collections::BTreeMap;

use crate::catalog::Backend;
use crate::config::{Config, Rule, Serving};
use crate::exchange::Topology;
use crate::exchange::handoff::{MOST_ATTEMPTS, chain_name, cluster_name};
use crate::exchange::keep_warm::kept_warm;

/// One order.
pub(super) struct Chain {
    pub name: String,
    pub members: Vec<Member>,
}

/// One place in it.
pub(super) struct Member {
    pub provider: String,
    pub cluster: String,
}

/// The chains that the configuration can need, each once, by name.
///
/// Any candidate can be left out of a plan (it may lack what a request needs, or break a label),
/// so every subset of the candidates of a model, or of a rule, is a chain; where a policy or a
/// limit reorders, every order of it too. Few candidates also get the orders in which some of them
/// come last, because they are to be left alone. Beyond `most` chains only their number goes on:
/// orders grow faster than anybody's memory.
pub(super) fn all(config: &Config, most: usize) -> Result<Vec<Chain>, usize> {
    let mut chains = BTreeMap::new();
    for (provider, _) in kept_warm(config) {
        let chain = of_provider(&provider.name);
        chains.insert(chain.name.clone(), chain);
    }
    let mut needed = 0_usize;
    for List {
        candidates,
        keeps_order,
        waits,
    } in lists(config)
    {
        let count = count(candidates.len(), keeps_order);
        needed = needed.saturating_add(count);
        if count > most {
            continue;
        }
        let mut orders = orders(&candidates, keeps_order);
        if keeps_order && Topology::StaticChain.can_move_last(candidates.len(), true) {
            orders = orders
                .iter()
                .flat_map(|order| with_some_last(order))
                .collect();
        }
        for order in orders {
            let chain = chain(&order, waits);
            chains.entry(chain.name.clone()).or_insert(chain);
        }
    }
    // Lists share chains; what a single list needs counts in full only when it is too long.
    if chains.len() > most {
        return Err(chains.len());
    }
    let is_whole = lists(config)
        .iter()
        .all(|list| count(list.candidates.len(), list.keeps_order) <= most);
    match is_whole {
        true => Ok(chains.into_values().collect()),
        false => Err(needed),
    }
}

/// Candidates that a request can have.
struct List<'c> {
    candidates: Vec<&'c Backend>,
    /// Whether their order is kept.
    keeps_order: bool,
    /// Whether the last one may be asked again after a wait.
    waits: bool,
}

/// Every list of candidates that a request can have.
fn lists(config: &Config) -> Vec<List<'_>> {
    let clients_limit = config.routing.client_constraints.is_some();
    let mut lists = Vec::new();
    for model in config.models.values() {
        let rules = config.routing.rules.iter().filter(|rule| {
            let models = &rule.when.models;
            models.is_empty() || models.iter().any(|pattern| pattern.fits(&model.name))
        });
        let servings = rules.map(Some).chain([None]);
        lists.extend(servings.map(|rule: Option<&Rule>| {
            let serving = Serving { model, rule };
            let limited = clients_limit || rule.is_some_and(|r| !r.constraints.is_empty());
            let mut candidates = serving.candidates();
            let required = rule.map(|rule| &rule.require);
            candidates.retain(|c| {
                let mut labels = required.into_iter().chain([&model.require]);
                labels.all(|labels| c.labels.breach(labels).is_none())
            });
            List {
                candidates,
                keeps_order: serving.policy().keeps_order() && !limited,
                waits: Topology::StaticChain.wait_up_to_ms(&serving.timeouts()) > 0,
            }
        }));
    }
    lists
}

/// How many chains so many candidates make: subsets, or orders of subsets, which are the sum of
/// n!/(n-k)! for k from 1 to n.
fn count(candidates: usize, keeps_order: bool) -> usize {
    let (mut total, mut product) = (0_usize, 1_usize);
    for k in 0..candidates {
        total = match keeps_order {
            true => total.saturating_mul(2).saturating_add(1),
            false => {
                product = product.saturating_mul(candidates - k);
                total.saturating_add(product)
            }
        };
    }
    total
}

fn orders<'c>(candidates: &[&'c Backend], keeps_order: bool) -> Vec<Vec<&'c Backend>> {
    let mut orders: Vec<Vec<&Backend>> = vec![Vec::new()];
    for candidate in candidates {
        let mut longer = Vec::new();
        for order in &orders {
            let places = if keeps_order {
                order.len()..=order.len()
            } else {
                0..=order.len()
            };
            longer.extend(places.map(|place| {
                let mut order = order.clone();
                order.insert(place, *candidate);
                order
            }));
        }
        orders.extend(longer);
    }
    orders.retain(|order| !order.is_empty());
    orders
}

/// A few candidates with any of them put last, in their order; the order as it is among them.
fn with_some_last<'c>(order: &[&'c Backend]) -> Vec<Vec<&'c Backend>> {
    let choices = 0..1_usize << order.len();
    let put = |last: usize| {
        let numbered = order.iter().enumerate();
        let (last, first): (Vec<_>, Vec<_>) = numbered.partition(|(i, _)| last & (1 << i) != 0);
        first.into_iter().chain(last).map(|(_, c)| *c).collect()
    };
    choices.map(put).collect()
}

/// The one that keeps its connections open.
fn of_provider(name: &str) -> Chain {
    Chain {
        name: chain_name([name].into_iter()),
        members: vec![Member {
            provider: name.to_owned(),
            cluster: name.to_owned(),
        }],
    }
}

fn chain(order: &[&Backend], waits: bool) -> Chain {
    let mut members: Vec<Member> = Vec::with_capacity(order.len());
    let tries = order
        .iter()
        .flat_map(|c| std::iter::repeat_n(c, c.tries.max(1) as usize))
        .take(MOST_ATTEMPTS);
    let again = order.last().filter(|_| waits);
    for candidate in tries.chain(again) {
        let earlier = members.iter().filter(|m| m.provider == candidate.provider);
        let cluster = cluster_name(&candidate.provider, earlier.count());
        members.push(Member {
            provider: candidate.provider.clone(),
            cluster,
        });
    }
    Chain {
        name: chain_name(members.iter().map(|m| m.cluster.as_str())),
        members,
    }
}
