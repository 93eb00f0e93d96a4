//! Budgets as the document writes them.

use super::names::{ClaimPath, FieldName, HeaderName, LabelValue, ModelRef, WindowWord};
use super::raw_rules::RawWhen;
use super::shape::object;
use super::values::{Duration, Int, Ratio};
use crate::catalog::price::Price;

object! {
    /// How much requests like this may use in each window of time. Kept by each proxy for
    /// itself, across its workers.
    pub(super) struct RawBudget {
        /// Its name in errors and in the log; `budget-1` and so on when not said.
        name: LabelValue,
        /// What a request must be like; every request when not said.
        when: RawWhen,
        /// Whose budget it is: each value has its own, and so have all requests that say none; all
        /// requests share one when not said.
        by: RawBudgetBy,
        /// Tokens, of prompts and answers together.
        tokens: Int<1, 1_000_000_000_000_000>,
        /// USD, by the prices of whoever answers; up to 10000, with up to six decimals.
        usd: Price,
        /// Requests that were answered.
        requests: Int<1, 1_000_000_000_000_000>,
        /// UTC: `minute`, `hour`, `day` or `month`, each from its beginning on the clock.
        per: WindowWord = required,
        /// Tokens that are reserved for the answer to a client that sets no limit; 1000 when not
        /// said.
        reserve_output: Int<0, 1_000_000_000>,
        /// For how long what is reserved stays so when the worker broke down that had to settle
        /// it; 20m when not said.
        lapse: Duration<2_000, 86_400_000>,
        /// From this share of the budget on, 0 to 1, `downgrade_to` serves.
        soft: Ratio,
        /// One of the names under `models`: what serves instead of what was asked for.
        downgrade_to: ModelRef,
    }
}

object! {
    /// A team, by its requests. The first that fits counts.
    pub(super) struct RawTeam {
        /// Its name: a label of metrics, and a field of the access log.
        name: LabelValue = required,
        /// What its requests are like.
        when: RawWhen = required,
    }
}

object! {
    /// What tells one client from another.
    pub(super) struct RawBudgetBy {
        /// A request header, set by a proxy that clients cannot pass by.
        header: HeaderName,
        /// A claim of the client's token, as Envoy's `jwt_authn` has checked it.
        claim: ClaimPath,
        /// The URI in the client's certificate.
        identity: bool,
        /// The body's `safety_identifier` or `user`: a client's own word.
        user: bool,
        /// A field of the body's `metadata`, such as `session_id`: a client's own word.
        metadata: FieldName,
        /// The declared team.
        team: bool,
        /// The client's own key: `authorization`, `x-api-key` or `api-key`, of which only a hash
        /// is kept.
        key: bool,
    }
}
