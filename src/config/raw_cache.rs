//! Caches of answers as the document writes them.

use super::raw_budgets::RawBudgetBy;
use super::shape::object;
use super::values::Duration;

object! {
    /// Whose answers are kept and given again to equal requests, and for how long.
    pub(super) struct RawCache {
        /// For how long an answer is given; 0s for not at all, for a rule under which the model's
        /// cache is not to be used.
        ttl: Duration<0, 604_800_000> = required,
        /// Who shares answers: only requests in which all of this is the same; those in which some
        /// of it is missing pass by the cache.
        by: RawBudgetBy,
        /// Whether all who may ask share answers, whoever they are; `by` is not said then.
        shared: bool,
        /// Whether answers are kept that call tools; false when not said.
        tool_calls: bool,
        /// Whether answers are kept to requests that show images by their address, where another
        /// image may stand tomorrow; false when not said.
        image_urls: bool,
        /// Whether only answers are kept to requests with a `temperature` of 0, and to embeddings
        /// and rerank; false when not said.
        deterministic_only: bool,
    }
}
