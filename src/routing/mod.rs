//! Which candidates may serve a request, and in which order.

mod eligible;
pub mod hash;
mod params;
mod policy;
mod priority;
mod weighted;

pub use eligible::Unable;
pub use params::{Param, ParamShape, ParamValue, Params};
pub use policy::{Configured, Misuse, POLICIES, Policies, Policy, PolicyKind, Score};

use crate::catalog::Backend;
use crate::inspect::RequestProfile;
use crate::observed::Observed;

/// What policies may look at besides the candidates.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The request.
    pub profile: &'a RequestProfile,
    /// Uniform over all values, and another one for each request.
    pub draw: u64,
    /// Unix milliseconds.
    pub now_ms: u64,
    /// What has been observed of targets.
    pub observed: &'a dyn Observed,
}

/// The candidates of a request: who may serve it, best first, and who may not and why.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutePlan<'a> {
    /// In the order in which Envoy shall try them.
    pub candidates: Vec<&'a Backend>,
    /// Left out.
    pub unable: Vec<(&'a Backend, Unable)>,
}

/// Keeps the candidates that can serve the request, then orders them.
pub fn plan<'a>(candidates: &'a [Backend], policies: &Policies, view: &View<'_>) -> RoutePlan<'a> {
    let mut able = Vec::with_capacity(candidates.len());
    let mut unable = Vec::new();
    for candidate in candidates {
        match eligible::check(&candidate.capabilities, view.profile) {
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
