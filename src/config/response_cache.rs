//! Which answers are kept, for whom and for how long.

use super::budgets::By;
use crate::cache::put_text;
use crate::routing::Facts;

/// How answers of a model, or under a rule, are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseCache {
    /// For how long an answer is given, in milliseconds; 0 for not at all.
    pub ttl_ms: u64,
    /// Who shares answers; `None` for all who may ask.
    pub by: Option<By>,
    /// Answers that call tools are kept too.
    pub tool_calls: bool,
    /// Answers to requests that show images by their address are kept too.
    pub image_urls: bool,
    /// Only answers to requests that leave nothing to chance are kept.
    pub deterministic_only: bool,
}

impl ResponseCache {
    /// Whose request this is, as bytes; `None` when it does not say so. `team` is the declared
    /// team that asks; empty for none.
    pub fn tenant(&self, facts: &Facts, team: &str) -> Option<Vec<u8>> {
        let mut tenant = Vec::new();
        if let Some(by) = &self.by {
            by.told(facts, team)?
                .iter()
                .for_each(|part| put_text(&mut tenant, part));
        }
        Some(tenant)
    }
}
