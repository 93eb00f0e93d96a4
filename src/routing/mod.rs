//! Which candidates may serve a request, and in which order.

mod balanced;
mod cache_affinity;
mod cheapest;
pub mod constraint;
mod cooling;
pub mod cost;
mod eligible;
pub mod expression;
mod facts;
mod fastest;
pub mod hash;
mod least_loaded;
pub mod load;
mod params;
mod policy;
mod priority;
pub mod rules;
mod tiers;
mod weighted;

pub use constraint::Constraints;
pub use cooling::{is_full, put_last};
pub use eligible::Unable;
pub use facts::{Facts, Reads, Script};
pub use params::{Param, ParamShape, ParamValue, Params};
pub use policy::{Configured, Misuse, POLICIES, Policies, Policy, PolicyKind, Score};

use crate::catalog::{Backend, Labels};
use crate::inspect::RequestProfile;
use crate::observed::Observed;

/// What policies may look at besides the candidates.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The request.
    pub profile: &'a RequestProfile,
    /// What else is known of it.
    pub facts: &'a Facts,
    /// Limits that it must keep, besides those of the policy.
    pub constraints: Constraints,
    /// Uniform over all values, and another one for each request.
    pub draw: u64,
    /// Unix milliseconds.
    pub now_ms: u64,
    /// What has been observed of targets.
    pub observed: &'a dyn Observed,
}

impl View<'_> {
    /// Tokens of the prompt as this candidate counts them, by estimate; corrected by what its
    /// provider has reported of other prompts.
    pub fn input_tokens(&self, candidate: &Backend) -> u64 {
        let estimated = self.profile.tokens(candidate.tokenizer);
        if self.profile.tally.is_none() {
            return estimated;
        }
        let target = self.observed.target(&candidate.provider, &candidate.model);
        let ratio = target.tokens_ratio.unwrap_or(1.0);
        (estimated as f64 * ratio).round() as u64
    }

    /// How many tokens of the prompt this candidate's provider has in its cache, by estimate.
    pub fn cached_tokens(&self, candidate: &Backend) -> u64 {
        let Some(prefix) = self.profile.prefix else {
            return 0;
        };
        let (provider, model) = (&candidate.provider, &candidate.model);
        match self.observed.is_warm(provider, model, prefix.hash) {
            true => prefix.tokens,
            false => 0,
        }
    }
}

/// The candidates of a request: who may serve it, best first, and who may not and why.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutePlan<'a> {
    /// In the order in which Envoy shall try them.
    pub candidates: Vec<&'a Backend>,
    /// Left out.
    pub unable: Vec<(&'a Backend, Unable)>,
}

/// Keeps the candidates that may and can serve the request, then orders them. `required` are
/// the labels that every one of them must keep.
pub fn plan<'a>(
    candidates: impl IntoIterator<Item = &'a Backend>,
    required: &[&Labels],
    policies: &Policies,
    view: &View<'_>,
) -> RoutePlan<'a> {
    let mut able = Vec::new();
    let mut unable = Vec::new();
    for candidate in candidates {
        match eligible::check(candidate, required, view) {
            None => able.push(candidate),
            Some(reason) => unable.push((candidate, reason)),
        }
    }
    RoutePlan {
        candidates: policies.order(able, view),
        unable,
    }
}

#[cfg(test)]
mod tests;
