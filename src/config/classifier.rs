//! Classifiers outside: models and webhooks that tell a request's class for rules to read.

use super::{Endpoint, KeySource};
use crate::catalog::Labels;

/// Who is asked for the class of requests, and how.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// The user's own name for it.
    pub name: String,
    /// Who is asked.
    pub source: Source,
    /// What it may answer; at least two.
    pub classes: Vec<String>,
    /// The class of requests of which it does not tell one.
    pub default: Option<String>,
    /// The longest that a request waits for it, in milliseconds.
    pub deadline_ms: u64,
    /// How long its answers are remembered, in milliseconds; 0 for not at all.
    pub cache_ms: u64,
    /// The most of the last user message that it is shown, in bytes.
    pub excerpt_bytes: usize,
}

/// Who is asked.
#[derive(Debug, Clone)]
pub enum Source {
    /// A model of this configuration.
    Model(ModelSource),
    /// The operator's own endpoint.
    Webhook(Webhook),
}

/// A model that is asked.
#[derive(Debug, Clone)]
pub struct ModelSource {
    /// Its name under `models`.
    pub model: String,
    /// Only this one of its candidates, as provider and model.
    pub candidate: Option<(String, String)>,
    /// What it is asked.
    pub instruction: String,
    /// The most tokens that it may answer with.
    pub max_tokens: u64,
}

/// An endpoint that is asked.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Where its key is; sent as a bearer token.
    pub key: Option<KeySource>,
    /// What it promises of data.
    pub labels: Labels,
    /// Whether it is shown the beginning of the last user message.
    pub sends_text: bool,
}

/// Who is asked for the score of answers.
#[derive(Debug, Clone)]
pub struct Scorer {
    /// Its name, and its cluster's.
    pub name: String,
    /// Who is asked.
    pub webhook: Webhook,
    /// The longest that an answer waits for it, in milliseconds.
    pub deadline_ms: u64,
    /// The most of the prompt, and of the answer, that it is shown, in bytes.
    pub excerpt_bytes: usize,
}

/// The cluster of the webhook that scores a model's answers.
pub(super) fn scorer_name(model: &str) -> String {
    format!("gate.{model}")
}

/// The cluster of a classifier's webhook.
pub fn webhook_cluster(name: &str) -> String {
    // No provider's cluster has a dot in its name.
    format!("classifier.{name}")
}
