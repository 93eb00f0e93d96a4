//! Asking somebody outside, a classifier or who scores answers: the question, what its answer
//! means, for how long it is remembered, and who waits for it. No host calls; whoever has sockets
//! sends the question.

mod cache;
mod digest;
mod flights;
mod question;
mod reading;

pub use cache::{Cache, Key};
pub use flights::{Flights, Place, Waiting};
pub use question::{Asked, Features, Judged, model_question, score_question, webhook_question};
pub use reading::{MAX_REPLY_BYTES, Reply, read, read_score, spent};

use crate::config::Webhook;

/// The key of a question: which classifier, and what it is asked.
pub fn key(classifier: &str, body: &[u8]) -> Key {
    Key::of(classifier, body)
}

/// A question on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name of whoever is asked.
    pub classifier: String,
    /// What makes it equal to another question.
    pub key: Key,
    /// The cluster that it goes to.
    pub cluster: String,
    /// Request headers, pseudo-headers among them.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
    /// The longest that is waited for the answer, in milliseconds.
    pub deadline_ms: u64,
}

impl Question {
    /// A `POST` of JSON.
    pub fn new(
        name: &str,
        key: Key,
        cluster: &str,
        (authority, path): (String, String),
        body: Vec<u8>,
        deadline_ms: u64,
    ) -> Question {
        Question {
            classifier: name.to_owned(),
            key,
            cluster: cluster.to_owned(),
            headers: vec![
                (":method", "POST".to_owned()),
                (":path", path),
                (":authority", authority),
                ("content-type", "application/json".to_owned()),
            ],
            body,
            deadline_ms,
        }
    }

    /// The same to the operator's endpoint.
    pub fn to_webhook(
        name: &str,
        cluster: &str,
        webhook: &Webhook,
        body: Vec<u8>,
        deadline_ms: u64,
    ) -> Question {
        let path = match webhook.endpoint.path.as_str() {
            "" => "/".to_owned(),
            path => path.to_owned(),
        };
        let place = (webhook.endpoint.authority(), path);
        let key = key(name, &body);
        Question::new(name, key, cluster, place, body, deadline_ms)
    }
}

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Answered,
    /// It had been answered before.
    Cached,
    /// No answer in time.
    Timeout,
    /// An answer that cannot be used, or none.
    Failed,
    /// Failed too often of late to be asked.
    Resting,
    /// The candidate that is to be asked has asked to be left alone for now.
    CoolingDown,
    /// Nobody may be asked: the request requires labels that the classifier does not keep.
    Excluded,
    /// There is nothing to ask: the request holds no text.
    Unasked,
}

impl Outcome {
    /// Its name in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Cached => "cached",
            Outcome::Timeout => "timeout",
            Outcome::Failed => "failed",
            Outcome::Resting => "resting",
            Outcome::CoolingDown => "cooling_down",
            Outcome::Excluded => "excluded",
            Outcome::Unasked => "unasked",
        }
    }
}

/// What is known of a request's class after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The classifier's name.
    pub classifier: String,
    /// What became of the question.
    pub outcome: Outcome,
    /// The class that was told.
    pub class: Option<String>,
    /// What asking used; nothing for those who did not ask themselves.
    pub spent: Spent,
}

/// What a question to a model used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens, in and out.
    pub tokens: u64,
    /// What they cost.
    pub nano_usd: u64,
}

impl Answer {
    /// Without a class.
    pub fn without(classifier: &str, outcome: Outcome) -> Answer {
        Answer {
            classifier: classifier.to_owned(),
            outcome,
            class: None,
            spent: Spent::default(),
        }
    }
}

#[cfg(test)]
mod tests;
