//! How candidates are ordered: policies, and policies that break the ties of others.

use std::borrow::Cow;
use std::sync::Arc;

use super::params::{Param, Params};
use super::priority::Priority;
use super::{
    Reads, View, balanced, cache_affinity, cheapest, constraint, fastest, least_loaded, priority,
    tiers, weighted,
};
use crate::catalog::Backend;
use crate::observed::Wants;
use crate::sorted::sort_by;

/// Every policy; a new one is one file and one line here.
pub const POLICIES: &[PolicyKind] = &[
    priority::KIND,
    weighted::KIND,
    cheapest::KIND,
    constraint::KIND,
    tiers::KIND,
    fastest::KIND,
    least_loaded::KIND,
    balanced::KIND,
    cache_affinity::KIND,
];

/// What a document can ask for: a name, its parameters, and how to build the policy.
#[derive(Debug)]
pub struct PolicyKind {
    /// The name in the document.
    pub name: &'static str,
    /// What it does, for the reference.
    pub description: &'static str,
    /// What it may be told.
    pub params: &'static [Param],
    /// Builds it; the parameters have their shapes.
    pub build: fn(&Params) -> Result<Arc<dyn Policy>, Misuse>,
}

/// Parameters that fit their shapes and still make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misuse {
    /// What stands there, in words.
    pub found: &'static str,
    /// What is expected.
    pub expected: &'static str,
}

/// Scores candidates. Pure: time, the random draw and observed state come in the [`View`].
pub trait Policy: std::fmt::Debug + Send + Sync {
    /// One score for each candidate, in their order. The lowest comes first; equal scores are a
    /// tie, which the next policy breaks, and in the end the declared order.
    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score>;

    /// Notes what it needs to know of a request besides its profile.
    fn reads(&self, _reads: &mut Reads) {}

    /// Whether it divides requests among candidates, so that the log shall say who got which.
    fn assigns(&self) -> bool {
        false
    }

    /// What it must know of targets, so that nothing else is recorded.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// Whether it always keeps the declared order, so that older Envoys need fewer chains.
    fn keeps_order(&self) -> bool {
        false
    }
}

/// How a policy sees one candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The lower the better; a candidate about which nothing is known yet gets what the policy
    /// says of such ones. Never NaN.
    pub value: f64,
    /// What the value is, in a few words: `estimated nano-USD`, `p50 of TTFT in ms`.
    pub reason: Cow<'static, str>,
}

impl Score {
    /// A score with a fixed reason.
    pub fn new(value: f64, reason: &'static str) -> Score {
        Score {
            value,
            reason: Cow::Borrowed(reason),
        }
    }
}

/// Policies in the order in which they are asked: each breaks the ties of those before it.
#[derive(Debug, Clone)]
pub struct Policies(Vec<Configured>);

/// A policy as the document asks for it.
#[derive(Debug, Clone)]
pub struct Configured {
    /// Its name.
    pub name: &'static str,
    /// The policy with its parameters.
    pub policy: Arc<dyn Policy>,
}

impl PolicyKind {
    /// The kind of this name.
    pub fn find(name: &str) -> Option<&'static PolicyKind> {
        POLICIES.iter().find(|kind| kind.name == name)
    }

    /// The policy with these parameters.
    pub fn configure(&self, params: &Params) -> Result<Configured, Misuse> {
        let policy = (self.build)(params)?;
        let name = self.name;
        Ok(Configured { name, policy })
    }
}

impl Default for Policies {
    fn default() -> Self {
        let policy = Arc::new(Priority);
        let name = priority::KIND.name;
        Policies(vec![Configured { name, policy }])
    }
}

impl Policies {
    /// These, the first first; declared order when there are none.
    pub fn new(policies: Vec<Configured>) -> Policies {
        match policies.is_empty() {
            true => Policies::default(),
            false => Policies(policies),
        }
    }

    /// Each with its name, the first first.
    pub fn iter(&self) -> impl Iterator<Item = &Configured> {
        self.0.iter()
    }

    /// Whether one of them has this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|each| each.name == name)
    }

    /// Their names, such as `constraint, cheapest`.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|each| each.name).collect();
        names.join(", ")
    }

    /// Notes what they need to know of a request.
    pub fn reads(&self, reads: &mut Reads) {
        self.0.iter().for_each(|each| each.policy.reads(reads));
    }

    /// Whether one of them divides requests among candidates.
    pub fn assigns(&self) -> bool {
        self.0.iter().any(|each| each.policy.assigns())
    }

    /// What they must know of targets.
    pub fn wants(&self) -> Wants {
        let wants = self.0.iter().map(|each| each.policy.wants());
        wants.fold(Wants::default(), Wants::or)
    }

    /// Whether the declared order is always kept.
    pub fn keeps_order(&self) -> bool {
        self.0.iter().all(|each| each.policy.keeps_order())
    }

    /// The scores of each policy, with its name. Constraints that no policy knows of come
    /// before all policies.
    pub fn scores(
        &self,
        candidates: &[&Backend],
        view: &View<'_>,
    ) -> Vec<(&'static str, Vec<Score>)> {
        let mut scores = Vec::with_capacity(self.0.len() + 1);
        if !view.constraints.is_empty() && !self.has(constraint::NAME) {
            scores.push((constraint::NAME, view.constraints.score(candidates, view)));
        }
        let policies = self.0.iter();
        scores.extend(policies.map(|each| (each.name, each.policy.score(candidates, view))));
        scores
    }

    /// The candidates, best first.
    pub fn order<'a>(&self, candidates: Vec<&'a Backend>, view: &View<'_>) -> Vec<&'a Backend> {
        let is_free = view.constraints.is_empty();
        if candidates.len() < 2 || (is_free && self.keeps_order()) {
            return candidates;
        }
        let scores = self.scores(&candidates, view);
        let mut ranked: Vec<(usize, &Backend)> = candidates.into_iter().enumerate().collect();
        sort_by(&mut ranked, |(a, _), (b, _)| {
            let value = |scores: &[Score], i: usize| scores.get(i).map_or(f64::MAX, |s| s.value);
            let mut compared = scores
                .iter()
                .map(|(_, s)| value(s, *a).total_cmp(&value(s, *b)));
            compared
                .find(|ordering| ordering.is_ne())
                .unwrap_or(a.cmp(b))
        });
        ranked.into_iter().map(|(_, backend)| backend).collect()
    }
}
