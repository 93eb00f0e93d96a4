//! Every order of candidates that a plan can take, as static chains for older Envoys.

use std::collections::BTreeMap;

use crate::catalog::Backend;
use crate::config::{Config, ModelConfig};
use crate::exchange::handoff::{chain_name, cluster_name};

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
/// Any candidate can be left out of a plan (it may lack what a request needs), so every subset
/// of a model's candidates is a chain; where the policy reorders, every order of it too.
pub(super) fn all(config: &Config) -> Vec<Chain> {
    let mut chains = BTreeMap::new();
    for model in config.models.values() {
        for order in orders(model) {
            let chain = chain(&order);
            chains.entry(chain.name.clone()).or_insert(chain);
        }
    }
    chains.into_values().collect()
}

fn orders(model: &ModelConfig) -> Vec<Vec<&Backend>> {
    let keeps_order = model.policy.keeps_order();
    let mut orders: Vec<Vec<&Backend>> = vec![Vec::new()];
    for candidate in &model.candidates {
        let mut longer = Vec::new();
        for order in &orders {
            let places = if keeps_order {
                order.len()..=order.len()
            } else {
                0..=order.len()
            };
            longer.extend(places.map(|place| {
                let mut order = order.clone();
                order.insert(place, candidate);
                order
            }));
        }
        orders.extend(longer);
    }
    orders.retain(|order| !order.is_empty());
    orders
}

fn chain(order: &[&Backend]) -> Chain {
    let mut members: Vec<Member> = Vec::with_capacity(order.len());
    let tries = order
        .iter()
        .flat_map(|c| std::iter::repeat_n(c, c.tries.max(1) as usize));
    for candidate in tries {
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
