//! Rules and what else decides who serves a request.

use std::sync::Arc;

use super::budgets::{Budget, Scope, Team};
use super::{Config, ModelConfig, OnUnsupported, QualityGate, ResponseCache, Timeouts};
use crate::catalog::{Backend, Labels};
use crate::classify::Intents;
use crate::inspect::RequestProfile;
use crate::routing::rules::{Fit, Match, Range};
use crate::routing::{Constraints, Facts, Policies, Reads};

/// Everything that decides who serves a request besides the model's own settings.
#[derive(Debug, Clone, Default)]
pub struct Routing {
    /// The first that fits counts.
    pub rules: Vec<Rule>,
    /// All that fit count.
    pub requirements: Vec<Requirement>,
    /// What requests may be meant to do.
    pub intents: Intents,
    /// Who may ask: whoever fits any of these; everybody when it is empty.
    pub admit: Vec<Match>,
    /// All that are for a request count.
    pub budgets: Vec<Budget>,
    /// Whose requests these are: the first that fits.
    pub teams: Vec<Team>,
    /// What of a request must be known for all of this.
    pub reads: Reads,
    /// Offset of weekdays and hours, in minutes.
    pub utc_offset_minutes: i64,
    /// Where the claims are in the metadata of Envoy's `jwt_authn`.
    pub jwt_payload: String,
    /// Header that tells the client's identity in the place of its certificate.
    pub identity_header: Option<String>,
    /// Header in which clients may require labels.
    pub client_labels: Option<String>,
    /// What clients may limit.
    pub client_constraints: Option<ClientConstraints>,
    /// When decisions are explained.
    pub explain: ExplainWhen,
}

/// What happens to some requests; what is not said is the model's.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, one of a kind.
    pub name: String,
    /// What a request must be like.
    pub when: Match,
    /// What it must not be like.
    pub unless: Option<Match>,
    /// What orders the candidates.
    pub policy: Option<Policies>,
    /// Who may serve it; empty for the model's own candidates.
    pub candidates: Vec<Backend>,
    /// Labels that whoever serves it must keep.
    pub require: Labels,
    /// Limits that come before the policy.
    pub constraints: Constraints,
    /// What happens to a request that a candidate can only serve in part.
    pub on_unsupported: Option<OnUnsupported>,
    /// Whether a refusal leads to the next candidate.
    pub fallback_on_refusal: Option<bool>,
    /// Times of one request.
    pub timeouts: Option<Timeouts>,
    /// Which answers are kept.
    pub cache: Option<ResponseCache>,
}

/// Labels that some requests require.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// What a request must be like.
    pub when: Match,
    /// What it must not be like.
    pub unless: Option<Match>,
    /// Labels that whoever serves it must keep.
    pub require: Labels,
}

/// What clients may limit, and where they say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConstraints {
    /// In this header.
    pub header: Option<String>,
    /// In this field of the body's `metadata`.
    pub metadata: Option<String>,
    /// Names of the limits that they may set.
    pub allow: Vec<String>,
}

/// When a decision is explained in the access log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExplainWhen {
    /// For requests that have this header.
    pub header: Option<String>,
    /// For so many of a million requests.
    pub per_million: u64,
}

/// A model under a rule: whatever the rule does not say is the model's.
#[derive(Debug, Clone, Copy)]
pub struct Serving<'c> {
    /// The model.
    pub model: &'c ModelConfig,
    /// The rule that fits.
    pub rule: Option<&'c Rule>,
}

impl Config {
    /// The rule of this name.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.routing.rules.iter().find(|rule| rule.name == name)
    }
}

impl Routing {
    /// The budget of this name.
    pub fn budget(&self, name: &str) -> Option<&Budget> {
        self.budgets.iter().find(|budget| budget.name == name)
    }

    /// Whether the rate limit service keeps any budget.
    pub fn has_fleet(&self) -> bool {
        let mut budgets = self.budgets.iter();
        budgets.any(|budget| budget.scope == Scope::Fleet)
    }

    /// The first rule that fits, or the name of the classifier that must be asked to tell.
    pub fn choose(&self, profile: &RequestProfile, facts: &Facts) -> Result<Option<&Rule>, &str> {
        for rule in &self.rules {
            match fit(&rule.when, rule.unless.as_ref(), profile, facts) {
                Fit::Yes => return Ok(Some(rule)),
                Fit::No => {}
                Fit::Unknown(classifier) => return Err(classifier),
            }
        }
        Ok(None)
    }

    /// Every rule that may turn out to be the first that fits, whatever classifiers tell.
    pub fn possible(&self, profile: &RequestProfile, facts: &Facts) -> Vec<&Rule> {
        let mut possible = Vec::new();
        for rule in &self.rules {
            let fit = fit(&rule.when, rule.unless.as_ref(), profile, facts);
            if fit != Fit::No {
                possible.push(rule);
            }
            if fit == Fit::Yes {
                break;
            }
        }
        possible
    }

    /// Whether whoever asks for this may.
    pub fn admits(&self, profile: &RequestProfile, facts: &Facts) -> bool {
        let mut admit = self.admit.iter();
        self.admit.is_empty() || admit.any(|each| each.is_met(profile, facts))
    }

    /// The team that asks, where it is a declared one.
    pub fn team(&self, profile: &RequestProfile, facts: &Facts) -> Option<&str> {
        let mut teams = self.teams.iter();
        let team = teams.find(|team| team.when.is_met(profile, facts));
        team.map(|team| team.name.as_str())
    }

    /// Whether rules or clients limit times, so that these have to be observed.
    pub fn limits_times(&self) -> bool {
        let is_time = |limit: &String| limit.ends_with("_ms");
        let clients = self.client_constraints.as_ref();
        let mut of_rules = self.rules.iter().map(|rule| rule.constraints);
        clients.is_some_and(|clients| clients.allow.iter().any(is_time))
            || of_rules.any(|limits| limits.latency_ms.is_some() || limits.ttft_ms.is_some())
    }

    /// Whether rules or clients decide by tokens, or by what they cost.
    pub fn reads_tokens(&self) -> bool {
        let clients = self.client_constraints.as_ref();
        let by_cost = clients.is_some_and(|c| c.allow.iter().any(|limit| limit == "cost_usd"));
        let mut rules = self.rules.iter();
        by_cost
            || !self.budgets.is_empty()
            || rules.any(|rule| {
                let sides = std::iter::once(&rule.when).chain(&rule.unless);
                let by_size = |side: &Match| side.prompt_tokens != Range::default();
                rule.constraints.cost_usd.is_some() || sides.into_iter().any(by_size)
            })
    }

    /// The labels of every requirement that fits.
    pub fn required(&self, profile: &RequestProfile, facts: &Facts) -> Vec<&Labels> {
        let fits =
            |each: &&Requirement| fit(&each.when, each.unless.as_ref(), profile, facts) == Fit::Yes;
        let all = self.requirements.iter().filter(fits);
        all.map(|each| &each.require).collect()
    }
}

fn fit<'m>(
    when: &'m Match,
    unless: Option<&'m Match>,
    profile: &RequestProfile,
    facts: &Facts,
) -> Fit<'m> {
    let fits = when.fit(profile, facts);
    match (fits, unless.map(|other| other.fit(profile, facts))) {
        (Fit::No, _) | (_, Some(Fit::Yes)) => Fit::No,
        (Fit::Yes, Some(unknown @ Fit::Unknown(_))) => unknown,
        (fits, _) => fits,
    }
}

impl<'c> Serving<'c> {
    /// Who may serve it, in declared order. Where rule and model name the same candidate, it is
    /// as the model has it.
    pub fn candidates(&self) -> Vec<&'c Backend> {
        match self.rule {
            Some(rule) if !rule.candidates.is_empty() => {
                let own = |c: &'c Backend| find(&self.model.candidates, &c.provider, &c.model);
                rule.candidates
                    .iter()
                    .map(|c| own(c).unwrap_or(c))
                    .collect()
            }
            _ => self.model.candidates.iter().collect(),
        }
    }

    /// One of the candidates.
    pub fn candidate(&self, provider: &str, model: &str) -> Option<&'c Backend> {
        let of_rule = self.rule.map_or(&[][..], |rule| &rule.candidates);
        find(&self.model.candidates, provider, model).or_else(|| find(of_rule, provider, model))
    }

    /// What orders the candidates.
    pub fn policy(&self) -> &'c Policies {
        let own = self.rule.and_then(|rule| rule.policy.as_ref());
        own.unwrap_or(&self.model.policy)
    }

    /// What happens to a request that a candidate can only serve in part.
    pub fn on_unsupported(&self) -> OnUnsupported {
        let own = self.rule.and_then(|rule| rule.on_unsupported);
        own.unwrap_or(self.model.on_unsupported)
    }

    /// Whether a refusal leads to the next candidate.
    pub fn fallback_on_refusal(&self) -> bool {
        let own = self.rule.and_then(|rule| rule.fallback_on_refusal);
        own.unwrap_or(self.model.fallback_on_refusal)
    }

    /// Whether a request goes on whose reply may have been stored.
    pub fn repeats_stored(&self) -> bool {
        self.model.repeat_stored
    }

    /// Which answers pass, where not all do.
    pub fn quality_gate(&self) -> Option<&'c Arc<QualityGate>> {
        self.model.quality_gate.as_ref()
    }

    /// Which answers are kept; `None` for none.
    pub fn cache(&self) -> Option<&'c ResponseCache> {
        let own = self.rule.and_then(|rule| rule.cache.as_ref());
        own.or(self.model.cache.as_ref())
            .filter(|cache| cache.ttl_ms > 0)
    }

    /// Times of one request.
    pub fn timeouts(&self) -> Timeouts {
        let own = self.rule.and_then(|rule| rule.timeouts);
        own.unwrap_or(self.model.timeouts)
    }
}

fn find<'c>(candidates: &'c [Backend], provider: &str, model: &str) -> Option<&'c Backend> {
    let is_it = |c: &&Backend| c.provider == provider && c.model == model;
    candidates.iter().find(is_it)
}
