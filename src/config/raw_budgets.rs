//! Budgets as the document writes them.

use super::names::{
    BudgetScopeWord, ClaimPath, FieldName, HeaderName, LabelValue, ModelRef, WindowWord,
};
#[cfg(feature = "cli")]
use super::names::{CaFile, EndpointUrl};
use super::raw_rules::RawWhen;
use super::shape::object;
use super::values::{Duration, Int, Ratio};
use crate::catalog::price::Price;

object! {
    /// How much requests like this may use in each window of time.
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
        /// Where it is kept: `proxy`, by each proxy for itself, across its workers; `fleet`, by
        /// `rate_limit_service` for all proxies together. `proxy` when not said.
        scope: BudgetScopeWord,
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

#[cfg(feature = "cli")]
object! {
    /// The service that keeps budgets of `scope: fleet`, asked by Envoy's rate limit filter. Its
    /// own limits are written by `pointsman render limits`.
    pub(super) struct RawRateLimitService {
        /// Where it is, such as `http://ratelimit.infra.svc:8081`: gRPC, with TLS for `https://`.
        endpoint: EndpointUrl = required,
        /// File with the certificate authority that signed its certificate; the system's own when
        /// not said.
        ca_file: CaFile,
        /// The domain of its limits; `pointsman` when not said.
        domain: LabelValue,
        /// How long Envoy waits for it; 500ms when not said.
        timeout: Duration<1, 10_000>,
        /// What happens when it does not answer: `true` refuses requests that a budget is for,
        /// with a 503, `false` lets them pass uncounted. `true` when not said.
        failure_mode_deny: bool,
        /// Whether it gives hits back (`is_negative_hits`); where it cannot, what a request has
        /// reserved and not used stays used until the window ends. `true` when not said; Envoy
        /// can from 1.38 on.
        negative_hits: bool,
        /// Whether it counts requests that it refuses, as the reference service does: what it
        /// counted is given back. `true` when not said.
        counts_refused: bool,
    }
}
