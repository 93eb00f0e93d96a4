//! What travels between the roles: filter state and internal headers, encoded and decoded
//! side by side. Nothing of it goes on the wire to a provider or a client.

use serde::{Deserialize, Serialize};

use super::Topology;
use crate::fidelity::Report;
use crate::json;
use crate::operation::Operation;

/// On a count of tokens that is a guess.
pub const ESTIMATED: &str = "x-pointsman-estimated";

/// The plan of a request; written downstream, read by every attempt.
pub const PLAN: &str = "pointsman_plan";
/// The cluster that Envoy's matcher shall choose next.
pub const CLUSTER: &str = "pointsman_cluster";
/// Envoy's request id, for the access log: it does not go to providers.
pub const REQUEST_ID: &str = "pointsman_request_id";
/// The path that the client asked for, for the access log.
pub const REQUEST_PATH: &str = "pointsman_request_path";
/// What the client wants to be done, for the access log.
pub const OPERATION: &str = "pointsman_operation";
/// What the client asked for, for the access log.
pub const REQUEST_MODEL: &str = "pointsman_request_model";
/// The rule that fitted, for the access log and for metrics.
pub const RULE: &str = "pointsman_rule";
/// The team that asks, for the access log and for metrics.
pub const TEAM: &str = "pointsman_team";
/// What the request is meant to do, where a rule reads it.
pub const INTENT: &str = "pointsman_intent";
/// How complex the request is, in thousandths, where a rule or policy reads it.
pub const COMPLEXITY: &str = "pointsman_complexity";
/// What classifiers told, and what became of asking them.
pub const CLASSES: &str = "pointsman_classes";
/// Which candidate a request was assigned to, where a policy divides requests.
pub const VARIANT: &str = "pointsman_variant";
/// Why the request goes where it goes, as JSON; only where the configuration asks for it.
pub const EXPLANATION: &str = "pointsman_explanation";
/// The attempts so far, with class and time.
pub const TRAIL: &str = "pointsman_trail";
/// The most useful failure so far. Holds provider messages: never logged.
pub const FAILURE: &str = "pointsman_failure";
/// What the answering attempt could not carry.
pub const FIDELITY: &str = "pointsman_fidelity";
/// The provider that answered.
pub const PROVIDER: &str = "pointsman_provider";
/// The model that answered.
pub const RESPONSE_MODEL: &str = "pointsman_response_model";
/// Input tokens of the answer.
pub const INPUT_TOKENS: &str = "pointsman_input_tokens";
/// Output tokens of the answer.
pub const OUTPUT_TOKENS: &str = "pointsman_output_tokens";
/// Cached input tokens of the answer.
pub const CACHED_TOKENS: &str = "pointsman_cached_tokens";
/// Input tokens that were written to the provider's cache; only where there are some.
pub const CACHE_WRITE_TOKENS: &str = "pointsman_cache_write_tokens";
/// How the provider says that it has served the request; only where that is not as always.
pub const SERVICE_TIER: &str = "pointsman_service_tier";
/// Reasoning tokens of the answer.
pub const REASONING_TOKENS: &str = "pointsman_reasoning_tokens";

/// An access token from Google's metadata server, which Envoy fetches once per request. A secret:
/// never logged.
pub const TOKEN: &str = "pointsman_token";

/// What became of the request in the cache of answers.
pub const CACHE: &str = "pointsman_cache";
/// What an answer out of a cache saved, in nano-USD.
pub const SAVED: &str = "pointsman_saved_nano_usd";

/// What the request cost, in nano-USD: the answer, and answers that were thrown away.
pub const COST: &str = "pointsman_cost_nano_usd";
/// Tokens of answers that were thrown away, in and out: the provider has charged for them.
pub const REJECTED_TOKENS: &str = "pointsman_rejected_tokens";
/// What these cost, in nano-USD; part of [`COST`].
pub const REJECTED_COST: &str = "pointsman_rejected_cost_nano_usd";
/// `true` when tokens are estimated, because the provider could not count them to the end.
pub const USAGE_ESTIMATED: &str = "pointsman_usage_estimated";

/// Set when an attempt of a hedged request has answered.
pub const ANSWERED: &str = "pointsman_answered";
/// The status of a hedged reply that turned out to be none after its headers had gone on.
pub const BROKEN: &str = "pointsman_broken";
/// Before a budget's name: whose account of it a request is on, for the rate limit filter.
pub const FLEET_ACCOUNT: &str = "pointsman_account.";
/// Before a budget's name: what a request may use of it at most.
pub const FLEET_HITS: &str = "pointsman_hits.";
/// Before a budget's name: what a request has used beyond that.
pub const FLEET_MORE: &str = "pointsman_more.";
/// Before a budget's name: what a request has left of it.
pub const FLEET_BACK: &str = "pointsman_back.";
/// Before a budget's name: what a request that was refused asked for.
pub const FLEET_REFUSED: &str = "pointsman_refused.";

/// Prefix of every header that is ours alone.
pub const INTERNAL_PREFIX: &str = "x-pointsman-";
/// Response header: Envoy shall try the next candidate, and blame nobody.
pub const ESCALATE: &str = "x-pointsman-escalate";
/// Response header: in so many seconds Envoy shall ask the same candidate again.
pub const WAIT: &str = "x-pointsman-wait";
/// Response header: this reply is a failed attempt, or says in a word why none is made.
pub const FAILED: &str = "x-pointsman-failed";
/// Response header: this reply is an upstream filter's own, and whole.
pub const LOCAL: &str = "x-pointsman-local";
/// Response header for clients: the attempts, with class and time.
pub const ATTEMPTS: &str = "x-pointsman-attempts";
/// Response header for clients: provider and model that answered.
pub const ANSWERED_BY: &str = "x-pointsman-answered-by";
/// Response header for clients: what the request cost, in USD.
pub const COST_HEADER: &str = "x-pointsman-cost";
/// Response header for clients: whether the answer came out of the cache.
///
/// Source: RFC 9211, "The Cache-Status HTTP Response Header Field", read 2026-11-21.
pub const CACHE_STATUS: &str = "cache-status";
/// Response header for clients: what could not be carried.
pub const FIDELITY_HEADER: &str = "x-pointsman-fidelity";
/// Request header in which Envoy's credential injector hands over a provider's key, before
/// the provider's name.
pub const KEY_PREFIX: &str = "x-pointsman-key-";
/// Request header that asks Envoy for an access token, before the first attempt.
pub const WANTS_TOKEN: &str = "x-pointsman-wants-token";
/// Request header in which Envoy hands over an access token from Google's metadata server.
pub const TOKEN_HEADER: &str = "x-pointsman-token";
/// Request header of a classifier's question: its plan, from the request that asks to the inner
/// listener, which nobody else reaches.
pub const QUESTION: &str = "x-pointsman-question";
/// The cluster of the inner listener.
pub const INNER: &str = "pointsman.inner";
/// Request header that chooses the chain where the matcher cannot (static chains).
pub const CHAIN: &str = "x-pointsman-chain";
/// The status that Envoy retries and outlier detection counts.
pub const RETRIABLE_STATUS: u16 = 503;
/// The cluster that never answers: an ejected provider's stand-in.
pub const DEAD_END: &str = "dead-end";
/// Prefix of the cluster that falls through to [`DEAD_END`] when its provider is ejected.
pub const VIA_PREFIX: &str = "via-";

/// The most attempts of one request.
pub const MOST_ATTEMPTS: usize = 32;

/// What an attempt must know of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// What the client asked for; a name in the configuration.
    pub model: String,
    /// The rule that fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The team that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What the client asks for.
    #[serde(default, skip_serializing_if = "Operation::is_chat")]
    pub operation: Operation,
    /// The media type of the client's body; empty for JSON.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// The client wants a stream.
    pub streamed: bool,
    /// Attempts may be under way at the same time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hedged: bool,
    /// The client wants a usage chunk.
    pub include_usage: bool,
    /// `id` for providers that give none.
    pub id: String,
    /// `created`, in Unix seconds.
    pub created: u64,
    /// What one attempt may take, in milliseconds.
    pub per_try_ms: u64,
    /// Estimated input tokens.
    pub input_tokens: u64,
    /// The host's number of the client's request; 0 for a question of ours.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stream: u64,
    /// Hash of the prompt's beginning; 0 when nobody wants to know.
    pub prefix: u64,
    /// Who would have been asked but is left alone, as the trail tells it.
    pub avoided: String,
    /// What the client's request lost on its way to a chat completion request.
    pub findings: Report,
    /// Values of the client's `anthropic-beta` header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub betas: Vec<String>,
    /// One for each attempt, in order.
    pub steps: Vec<Step>,
    /// So many steps at the end ask those who are to be left alone: only when all before failed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub last_resort: usize,
    /// The first step tries whether a candidate is well again that was to be left alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub probes: bool,
    /// The reply may be stored: whatever leaves open whether it was is not repeated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub once: bool,
    /// The request requires labels that the gate's webhook does not keep.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unscored: bool,
    /// When all attempts together must be over, in Unix milliseconds, and how long they have in
    /// all; 0 for no limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deadline_ms: u64,
    /// Of the limit on all attempts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub total_ms: u64,
    /// The longest `Retry-After` that is waited for, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wait_up_to_ms: u64,
}

/// One attempt of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The provider's cluster, as its endpoint's metadata names it.
    pub cluster: String,
    /// Tokens of the prompt, estimated for this model and not corrected; 0 when nobody wants to
    /// know.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens: u64,
    /// Whether it may be asked again after a short wait.
    #[serde(default, skip_serializing_if = "is_false")]
    pub waits: bool,
    /// It has lately read a prompt that begins so, and is to be told what to keep.
    #[serde(default, skip_serializing_if = "is_false")]
    pub warm: bool,
}

/// Left out of what travels.
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Left out of what travels.
fn is_none(number: &usize) -> bool {
    *number == 0
}

/// Left out of what travels.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Handoff {
    /// The bytes for filter state.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        crate::json::write(&mut bytes, self);
        bytes
    }

    /// Reads what [`Handoff::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<Handoff> {
        json::deserialize(bytes).ok()
    }

    /// Whether another candidate was to serve before attempt `index` (from 0).
    pub fn is_fallback(&self, index: usize) -> bool {
        let who = |step: &Step| (step.provider.clone(), step.model.clone());
        self.steps.first().map(who) != self.steps.get(index).map(who)
    }

    /// Whether nobody is asked after attempt `index` (from 0) but those who are to be left alone.
    pub fn is_last(&self, index: usize) -> bool {
        let others = self.steps.len().saturating_sub(self.last_resort);
        index.saturating_add(1) >= others
    }

    /// How often Envoy may try again.
    pub fn retries(&self, topology: Topology) -> u64 {
        let steps = self.steps.len().saturating_sub(1) as u64;
        // A static chain holds the repetition as a step of its own.
        let waits = topology == Topology::PerAttempt && self.steps.iter().any(|s| s.waits);
        steps.saturating_add(u64::from(waits))
    }

    /// Where Envoy finds attempt `index` (from 0).
    ///
    /// Every candidate but the last is addressed so that its ejection fails the attempt at
    /// once; the last one is tried even when it is ejected, because trying beats refusing. So is
    /// the last one before those who are to be left alone.
    pub fn address(&self, index: usize, topology: Topology) -> Option<String> {
        let step = self.steps.get(index)?;
        let number = index.saturating_add(1);
        let is_tried_in_any_case = number == self.steps.len()
            || number.saturating_add(self.last_resort) == self.steps.len();
        Some(match topology {
            Topology::PerAttempt if !is_tried_in_any_case => {
                format!("{VIA_PREFIX}{}", step.cluster)
            }
            Topology::PerAttempt => step.cluster.clone(),
            Topology::StaticChain => chain_name(self.steps.iter().map(|s| s.cluster.as_str())),
        })
    }
}

/// The name of the aggregate cluster that tries `clusters` in this order.
pub fn chain_name<'a>(clusters: impl Iterator<Item = &'a str>) -> String {
    let mut name = String::from("chain");
    for cluster in clusters {
        name.push('.');
        name.push_str(cluster);
    }
    name
}

/// The cluster for the `occurrence`th time (from 0) that a chain names `provider`.
///
/// Envoy tries each member of a chain once, so a provider's second model, or a second try of
/// the same one, needs a second cluster.
pub fn cluster_name(provider: &str, occurrence: usize) -> String {
    match occurrence {
        0 => provider.to_owned(),
        n => format!("{provider}~{}", n + 1),
    }
}
