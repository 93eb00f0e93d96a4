//! How candidates are ordered: policies, and policies that break the ties of others.

use std::borrow::Cow;
use std::sync::Arc;

use super::params::{Param, Params};
use super::priority::Priority;
use super::{View, priority, weighted};
use crate::catalog::Backend;

/// Every policy; a new one is one file and one line here.
pub const POLICIES: &[PolicyKind] = &[priority::KIND, weighted::KIND];

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

    /// Whether the declared order is always kept.
    pub fn keeps_order(&self) -> bool {
        self.0.iter().all(|each| each.policy.keeps_order())
    }

    /// The scores of each policy, one list for each.
    pub fn scores(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Vec<Score>> {
        let policies = self.0.iter();
        policies
            .map(|each| each.policy.score(candidates, view))
            .collect()
    }

    /// The candidates, best first.
    pub fn order<'a>(&self, candidates: Vec<&'a Backend>, view: &View<'_>) -> Vec<&'a Backend> {
        if candidates.len() < 2 || self.keeps_order() {
            return candidates;
        }
        let scores = self.scores(&candidates, view);
        let mut ranked: Vec<(usize, &Backend)> = candidates.into_iter().enumerate().collect();
        ranked.sort_by(|(a, _), (b, _)| {
            let value = |scores: &[Score], i: usize| scores.get(i).map_or(f64::MAX, |s| s.value);
            let mut compared = scores.iter().map(|s| value(s, *a).total_cmp(&value(s, *b)));
            compared
                .find(|ordering| ordering.is_ne())
                .unwrap_or(a.cmp(b))
        });
        ranked.into_iter().map(|(_, backend)| backend).collect()
    }
}
